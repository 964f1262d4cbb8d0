//! The run itself, on a thread of its own: local query, protocol, result under a temporary name.
//!
//! The protocol is chosen by one match on the seal's [`Protocol`]: that line is the registry. What the partner learns is what the
//! protocol's module says; rows never leave this function except into the result of this organisation.

use super::answer::{self, Learned};
use super::grant::RunGrant;
use super::progress::Stage;
use super::results::Draft;
use super::{Core, Jobs};
use crate::data::{self, Prepared};
use crate::ledger::ResultFile;
use entente_protocols::channel::{Channel, Meter, Totals, Transport};
use entente_protocols::fault::{Broken, Culprit, Fault};
use entente_protocols::psi::{PaddedSizes, SessionId, ecdh};
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::plan::Operator;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::seal::Protocol;
use entente_wire::session::Opening;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// What both nodes have signed and opened. Holds the key of the id digests: no `Debug`.
pub struct RunTerms {
    /// Binds the run to the job, the attempt, both nonces and both openings.
    pub sid: Digest,
    /// Keys the id digests of this session. Must not be sent.
    pub id_key: [u8; 32],
    /// What this node signed.
    pub own: Opening,
    /// What the partner signed.
    pub partner: Opening,
}

/// What a finished run leaves until it is released or dropped.
pub struct RunOutcome {
    pub(super) result: Option<(Draft, ResultFile)>,
}

impl Jobs {
    /// Runs an opened session to its last protocol byte. Blocking; belongs on a thread of its own.
    pub fn run(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        lanes: Vec<Box<dyn Transport + Send>>,
    ) -> Result<(RunOutcome, Totals), Problem> {
        let ran = self.core.run(grant, terms, lanes);
        // Whatever broke, a run that was asked to end ended for that reason.
        ran.map_err(|problem| grant.stopped().cloned().unwrap_or(problem))
    }
}

impl Core {
    fn run(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        lanes: Vec<Box<dyn Transport + Send>>,
    ) -> Result<(RunOutcome, Totals), Problem> {
        let derived = grant.derived();
        let (own, _) = self.sides(derived)?;
        grant.approval().check_time(self.now_ms() / 1_000)?;
        let (dataset, policy) = {
            let live = self.live();
            self.check_partner_set(&live, derived, grant.peer(), terms.partner.ids_rounded)?;
            self.own_dataset(&live, own)?
        };
        if dataset.manifest.digest() != terms.own.dataset_version {
            let what = format!(
                "{} was registered anew after this session had opened",
                own.dataset
            );
            return Err(Problem::here(
                Code::DataChanged,
                what,
                "submit the job again",
            ));
        }
        self.enter(grant, Stage::Reading, Some(dataset.manifest.rows));
        let open = data::open_dataset(grant.approval(), &dataset, &policy)?;
        let mut rows_read = |done, total| self.read_rows(grant, done, total);
        let prepared = data::prepare(&open, own, terms.id_key, &mut rows_read)?;
        self.check_list(grant, &prepared)?;

        let (learned, totals) = self.matched(grant, terms, &prepared, lanes)?;
        self.enter(grant, Stage::Writing, None);
        let result = match learned {
            Learned::Nothing => None,
            learned => {
                let draft = self.draft(&grant.job(), terms.own.attempt)?;
                let (rows, suppressed) = answer::write(
                    &self.own,
                    &open,
                    &prepared,
                    &derived.plan,
                    &learned,
                    draft.path(),
                )?;
                let file = draft.finish(rows, suppressed)?;
                Some((draft, file))
            }
        };
        self.enter(grant, Stage::Closing, None);
        Ok((RunOutcome { result }, totals))
    }

    /// Whether the list that will be matched, after WHERE, is as long as both policies ask: a list of a few is a question
    /// about persons.
    fn check_list(&self, grant: &RunGrant, prepared: &Prepared) -> Result<(), Problem> {
        let live = self.live();
        let plan = &grant.derived().plan;
        let policies = live.view.publications().filter(|publication| {
            let named = plan.side(&publication.org);
            named.is_some_and(|side| side.dataset == publication.policy.dataset)
        });
        let min_set = policies
            .map(|publication| publication.policy.min_set)
            .max()
            .unwrap_or(0);
        if (prepared.ids.len() as u64) < min_set {
            // The partner is told this sentence: no count.
            let what = format!(
                "fewer of {}'s ids fulfil the question than the {min_set} that may be matched",
                self.own
            );
            return Err(Problem::here(
                Code::SetTooSmall,
                what,
                "ask for more, or use a larger dataset",
            ));
        }
        Ok(())
    }

    fn matched(
        &self,
        grant: &RunGrant,
        terms: &RunTerms,
        prepared: &Prepared,
        lanes: Vec<Box<dyn Transport + Send>>,
    ) -> Result<(Learned, Totals), Problem> {
        let plan = &grant.derived().plan;
        let receives = plan.receiver == self.own;
        let (own_ids, partner_ids) = (terms.own.ids_rounded, terms.partner.ids_rounded);
        let (receiver_ids, sender_ids) = if receives {
            (own_ids, partner_ids)
        } else {
            (partner_ids, own_ids)
        };
        let mut rng = ChaCha20Rng::from_seed(self.fresh_seed()?);
        let meter = Meter::default();
        let mut channels = channels(lanes, grant, &meter);
        let [channel] = channels.as_mut_slice() else {
            return Err(Problem::here(
                Code::Defect,
                "ECDH-PSI was given several lanes",
                "report this with the node's log",
            ));
        };
        self.enter(
            grant,
            Stage::Matching,
            Some(receiver_ids.saturating_add(sender_ids)),
        );
        self.with_running(grant, |running| {
            running.cross(meter, receiver_ids, sender_ids)
        });

        let count_only = matches!(plan.operator, Operator::Overlap { .. });
        let sid = SessionId::new(terms.sid.0);
        let learned = match &grant.approval().seal().protocol {
            Protocol::Ecdh { .. } => padded(receiver_ids, sender_ids).and_then(|sizes| {
                let ids = &prepared.ids;
                match (receives, count_only) {
                    (true, false) => ecdh::receiver::reveal(channel, sid, ids, sizes, &mut rng)
                        .map(Learned::Common),
                    (true, true) => ecdh::receiver::count(channel, sid, ids, sizes, &mut rng)
                        .map(Learned::Count),
                    (false, false) => ecdh::sender::reveal(channel, sid, ids, sizes, &mut rng)
                        .map(|()| Learned::Nothing),
                    (false, true) => ecdh::sender::count(channel, sid, ids, sizes, &mut rng)
                        .map(|()| Learned::Nothing),
                }
            }),
            // No such seal is derived here, so none can have been approved.
            Protocol::Vole(_) => {
                let what = "an approved job runs by VOLE-PSI, which this node does not run yet";
                return Err(Problem::here(
                    Code::Defect,
                    what,
                    "report this with the node's log",
                ));
            }
        };
        let learned = learned.map_err(|fault| blame(&fault, grant.peer()))?;
        Ok((learned, channel.totals()))
    }

    fn enter(&self, grant: &RunGrant, stage: Stage, rows_total: Option<u64>) {
        let now_ms = self.now_ms();
        self.with_running(grant, |running| running.enter(stage, rows_total, now_ms));
        let live = self.live();
        if let Some(tracked) = live.tracked.get(&grant.job()) {
            self.show(tracked);
        }
    }

    fn read_rows(&self, grant: &RunGrant, done: u64, total: u64) {
        self.with_running(grant, |running| running.rows(done, total));
    }

    fn with_running(&self, grant: &RunGrant, change: impl FnOnce(&mut super::progress::Running)) {
        let mut live = self.live();
        let current = live
            .tracked
            .get_mut(&grant.job())
            .filter(|tracked| tracked.is_current(grant));
        if let Some(running) = current.and_then(|tracked| tracked.running.as_mut()) {
            change(running);
        }
    }
}

/// Sizes were checked to fit when the session opened.
fn padded(receiver_ids: u64, sender_ids: u64) -> Result<PaddedSizes, Fault> {
    let size = |ids| u32::try_from(ids).unwrap_or(u32::MAX);
    PaddedSizes::new(size(receiver_ids), size(sender_ids))
}

/// A channel for each lane, counted together, that ends when the run is asked to.
fn channels(
    lanes: Vec<Box<dyn Transport + Send>>,
    grant: &RunGrant,
    meter: &Meter,
) -> Vec<Channel> {
    let channel = |transport| {
        let grant = grant.clone();
        Channel::counted_by(Box::new(Stoppable { transport, grant }), meter.clone())
    };
    lanes.into_iter().map(channel).collect()
}

/// A transport that ends when the run is asked to.
struct Stoppable {
    transport: Box<dyn Transport + Send>,
    grant: RunGrant,
}

impl Stoppable {
    fn check(&self) -> Result<(), Fault> {
        match self.grant.stopped() {
            Some(_) => Err(Fault::Transport(Broken::Aborted)),
            None => Ok(()),
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
