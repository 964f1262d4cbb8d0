//! How fast the way to a partner's node is: what a job's transfers are chosen for, measured before the job is sealed.
//!
//! On a connection like a session's, padding is timed in both directions for a fraction of a second, and an echo three times. The asker's
//! node measures; the other one answers, to pinned partners only, within limits. Nothing of either organisation is in it.
//!
//! ```text
//! asker  arrived 0 ─→       …three times    padding ─→ … ─→       your turn ─→
//! other         ←─ arrived 0               ←─ arrived n … each             ←─ padding … ←─ end
//! ```

use super::Link;
use crate::session::refused;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::peer::v1::Probe;
use entente_wire::rpc::peer::v1::probe::Content;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// One piece of padding, as large as a session's frames mostly are.
const PIECE_BYTES: usize = 64 * 1024;
/// Most padding in one direction: enough to tell a gigabit a second, little for whoever answers.
const PADDING_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How long padding is sent at most.
const SENDING: Duration = Duration::from_millis(700);
/// How long what was sent may take to arrive: what has arrived by then tells how slow the link is.
const ARRIVING: Duration = Duration::from_secs(2);
/// Echoes of which the fastest counts.
const ECHOES: usize = 3;
/// The asker's wait for all of it.
const MEASURING: Duration = Duration::from_secs(6);
/// The other side's.
pub(super) const ANSWERING: Duration = Duration::from_secs(15);
/// Most messages that are answered: a few above what an honest asker sends.
const MESSAGES_MAX: usize = 256;
/// Probes that wait for the stream to take them.
const QUEUE_PROBES_MAX: usize = 4;

/// How long a measurement counts for further jobs.
pub(super) const FRESH: Duration = Duration::from_secs(600);
/// Measurements that a node answers at once.
pub(super) const ANSWERS_MAX: usize = 4;

/// What is answered to an asker.
pub(crate) type Probes = ReceiverStream<Result<Probe, Status>>;

impl Link {
    /// The speed of the way to a partner, measured now or within the last [`FRESH`].
    pub(crate) async fn speed(&self, org: &OrgName) -> Result<LinkSpeed, Problem> {
        if let Some(speed) = self.measured.fresh(org) {
            return Ok(speed);
        }
        let Ok(speed) = timeout(MEASURING, self.measure(org)).await else {
            return Err(silent(org));
        };
        let speed = speed?;
        tracing::info!(partner = %org, "the link was measured: {speed}");
        self.measured.put(org, speed);
        Ok(speed)
    }

    async fn measure(&self, org: &OrgName) -> Result<LinkSpeed, Problem> {
        let (mut client, _) = self.client(org).await?;
        let (outgoing, probes) = mpsc::channel(QUEUE_PROBES_MAX);
        let own = &self.setting.own;
        let answered = client.measure(ReceiverStream::new(probes)).await;
        let answers = answered.map_err(|status| refused(own, org, &status, "the measurement"))?;
        let mut asker = Asker {
            own: own.clone(),
            partner: org.clone(),
            outgoing,
            incoming: answers.into_inner().boxed(),
        };
        asker.measure().await
    }
}

/// The measuring side.
struct Asker {
    own: OrgName,
    partner: OrgName,
    outgoing: mpsc::Sender<Probe>,
    incoming: BoxStream<'static, Result<Probe, Status>>,
}

impl Asker {
    async fn measure(&mut self) -> Result<LinkSpeed, Problem> {
        let round_trip = self.round_trip().await?;
        let there = self.upload().await?;
        let mut bits_per_s = there.bits_per_s();
        // What has not arrived yet stands in the way of the other direction, and the slower one counts.
        if there.is_whole {
            bits_per_s = bits_per_s.min(self.download().await?.bits_per_s());
        }
        Ok(LinkSpeed::rounded(bits_per_s, round_trip))
    }

    async fn round_trip(&mut self) -> Result<Duration, Problem> {
        let mut fastest = MEASURING;
        for _ in 0..ECHOES {
            let begin = Instant::now();
            self.say(Content::Arrived(0)).await?;
            match self.hear().await? {
                Some(Content::Arrived(0)) => fastest = fastest.min(begin.elapsed()),
                _ => return Err(self.misbehaved()),
            }
        }
        Ok(fastest)
    }

    /// Sends padding and hears how much has arrived.
    async fn upload(&mut self) -> Result<Arrivals, Problem> {
        let outgoing = self.outgoing.clone();
        let begin = Instant::now();
        let mut arrivals = Arrivals::from(begin);
        let mut sent = 0;
        loop {
            let sends = sent < PADDING_BYTES_MAX && begin.elapsed() < SENDING;
            if !sends && arrivals.bytes() == sent {
                arrivals.is_whole = true;
                return Ok(arrivals);
            }
            tokio::select! {
                () = sleep_until(begin + ARRIVING) => return Ok(arrivals),
                place = outgoing.reserve(), if sends => {
                    place.map_err(|_| self.broke())?.send(padding());
                    sent += PIECE_BYTES as u64;
                }
                heard = self.hear() => match heard? {
                    Some(Content::Arrived(bytes)) if bytes <= sent => arrivals.add(Instant::now(), bytes),
                    _ => return Err(self.misbehaved()),
                },
            }
        }
    }

    /// Lets the partner send padding until it has sent enough.
    async fn download(&mut self) -> Result<Arrivals, Problem> {
        self.say(Content::YourTurn(true)).await?;
        let begin = Instant::now();
        let mut arrivals = Arrivals::from(begin);
        loop {
            let heard = tokio::select! {
                () = sleep_until(begin + ARRIVING) => return Ok(arrivals),
                heard = self.hear() => heard?,
            };
            match heard {
                Some(Content::Padding(bytes)) => {
                    let bytes = arrivals.bytes() + bytes.len() as u64;
                    arrivals.add(Instant::now(), bytes);
                }
                None => return Ok(arrivals),
                Some(_) => return Err(self.misbehaved()),
            }
            if arrivals.bytes() > PADDING_BYTES_MAX {
                return Err(self.misbehaved());
            }
        }
    }

    async fn say(&mut self, content: Content) -> Result<(), Problem> {
        let sent = self.outgoing.send(probe(content)).await;
        sent.map_err(|_| self.broke())
    }

    /// The next answer; `None` at the end of the stream.
    async fn hear(&mut self) -> Result<Option<Content>, Problem> {
        match self.incoming.next().await {
            None => Ok(None),
            Some(Ok(Probe {
                content: Some(content),
            })) => Ok(Some(content)),
            Some(Ok(_)) => Err(self.misbehaved()),
            Some(Err(status)) => {
                let during = "the measurement";
                Err(refused(&self.own, &self.partner, &status, during))
            }
        }
    }

    fn broke(&self) -> Problem {
        let what = format!("the line to {} broke during the measurement", self.partner);
        Problem::new(Code::PartnerSilent, Side::Network, what, "try again")
    }

    fn misbehaved(&self) -> Problem {
        misbehaved(&self.partner)
    }
}

/// When how much had arrived.
struct Arrivals {
    points: Vec<(Instant, u64)>,
    /// Whether everything that was sent has arrived.
    is_whole: bool,
}

impl Arrivals {
    fn from(begin: Instant) -> Self {
        Self {
            points: vec![(begin, 0)],
            is_whole: false,
        }
    }

    fn bytes(&self) -> u64 {
        self.points.last().map_or(0, |(_, bytes)| *bytes)
    }

    fn add(&mut self, at: Instant, bytes: u64) {
        self.points.push((at, bytes));
    }

    /// Over the later half, so that a connection's slow start does not count.
    fn bits_per_s(&self) -> u64 {
        let all = self.bytes();
        let mut earlier = self.points.iter().rev();
        let begin = earlier.find(|(_, bytes)| 2 * bytes <= all);
        let (Some((begin, before)), Some((end, _))) = (begin, self.points.last()) else {
            return 0;
        };
        let nanoseconds = end.duration_since(*begin).as_nanos().max(1);
        let bits = 8 * u128::from(all - before);
        u64::try_from(bits * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
    }
}

/// Answers a pinned partner's measurement; `place` is free again when it is over, `within` at the latest.
pub(super) fn answer(
    partner: OrgName,
    probes: BoxStream<'static, Result<Probe, Status>>,
    within: Duration,
    place: OwnedSemaphorePermit,
) -> Probes {
    let (outgoing, answers) = mpsc::channel(QUEUE_PROBES_MAX);
    tokio::spawn(async move {
        let _held = place;
        let answering = reply(&partner, probes, &outgoing);
        let ended = timeout(within, answering).await;
        if let Ok(Err(problem)) = ended {
            // An asker that has gone does not miss it.
            let _ = outgoing.send(Err(problem.for_others().into())).await;
        }
    });
    ReceiverStream::new(answers)
}

async fn reply(
    partner: &OrgName,
    mut probes: BoxStream<'static, Result<Probe, Status>>,
    outgoing: &mpsc::Sender<Result<Probe, Status>>,
) -> Result<(), Problem> {
    let mut arrived = 0;
    for _ in 0..MESSAGES_MAX {
        match probes.next().await {
            Some(Ok(Probe {
                content: Some(content),
            })) => match content {
                Content::Padding(bytes) => arrived += bytes.len() as u64,
                Content::Arrived(_) => {}
                Content::YourTurn(_) => return send_padding(outgoing).await,
            },
            Some(Ok(_)) => return Err(misbehaved(partner)),
            // Whoever asked has what it wanted, or has gone.
            Some(Err(_)) | None => return Ok(()),
        }
        if arrived > PADDING_BYTES_MAX {
            return Err(misbehaved(partner));
        }
        let said = outgoing.send(Ok(probe(Content::Arrived(arrived)))).await;
        if said.is_err() {
            return Ok(());
        }
    }
    Err(misbehaved(partner))
}

async fn send_padding(outgoing: &mpsc::Sender<Result<Probe, Status>>) -> Result<(), Problem> {
    let begin = Instant::now();
    let pieces = PADDING_BYTES_MAX / PIECE_BYTES as u64;
    for _ in 0..pieces {
        let gone = outgoing.send(Ok(padding())).await.is_err();
        if gone || begin.elapsed() >= SENDING {
            break;
        }
    }
    Ok(())
}

fn padding() -> Probe {
    probe(Content::Padding(vec![0; PIECE_BYTES]))
}

fn probe(content: Content) -> Probe {
    Probe {
        content: Some(content),
    }
}

fn misbehaved(partner: &OrgName) -> Problem {
    let what = format!("{partner}'s node did not measure the link by the rules");
    let todo = format!("ask {partner} which version its node is");
    Problem::partner(partner, Code::PartnerMisbehaved, what, todo)
}

fn silent(partner: &OrgName) -> Problem {
    let within = MEASURING.as_secs();
    let what =
        format!("{partner}'s node did not answer a measurement of the link within {within} s");
    let todo = format!("ask {partner} to look at its node's log");
    Problem::partner(partner, Code::PartnerSilent, what, todo)
}

#[cfg(test)]
mod tests;
