//! What another organisation's node may ask of this one: to join with an invite, and, once it is pinned, to open a session or to measure
//! the link.
//!
//! The port takes any organisation that proves itself; what it may do is decided here, call by call, by its root.

use super::Link;
use super::measure::{self, Probes};
use crate::session::{Partner, Replies, Runs, Sessions};
use entente_certs::Peer;
use entente_wire::canonical;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::peer_server::Peer as Calls;
use entente_wire::rpc::peer::v1::{Frame, JoinReply, JoinRequest, Probe};
use futures::StreamExt;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

/// The service behind the one inbound port.
pub(crate) struct PeerService<R: Runs> {
    link: Link,
    sessions: Arc<Sessions<R>>,
    measurements: Arc<Semaphore>,
}

impl<R: Runs> PeerService<R> {
    pub(crate) fn new(link: Link, sessions: Arc<Sessions<R>>) -> Self {
        Self {
            link,
            sessions,
            measurements: Arc::new(Semaphore::new(measure::ANSWERS_MAX)),
        }
    }

    async fn join_with(&self, peer: Peer, request: JoinRequest) -> Result<JoinReply, Problem> {
        let caller = peer.clone();
        let joined = self.link.aside(move |link| link.redeem(&caller, request));
        let joined = joined.await?;
        let reverse = self.link.probe(&joined.pin, &peer).await;
        Ok(JoinReply {
            registry: Some(joined.own_registry.into()),
            reverse_problem: reverse.map_or_else(Vec::new, |problem| canonical::to_bytes(&problem)),
        })
    }

    async fn session_with(&self, peer: Peer, frames: Streaming<Frame>) -> Result<Replies, Problem> {
        let partner = self.pinned(peer, "a session").await?;
        self.sessions.serve(partner, frames.boxed())
    }

    async fn measured_by(&self, peer: Peer, probes: Streaming<Probe>) -> Result<Probes, Problem> {
        let partner = self.pinned(peer, "a measurement").await?;
        let place = Arc::clone(&self.measurements).try_acquire_owned();
        let place = place.map_err(|_| {
            let what = "this node answers other measurements just now";
            Problem::here(Code::SessionLimit, what, "try again in a minute")
        })?;
        Ok(measure::answer(
            partner.org,
            probes.boxed(),
            measure::ANSWERING,
            place,
        ))
    }

    /// The pinned partner that calls.
    async fn pinned(&self, peer: Peer, what: &str) -> Result<Partner, Problem> {
        let caller = peer.clone();
        let partner = self.link.aside(move |link| link.proven(&caller)).await;
        partner.inspect_err(|problem| {
            tracing::warn!(code = %problem.code, caller = %peer, "{what} was refused: {}", problem.what);
        })
    }
}

#[tonic::async_trait]
impl<R: Runs> Calls for PeerService<R> {
    type SessionStream = Replies;
    type MeasureStream = Probes;

    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        let peer = caller(&request)?;
        let joined = self.join_with(peer, request.into_inner()).await;
        joined
            .map(Response::new)
            .map_err(|problem| Status::from(problem.for_others()))
    }

    async fn session(
        &self,
        request: Request<Streaming<Frame>>,
    ) -> Result<Response<Replies>, Status> {
        let peer = caller(&request)?;
        let replies = self.session_with(peer, request.into_inner()).await;
        replies
            .map(Response::new)
            .map_err(|problem| Status::from(problem.for_others()))
    }

    async fn measure(
        &self,
        request: Request<Streaming<Probe>>,
    ) -> Result<Response<Probes>, Status> {
        let peer = caller(&request)?;
        let answers = self.measured_by(peer, request.into_inner()).await;
        answers
            .map(Response::new)
            .map_err(|problem| Status::from(problem.for_others()))
    }
}

/// Whom the handshake proved.
fn caller<T>(request: &Request<T>) -> Result<Peer, Status> {
    request.extensions().get::<Peer>().cloned().ok_or_else(|| {
        let what = "a call came without a proven caller";
        Problem::here(Code::Defect, what, "report this with the node's log")
            .for_others()
            .into()
    })
}
