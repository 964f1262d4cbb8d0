//! The node's side of the coordinator: hands in what this organisation signed, takes in what others signed.
//!
//! The coordinator's root is pinned in `org.toml`. Nothing it says is believed: records carry their signers' own signatures,
//! and a coordinator that loses, repeats or delays them only costs time. After every (re)connection this node posts all its
//! current records again, so a coordinator that lost its state gets it back.

use super::reach::no_coordinator;
use crate::config::CoordinatorAddress;
use crate::session::Stop;
use entente_certs::{COORDINATOR, Expected, TlsParty, connect};
use entente_wire::limits::{RPC_MESSAGE_BYTES_MAX, WIRE_VERSION};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::coordinator::v1::coordinator_client::CoordinatorClient;
use entente_wire::rpc::coordinator::v1::{WatchReply, WatchRequest, watch_reply::Event};
use entente_wire::rpc::record::v1::Record as WireRecord;
use entente_wire::sign::Record;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code as Rpc, Status, Streaming};

/// What the coordinator's client needs of the node: the seam to the jobs. Both calls may block.
pub(crate) trait Records: Send + Sync + 'static {
    /// Everything to post after a (re)connection.
    fn own_records(&self) -> Result<Vec<Record>, Problem>;
    /// Takes in a record that the coordinator delivered.
    fn on_record(&self, record: Record);
}

/// How it stands with the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CoordinatorState {
    /// None is set in `org.toml`.
    None,
    /// The watch is up.
    Connected,
    /// It is not, and why.
    Down(Problem),
}

/// Waits of the client.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// To reach it, TCP and TLS together.
    pub(crate) connect: Duration,
    /// For the answer to a call.
    pub(crate) call: Duration,
    /// Without a word on the watch: three heartbeats.
    pub(crate) silence: Duration,
    /// Before the second try; doubles with each further one, and is stretched at random by up to a half.
    pub(crate) backoff: Duration,
    /// Longest pause: whoever was just admitted, or has just restarted the coordinator, does not wait long.
    pub(crate) backoff_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(30),
            silence: Duration::from_secs(30),
            backoff: Duration::from_millis(500),
            backoff_max: Duration::from_secs(15),
        }
    }
}

/// The client. Runs until it is stopped.
pub(crate) struct Coordinator<R> {
    pub(crate) own: OrgName,
    pub(crate) address: CoordinatorAddress,
    pub(crate) party: TlsParty,
    pub(crate) records: Arc<R>,
    pub(crate) pace: Pace,
    pub(crate) state: watch::Sender<CoordinatorState>,
    /// Told when a partner was linked: what it signed before that was refused as a stranger's, and a new watch brings it again.
    pub(crate) anew: Arc<Notify>,
}

impl<R: Records> Coordinator<R> {
    /// Connects, serves, and connects again, until `stop`. `outgoing` are new records as they arise.
    pub(crate) async fn run(self, mut outgoing: mpsc::Receiver<Record>, mut stop: Stop) {
        let mut tries = 0;
        loop {
            let began = Instant::now();
            let problem = tokio::select! {
                problem = self.serve(&mut outgoing) => problem,
                () = self.anew.notified() => continue,
                () = stop.requested() => return,
            };
            // A connection that held for long is no sign of trouble.
            if began.elapsed() > self.pace.backoff_max {
                tries = 0;
            }
            self.note(problem);
            let pause = self.pause(tries);
            tries += 1;
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.requested() => return,
                // What arises meanwhile is among the own records of the next connection.
                () = drain(&mut outgoing) => {}
            }
        }
    }

    /// One connection, until it fails.
    async fn serve(&self, outgoing: &mut mpsc::Receiver<Record>) -> Problem {
        let (mut client, replies) = match self.connect().await {
            Ok(connected) => connected,
            Err(problem) => return problem,
        };
        let failed = tokio::select! {
            failed = self.read(replies) => failed,
            failed = self.post_all(&mut client, outgoing) => failed,
        };
        match failed {
            Ok(never) => match never {},
            Err(problem) => problem,
        }
    }

    async fn connect(
        &self,
    ) -> Result<(CoordinatorClient<Channel>, Streaming<WatchReply>), Problem> {
        let expected = Expected {
            org: COORDINATOR.to_owned(),
            root: self.address.root,
        };
        let address = self.address.address.as_str();
        let channel = connect(&self.party, address, &expected, self.pace.connect)
            .await
            .map_err(|error| no_coordinator(&error))?;
        let mut client = CoordinatorClient::new(channel)
            .max_decoding_message_size(RPC_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(RPC_MESSAGE_BYTES_MAX);
        let request = WatchRequest {
            version: WIRE_VERSION,
        };
        let watch = timeout(self.pace.call, client.watch(request)).await;
        let watch = watch.map_err(|_| silent())?;
        let replies = watch.map_err(|status| self.refused(&status))?.into_inner();
        Ok((client, replies))
    }

    /// Takes in what others signed. The first reply says that the watch is up.
    async fn read(&self, mut replies: Streaming<WatchReply>) -> Result<Never, Problem> {
        loop {
            let reply = timeout(self.pace.silence, replies.message()).await;
            let reply = reply.map_err(|_| silent())?;
            let reply = reply.map_err(|status| self.refused(&status))?;
            let reply = reply.ok_or_else(|| {
                let what = "the coordinator ended the watch";
                let todo = "nothing; the node connects again by itself";
                Problem::new(Code::CoordinatorUnreachable, Side::Coordinator, what, todo)
            })?;
            self.note_connected();
            let Some(Event::Record(record)) = reply.event else {
                continue;
            };
            match Record::try_from(record) {
                Ok(record) => self.take_in(record).await,
                Err(error) => tracing::warn!("the coordinator delivered no record: {error}"),
            }
        }
    }

    async fn take_in(&self, record: Record) {
        let records = Arc::clone(&self.records);
        let taken = tokio::task::spawn_blocking(move || records.on_record(record)).await;
        if taken.is_err() {
            tracing::error!("a record could not be taken in");
        }
    }

    /// Hands in everything, then what arises.
    async fn post_all(
        &self,
        client: &mut CoordinatorClient<Channel>,
        outgoing: &mut mpsc::Receiver<Record>,
    ) -> Result<Never, Problem> {
        let records = Arc::clone(&self.records);
        let own = tokio::task::spawn_blocking(move || records.own_records()).await;
        let own = own.unwrap_or_else(|_| {
            let what = "own records could not be gathered";
            Err(Problem::here(
                Code::Defect,
                what,
                "report this with the node's log",
            ))
        });
        for record in own? {
            self.post(client, record).await?;
        }
        while let Some(record) = outgoing.recv().await {
            self.post(client, record).await?;
        }
        // The node is going down; the reader decides when this connection ends.
        std::future::pending().await
    }

    /// Hands in one record. A refusal of the record itself does not end the connection: the others still have to go.
    async fn post(
        &self,
        client: &mut CoordinatorClient<Channel>,
        record: Record,
    ) -> Result<(), Problem> {
        let kind = record.kind;
        let record: WireRecord = record.into();
        let posted = timeout(self.pace.call, client.post(record)).await;
        let Err(status) = posted.map_err(|_| silent())? else {
            return Ok(());
        };
        let problem = self.refused(&status);
        let of_the_line = matches!(
            status.code(),
            Rpc::Unavailable | Rpc::Unknown | Rpc::Cancelled | Rpc::DeadlineExceeded
        );
        if of_the_line || problem.code == Code::NotAdmitted {
            return Err(problem);
        }
        tracing::warn!(code = %problem.code, ?kind, "the coordinator did not take a record: {}", problem.what);
        Ok(())
    }

    fn refused(&self, status: &Status) -> Problem {
        Problem::from_peer_status(status, &Side::Coordinator, &self.own)
    }

    fn note(&self, problem: Problem) {
        let down = CoordinatorState::Down(problem.clone());
        if self.state.send_replace(down.clone()) != down {
            tracing::warn!(code = %problem.code, "{}", problem.what);
        }
    }

    fn note_connected(&self) {
        if self.state.send_replace(CoordinatorState::Connected) != CoordinatorState::Connected {
            tracing::info!(coordinator = %self.address.address, "connected to the coordinator");
        }
    }

    fn pause(&self, tries: u32) -> Duration {
        let doubled = self.pace.backoff.saturating_mul(1 << tries.min(16));
        let pause = doubled.min(self.pace.backoff_max);
        // Many nodes lose one coordinator at the same moment; they need not come back at the same moment.
        let mut byte = [0];
        let random = SystemRandom::new().fill(&mut byte).map_or(0, |()| byte[0]);
        pause + pause.mul_f64(f64::from(random) / 512.0)
    }
}

/// What never comes: a watch has no good end.
enum Never {}

async fn drain(outgoing: &mut mpsc::Receiver<Record>) {
    while outgoing.recv().await.is_some() {}
    std::future::pending::<()>().await;
}

fn silent() -> Problem {
    let what = "the coordinator stopped answering";
    let todo = "check that it is running; the node connects again by itself";
    Problem::new(Code::CoordinatorUnreachable, Side::Coordinator, what, todo)
}
