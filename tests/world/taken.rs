//! A coordinator in an adversary's hands: it holds the real one's keys and port, keeps everything it is given, and hands out
//! whatever the test wants.

use entente_certs::{Peer, TlsLimits, TlsParty, incoming};
use entente_wire::rpc::coordinator::v1 as rpc;
use entente_wire::rpc::record::v1::{Kind, Record};
use rpc::coordinator_server::{Coordinator, CoordinatorServer};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// What the adversary makes of a record on its way to an organisation.
pub(crate) type Alter = dyn Fn(&Record, &str) -> Vec<Record> + Send + Sync;

/// Everything that was handed in, in order, and the rule by which it is handed out.
struct Desk {
    records: watch::Sender<Vec<Record>>,
    alter: Mutex<Arc<Alter>>,
}

/// The running taken-over coordinator. Dropping it closes its port.
pub(crate) struct Taken {
    desk: Arc<Desk>,
    _runtime: Runtime,
}

impl Taken {
    /// Takes over the coordinator of this home, on this address, which must be free.
    pub(crate) fn over(home: &Path, address: SocketAddr, alter: Arc<Alter>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let party = TlsParty::load(&home.join("keys"), SystemTime::now()).expect("its keys");
        let desk = Arc::new(Desk {
            records: watch::Sender::new(Vec::new()),
            alter: Mutex::new(alter),
        });
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .expect("the port is free again");
        let service = CoordinatorServer::new(Clerk(Arc::clone(&desk)));
        runtime.spawn(async move {
            let incoming = incoming(listener, &party, &TlsLimits::default());
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
        });
        Self {
            desk,
            _runtime: runtime,
        }
    }

    /// Everything that nodes handed in so far.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.desk.records.borrow().clone()
    }

    /// All records of one kind by one organisation.
    pub(crate) fn records_of(&self, kind: Kind, org: &str) -> Vec<Record> {
        let wanted = |record: &Record| record.kind() == kind && record.org == org;
        self.records().into_iter().filter(wanted).collect()
    }

    /// Hands a record of the adversary's own to everybody.
    pub(crate) fn inject(&self, record: Record) {
        self.desk
            .records
            .send_modify(|records| records.push(record));
    }
}

/// The service of the taken-over coordinator.
struct Clerk(Arc<Desk>);

#[tonic::async_trait]
impl Coordinator for Clerk {
    async fn post(&self, request: Request<Record>) -> Result<Response<rpc::PostReply>, Status> {
        let record = request.into_inner();
        self.0.records.send_modify(|records| records.push(record));
        Ok(Response::new(rpc::PostReply {}))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<rpc::WatchReply, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<rpc::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let peer = request.extensions().get::<Peer>();
        let org = peer.map(|peer| peer.org().to_owned()).unwrap_or_default();
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        let desk = Arc::clone(&self.0);
        let mut records = desk.records.subscribe();
        tokio::spawn(async move {
            use rpc::watch_reply::Event;
            let mut sent = 0;
            loop {
                let all = records.borrow_and_update().clone();
                let alter = Arc::clone(&desk.alter.lock().expect("no test panicked holding it"));
                for record in &all[sent..] {
                    for altered in alter(record, &org) {
                        let event = Some(Event::Record(altered));
                        if sender.send(Ok(rpc::WatchReply { event })).await.is_err() {
                            return;
                        }
                    }
                }
                if sent == 0 {
                    let event = Some(Event::CaughtUp(true));
                    let _ = sender.send(Ok(rpc::WatchReply { event })).await;
                }
                sent = all.len();
                if records.changed().await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn jobs(&self, _: Request<rpc::JobsRequest>) -> Result<Response<rpc::JobsReply>, Status> {
        Ok(Response::new(rpc::JobsReply::default()))
    }

    type RoundStream = Pin<Box<dyn Stream<Item = Result<rpc::RoundDown, Status>> + Send>>;

    /// Nobody asks it for a sum.
    async fn round(
        &self,
        _: Request<Streaming<rpc::RoundUp>>,
    ) -> Result<Response<Self::RoundStream>, Status> {
        Err(Status::unimplemented("no rounds"))
    }
}
