//! Rounds of aggregation over real TLS: members that come, vanish, hang and send what does not belong there. Here: members that do all that a
//! round asks, with dummy bytes, up to a point.

mod joining;
mod steps;
mod vanishing;

use super::*;
use crate::rounds::rehearsal::{dealt_to, roster, terms};
use entente_wire::canonical;
use entente_wire::limits::ROUND_WORDS_BYTES;
use entente_wire::rpc::coordinator::v1::round_down::Step as Down;
use entente_wire::rpc::coordinator::v1::round_up::Step as Up;
use entente_wire::rpc::coordinator::v1::{RoundBoxes, RoundDealing, RoundDown, RoundJoin, RoundUp};
use entente_wire::seal::AggregateTerms;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;

/// Words of one member's vector in a small round, the authenticator's among them.
const WORDS: usize = 3;

/// Some members and a coordinator that admits them.
struct Cast {
    members: Vec<Arc<Member>>,
    _stage: Stage,
    at: Running,
}

impl Cast {
    async fn new(members: u32, timing: Timing) -> Self {
        let members: Vec<Arc<Member>> = roster(members)
            .iter()
            .map(|org| Arc::new(member(org.as_str())))
            .collect();
        let all: Vec<&Member> = members.iter().map(Arc::as_ref).collect();
        let stage = Stage::new(&all);
        let at = stage.start_with(timing).await;
        Self {
            members,
            _stage: stage,
            at,
        }
    }

    /// Files a job of all members; `number` makes it another job than others. The first member opens the sum.
    async fn job(&self, number: u64, needed: u32) -> JobHash {
        self.job_of(number, terms(&self.members[0].org, needed))
            .await
    }

    async fn job_of(&self, number: u64, terms: AggregateTerms) -> JobHash {
        let (hash, record) = self.submission(number, terms);
        self.members[0].post(&self.at, record).await.unwrap();
        hash
    }

    fn submission(&self, number: u64, terms: AggregateTerms) -> (JobHash, rpc::Record) {
        let parties: Vec<&OrgName> = self.members.iter().map(|member| &member.org).collect();
        let asker = &self.members[0];
        let mut submission = submission(&asker.org, &parties, YEAR_2100 + number);
        submission.seal.protocol = Protocol::Aggregate(terms);
        let record = asker.sign(Kind::Submission, &submission);
        (submission.hash(), record)
    }

    async fn join(&self, place: usize, job: JobHash) -> Player {
        let joined = Player::join(&self.members[place], &self.at, good_join(job)).await;
        joined.unwrap()
    }

    /// All members take part to the end, but for what one of them does.
    async fn play(&self, job: JobHash, odd: Option<(usize, Quirk)>) -> Vec<Played> {
        let mut players = JoinSet::new();
        for place in 0..self.members.len() {
            let player = self.join(place, job).await;
            let quirk = odd.and_then(|(who, quirk)| (who == place).then_some(quirk));
            players.spawn(async move { (place, player.play(quirk).await) });
        }
        let mut played = in_time(players.join_all()).await;
        played.sort_by_key(|(place, _)| *place);
        played.into_iter().map(|(_, played)| played).collect()
    }
}

fn good_join(job: JobHash) -> RoundJoin {
    RoundJoin {
        version: WIRE_VERSION,
        job_hash: job.0.0.to_vec(),
        round_min: 1,
    }
}

/// Where a member does something else than it should: at what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    Begin,
    Introductions,
    Delivery,
    Survivors,
    Votes,
    Sum,
}

const ALL_STEPS: [At; 5] = [
    At::Begin,
    At::Introductions,
    At::Delivery,
    At::Survivors,
    At::Votes,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quirk {
    /// Closes all of its call before it answers.
    Vanishes(At),
    /// Answers, then ends its stream.
    Answers(At),
    /// Ends its stream after its first word.
    HalfUploads,
    /// Does not answer, with its stream open.
    Hangs(At),
    /// Answers after a while.
    Delays(At, Duration),
    /// Says farewell instead of answering.
    Leaves(At),
}

/// What became of a member's part.
#[derive(Debug, Default, PartialEq)]
struct Played {
    number: Option<u64>,
    survivors: Vec<u32>,
    sum: Vec<u64>,
    unmasked_by: Vec<u32>,
    /// `None` if it went before.
    end: Option<Option<Problem>>,
}

/// A member's part in a round.
struct Player {
    place: u32,
    up: mpsc::Sender<RoundUp>,
    down: Streaming<RoundDown>,
    _client: CoordinatorClient<Channel>,
}

/// The words that a member contributes.
fn vector(place: u32) -> [u64; WORDS] {
    let place = u64::from(place);
    [place + 1, u64::MAX - place, place << 60]
}

fn words(place: u32) -> Vec<u8> {
    vector(place)
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect()
}

fn sum_of(places: &[u32]) -> Vec<u64> {
    let add = |sum: [u64; WORDS], place: &u32| {
        let vector = vector(*place);
        std::array::from_fn(|at| sum[at].wrapping_add(vector[at]))
    };
    places.iter().fold([0; WORDS], add).to_vec()
}

impl Player {
    async fn join(member: &Member, at: &Running, join: RoundJoin) -> Result<Self, Problem> {
        let place = member.org.as_str().rsplit('-').next();
        let place = place.and_then(|number| number.parse().ok());
        Self::begin(member, at, Up::Join(join), place.unwrap_or_default()).await
    }

    async fn begin(member: &Member, at: &Running, first: Up, place: u32) -> Result<Self, Problem> {
        let (up, steps) = mpsc::channel(16);
        let mut client = member.call(at).await;
        up.send(RoundUp { step: Some(first) }).await.unwrap();
        let down = in_time(client.round(ReceiverStream::new(steps))).await;
        let down = down.map_err(|status| problem(&status))?.into_inner();
        Ok(Self {
            place,
            up,
            down,
            _client: client,
        })
    }

    async fn say(&self, step: Up) {
        // Where the coordinator has ended the call nobody takes it.
        let _ = in_time(self.up.send(RoundUp { step: Some(step) })).await;
    }

    /// The next step, over heartbeats. Nothing once the call is over.
    async fn next(&mut self) -> Option<Down> {
        loop {
            match in_time(self.down.message()).await {
                Ok(Some(down)) if down.step == Some(Down::Heartbeat(true)) => {}
                Ok(down) => return down?.step,
                Err(_) => return None,
            }
        }
    }

    /// Why the part ended; nothing if it ended well.
    async fn end(&mut self) -> Option<Problem> {
        loop {
            match self.next().await {
                Some(Down::End(end)) => return read_end(&end.problem),
                Some(_) => {}
                None => panic!("{}: the call ended without a word", self.place),
            }
        }
    }

    fn dealing(&self, introductions: &RoundBoxes) -> RoundDealing {
        let others = introductions.boxes.iter().map(|one| one.member);
        let others: Vec<u32> = others.filter(|member| *member != self.place).collect();
        let check_keys = if self.place == 0 { &others[..] } else { &[] };
        RoundDealing {
            check_keys: dealt_to(self.place, check_keys.iter().copied()),
            shares: dealt_to(self.place, others.iter().copied()),
        }
    }

    /// What is answered to a step.
    fn answers(&self, to: &Down) -> Vec<Up> {
        let mark = [7, self.place.to_le_bytes()[0]];
        match to {
            Down::Begin(_) => vec![Up::Introduction(mark.repeat(100))],
            Down::Introductions(boxes) => vec![Up::Dealing(self.dealing(boxes))],
            Down::Delivery(_) => vec![
                Up::Contribution(mark.repeat(32)),
                Up::Words(words(self.place)),
            ],
            Down::Survivors(_) => vec![Up::Vote(mark.repeat(32))],
            Down::Votes(_) if self.place != 0 => vec![Up::Unmasking(mark.repeat(300))],
            _ => Vec::new(),
        }
    }

    async fn play(mut self, quirk: Option<Quirk>) -> Played {
        let mut played = Played::default();
        while let Some(down) = self.next().await {
            played.note(self.place, &down);
            if let Some(end) = &played.end {
                assert!(end.is_some() || quirk.is_none() || self.place != 0);
                break;
            }
            let at = stage_of(&down, &played);
            let mut answers = self.answers(&down);
            if at == At::Sum {
                answers = vec![Up::Opened(true)];
            }
            match quirk {
                Some(Quirk::Vanishes(stage)) if stage == at => return played,
                Some(Quirk::Hangs(stage)) if stage == at => answers.clear(),
                Some(Quirk::Leaves(stage)) if stage == at => answers = vec![Up::Left(farewell())],
                Some(Quirk::Delays(stage, by)) if stage == at => sleep(by).await,
                Some(Quirk::HalfUploads) if at == At::Delivery => {
                    answers[1] = Up::Words(words(self.place)[..8].to_vec());
                }
                _ => {}
            }
            for answer in answers {
                self.say(answer).await;
            }
            let ends = match quirk {
                Some(Quirk::Answers(stage)) => stage == at,
                Some(Quirk::HalfUploads) => at == At::Delivery,
                _ => false,
            };
            if ends {
                self.up = mpsc::channel(1).0;
            }
        }
        played
    }
}

/// What a step asks for. More than one message of boxes and words comes before the sum is whole.
fn stage_of(down: &Down, played: &Played) -> At {
    match down {
        Down::Begin(_) => At::Begin,
        Down::Introductions(_) => At::Introductions,
        Down::Delivery(_) => At::Delivery,
        Down::Survivors(_) => At::Survivors,
        Down::Words(_) if played.sum.len() == WORDS => At::Sum,
        _ => At::Votes,
    }
}

fn farewell() -> Vec<u8> {
    canonical::to_bytes(&Problem::here(
        Code::Disk,
        "its disk is full",
        "free some space",
    ))
}

fn read_end(problem: &[u8]) -> Option<Problem> {
    (!problem.is_empty()).then(|| canonical::from_bytes(problem).unwrap())
}

fn members_of(boxes: &RoundBoxes) -> Vec<u32> {
    boxes.boxes.iter().map(|one| one.member).collect()
}

impl Played {
    /// Takes down what a member is told, and looks at what has to hold in every round.
    fn note(&mut self, place: u32, down: &Down) {
        match down {
            Down::Begin(number) => self.number = Some(*number),
            Down::Introductions(boxes) => assert!(members_of(boxes).contains(&place)),
            Down::Delivery(delivery) => {
                for one in &delivery.shares {
                    let marks = [one.member, place].map(|number| number.to_le_bytes()[0]);
                    assert_eq!(one.content, marks.repeat(8), "a box for another");
                }
                assert_eq!(delivery.check_key.is_empty(), place == 0);
            }
            Down::Survivors(boxes) => {
                self.survivors = members_of(boxes);
                assert!(self.survivors.contains(&place));
            }
            Down::Unmaskings(boxes) => self.unmasked_by.extend(members_of(boxes)),
            Down::Words(bytes) => {
                let (words, _) = bytes.as_chunks::<8>();
                self.sum
                    .extend(words.iter().map(|word| u64::from_le_bytes(*word)));
            }
            Down::End(end) => self.end = Some(read_end(&end.problem)),
            Down::Votes(boxes) => assert!(boxes.boxes.is_sorted_by_key(|one| one.member)),
            Down::Heartbeat(_) => {}
        }
    }
}
