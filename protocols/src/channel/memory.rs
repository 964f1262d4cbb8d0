//! Two transports joined in memory: bounded, blocking, with a deadline on every wait and detection of a peer that is
//! gone. For tests, benches and examples; a node brings its own transport.
//!
//! Where both ends wait for each other, nothing will ever move again; the line sees that at once and both calls end as
//! [`Broken::Stalled`]. So a protocol that can dead-lock over a session does so in a test, without any waiting.

use super::{Channel, Transport};
use crate::fault::{Broken, Fault};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Frames that may wait in one direction before `send` blocks: the same bound a node's session keeps.
pub const MEMORY_FRAMES_MAX: usize = 8;
/// How long one call may wait: far above any honest pause in a test, and far below a human's patience.
pub const MEMORY_DEADLINE: Duration = Duration::from_secs(60);

/// One end of an in-memory line.
pub struct MemoryTransport {
    line: Arc<Line>,
    end: End,
    deadline: Duration,
}

/// Two channels joined back to back.
pub fn memory_pair() -> (Channel, Channel) {
    let (left, right) = memory_transports(MEMORY_DEADLINE);
    (Channel::new(Box::new(left)), Channel::new(Box::new(right)))
}

/// Two transports joined back to back, for those who put something in between; no call waits longer than `deadline`.
pub fn memory_transports(deadline: Duration) -> (MemoryTransport, MemoryTransport) {
    let line = Arc::new(Line::default());
    let left = MemoryTransport {
        line: Arc::clone(&line),
        end: End::Left,
        deadline,
    };
    let right = MemoryTransport {
        line,
        end: End::Right,
        deadline,
    };
    (left, right)
}

impl Transport for MemoryTransport {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        let mut state = self.line.wait(self.end, Wait::ToSend, self.deadline)?;
        if state.closed {
            return Err(Broken::Closed.into());
        }
        state.queue(self.end).push_back(frame);
        self.line.changed.notify_all();
        Ok(())
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        let mut state = self.line.wait(self.end, Wait::ToReceive, self.deadline)?;
        let frame = state
            .queue(self.end.other())
            .pop_front()
            .ok_or(Broken::Closed)?;
        self.line.changed.notify_all();
        Ok(frame)
    }
}

/// An end that goes away closes both directions; frames already queued can still be received.
impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.line.lock().closed = true;
        self.line.changed.notify_all();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Left,
    Right,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

#[derive(Clone, Copy)]
enum Wait {
    ToSend,
    ToReceive,
}

#[derive(Default)]
struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    from_left: VecDeque<Vec<u8>>,
    from_right: VecDeque<Vec<u8>>,
    left_waits: Option<Wait>,
    right_waits: Option<Wait>,
    closed: bool,
}

impl State {
    fn queue(&mut self, from: End) -> &mut VecDeque<Vec<u8>> {
        match from {
            End::Left => &mut self.from_left,
            End::Right => &mut self.from_right,
        }
    }

    fn waits(&mut self, end: End) -> &mut Option<Wait> {
        match end {
            End::Left => &mut self.left_waits,
            End::Right => &mut self.right_waits,
        }
    }

    fn must_wait(&mut self, end: End, wait: Wait) -> bool {
        let blocked = match wait {
            Wait::ToSend => self.queue(end).len() >= MEMORY_FRAMES_MAX,
            Wait::ToReceive => self.queue(end.other()).is_empty(),
        };
        blocked && !self.closed
    }

    /// Whether `end` waits for something that only the other end could do, while that one waits too.
    fn stalled(&mut self) -> bool {
        let mut waits_in_vain =
            |end| (*self.waits(end)).is_some_and(|wait| self.must_wait(end, wait));
        waits_in_vain(End::Left) && waits_in_vain(End::Right)
    }
}

impl Line {
    /// A thread that panicked while it held the lock left a state that is still whole: every change to it is one call.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(
        &self,
        end: End,
        wait: Wait,
        deadline: Duration,
    ) -> Result<MutexGuard<'_, State>, Fault> {
        let mut state = self.lock();
        *state.waits(end) = Some(wait);
        if state.stalled() {
            self.changed.notify_all();
        }
        let blocked = |state: &mut State| state.must_wait(end, wait) && !state.stalled();
        let waited = self.changed.wait_timeout_while(state, deadline, blocked);
        let (mut state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.stalled() {
            return Err(Broken::Stalled.into());
        }
        *state.waits(end) = None;
        if result.timed_out() {
            return Err(Broken::TimedOut { after: deadline }.into());
        }
        Ok(state)
    }
}
