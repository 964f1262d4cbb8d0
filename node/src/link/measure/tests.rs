//! What is made of arrivals, and partners that do not play by the rules.

use super::*;
use std::sync::Arc;
use tokio::sync::Semaphore;

type Answers = BoxStream<'static, Result<Probe, Status>>;

fn partner() -> OrgName {
    "river-pay".parse().expect("a name")
}

/// An asker that hears `answers`, whatever it says.
fn asker(answers: Answers) -> (Asker, mpsc::Receiver<Probe>) {
    let (outgoing, probes) = mpsc::channel(1024);
    let asker = Asker {
        own: "north-bank".parse().expect("a name"),
        partner: partner(),
        outgoing,
        incoming: answers,
    };
    (asker, probes)
}

/// The honest answering side.
fn answered(probes: Answers, within: Duration) -> (Probes, Arc<Semaphore>) {
    let places = Arc::new(Semaphore::new(1));
    let place = Arc::clone(&places).try_acquire_owned().expect("free");
    (answer(partner(), probes, within, place), places)
}

#[test]
fn the_later_half_of_what_arrived_gives_the_speed() {
    let begin = Instant::now();
    let speed = |points: &[(u64, u64)]| {
        let mut arrivals = Arrivals::from(begin);
        for (milliseconds, bytes) in points {
            arrivals.add(begin + Duration::from_millis(*milliseconds), *bytes);
        }
        arrivals.bits_per_s()
    };
    assert_eq!(speed(&[]), 0);
    assert_eq!(speed(&[(8, 1_000)]), 1_000_000);
    // A slow start does not count: the second 1,000 bytes took 8 ms.
    assert_eq!(speed(&[(100, 500), (200, 1_000), (208, 2_000)]), 1_000_000);
    assert!(speed(&[(0, 1_000)]) > 1_000_000_000);
}

#[tokio::test]
async fn two_honest_sides_come_to_an_end() {
    let (mut asker, probes) = asker(futures::stream::empty().boxed());
    let probes = ReceiverStream::new(probes).map(Ok).boxed();
    let (answers, places) = answered(probes, ANSWERING);
    asker.incoming = answers.boxed();
    assert!(asker.measure().await.expect("honest").megabits_per_s >= 1);
    assert_eq!(asker.hear().await.expect("honest"), None);
    let free = timeout(ANSWERING, places.acquire()).await;
    assert!(free.expect("the place is free again").is_ok());
}

#[tokio::test]
async fn an_answer_that_was_not_due_blames_the_partner() {
    let echoes = [0; ECHOES].map(Content::Arrived).to_vec();
    let after_echoes = |content| [echoes.clone(), vec![content]].concat();
    let cases: [Vec<Content>; 5] = [
        vec![],
        vec![Content::Arrived(1)],
        vec![Content::YourTurn(true)],
        after_echoes(Content::Padding(vec![0; 9])),
        // More arrived than was sent.
        after_echoes(Content::Arrived(PADDING_BYTES_MAX + 1)),
    ];
    for said in cases {
        let shown = format!("{said:?}");
        let answers = futures::stream::iter(said.into_iter().map(probe).map(Ok));
        let (mut asker, _probes) = asker(answers.boxed());
        let problem = asker.measure().await.expect_err("not the rules");
        assert_eq!(problem.code, Code::PartnerMisbehaved, "{shown}");
    }
}

#[tokio::test]
async fn a_partner_that_sends_more_than_its_turn_is_refused() {
    let flood = futures::stream::repeat_with(|| Ok(padding()));
    let (mut asker, _probes) = asker(flood.boxed());
    let problem = asker.download().await.err().expect("too much");
    assert_eq!(problem.code, Code::PartnerMisbehaved);
}

#[tokio::test]
async fn an_asker_that_sends_too_much_is_refused() {
    let padding: fn() -> Content = || Content::Padding(vec![0; PIECE_BYTES]);
    let echo: fn() -> Content = || Content::Arrived(0);
    for content in [padding, echo] {
        let flood = futures::stream::repeat_with(move || Ok(probe(content())));
        let (mut answers, _) = answered(flood.boxed(), ANSWERING);
        let mut refused = None;
        while let Some(answer) = answers.next().await {
            refused = answer.err();
        }
        assert!(refused.is_some());
    }
}

#[tokio::test]
async fn an_asker_that_takes_nothing_is_left_after_a_time() {
    let flood = futures::stream::repeat_with(|| Ok(padding()));
    let (_answers, places) = answered(flood.boxed(), Duration::from_millis(1));
    let free = timeout(ANSWERING, places.acquire()).await;
    assert!(free.expect("the place is free again").is_ok());
}
