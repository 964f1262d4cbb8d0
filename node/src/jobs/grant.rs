//! Leave to run one job, with one partner or in a round of many: made only once every approval has been verified, and taken back by a stop.

use super::Tracked;
use super::derive::Derived;
use entente_wire::approval::VerifiedApproval;
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use entente_wire::seal::{JobHash, Protocol};
use entente_wire::session::{Continued, Opening};
use std::sync::{Arc, OnceLock};

/// Leave to run one job with one partner. Made only once every approval has been verified.
#[derive(Clone)]
pub struct RunGrant {
    inner: Arc<Granted>,
}

struct Granted {
    approval: Arc<VerifiedApproval>,
    derived: Arc<Derived>,
    peer: OrgName,
    admitted: Option<Opening>,
    stopped: OnceLock<Problem>,
}

impl RunGrant {
    /// `admitted`: what a partner opened.
    pub(super) fn new(
        approval: Arc<VerifiedApproval>,
        derived: Arc<Derived>,
        peer: OrgName,
        admitted: Option<Opening>,
    ) -> Self {
        let stopped = OnceLock::new();
        Self {
            inner: Arc::new(Granted {
                approval,
                derived,
                peer,
                admitted,
                stopped,
            }),
        }
    }

    /// `H`.
    pub fn job(&self) -> JobHash {
        self.inner.approval.hash()
    }

    /// The partner to run with; of an aggregation, who opens the sum.
    pub fn peer(&self) -> &OrgName {
        &self.inner.peer
    }

    /// What a partner opened; `None` where this node dials and takes the next attempt.
    pub(super) fn admitted(&self) -> Option<&Opening> {
        self.inner.admitted.as_ref()
    }

    /// Whether the partner could go on from there: a dialer cannot know yet, the other side has heard the dialer.
    pub(super) fn would_go_on(&self, ours: &Continued) -> bool {
        self.admitted().is_none_or(|opening| {
            let theirs = opening.continues.as_ref();
            theirs.is_some_and(|theirs| theirs.session == ours.session)
        })
    }

    /// All approvals, verified.
    pub(super) fn approval(&self) -> &VerifiedApproval {
        &self.inner.approval
    }

    /// Plan and statement.
    pub(super) fn derived(&self) -> &Derived {
        &self.inner.derived
    }

    /// Whether it is a round of many, and not a session with one partner.
    pub(crate) fn is_aggregation(&self) -> bool {
        matches!(self.approval().seal().protocol, Protocol::Aggregate(_))
    }

    /// How many channels the run talks over side by side.
    pub(super) fn lanes(&self) -> u32 {
        match &self.approval().seal().protocol {
            Protocol::Ecdh { .. } | Protocol::Aggregate(_) => 1,
            Protocol::Vole(terms) => terms.lanes,
            Protocol::Blind(terms) => terms.lanes,
        }
    }

    /// Buckets that the run is cut into.
    pub(super) fn buckets(&self) -> u64 {
        match &self.approval().seal().protocol {
            Protocol::Ecdh { .. } | Protocol::Aggregate(_) => 1,
            Protocol::Vole(terms) => terms.buckets,
            Protocol::Blind(terms) => terms.buckets,
        }
    }

    /// Asks the run to end at its next message.
    pub(crate) fn stop(&self, why: &Problem) {
        // The first reason stays.
        let _ = self.inner.stopped.set(why.clone());
    }

    /// Why the run has to end, once it has to.
    pub(super) fn stopped(&self) -> Option<&Problem> {
        self.inner.stopped.get()
    }

    /// Whether both are the same leave.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Tracked {
    /// Whether this is the grant that counts: a newer session of the same job takes its place.
    pub(super) fn is_current(&self, grant: &RunGrant) -> bool {
        self.granted
            .as_ref()
            .is_some_and(|current| current.is(grant))
    }
}
