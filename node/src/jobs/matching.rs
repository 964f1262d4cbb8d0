//! The protocol between the two nodes: chosen by one match on the seal's [`Protocol`], which is the registry.
//!
//! What the partner learns is what the protocol's module says. Digests of ids go into the protocol and nowhere else; what comes
//! out is a set of this organisation's own rows, a number, or the cells of a table that were released.

use super::answer::Learned;
use super::grant::RunGrant;
use super::kept::Kept;
use super::protocol::{Sizes, agreed, vole_job};
use super::run::RunTerms;
use crate::data;
use crate::session::Lanes;
use entente_protocols::channel::{Channel, Meter, Totals, Transport};
use entente_protocols::fault::{Broken, Culprit, Fault};
use entente_protocols::psi::{Id, PaddedSizes, SessionId, ecdh, vole};
use entente_wire::names::OrgName;
use entente_wire::plan::{Operator, Plan};
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::seal::{Protocol, VoleTerms};
use rand_chacha::ChaCha20Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One run's protocol, ready to be talked.
pub(super) struct Matching<'a> {
    pub(super) own: &'a OrgName,
    pub(super) plan: &'a Plan,
    pub(super) grant: &'a RunGrant,
    pub(super) terms: &'a RunTerms,
    pub(super) kept: &'a Arc<Kept>,
    /// The buckets still to do.
    pub(super) todo: &'a [u64],
    /// Called before the first message that could open anything of a blind join's table; an error keeps it closed.
    pub(super) before_release: &'a (dyn Fn() -> Result<(), Problem> + Sync),
}

/// Why a bucket could not be had, or the protocol not go on.
pub(super) enum Ended {
    Fault(Fault),
    Data(Problem),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Matching<'_> {
    /// Talks over all lanes to the last byte.
    pub(super) fn run(
        &self,
        lanes: Lanes,
        meter: &Meter,
        mut rng: ChaCha20Rng,
    ) -> Result<(Learned, Totals), Problem> {
        let Lanes {
            transports,
            hang_up,
        } = lanes;
        let over = Arc::new(AtomicBool::new(false));
        let channel = |transport| {
            let (grant, over) = (self.grant.clone(), Arc::clone(&over));
            let transport = Box::new(Stoppable {
                transport,
                grant,
                over,
            });
            Channel::counted_by(transport, meter.clone())
        };
        let mut channels: Vec<Channel> = transports.into_iter().map(channel).collect();
        let break_off = || {
            over.store(true, Ordering::Release);
            hang_up();
        };
        let learned = match &self.grant.approval().seal().protocol {
            Protocol::Ecdh { .. } => self.ecdh(&mut channels, &mut rng),
            Protocol::Vole(terms) => self.vole(terms, &mut channels, &break_off, &mut rng),
            Protocol::Blind(terms) => self.blind(terms, &mut channels, &break_off, &mut rng),
            Protocol::Aggregate(_) => Err(Ended::Data(defect("an aggregation is no session"))),
        };
        let learned = learned.map_err(|ended| match ended {
            Ended::Fault(fault) => blame(&fault, self.grant.peer()),
            Ended::Data(problem) => problem,
        })?;
        let totals: Vec<Totals> = channels.iter().map(Channel::totals).collect();
        Ok((learned, Totals::joined(&totals)))
    }

    pub(super) fn plan(&self) -> &Plan {
        self.plan
    }

    pub(super) fn receives(&self) -> bool {
        self.plan().receiver == *self.own
    }

    pub(super) fn sizes(&self) -> Sizes {
        sizes(self.plan(), self.own, self.terms)
    }

    /// In one piece, over the one lane.
    fn ecdh(&self, channels: &mut [Channel], rng: &mut ChaCha20Rng) -> Result<Learned, Ended> {
        let [channel] = channels else {
            return Err(Ended::Data(defect("ECDH-PSI was given several lanes")));
        };
        let sid = SessionId::new(self.terms.sid.0);
        let Sizes { receiver, sender } = self.sizes();
        let size = |ids| u32::try_from(ids).unwrap_or(u32::MAX);
        let sizes = PaddedSizes::new(size(receiver), size(sender))?;
        let all = self.kept.prepared.all().map_err(Ended::Data)?;
        let count_only = matches!(self.plan().operator, Operator::Overlap { .. });
        Ok(match (self.receives(), count_only) {
            (true, false) => {
                let common = ecdh::receiver::reveal(channel, sid, &all.ids, sizes, rng)?;
                self.found(&all, &common);
                self.common()
            }
            (true, true) => {
                Learned::Count(ecdh::receiver::count(channel, sid, &all.ids, sizes, rng)?)
            }
            (false, false) => {
                ecdh::sender::reveal(channel, sid, &all.ids, sizes, rng)?;
                Learned::Nothing
            }
            (false, true) => {
                ecdh::sender::count(channel, sid, &all.ids, sizes, rng)?;
                Learned::Nothing
            }
        })
    }

    /// Bucket by bucket, several in flight.
    fn vole(
        &self,
        sealed: &VoleTerms,
        channels: &mut [Channel],
        break_off: &(dyn Fn() + Sync),
        rng: &mut ChaCha20Rng,
    ) -> Result<Learned, Ended> {
        let plan = self.plan();
        let job = vole_job(plan, self.sizes(), sealed.security).map_err(Ended::Data)?;
        self.check_sealed(&Protocol::Vole(sealed.clone()))?;
        let sid = SessionId::new(self.terms.sid.0);
        let list = List {
            matching: self,
            buckets: job.buckets().count(),
            break_off,
        };
        match self.receives() {
            true => job.receive(channels, sid, self.todo, &list, rng)?,
            false => job.send(channels, sid, self.todo, &list, rng)?,
        }
        Ok(match plan.recipients().contains(&self.own) {
            true => self.common(),
            false => Learned::Nothing,
        })
    }

    /// The openings' sizes were held against the sealed ones.
    pub(super) fn check_sealed(&self, sealed: &Protocol) -> Result<(), Ended> {
        let (now, _) = agreed(self.plan(), self.sizes(), sealed.link()).map_err(Ended::Data)?;
        if now == *sealed {
            return Ok(());
        }
        let what = "the protocol's parameters are not those that were sealed";
        Err(Ended::Data(defect(what)))
    }

    fn found(&self, bucket: &data::Bucket, common: &[u32]) {
        for place in common {
            if let Some(row) = bucket.rows.get(*place as usize) {
                self.kept.common.insert(*row);
            }
        }
    }

    fn common(&self) -> Learned {
        Learned::Common(Arc::clone(self.kept))
    }
}

/// The agreed sizes by role, from what both signed in their openings.
fn sizes(plan: &Plan, own: &OrgName, terms: &RunTerms) -> Sizes {
    let (ours, theirs) = (terms.own.ids_rounded, terms.partner.ids_rounded);
    let (receiver, sender) = match plan.receiver == *own {
        true => (ours, theirs),
        false => (theirs, ours),
    };
    Sizes { receiver, sender }
}

/// This organisation's list, bucket by bucket.
struct List<'a> {
    matching: &'a Matching<'a>,
    buckets: u64,
    break_off: &'a (dyn Fn() + Sync),
}

impl vole::Party for List<'_> {
    type Bucket = data::Bucket;
    type Error = Ended;

    fn load(&self, bucket: u64) -> Result<data::Bucket, Ended> {
        let prepared = &self.matching.kept.prepared;
        prepared.bucket(self.buckets, bucket).map_err(Ended::Data)
    }

    fn ids(bucket: &data::Bucket) -> &[Id] {
        &bucket.ids
    }

    fn finished(
        &self,
        number: u64,
        bucket: data::Bucket,
        common: Vec<u32>,
        said: [u8; 32],
    ) -> Result<(), Ended> {
        self.matching.found(&bucket, &common);
        self.matching.kept.course.finish(number, said);
        Ok(())
    }

    fn broke_off(&self) {
        (self.break_off)();
    }
}

/// A transport that ends when the run is asked to, or when another lane has ended.
struct Stoppable {
    transport: Box<dyn Transport + Send>,
    grant: RunGrant,
    over: Arc<AtomicBool>,
}

impl Stoppable {
    fn check(&self) -> Result<(), Fault> {
        match self.grant.stopped().is_some() || self.over.load(Ordering::Acquire) {
            true => Err(Fault::Transport(Broken::Aborted)),
            false => Ok(()),
        }
    }
}

impl Transport for Stoppable {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.check()?;
        self.transport.send(frame)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        self.check()?;
        self.transport.receive()
    }
}

pub(super) fn defect(what: &str) -> Problem {
    Problem::here(Code::Defect, what, "report this with the node's log")
}

/// Whose side a fault is on. The session knows more about a broken line and says that instead.
fn blame(fault: &Fault, peer: &OrgName) -> Problem {
    let side = Side::Partner { org: peer.clone() };
    let report = "report this with both nodes' logs";
    match fault.culprit() {
        Culprit::Peer => {
            let what = format!("{peer}'s node broke the protocol: {fault}");
            Problem::new(
                Code::PartnerMisbehaved,
                side,
                what,
                "do not repeat the job before the partner has explained it",
            )
        }
        Culprit::Either => {
            let what = format!("the two nodes do not agree on the protocol: {fault}");
            Problem::new(
                Code::VersionDiffers,
                side,
                what,
                "upgrade the older of the two nodes",
            )
        }
        Culprit::Us => Problem::here(
            Code::Defect,
            format!("the protocol was called wrongly: {fault}"),
            report,
        ),
        Culprit::Chance => Problem::here(
            Code::SessionLimit,
            format!("chance was against this run: {fault}"),
            "nothing; it is tried again",
        ),
        Culprit::Network => {
            let what = format!("the line to {peer}'s node broke: {fault}");
            Problem::new(
                Code::PartnerSilent,
                Side::Network,
                what,
                "check the network between the two nodes",
            )
        }
    }
}
