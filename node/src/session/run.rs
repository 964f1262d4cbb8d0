//! The run of an agreed session: the protocol on its own thread, frames pumped meanwhile.

use super::limits::LANES_MAX;
use super::pump::{Carried, carry};
use super::transport::queues;
use super::{Agreed, Line, Role, Runs, Sessions, defect};
use entente_protocols::channel::Totals;
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;

impl<R: Runs> Sessions<R> {
    /// Runs the protocol and returns when its thread has ended.
    pub(super) async fn run(
        &self,
        line: &mut Line,
        role: Role,
        grant: &R::Grant,
        agreed: &Agreed,
    ) -> Carried<(R::Outcome, Totals)> {
        let (lanes, pump) = queues(
            &line.voice.partner.org,
            &line.voice.outgoing,
            self.runs.lanes(grant).clamp(1, LANES_MAX),
            &self.limits,
        );
        let (runs, grant, session) = (Arc::clone(&self.runs), grant.clone(), agreed.clone());
        let (give, result) = oneshot::channel();
        let span = tracing::Span::current();
        let started = thread::Builder::new()
            .name(format!("run {}", agreed.own.job.short()))
            .spawn(move || {
                let _in_span = span.entered();
                let result = runs.run(&grant, &session, lanes);
                // The receiver waits for this thread; it is gone only if the whole runtime is.
                let _ = give.send(result);
            });
        if started.is_err() {
            return Carried {
                result: Err(defect("the operating system gave no thread for the run")),
                closing: None,
            };
        }
        let mut stop = self.stop.clone();
        carry(line, role, result, pump, &mut stop, &self.limits).await
    }
}
