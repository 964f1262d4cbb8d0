//! An adversary on the line, for the tamper sweeps of all protocols (specification §11).
//!
//! [`Tampered`] does one thing to one frame of one side; [`sweep`] does every thing to every frame and asks, of each run,
//! whether it ended in a fault or the right answer. **Clumsy** tampering leaves the headers as they fall, as a broken
//! transport would; a **deft** adversary numbers the frames anew and states their true lengths, as a cheating peer would.

mod sweep;

pub(crate) use sweep::{
    Effort, Ended, assert_only_unnoticed, assert_only_unnoticed_from, sweep, tampered,
};

use crate::channel::{
    Channel, HEADER_BYTES, MemoryTransport, Totals, Transport, memory_transports,
};
use crate::fault::{Broken, Fault};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longer than any honest pause on a busy machine; lines see stalls by themselves, so a healthy sweep never waits this long.
const SWEEP_DEADLINE: Duration = Duration::from_secs(30);

/// What is done to a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tampering {
    Drop,
    Double,
    SwapWithNext,
    Cut,
    Extend,
    Flip {
        bit: usize,
    },
    /// By an earlier frame of the same side.
    ReplayEarlier {
        frame: usize,
    },
    /// By the frame at the same place of another session.
    ReplayOther,
}

/// One case of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// 0 for the left side, 1 for the right.
    pub(crate) side: usize,
    pub(crate) frame: usize,
    /// Number in the header of the frame that is tampered with.
    pub(crate) kind: u16,
    pub(crate) tampering: Tampering,
    pub(crate) deft: bool,
}

impl Case {
    /// Whether all headers can still be true, and only bodies be others, or at other places: what no channel can see.
    fn may_change_bodies_only(&self) -> bool {
        match self.tampering {
            Tampering::Flip { bit } => bit >= 8 * HEADER_BYTES,
            Tampering::ReplayOther => true,
            Tampering::Double | Tampering::SwapWithNext | Tampering::ReplayEarlier { .. } => {
                self.deft
            }
            Tampering::Drop | Tampering::Cut | Tampering::Extend => false,
        }
    }
}

/// Frames in order of sending, of both sides.
pub(crate) type Frames = [Vec<Vec<u8>>; 2];

/// What one side has sent so far.
pub(crate) type Said = Arc<Mutex<Vec<Vec<u8>>>>;

/// Keeps a copy of every frame that is sent.
pub(crate) struct Recorded<T> {
    inner: T,
    frames: Said,
}

impl<T: Transport> Transport for Recorded<T> {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        self.frames
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(frame.clone());
        self.inner.send(frame)
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        self.inner.receive()
    }
}

/// A peer that says its lines whatever it hears, and is then gone.
pub(crate) struct Scripted {
    lines: VecDeque<Vec<u8>>,
}

impl Scripted {
    /// A transport whose peer sends `lines`, and all that is sent over it.
    pub(crate) fn recorded(lines: &[Vec<u8>]) -> (Recorded<Self>, Said) {
        let frames = Arc::default();
        (
            Recorded {
                inner: Self {
                    lines: lines.to_vec().into(),
                },
                frames: Arc::clone(&frames),
            },
            frames,
        )
    }
}

impl Transport for Scripted {
    fn send(&mut self, _: Vec<u8>) -> Result<(), Fault> {
        Ok(())
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        Ok(self.lines.pop_front().ok_or(Broken::Closed)?)
    }
}

/// Sends what its side sends, but for one frame.
pub(crate) struct Tampered {
    inner: MemoryTransport,
    case: Option<(Case, Frames)>,
    taken: usize,
    passed: u32,
    held: Option<Vec<u8>>,
    earlier: Vec<Vec<u8>>,
}

impl Tampered {
    fn new(inner: MemoryTransport, case: Option<(Case, Frames)>) -> Self {
        Self {
            inner,
            case,
            taken: 0,
            passed: 0,
            held: None,
            earlier: Vec::new(),
        }
    }

    /// What goes out in place of `frame`.
    fn tamper(&mut self, case: &Case, other: &Frames, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        match case.tampering {
            Tampering::Drop => return vec![],
            Tampering::Double => return vec![frame.clone(), frame],
            Tampering::SwapWithNext => {
                self.held = Some(frame);
                return vec![];
            }
            Tampering::Cut => {
                frame.pop();
            }
            Tampering::Extend => frame.push(0),
            Tampering::Flip { bit } => frame[bit / 8] ^= 1 << (bit % 8),
            Tampering::ReplayEarlier { frame: earlier } => frame = self.earlier[earlier].clone(),
            Tampering::ReplayOther => frame = other[case.side][case.frame].clone(),
        }
        vec![frame]
    }

    fn pass(&mut self, mut frame: Vec<u8>, deft: bool) -> Result<(), Fault> {
        if deft && frame.len() >= HEADER_BYTES {
            let length = (frame.len() - HEADER_BYTES) as u32;
            frame[2..6].copy_from_slice(&self.passed.to_le_bytes());
            frame[6..10].copy_from_slice(&length.to_le_bytes());
        }
        self.passed += 1;
        self.inner.send(frame)
    }
}

impl Transport for Tampered {
    fn send(&mut self, frame: Vec<u8>) -> Result<(), Fault> {
        let Some((case, other)) = self.case.clone() else {
            return self.inner.send(frame);
        };
        self.earlier.push(frame.clone());
        self.taken += 1;
        let mut out = match self.taken - 1 == case.frame {
            true => self.tamper(&case, &other, frame),
            false => vec![frame],
        };
        if self.taken - 1 > case.frame {
            out.extend(self.held.take());
        }
        out.into_iter()
            .try_for_each(|frame| self.pass(frame, case.deft))
    }

    fn receive(&mut self) -> Result<Vec<u8>, Fault> {
        self.inner.receive()
    }
}

/// A transport for each side, ready to be handed to a channel.
pub(crate) type Ends = [Box<dyn Transport + Send>; 2];

/// Two ends with nobody in between.
pub(crate) fn honest() -> Ends {
    let (left, right) = memory_transports(SWEEP_DEADLINE);
    [Box::new(left), Box::new(right)]
}

/// Runs both roles, each on its own thread; a side that ends lets go of its end of the line.
pub(crate) fn both<L, R: Send>(
    [left_end, right_end]: Ends,
    left: impl FnOnce(&mut Channel) -> L,
    right: impl FnOnce(&mut Channel) -> R + Send,
) -> (L, R, [Totals; 2]) {
    std::thread::scope(|scope| {
        let right = scope.spawn(move || {
            let mut channel = Channel::new(right_end);
            (right(&mut channel), channel.totals())
        });
        let mut channel = Channel::new(left_end);
        let (left, left_totals) = (left(&mut channel), channel.totals());
        drop(channel);
        let (right, right_totals) = right.join().expect("the right role does not panic");
        (left, right, [left_totals, right_totals])
    })
}

/// Runs `session` over an honest line and returns every frame with its result.
pub(crate) fn record<R>(session: impl FnOnce(Ends) -> R) -> (Frames, R) {
    let (left, right) = memory_transports(SWEEP_DEADLINE);
    let frames: [Said; 2] = Default::default();
    let left = Recorded {
        inner: left,
        frames: Arc::clone(&frames[0]),
    };
    let right = Recorded {
        inner: right,
        frames: Arc::clone(&frames[1]),
    };
    let result = session([Box::new(left), Box::new(right)]);
    let taken = frames.map(|frames| {
        frames
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    });
    (taken, result)
}
