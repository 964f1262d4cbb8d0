//! How far a run is: stages with their times, and rows and an end in sight from the bytes that have crossed.

use entente_protocols::channel::Meter;
use entente_wire::local::Progress;

/// A session that is on.
pub(super) struct Running {
    attempt: u32,
    stage: Stage,
    stage_since_ms: u64,
    stages_ms: Vec<(String, u64)>,
    rows_done: u64,
    rows_total: Option<u64>,
    crossing: Option<Crossing>,
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Openings and nonces.
    Connecting,
    /// The local query.
    Reading,
    /// An aggregation waits for the other parties.
    Gathering,
    /// Keys, masks and sums of an aggregation.
    Adding,
    /// The protocol.
    Matching,
    /// Noise, thresholds and opening of a blind join's table.
    Releasing,
    /// The result file.
    Writing,
    /// Transcripts are exchanged.
    Closing,
}

struct Crossing {
    meter: Meter,
    bytes_total: u64,
}

impl Stage {
    fn in_words(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Reading => "reading",
            Self::Gathering => "waiting for the other parties",
            Self::Adding => "adding up",
            Self::Matching => "matching",
            Self::Releasing => "releasing",
            Self::Writing => "writing",
            Self::Closing => "closing",
        }
    }
}

impl Running {
    pub(super) fn begin(attempt: u32, now_ms: u64) -> Self {
        Self {
            attempt,
            stage: Stage::Connecting,
            stage_since_ms: now_ms,
            stages_ms: Vec::new(),
            rows_done: 0,
            rows_total: None,
            crossing: None,
        }
    }

    /// Ends the present stage and begins the next.
    pub(super) fn enter(&mut self, stage: Stage, rows_total: Option<u64>, now_ms: u64) {
        self.stages_ms.push((
            self.stage.in_words().to_owned(),
            now_ms.saturating_sub(self.stage_since_ms),
        ));
        (self.stage, self.stage_since_ms) = (stage, now_ms);
        (self.rows_done, self.rows_total) = (0, rows_total);
    }

    /// Rows of this stage.
    pub(super) fn rows(&mut self, done: u64, total: u64) {
        (self.rows_done, self.rows_total) = (done, Some(total));
    }

    /// The protocol begins: its bytes are counted by `meter`, and are so many in all.
    pub(super) fn cross(&mut self, meter: Meter, bytes_total: u64) {
        let bytes_total = bytes_total.max(1);
        self.crossing = Some(Crossing { meter, bytes_total });
    }

    /// All stages with their times, the last one ending now.
    pub(super) fn finished(mut self, now_ms: u64) -> Vec<(String, u64)> {
        self.enter(self.stage, None, now_ms);
        self.stages_ms
    }

    /// As people see it.
    pub(super) fn progress(&self, approved_at_ms: Option<u64>, now_ms: u64) -> Progress {
        let (sent_bytes, received_bytes) = self.bytes();
        let matching = self.stage == Stage::Matching;
        let crossing = self.crossing.as_ref().filter(|_| matching);
        // A run that goes on from an earlier one ends before all of it.
        let done_bytes =
            crossing.map(|crossing| (sent_bytes + received_bytes).min(crossing.bytes_total));
        let rows_done = match (self.rows_total, done_bytes, crossing) {
            (Some(rows), Some(done), Some(crossing)) => scaled(rows, done, crossing.bytes_total),
            _ => self.rows_done,
        };
        let stage_ms = now_ms.saturating_sub(self.stage_since_ms);
        let done_and_total = done_bytes
            .zip(crossing)
            .map(|(done, crossing)| (done, crossing.bytes_total));
        let done_and_total =
            done_and_total.or(self.rows_total.map(|total| (rows_done.min(total), total)));
        // The stage's own end; what follows the protocol is short, what precedes it cannot know the partner's speed.
        let eta_ms = done_and_total
            .filter(|(done, _)| *done > 0)
            .map(|(done, total)| scaled(stage_ms, total - done, done));
        Progress {
            attempt: self.attempt,
            stage: self.stage.in_words().to_owned(),
            rows_done,
            rows_total: self.rows_total,
            sent_bytes,
            received_bytes,
            elapsed_ms: approved_at_ms.map_or(0, |at| now_ms.saturating_sub(at)),
            eta_ms,
            stages_ms: self.stages_ms.clone(),
        }
    }

    fn bytes(&self) -> (u64, u64) {
        let crossing = self.crossing.as_ref();
        crossing.map_or((0, 0), |crossing| {
            (crossing.meter.sent_bytes(), crossing.meter.received_bytes())
        })
    }
}

/// `value · part / whole` without overflow; `whole` is not 0.
fn scaled(value: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
