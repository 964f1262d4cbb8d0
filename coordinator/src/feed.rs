//! One watch: the records that a member is sent as they come.

use crate::board::Watching;
use crate::limits::SEND_TIMEOUT;
use crate::members::Members;
use crate::records::Filed;
use crate::service::{Watches, aside, stopped, stops};
use entente_certs::Peer;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::coordinator::v1::{WatchReply, watch_reply::Event};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::Status;

/// Feeds one watch until its reader goes, is too slow, is struck from the list, or the coordinator stops.
pub(crate) struct Feed {
    pub(crate) members: Members,
    pub(crate) watches: Watches,
    pub(crate) peer: Peer,
    pub(crate) org: OrgName,
    pub(crate) replies: mpsc::Sender<Result<WatchReply, Status>>,
}

/// The watch is over; the reader has gone or was told why.
struct Over;

impl Feed {
    pub(crate) async fn run(self, watching: Watching) {
        let Watching { now, coming } = watching;
        let _ = self.feed(now, coming).await;
    }

    async fn feed(
        &self,
        now: Vec<Arc<Filed>>,
        mut coming: mpsc::Receiver<Arc<Filed>>,
    ) -> Result<(), Over> {
        for filed in now {
            self.send(Event::Record(filed.record.clone())).await?;
        }
        self.send(Event::CaughtUp(true)).await?;
        let mut stopping = self.watches.stopping.clone();
        let mut heartbeat = interval(self.watches.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once.
        heartbeat.tick().await;
        loop {
            tokio::select! {
                filed = coming.recv() => match filed {
                    Some(filed) => self.send(Event::Record(filed.record.clone())).await?,
                    None => return self.end(too_slow(&self.org)).await,
                },
                _ = heartbeat.tick() => {
                    self.check_member().await?;
                    self.send(Event::Heartbeat(true)).await?;
                }
                () = stopped(&mut stopping) => return self.end(stops()).await,
                () = self.replies.closed() => return Err(Over),
            }
        }
    }

    async fn send(&self, event: Event) -> Result<(), Over> {
        let reply = WatchReply { event: Some(event) };
        match timeout(SEND_TIMEOUT, self.replies.send(Ok(reply))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }

    async fn end(&self, why: Problem) -> Result<(), Over> {
        let _ = timeout(SEND_TIMEOUT, self.replies.send(Err(why.into()))).await;
        Err(Over)
    }

    async fn check_member(&self) -> Result<(), Over> {
        let (members, peer) = (self.members.clone(), self.peer.clone());
        match aside(move || members.check(&peer)).await {
            Ok(_) => Ok(()),
            Err(status) => {
                let _ = timeout(SEND_TIMEOUT, self.replies.send(Err(status))).await;
                Err(Over)
            }
        }
    }
}

fn too_slow(org: &OrgName) -> Problem {
    Problem::partner(
        org,
        Code::CoordinatorRefused,
        "the node did not read its watch as fast as records came",
        "the node begins a new watch by itself and misses nothing; look at its load if this goes on",
    )
}
