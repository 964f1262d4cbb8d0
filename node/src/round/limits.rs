//! Every wait and size of a round, by name. Tests inject shorter waits; nothing waits without one of these.

use std::time::Duration;

/// Messages on their way out: words are cut into pieces of this many messages ahead of the line, and no more of them wait in memory.
pub(super) const AHEAD_MAX: usize = 8;
/// Rounds at once, those that wait for others among them: as many as a coordinator holds for one organisation. One that has begun holds this
/// organisation's table and its masks in memory.
pub(super) const ROUNDS_MAX: u32 = 8;

/// Waits of rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// To reach the coordinator, TCP and TLS together.
    pub(crate) connect: Duration,
    /// For the answer to the call.
    pub(crate) call: Duration,
    /// Without a word of the coordinator, not even a heartbeat; also to hand it one message. Three heartbeats.
    pub(crate) silence: Duration,
    /// From the beginning of a round to its end: far longer than the coordinator's own deadlines add up to, which end it first.
    pub(crate) round: Duration,
    /// How often it is looked at whether the round is still wanted.
    pub(crate) look_every: Duration,
    /// Before the second try of a round that did not begin; doubles with each further one.
    pub(crate) backoff: Duration,
    /// Longest pause: whoever waits for others, or for a coordinator that was restarted, does not wait long.
    pub(crate) backoff_max: Duration,
    /// To hand over the reason for leaving.
    pub(crate) farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            round: Duration::from_secs(4 * 3_600),
            look_every: Duration::from_secs(1),
            backoff: Duration::from_millis(500),
            backoff_max: Duration::from_secs(15),
            farewell: Duration::from_secs(2),
        }
    }
}
