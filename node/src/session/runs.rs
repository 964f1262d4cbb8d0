//! What a session needs of the job it carries: the only seam between `session/`, which moves frames, and `jobs/`, which knows
//! what they are for.

use super::Lanes;
use entente_protocols::channel::Totals;
use entente_wire::canonical::Digest;
use entente_wire::names::OrgName;
use entente_wire::problem::Problem;
use entente_wire::session::{Opening, Transcript};
use entente_wire::sign::Record;

/// The jobs behind the sessions. All calls may block (disk, protocol) and are made from threads where that is allowed.
pub(crate) trait Runs: Send + Sync + 'static {
    /// Leave to run one job; made by `jobs` only once every approval has been verified.
    type Grant: Clone + Send + Sync + 'static;
    /// What a finished run leaves: counts and a result file that is not yet released.
    type Outcome: Send + 'static;

    /// A partner's node opened a session: is there a job that it may run now, with this attempt?
    fn admit(&self, partner: &OrgName, opening: &Opening) -> Result<Self::Grant, Problem>;

    /// The partner on the other side of this grant.
    fn partner(&self, grant: &Self::Grant) -> OrgName;

    /// This node's opening for the next attempt (the asker) or for the attempt just admitted (the other party). On disk
    /// when it returns: the attempt is used up.
    fn opening(&self, grant: &Self::Grant, nonce_commitment: Digest) -> Result<Opening, Problem>;

    /// How many channels the run talks over side by side; the same at both nodes, which the approved seal says.
    fn lanes(&self, grant: &Self::Grant) -> u32;

    /// The run itself: local query, protocol, result under a temporary name. Gets as many lanes as it asked for.
    fn run(
        &self,
        grant: &Self::Grant,
        session: &Agreed,
        lanes: Lanes,
    ) -> Result<(Self::Outcome, Totals), Problem>;

    /// The attempt is over. A result may be released only here, and only with [`End::Closed`].
    /// On disk when it returns.
    fn ended(&self, grant: &Self::Grant, end: End<Self::Outcome>) -> Result<(), Problem>;
}

/// What both nodes have signed and opened before any protocol byte. Holds the key of the id digests: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Binds the run to the job, the attempt, both nonces and both openings.
    pub(crate) sid: Digest,
    /// Keys the id digests of this session. Must not be sent.
    pub(crate) id_key: [u8; 32],
    /// What this node signed.
    pub(crate) own: Opening,
    /// What the partner signed, verified under its pinned node key.
    pub(crate) partner: Opening,
    /// The partner's opening as it was signed: evidence.
    pub(crate) partner_record: Record,
}

/// How an attempt ended.
pub(crate) enum End<Outcome> {
    /// Both nodes closed and signed transcripts that mirror each other.
    Closed {
        /// What the run left.
        outcome: Outcome,
        /// What this node signed.
        own: Transcript,
        /// What the partner signed, verified.
        partner_record: Record,
    },
    /// It broke off.
    Broken {
        /// The attempt that broke off; `None` if the partner was not even reached and no attempt is used up.
        attempt: Option<u32>,
        /// Why, and on whose side.
        problem: Problem,
        /// Whether another attempt may still follow: at the dialer, it will; at the other party, it may.
        may_follow: bool,
    },
}
