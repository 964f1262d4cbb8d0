//! Every count and wait of a job's life, by name.

pub(crate) use entente_wire::limits::ATTEMPTS_MAX;

/// How long a broken session's list is kept for the next one to go on from: far longer than a partner's node takes to
/// restart, and short enough that a partner that never returns does not hold disk space until the job expires.
pub(crate) const KEPT_MS: u64 = 3_600 * 1_000;
/// How long a job whose seal names a publication of a partner that is not here yet waits for it before it is declined.
/// Records of one partner overtake each other by seconds; after this the two nodes hold different publications.
pub(crate) const VIEW_SETTLES_MS: u64 = 120 * 1_000;
/// Jobs of one partner that may be under way at this node, so that a partner cannot fill an inbox or a disk.
pub(crate) const OPEN_JOBS_PER_PARTNER_MAX: usize = 1_000;
/// Reports that one party may send about one job: three attempts of three steps, and each final step once.
pub(crate) const REPORTS_PER_PARTY_MAX: usize = 16;
/// Records that wait for the job or registry they speak of. They are sent again when the coordinator's watch begins anew.
pub(crate) const PARKED_MAX: usize = 1_024;
/// Of these, records in the name of one organisation.
pub(crate) const PARKED_PER_ORG_MAX: usize = 128;
/// Refused records that get a line in the journal, an organisation and hour: enough to see an attack, too few to fill a disk.
pub(crate) const REFUSALS_PER_HOUR_MAX: u32 = 60;
/// Records waiting to be posted. What does not fit is posted when the coordinator's watch begins anew.
pub(crate) const OUTGOING_MAX: usize = 1_024;
/// Grants waiting to be dialled. What does not fit is tried again at the next tick.
pub(crate) const DIALS_MAX: usize = 256;
/// How often the clock is looked at: expiry, waiting records, progress.
pub(crate) const TICK_MS: u64 = 500;
