//! Every wait, count and size of a session, by name. Tests inject shorter waits; nothing waits without one of these.

use entente_protocols::channel::FRAME_BYTES_MAX;
use std::time::Duration;

/// Largest payload of one data frame: one frame of a protocol channel.
pub(super) const DATA_BYTES_MAX: usize = FRAME_BYTES_MAX;
/// Frames that wait for each lane between the stream and the protocol's threads, and in all for the way out: 8 MiB each at
/// the most. Enough to keep both busy, small enough that a partner cannot fill this node's memory.
pub(super) const QUEUE_FRAMES_MAX: usize = 8;

/// Most lanes of a session: channels side by side, each with a thread, a queue and a bucket in memory.
pub(super) const LANES_MAX: u32 = 16;

/// Waits and counts of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// To reach the partner, TCP and TLS together.
    pub(crate) connect: Duration,
    /// For each control message before the data. Journal writes are all that happens between them.
    pub(crate) control: Duration,
    /// Without any frame from the partner, not even that it is at work.
    pub(crate) idle: Duration,
    /// With nothing but "at work" from the partner: longer than any local query we plan for.
    pub(crate) stall: Duration,
    /// How often a node says that it is at work; a sixth of `idle`, so five can get lost.
    pub(crate) working_every: Duration,
    /// To deliver the reason for an end, and to let the partner hang up.
    pub(crate) farewell: Duration,
    /// Sessions at once in each direction. Each has a thread and 8 MiB of queue a lane, and 8 MiB on the way out.
    pub(crate) sessions_max: u32,
    /// Sessions at once with one partner, so that one cannot take all places.
    pub(crate) per_partner_max: u32,
    /// Attempts of one run that the dialer makes: a line that breaks three times needs a person.
    pub(crate) attempts_max: u32,
    /// Connections tried for one attempt. With `backoff` that is about one minute: a restart of the partner's node passes
    /// unnoticed, a wrong address does not stay unnoticed.
    pub(crate) connects_max: u32,
    /// Before the second try; doubles with each further one.
    pub(crate) backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            control: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            stall: Duration::from_secs(6 * 3600),
            working_every: Duration::from_secs(20),
            farewell: Duration::from_secs(5),
            sessions_max: 8,
            per_partner_max: 4,
            attempts_max: 3,
            connects_max: 6,
            backoff: Duration::from_secs(2),
        }
    }
}
