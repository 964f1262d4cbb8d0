//! Two transports joined in memory: bounded, blocking, with a deadline on every wait and detection of a peer that is
//! gone. For tests, benches and examples; a node brings its own transport.

use super::{Channel, Transport};
use crate::fault::{Broken, Fault};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Frames that may wait in one direction before `send` blocks: the same bound a node's session keeps, so that a protocol
/// that would dead-lock there does so in a test.
pub const MEMORY_FRAMES_MAX: usize = 8;
/// How long one call may wait: far above any honest pause in a test, and far below a human's patience.
pub const MEMORY_DEADLINE: Duration = Duration::from_secs(60);

/// One end of an in-memory line.
pub struct MemoryTransport {
    outgoing: Arc<Pipe>,
    incoming: Arc<Pipe>,
    deadline: Duration,
}

/// Two channels joined back to back.
pub fn memory_pair() -> (Channel, Channel) {
    let (left, right) = memory_transports(MEMORY_DEADLINE);
    (Channel::new(Box::new(left)), Channel::new(Box::new(right)))
}

/// Two transports joined back to back, for those who put something in between; no call waits longer than `deadline`.
pub fn memory_transports(deadline: Duration) -> (MemoryTransport, MemoryTransport) {
    let (there, back) = (Arc::new(Pipe::default()), Arc::new(Pipe::default()));
    let left = MemoryTransport {
        outgoing: Arc::clone(&there),
        incoming: Arc::clone(&back),
        deadline,
    };
    let right = MemoryTransport {
        outgoing: back,
        incoming: there,
        deadline,
    };
    (left, right)
}

impl Transport for MemoryTransport {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        let full = |queue: &mut Queue| !queue.closed && queue.frames.len() >= MEMORY_FRAMES_MAX;
        let mut queue = self.outgoing.wait_while(self.deadline, full)?;
        if queue.closed {
            return Err(Broken::Closed.into());
        }
        queue.frames.push_back(frame);
        self.outgoing.changed.notify_all();
        Ok(())
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        let empty = |queue: &mut Queue| !queue.closed && queue.frames.is_empty();
        let mut queue = self.incoming.wait_while(self.deadline, empty)?;
        let frame = queue.frames.pop_front().ok_or(Broken::Closed)?;
        self.incoming.changed.notify_all();
        Ok(frame)
    }
}

/// An end that goes away closes both directions; frames already queued can still be received.
impl Drop for MemoryTransport {
    fn drop(&mut self) {
        for pipe in [&self.outgoing, &self.incoming] {
            pipe.lock().closed = true;
            pipe.changed.notify_all();
        }
    }
}

#[derive(Default)]
struct Pipe {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    closed: bool,
}

impl Pipe {
    /// A thread that panicked while it held the lock left a queue that is still whole: every change to it is one call.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(
        &self,
        deadline: Duration,
        condition: impl FnMut(&mut Queue) -> bool,
    ) -> Result<MutexGuard<'_, Queue>, Fault> {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), deadline, condition);
        let (queue, result) = waited.unwrap_or_else(PoisonError::into_inner);
        if result.timed_out() {
            return Err(Broken::TimedOut { after: deadline }.into());
        }
        Ok(queue)
    }
}
