//! The line between a node and the coordinator in a round, over real TLS, with a coordinator that the test plays: every wait ends, and what
//! can be tried again is.

use super::{ALL, Network, POLICY, job};
use crate::config::CoordinatorAddress;
use crate::jobs::RunGrant;
use crate::round::{Limits, Rounds};
use crate::session::Stop;
use entente_certs::{COORDINATOR, OrgRoot, TlsLimits, TlsParty, incoming};
use entente_wire::canonical;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::coordinator::v1 as rpc;
use entente_wire::rpc::coordinator::v1::{
    RoundDown, RoundEnd, RoundUp, round_down::Step as Down, round_up::Step as Up,
};
use rpc::coordinator_server::{Coordinator, CoordinatorServer};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// No test waits longer than this for anything.
const DEADLINE: Duration = Duration::from_secs(30);
type Replies = mpsc::Sender<Result<RoundDown, Status>>;

/// One call, as the played coordinator has it.
struct Call {
    up: Streaming<RoundUp>,
    down: Replies,
}

struct Played(mpsc::UnboundedSender<Call>);

#[tonic::async_trait]
impl Coordinator for Played {
    type WatchStream = ReceiverStream<Result<rpc::WatchReply, Status>>;
    type RoundStream = ReceiverStream<Result<RoundDown, Status>>;

    async fn post(
        &self,
        _: Request<entente_wire::rpc::record::v1::Record>,
    ) -> Result<Response<rpc::PostReply>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn watch(
        &self,
        _: Request<rpc::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn jobs(&self, _: Request<rpc::JobsRequest>) -> Result<Response<rpc::JobsReply>, Status> {
        Err(Status::unimplemented("not played"))
    }

    async fn round(
        &self,
        request: Request<Streaming<RoundUp>>,
    ) -> Result<Response<Self::RoundStream>, Status> {
        let (down, replies) = mpsc::channel(16);
        let up = request.into_inner();
        self.0.send(Call { up, down }).expect("the test listens");
        Ok(Response::new(ReceiverStream::new(replies)))
    }
}

/// A node that takes part in rounds at a coordinator that the test plays.
struct Stage {
    network: Network,
    calls: mpsc::UnboundedReceiver<Call>,
    rounds: Rounds,
    drain: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    _serving: AbortHandle,
}

fn party(org: &str) -> TlsParty {
    let now = SystemTime::now();
    let root = OrgRoot::create(org, now).expect("a root");
    TlsParty::new(&root.issue("node-1", &[], now).expect("a certificate"))
}

fn limits() -> Limits {
    let short = Duration::from_millis(20);
    Limits {
        silence: Duration::from_millis(400),
        look_every: short,
        backoff: short,
        backoff_max: short,
        farewell: Duration::from_millis(200),
        ..Limits::default()
    }
}

impl Stage {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at: SocketAddr = listener.local_addr().expect("bound");
        let host = {
            let now = SystemTime::now();
            let root = OrgRoot::create(COORDINATOR, now).expect("a root");
            TlsParty::new(&root.issue(COORDINATOR, &[], now).expect("a certificate"))
        };
        let (sender, calls) = mpsc::unbounded_channel();
        let serving = Server::builder()
            .add_service(CoordinatorServer::new(Played(sender)))
            .serve_with_incoming(incoming(listener, &host, &TlsLimits::default()));
        let network = Network::new(3);
        let address = CoordinatorAddress {
            address: at.to_string().parse().expect("an address"),
            root: host.root(),
        };
        let (drain, drains) = watch::channel(false);
        let (stop, stops) = watch::channel(false);
        let ends = [Stop::new(drains), Stop::new(stops)];
        let own = network.nodes[1].org.clone();
        let line = (Some(address), party(own.as_str()));
        let jobs = network.nodes[1].jobs().clone();
        Self {
            rounds: Rounds::new(own, jobs, line, limits(), ends),
            network,
            calls,
            drain,
            stop,
            _serving: tokio::spawn(serving).abort_handle(),
        }
    }

    fn ready(&mut self) -> (entente_wire::seal::JobHash, RunGrant) {
        let job = self.network.ready(&job(3, ALL, "none"));
        (job, self.network.nodes[1].dial().expect("a round to join"))
    }

    fn takes_part(&self, grant: RunGrant) -> JoinHandle<()> {
        let rounds = self.rounds.clone();
        tokio::spawn(async move { rounds.take_part(grant).await })
    }

    async fn call(&mut self) -> Call {
        let call = timeout(DEADLINE, self.calls.recv()).await;
        let mut call = call.expect("in time").expect("the server lives");
        let join = call.heard().await;
        assert!(matches!(join, Some(Up::Join(_))), "first of all it joins");
        call
    }
}

impl Call {
    async fn heard(&mut self) -> Option<Up> {
        let message = timeout(DEADLINE, self.up.message()).await.expect("in time");
        message.ok().flatten().and_then(|message| message.step)
    }

    async fn say(&self, step: Down) {
        // The node may have gone.
        let _ = self.down.send(Ok(RoundDown { step: Some(step) })).await;
    }

    async fn end(&self, problem: &Problem) {
        let problem = canonical::to_bytes(problem);
        self.say(Down::End(RoundEnd { problem })).await;
    }
}

async fn ended(task: JoinHandle<()>) {
    timeout(DEADLINE, task)
        .await
        .expect("in time")
        .expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_does_not_begin_is_joined_again_and_uses_nothing_up() {
    let mut stage = Stage::new().await;
    let (job, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let few = Problem::new(Code::TooFewParties, Side::Network, "2 of 3 came", "wait");
    for _ in 0..4 {
        stage.call().await.end(&few).await;
    }
    // A coordinator that says nothing at all is left by the deadline, and asked again.
    let silent = stage.call().await;
    let mut again = stage.call().await;
    drop(silent);
    let node = &stage.network.nodes[1];
    assert!(!node.state(job).is_final());
    assert_eq!(
        node.view(job).problem.map(|problem| problem.code),
        Some(Code::CoordinatorUnreachable)
    );
    again.say(Down::Begin(1)).await;
    assert!(
        matches!(again.heard().await, Some(Up::Introduction(_))),
        "the first number is still free"
    );
    stage.stop.send_replace(true);
    ended(task).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_in_a_round_uses_the_number_up_and_the_next_round_follows() {
    let mut stage = Stage::new().await;
    let (job, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let mut call = stage.call().await;
    call.say(Down::Begin(1)).await;
    assert!(matches!(call.heard().await, Some(Up::Introduction(_))));
    drop(call);
    ended(task).await;
    let node = &mut stage.network.nodes[1];
    assert!(!node.state(job).is_final());
    let grant = node.dial().expect("another round");
    assert_eq!(node.jobs().joins(&grant).expect("a number"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_breaks_the_protocol_ends_the_job_and_is_named() {
    let mut stage = Stage::new().await;
    let (job, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let mut call = stage.call().await;
    call.say(Down::Words(vec![0; 8])).await;
    assert!(
        matches!(call.heard().await, Some(Up::Left(_))),
        "it says why it leaves"
    );
    drop(call);
    ended(task).await;
    let view = stage.network.nodes[1].view(job);
    let problem = view.problem.expect("the reason");
    assert_eq!(
        (problem.code, &problem.side),
        (Code::CoordinatorMisbehaved, &Side::Coordinator)
    );
    assert!(view.state.is_final());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_to_end_leaves_a_round_that_has_not_begun_at_once() {
    let mut stage = Stage::new().await;
    let (_, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let mut call = stage.call().await;
    stage.drain.send_replace(true);
    // Where the call was not open yet at the node there is nobody to say farewell to.
    assert!(matches!(call.heard().await, Some(Up::Left(_)) | None));
    drop(call);
    ended(task).await;
}

/// A table whose query takes a while.
fn long_table() -> String {
    let rows = (0..300_000).map(|number| format!("138{number:08},retail,1.00,true\n"));
    std::iter::once("mobile,industry,overdue,consent\n".to_owned())
        .chain(rows)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_to_end_in_the_middle_of_its_query_leaves_and_begins_nothing() {
    let mut stage = Stage::new().await;
    stage.network.nodes[1].publish("accounts", &long_table(), POLICY);
    stage.network.deliver();
    let (_, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let mut call = stage.call().await;
    call.say(Down::Begin(1)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    stage.drain.send_replace(true);
    assert!(matches!(call.heard().await, Some(Up::Left(_))));
    drop(call);
    ended(task).await;
    let [reader, node, _] = &stage.network.nodes[..] else {
        panic!("three nodes");
    };
    let dataset = "accounts".parse().expect("a name");
    let begun = node.ledger().sessions_over_ours(&dataset, &reader.org, 0);
    assert!(begun.expect("reads").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_to_end_stays_in_a_round_that_is_on_until_it_is_stopped() {
    let mut stage = Stage::new().await;
    let (job, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let mut call = stage.call().await;
    call.say(Down::Begin(1)).await;
    assert!(matches!(call.heard().await, Some(Up::Introduction(_))));
    stage.drain.send_replace(true);
    let ends = timeout(Duration::from_millis(300), stage.rounds.ended());
    ends.await.expect_err("the round is on");
    assert!(!task.is_finished());
    stage.stop.send_replace(true);
    let Some(Up::Left(problem)) = call.heard().await else {
        panic!("it says that it leaves");
    };
    let problem: Problem = canonical::from_bytes(&problem).expect("a problem");
    assert_eq!(problem.code, Code::NodeNotRunning);
    drop(call);
    ended(task).await;
    timeout(DEADLINE, stage.rounds.ended())
        .await
        .expect("no round is on");
    assert!(!stage.network.nodes[1].state(job).is_final());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_elsewhere_is_not_waited_for() {
    let mut stage = Stage::new().await;
    let (job, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let mut call = stage.call().await;
    stage.network.nodes[0]
        .jobs()
        .cancel(&job.short())
        .expect("the asker may");
    stage.network.deliver();
    assert!(matches!(call.heard().await, Some(Up::Left(_))));
    drop(call);
    ended(task).await;
    assert!(stage.network.nodes[1].state(job).is_final());
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_that_are_none_are_the_coordinators_fault() {
    let mut stage = Stage::new().await;
    let (job, grant) = stage.ready();
    let task = stage.takes_part(grant);
    let call = stage.call().await;
    let problem = b"\"\\u0000".to_vec();
    call.say(Down::End(RoundEnd { problem })).await;
    ended(task).await;
    let problem = stage.network.nodes[1]
        .view(job)
        .problem
        .expect("the reason");
    assert_eq!(problem.code, Code::CoordinatorMisbehaved);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_coordinator_says_of_others_is_no_evidence() {
    let mut stage = Stage::new().await;
    let (job, grant) = stage.ready();
    let other = stage.network.nodes[2].org.clone();
    let task = stage.takes_part(grant);
    let framed = Problem::partner(&other, Code::PartnerMisbehaved, "it lied", "never ask it");
    stage.call().await.end(&framed).await;
    // The same as the end of the call itself.
    let call = stage.call().await;
    let _ = call.down.send(Err(Status::from(framed))).await;
    drop(call);
    let call = stage.call().await;
    let view = stage.network.nodes[1].view(job);
    let told = view.problem.expect("it is shown");
    assert_eq!(
        (told.code, &told.side),
        (Code::CoordinatorRefused, &Side::Network)
    );
    assert!(told.what.contains("the coordinator says"), "{told}");
    assert!(!view.state.is_final());
    stage.stop.send_replace(true);
    stage.drain.send_replace(true);
    drop(call);
    ended(task).await;
}
