//! One protocol run between two nodes: everything around the protocol and nothing of it.
//!
//! A session is one gRPC stream. The asker's node dials ([`dial`](Sessions::dial)), the other serves
//! ([`serve`](Sessions::serve)). Both sign an [`Opening`](entente_wire::session::Opening) that commits to a nonce, both open
//! the nonces, the protocol runs on a thread of its own with frames pumped through bounded queues, and both sign and compare
//! transcripts. The dialer speaks first each time:
//!
//! ```text
//! dialer  Open ─→       Nonce ─→       ⇄ data …        Closing ─→
//! other        ←─ Open       ←─ Nonce     … data ⇄                ←─ Closing
//! ```
//!
//! A nonce is committed to before the partner's is known, so neither side chooses the session id. What a partner sends is
//! checked in [`line`]; whose fault an end is, in [`blame`]; every wait has a deadline in [`limits`]. Nothing here names a
//! protocol or a rule about jobs: those are behind [`Runs`].
//!
//! Who learns what: the partner sees sizes and times of frames, which are functions of public parameters, and of this node's
//! problems only what [`blame`] lets through.

mod blame;
mod closing;
mod dial;
mod handshake;
mod limits;
mod line;
mod pump;
mod run;
mod runs;
mod serve;
mod slots;
#[cfg(test)]
pub(crate) mod tests;
mod transport;

pub(crate) use blame::heard;
pub(crate) use limits::Limits;
pub(crate) use line::{Line, Partner, outgoing_queue, refused};
pub(crate) use runs::{Agreed, End, Runs};
pub(crate) use serve::Replies;
pub(crate) use transport::Lanes;

use entente_wire::canonical;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::sign::{Kind, Record, SignError, Signature, Signer};
use serde::Serialize;
use slots::Slots;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;

/// Which end of the stream this node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The asker's node.
    Dialer,
    /// The other one.
    Listener,
}

/// Whose node this is, and the key that it signs statements with.
#[derive(Clone)]
pub(crate) struct Identity {
    /// This organisation.
    pub(crate) org: OrgName,
    /// The node key of the registry. Must not leave the node.
    pub(crate) signer: Arc<Signer>,
}

/// A request that all sessions end: the node is being stopped.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Stops once the channel holds `true`.
    pub(crate) fn new(requests: watch::Receiver<bool>) -> Self {
        Self(requests)
    }

    /// Whether a stop was requested.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once a stop is requested; never, if nobody is left who could.
    pub(crate) async fn requested(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            pending::<()>().await;
        }
    }
}

/// How a node reaches a partner's node: pins, TLS and gRPC behind one call, so that tests can be the partner.
pub(crate) trait Calls: Send + Sync + 'static {
    /// Opens a session stream to the partner's pinned address and proves its root.
    fn call<'a>(
        &'a self,
        partner: &'a OrgName,
    ) -> Pin<Box<dyn Future<Output = Result<Line, Problem>> + Send + 'a>>;
}

/// All sessions of a node.
pub(crate) struct Sessions<R: Runs> {
    identity: Identity,
    runs: Arc<R>,
    limits: Limits,
    stop: Stop,
    slots: Slots,
}

impl<R: Runs> Sessions<R> {
    /// Sessions for `runs`, signed by `identity`.
    pub(crate) fn new(identity: Identity, runs: Arc<R>, limits: Limits, stop: Stop) -> Self {
        let slots = Slots::new(&limits);
        Self {
            identity,
            runs,
            limits,
            stop,
            slots,
        }
    }

    /// Takes no new sessions from now on, in either direction.
    pub(crate) fn admit_no_more(&self) {
        self.slots.close();
    }

    /// Returns once no session is on.
    pub(crate) async fn ended(&self) {
        self.slots.all_free().await;
    }

    /// Runs a call into `runs` on a thread where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&R) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let runs = Arc::clone(&self.runs);
        let done = tokio::task::spawn_blocking(move || call(&runs)).await;
        done.unwrap_or_else(|_| Err(defect("a call into the jobs ended without an answer")))
    }
}

/// A document of the partner whose signature verified, as evidence.
fn record<T: Serialize>(
    partner: &Partner,
    kind: Kind,
    document: &T,
    signature: &Signature,
) -> Record {
    Record {
        kind,
        org: partner.org.clone(),
        body: canonical::to_bytes(document),
        signature: signature.0.to_vec(),
    }
}

fn not_proven(partner: &Partner, error: &SignError) -> Problem {
    Problem::partner(
        &partner.org,
        Code::PartnerNotProven,
        format!("the session cannot be trusted: {error}"),
        format!(
            "if {} has a new node key, wait until its new registry is here",
            partner.org
        ),
    )
}

fn defect(what: &str) -> Problem {
    Problem::here(Code::Defect, what, "report this with the node's log")
}
