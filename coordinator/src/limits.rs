//! Named limits: what one member can make the coordinator hold or do.

use std::time::Duration;

/// Records that one organisation has filed at the same time. A daily job for ten years stays below.
pub(crate) const RECORDS_PER_ORG_MAX: usize = 20_000;
/// Bytes that one organisation has filed at the same time; all of them are held in memory.
pub(crate) const BYTES_PER_ORG_MAX: usize = 32 * 1024 * 1024;
/// Watches of one organisation at the same time: its node, one being replaced, one that is not yet known to be dead, and one
/// to look on.
pub(crate) const WATCHERS_PER_ORG_MAX: usize = 4;
/// Records on their way to one watch that does not read; after that the watch ends and begins anew.
pub(crate) const WATCH_QUEUE_RECORDS: usize = 1024;
/// Jobs in one answer, newest first.
pub(crate) const JOBS_SHOWN_MAX: usize = 1_000;
/// Bytes of that answer; jobs of hundreds of parties are long.
pub(crate) const JOBS_REPLY_BYTES: usize = 1024 * 1024;
/// The record's own fields around its body.
pub(crate) const RECORD_OVERHEAD_BYTES: usize = 4 * 1024;
/// Bytes of an Ed25519 signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;
/// Calls at the same time on one connection.
pub(crate) const CALLS_PER_CONNECTION_MAX: usize = 32;
/// All HTTP/2 headers of one call; ours are some hundred bytes.
pub(crate) const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Largest `admitted.toml` and `coordinator.toml`: ten thousand members.
pub(crate) const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// How long a job is kept after its expiry, so that late nodes still learn how it ended. Also how long an approval or a report is
/// kept whose job never came.
pub(crate) const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(30 * 24 * 3600);
/// Nodes take a watch that is silent for three of these as dead.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);
/// A watch that takes nothing for so long ends.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// One call that is not a watch.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connections have to end after the word to stop.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often old jobs are thrown away and the own certificate is looked at.
pub(crate) const HOUSEKEEPING: Duration = Duration::from_secs(3600);
