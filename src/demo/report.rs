//! The JSON document of `entente demo`.

use crate::loopback::Finished;
use crate::result_table::ResultTable;
use serde::Serialize;

/// All questions, and whether every answer is right.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) correct: bool,
    pub(super) seed: u64,
    pub(super) scale: u64,
    pub(super) total_s: f64,
    pub(super) questions: Vec<Question>,
}

/// One question and what became of it.
#[derive(Serialize)]
pub(super) struct Question {
    name: &'static str,
    result: ResultTable,
    wall_s: f64,
    sent_bytes: u64,
    received_bytes: u64,
    /// In which way the answer cannot be the truth.
    pub(super) wrong: Option<String>,
}

impl Question {
    pub(super) fn of(
        name: &'static str,
        result: ResultTable,
        finished: &Finished,
        wrong: Option<String>,
    ) -> Self {
        let (sent_bytes, received_bytes) = traffic(finished);
        Self {
            name,
            result,
            wall_s: finished.wall_s,
            sent_bytes,
            received_bytes,
            wrong,
        }
    }
}

/// Protocol bytes that the asker's node sent and received.
pub(super) fn traffic(finished: &Finished) -> (u64, u64) {
    let progress = finished.job.progress.as_ref();
    progress.map_or((0, 0), |progress| {
        (progress.sent_bytes, progress.received_bytes)
    })
}
