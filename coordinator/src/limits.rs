//! Named limits: what one member can make the coordinator hold or do.

use entente_wire::limits::{ATTEMPTS_MAX, PARTIES_MAX};
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
/// Connections at the same time: of a job with the most parties a watch and a round each, and as many again of others.
pub(crate) const CONNECTIONS_MAX: usize = 4 * PARTIES_MAX;
/// The same from one address, behind which a house may have many nodes.
pub(crate) const CONNECTIONS_PER_ADDRESS_MAX: usize = PARTIES_MAX;
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

/// Rounds of secure aggregation that gather or run at the same time, of all jobs.
pub(crate) const ROUNDS_MAX: usize = 64;
/// Of these, those that one organisation takes part in: a stream and a little state each.
pub(crate) const ROUNDS_PER_ORG_MAX: usize = 8;
/// What all rounds that run may hold at the same time: sums, vectors on their way into one, and sealed boxes. Five rounds of the
/// longest vectors, or hundreds of usual ones.
pub(crate) const ROUNDS_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Vectors of one round that are read at the same time, each in memory until it is whole. What the others send stays in their
/// connections until it is their turn.
pub(crate) const ROUND_UPLOADS: usize = 4;
/// Joins on their way into one gathering: all parties of the largest job at once.
pub(crate) const ROUND_JOINS_AHEAD: usize = PARTIES_MAX;
/// What members said and the round has not looked at; whoever says more waits.
pub(crate) const ROUND_EVENTS_AHEAD: usize = 64;
/// Replies on their way to one member. A round has six for each; only the sum is more, and that waits for its reader.
pub(crate) const ROUND_REPLIES_AHEAD: usize = 16;
/// Longest introduction: four keys and commitments, and a signature.
pub(crate) const INTRODUCTION_BYTES_MAX: usize = 512;
/// Longest sealed box of a dealing: two shares or a key, and what sealing adds.
pub(crate) const DEALT_BOX_BYTES_MAX: usize = 128;
/// What a dealt box takes in memory, its place in lists included.
pub(crate) const DEALT_BOX_HELD_BYTES: u64 = 256;
/// Longest box of unmasking shares: one of 34 bytes for each of a thousand members.
pub(crate) const UNMASKING_BYTES_MAX: usize = 64 * 1024;
/// Bytes of such boxes in one message to the recipient.
pub(crate) const UNMASKINGS_MESSAGE_BYTES: usize = 512 * 1024;
/// Most words of an authenticator; ours has half as many.
pub(crate) const TAG_WORDS_MAX: u32 = 128;
/// Largest number that a member may ask a round to have. Nodes begin no later one: they would take it for a lie of the coordinator.
pub(crate) const ROUND_NUMBER_MAX: u64 = ATTEMPTS_MAX as u64;
/// Names of members in one sentence.
pub(crate) const NAMES_TOLD_MAX: usize = 10;
/// What one stream may have on its way to the coordinator unread: two messages of words. A thousand members that wait for their
/// turn to upload hold a quarter of a gigabyte with it.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// The same for all streams of a connection: an upload that waits must not hold up the calls beside it.
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// How long a round waits for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoundWaits {
    /// For all parties, from the first that came.
    pub(crate) gather: Duration,
    /// For everybody's introduction, before which each member queries its own data.
    pub(crate) prepare: Duration,
    /// For everybody's answer to one of the other steps.
    pub(crate) step: Duration,
    /// For all vectors, or for the recipient to open the sum; on top comes what their bytes take.
    pub(crate) upload: Duration,
    /// For the next message of a vector that is being read.
    pub(crate) idle: Duration,
}

impl Default for RoundWaits {
    fn default() -> Self {
        Self {
            // Nodes hear of the last approval within a second, and connect again within fifteen.
            gather: Duration::from_secs(20),
            // The largest tables take minutes to scan; a member that is gone is noticed before, by its connection.
            prepare: Duration::from_secs(600),
            // A member computes for a second or two; it may have to write to a slow disk.
            step: Duration::from_secs(30),
            upload: Duration::from_secs(60),
            // Whoever holds one of the few places to upload has to use it.
            idle: Duration::from_secs(10),
        }
    }
}

/// What the vectors of a round are counted on to take together: bytes in a second.
pub(crate) const ROUND_BYTES_PER_S: u64 = 10_000_000;
/// The least that one vector is to come or go with, so that nobody keeps the others from uploading: bytes in a second.
pub(crate) const VECTOR_BYTES_PER_S_MIN: u64 = 1_000_000;
