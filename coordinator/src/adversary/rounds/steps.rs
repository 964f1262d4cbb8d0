//! What a member may send, when, and how much of it.

use super::*;
use crate::limits::{INTRODUCTION_BYTES_MAX, UNMASKING_BYTES_MAX};
use entente_wire::limits::DOCUMENT_BYTES_MAX;

/// What the odd member sends instead of its answers at one step, and a part of what it is told.
type Case = (&'static str, At, Vec<Up>, &'static str);

fn to(members: &[u32]) -> Up {
    let shares = dealt_to(2, members.iter().copied());
    Up::Dealing(RoundDealing {
        shares,
        check_keys: Vec::new(),
    })
}

fn early() -> Vec<Case> {
    let introduction = || Up::Introduction(vec![1; 8]);
    let twice = vec![introduction(), introduction()];
    let long = Up::Introduction(vec![1; INTRODUCTION_BYTES_MAX + 1]);
    let join = Up::Join(good_join(JobHash(Digest([1; 32]))));
    let vote = Up::Vote(vec![1; 64]);
    let (begin, shown) = (At::Begin, At::Introductions);
    vec![
        ("two introductions", begin, twice, "came where"),
        ("a long introduction", begin, vec![long], "512"),
        ("a second join", begin, vec![join], "second join"),
        ("a vote", shown, vec![vote], "where a dealing was due"),
        ("dealt to itself", shown, vec![to(&[0, 1, 2])], "number 2"),
        ("dealt to nobody", shown, vec![to(&[0, 1, 4])], "number 4"),
        ("too few boxes", shown, vec![to(&[0, 1])], "boxes of shares"),
        ("in disorder", shown, vec![to(&[1, 0, 3])], "ascending"),
    ]
}

/// A signature and messages of words of so many bytes.
fn signed(words: &[usize]) -> Vec<Up> {
    let words = words.iter().map(|bytes| Up::Words(vec![1; *bytes]));
    let signature = Up::Contribution(vec![7; 64]);
    std::iter::once(signature).chain(words).collect()
}

fn late() -> Vec<Case> {
    let at = At::Delivery;
    let vote = || Up::Vote(vec![1; 64]);
    let too_few = [signed(&[16]), vec![vote()]].concat();
    let unsigned = vec![Up::Words(vec![1; 24])];
    let short = vec![Up::Contribution(vec![1; 63])];
    let enormous = vec![Up::Words(vec![1; 2 * DOCUMENT_BYTES_MAX])];
    let wide = signed(&[ROUND_WORDS_BYTES + 8]);
    let long = Up::Unmasking(vec![1; UNMASKING_BYTES_MAX + 1]);
    let opened = Up::Opened(true);
    vec![
        ("no signature", at, unsigned, "words came where"),
        ("a short signature", at, short, "63 bytes"),
        ("half a word", at, signed(&[12]), "12 bytes"),
        ("no words", at, signed(&[0]), "0 bytes"),
        ("a long message", at, wide, "whole words"),
        ("too many words", at, signed(&[16, 16]), "the job's 3"),
        ("words after the last", at, signed(&[24, 8]), "words came"),
        ("too few words", at, too_few, "the rest of its words"),
        ("an enormous message", at, enormous, "longer than any"),
        (
            "two votes",
            At::Survivors,
            vec![vote(), vote()],
            "a vote came",
        ),
        ("a long box", At::Votes, vec![long], "65536"),
        ("opened by another", At::Votes, vec![opened], "opened came"),
    ]
}

impl Player {
    /// Does its part up to `at`, sends this instead there, and tells what it was told.
    async fn play_up_to(mut self, at: At, instead: Vec<Up>) -> Problem {
        while let Some(down) = self.next().await {
            match &down {
                Down::End(end) => return read_end(&end.problem).expect("it was sent away"),
                _ if stage_of(&down, &Played::default()) == at => {
                    for step in instead.clone() {
                        self.say(step).await;
                    }
                }
                _ => {
                    for answer in self.answers(&down) {
                        self.say(answer).await;
                    }
                }
            }
        }
        panic!("the call ended without a word")
    }
}

#[tokio::test]
async fn who_sends_what_does_not_belong_there_is_out_and_told_why_and_the_others_go_on() {
    let cast = Cast::new(4, TIMING).await;
    for (number, (what, at, instead, told)) in (0..).zip(early().into_iter().chain(late())) {
        let job = cast.job(number, 3).await;
        let odd = cast.join(2, job).await.play_up_to(at, instead);
        let mut others = JoinSet::new();
        let odd = tokio::spawn(odd);
        for place in [0, 1, 3] {
            others.spawn(cast.join(place, job).await.play(None));
        }
        for played in in_time(others.join_all()).await {
            assert_eq!(played.end, Some(None), "{what}");
            if !played.sum.is_empty() && at < At::Delivery {
                assert_eq!(played.sum, sum_of(&[0, 1, 3]), "{what}");
            }
        }
        let problem = in_time(odd).await.unwrap();
        assert_eq!(problem.code, Code::CoordinatorRefused, "{what}: {problem}");
        assert!(problem.what.contains(told), "{what}: {problem}");
    }
    cast.at.stop().await;
}

#[tokio::test]
async fn a_vector_of_many_messages_arrives_whole_and_more_members_than_uploads_take_turns() {
    const CELLS: u32 = 50_000;
    let cast = Cast::new(6, TIMING).await;
    let mut large = terms(&cast.members[0].org, 6);
    large.words = CELLS - large.tag_words;
    let job = cast.job_of(0, large).await;
    let mut players = JoinSet::new();
    for place in 0..6u32 {
        let mut player = cast.join(place as usize, job).await;
        players.spawn(async move {
            let mut sum: Vec<u8> = Vec::new();
            while let Some(down) = player.next().await {
                match &down {
                    Down::End(end) => {
                        assert_eq!(read_end(&end.problem), None);
                        break;
                    }
                    Down::Delivery(_) => {
                        let words: Vec<u8> = (0..u64::from(CELLS))
                            .flat_map(|at| (at << 40 | u64::from(place)).to_le_bytes())
                            .collect();
                        player.say(Up::Contribution(vec![1; 64])).await;
                        for chunk in words.chunks(ROUND_WORDS_BYTES) {
                            player.say(Up::Words(chunk.to_vec())).await;
                        }
                    }
                    Down::Words(bytes) => {
                        sum.extend(bytes);
                        if sum.len() == 8 * CELLS as usize {
                            player.say(Up::Opened(true)).await;
                        }
                    }
                    down => {
                        for answer in player.answers(down) {
                            player.say(answer).await;
                        }
                    }
                }
            }
            sum
        });
    }
    let sums = in_time(players.join_all()).await;
    let sum: Vec<u8> = sums.into_iter().flatten().collect();
    let plain: Vec<u8> = (0..u64::from(CELLS))
        .flat_map(|at| (6 * (at << 40) + 15).to_le_bytes())
        .collect();
    assert!(sum == plain, "{} bytes", sum.len());
    cast.at.stop().await;
}
