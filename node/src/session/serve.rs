//! The other party's side: a pinned partner's node opened a session here.

use super::handshake::hear_open;
use super::{End, Line, Partner, Role, Runs, Sessions, blame, outgoing_queue};
use entente_wire::problem::Problem;
use entente_wire::rpc::peer::v1::Frame;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument;

/// What a session sends back.
pub(crate) type Replies = BoxStream<'static, Result<Frame, Status>>;

impl<R: Runs> Sessions<R> {
    /// Takes a place and serves the session in the background; the stream returned carries this node's frames. `partner` has
    /// proven itself, and its root is the pinned one: the caller has checked both.
    pub(crate) fn serve(
        self: &Arc<Self>,
        partner: Partner,
        frames: BoxStream<'static, Result<Frame, Status>>,
    ) -> Result<Replies, Problem> {
        let slot = self.slots.take_inbound(&partner.org)?;
        let (outgoing, replies) = outgoing_queue();
        let span =
            tracing::info_span!("session", partner = %partner.org, job = tracing::field::Empty);
        let line = Line::new(self.identity.org.clone(), partner, outgoing, frames);
        let sessions = Arc::clone(self);
        let session = async move {
            sessions.answer(line).await;
            drop(slot);
        };
        tokio::spawn(session.instrument(span));
        Ok(ReceiverStream::new(replies).map(Ok).boxed())
    }

    async fn answer(&self, mut line: Line) {
        let end = self.answer_on(&mut line).await;
        if let Err(problem) = &end {
            tracing::warn!(code = %problem.code, side = %problem.side, "{}", problem.what);
        }
        line.farewell(end.as_ref().err(), self.limits.farewell)
            .await;
    }

    async fn answer_on(&self, line: &mut Line) -> Result<(), Problem> {
        let mut stop = self.stop.clone();
        let theirs = tokio::select! {
            theirs = hear_open(line, &self.limits) => theirs?,
            () = stop.requested() => return Err(blame::stopping()),
        };
        tracing::Span::current().record("job", theirs.opening.job.short());
        let (partner, opening) = (line.voice.partner.org.clone(), theirs.opening.clone());
        let attempt = opening.attempt;
        let grant = self
            .blocking(move |runs| runs.admit(&partner, &opening))
            .await?;
        let end = async {
            let agreed = self.answer_handshake(line, &grant, theirs).await?;
            let carried = self.run(line, Role::Listener, &grant, &agreed).await;
            let result = carried.result?;
            self.close(
                line,
                Role::Listener,
                &grant,
                &agreed,
                result,
                carried.closing,
            )
            .await
        };
        let Err(problem) = end.await else {
            return Ok(());
        };
        self.broken(&grant, Some(attempt), &problem, blame::may_retry(&problem))
            .await;
        Err(problem)
    }

    /// Records that an attempt broke off.
    pub(super) async fn broken(
        &self,
        grant: &R::Grant,
        attempt: Option<u32>,
        problem: &Problem,
        may_follow: bool,
    ) {
        let grant = grant.clone();
        let end = End::Broken {
            attempt,
            problem: problem.clone(),
            may_follow,
        };
        let recorded = self.blocking(move |runs| runs.ended(&grant, end)).await;
        if let Err(problem) = recorded {
            tracing::error!(code = %problem.code, "the end of a session could not be recorded");
        }
    }
}
