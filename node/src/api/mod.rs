//! What this organisation's own people ask of their own node, over a socket that only its owner can open.
//!
//! Thin on purpose: each call is parsed into types, handed to the part of the node that knows ([`crate::jobs`],
//! [`crate::policy`], [`crate::link`]), and the answer is a JSON document of a type in `entente_wire::local`. Whoever can open the
//! socket speaks for this node's operator; a decision on a job is not the operator's to give and carries a person's own
//! signature.

mod service;
mod socket;
#[cfg(test)]
mod tests;

pub(crate) use socket::Socket;

use crate::jobs::Jobs;
use crate::link::Link;
use entente_wire::link_speed::LinkSpeed;
use entente_wire::local::Status as NodeStatus;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::local::v1::local_server::LocalServer;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::transport::Server;

/// Largest request: a policy or a job file is at most a quarter of this.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// How long answers that are under way may take once the node is being stopped.
const FAREWELL: Duration = Duration::from_secs(2);

/// How the node stands, asked of the part that knows.
pub(crate) type AskStatus = Arc<dyn Fn() -> Result<NodeStatus, Problem> + Send + Sync>;

/// The calls behind the socket.
#[derive(Clone)]
pub(crate) struct Api {
    jobs: Jobs,
    link: Link,
    status: AskStatus,
    stopping: watch::Sender<bool>,
}

impl Api {
    pub(crate) fn new(jobs: Jobs, link: Link, status: AskStatus) -> Self {
        let stopping = watch::Sender::new(false);
        Self {
            jobs,
            link,
            status,
            stopping,
        }
    }

    /// Serves the socket until `stop` ends. Watches end with it; a client that takes nothing more does not hold the node up.
    pub(crate) async fn serve(
        self,
        socket: Socket,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), Problem> {
        let stopping = self.stopping.clone();
        let mut stopped = stopping.subscribe();
        let service = LocalServer::new(self).max_decoding_message_size(REQUEST_BYTES_MAX);
        let (incoming, _file) = socket.incoming();
        let stop = async move {
            stop.await;
            stopping.send_replace(true);
        };
        let served = Server::builder()
            .add_service(service)
            .serve_with_incoming_shutdown(incoming, stop);
        let overdue = async move {
            // The sender lives as long as the server.
            let _ = stopped.wait_for(|stopping| *stopping).await;
            sleep(FAREWELL).await;
        };
        let served = tokio::select! {
            served = served => served,
            () = overdue => Ok(()),
        };
        served.map_err(|error| {
            let what = format!("the socket for this node's own people failed: {error}");
            Problem::here(Code::Home, what, "start the node again")
        })
    }

    /// Returns once the node is being stopped.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.subscribe();
        async move {
            // Without a sender there is no server either.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }

    /// How fast the way to the job's partner is, where that decides how the job runs. A partner that cannot be reached now may well
    /// approve later, so that is no reason to refuse the job.
    async fn link_of(&self, yaml: &str) -> Result<Option<LinkSpeed>, Problem> {
        let text = yaml.to_owned();
        let partner = self.aside(move |jobs| Ok(jobs.depends_on_link_to(&text)));
        let Some(partner) = partner.await? else {
            return Ok(None);
        };
        let speed = self.link.speed(&partner).await;
        Ok(speed
            .inspect_err(|problem| {
                tracing::warn!(code = %problem.code, "the link was not measured: {}", problem.what);
            })
            .ok())
    }

    /// Runs what reads or writes disk where it holds up nobody.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Jobs) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let jobs = self.jobs.clone();
        let done = tokio::task::spawn_blocking(move || work(&jobs)).await;
        done.unwrap_or_else(|_| {
            let what = "a call ended without an answer";
            Err(Problem::here(
                Code::Defect,
                what,
                "report this with the node's log",
            ))
        })
    }
}
