//! The node's people at the socket.
#![allow(clippy::panic)] // a test that cannot go on says why

use super::{Api, Socket};
use crate::home::{Home, Settings, init};
use crate::jobs::{Jobs, Setting, Surroundings};
use crate::ledger::{Fact, Ledger, Pin, SignedRecord};
use crate::link::{self, Link, Waits};
use entente_wire::canonical::Digest;
use entente_wire::local::{
    CatalogEntry, ColumnExplanation, DatasetReport, InviteLine, JobCheck, JobState, JobView,
    PolicyReport,
};
use entente_wire::names::{ColumnName, OrgName};
use entente_wire::people::Registry;
use entente_wire::policy::{Policy, Verb};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::{ColumnType, Publication, Schema};
use entente_wire::rpc::local::v1::local_client::LocalClient;
use entente_wire::rpc::local::v1::{
    DataAddRequest, Decision, Document, Empty, ExplainRequest, InviteRequest, JobRef, JobText,
    JoinInvite, PolicyText,
};
use entente_wire::sign::{Kind, Record, Signer};
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Response;
use tonic::transport::{Channel, Endpoint};

const POLICY: &str = r#"
[dataset]
name = "customers"
consent = "not-needed"
min_group = 10
min_set = 1
budget = { epsilon_per_year = 8.0, jobs_per_30d = 20 }
approvers = { need = 1, of = ["data-owner"] }
set_grid = 10
noise = "optional"

[columns.mobile]
id = "e164(+86)"
may = { match = ["river-pay"] }
"#;

const JOB: &str = r#"entente: 1
name: overlap
purpose: size an offer
legal_basis: consent
ask: SELECT COUNT(*) AS n FROM "north-bank".customers b JOIN "river-pay".users p ON b.mobile = p.mobile
protect: { epsilon: none }
results_to: [north-bank]
expires: 2099-01-01T00:00:00Z
"#;

/// A node at its socket.
struct Served {
    client: LocalClient<Channel>,
    jobs: Jobs,
    ledger: Ledger,
    socket: PathBuf,
    folder: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), Problem>>,
}

async fn serve() -> Served {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("home");
    let settings = Settings {
        org: "north-bank".parse().expect("a name"),
        listen: "127.0.0.1:0".to_owned(),
        advertise: None,
        coordinator: None,
    };
    init(&path, &settings, SystemTime::now()).expect("a new home");
    let home = Home::load(&path, SystemTime::now()).expect("a good home");
    let ledger = Ledger::open(&path).expect("opens");
    let jobs = Jobs::open(Setting {
        ledger: ledger.clone(),
        org: home.config.org.clone(),
        node_key: Arc::clone(&home.signer),
        root_key: home.root_key,
        results: path.join("results"),
        surroundings: Surroundings::system(),
    });
    let jobs = jobs.expect("folds");
    jobs.put_registry(home.registry_record.clone())
        .expect("its own");
    let link = Link::new(link::Setting {
        own: home.config.org.clone(),
        ledger: ledger.clone(),
        party: home.party.clone(),
        advertised: Ok("127.0.0.1:7443".parse().expect("an address")),
        waits: Waits::default(),
        clock: Arc::new(SystemTime::now),
        linked: Box::new(|| Ok(())),
    });
    let status = Arc::new(|| {
        let what = "the status is the node's";
        Err(Problem::here(Code::NodeNotRunning, what, "ask the node"))
    });
    let socket = path.join("node.sock");
    let bound = Socket::bind(&socket).expect("binds");
    let (stop, stopped) = oneshot::channel::<()>();
    let api = Api::new(jobs.clone(), link, status);
    let serving = tokio::spawn(api.serve(bound, async {
        let _ = stopped.await;
    }));
    Served {
        client: connect(&socket).await,
        jobs,
        ledger,
        socket,
        folder,
        stop,
        serving,
    }
}

async fn connect(socket: &Path) -> LocalClient<Channel> {
    let path = socket.to_owned();
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://node.local");
    let channel = endpoint
        .connect_with_connector(connector)
        .await
        .expect("connects");
    LocalClient::new(channel)
}

fn read<T: DeserializeOwned>(answer: Result<Response<Document>, tonic::Status>) -> T {
    let document = answer.expect("answers").into_inner();
    serde_json::from_slice(&document.json).expect("the document's type")
}

fn refused<T>(answer: Result<T, tonic::Status>) -> Problem {
    match answer {
        Ok(_) => panic!("it was answered"),
        Err(status) => Problem::from_status(&status),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_is_registered_checked_published_and_explained() {
    let mut node = serve().await;
    let csv = node.folder.path().join("customers.csv");
    fs::write(&csv, "mobile\n13800000001\n+86 138 0000 0002\nnobody\n").expect("writes");
    let add = DataAddRequest {
        dataset: "customers".to_owned(),
        path: csv.display().to_string(),
        ids: vec!["mobile=e164(+86)".to_owned()],
    };
    let report: DatasetReport = read(node.client.data_add(add).await);
    assert_eq!(
        (
            report.rows,
            report.ids[0].distinct_ids,
            report.published_version
        ),
        (3, 2, None)
    );

    let text = |toml: &str| PolicyText {
        dataset: "customers".to_owned(),
        toml: toml.to_owned(),
    };
    let unknown_column = POLICY.replace("[columns.mobile]", "[columns.phone]");
    let checked: PolicyReport = read(node.client.policy_check(text(&unknown_column)).await);
    assert!(!checked.problems.is_empty());
    let published: PolicyReport = read(node.client.policy_publish(text(&unknown_column)).await);
    assert!(
        published.publication.is_none(),
        "what has problems is not published"
    );
    let not_toml: PolicyReport = read(node.client.policy_check(text("[dataset")).await);
    assert_eq!(not_toml.problems[0].code, Code::PolicyFile);

    let published: PolicyReport = read(node.client.policy_publish(text(POLICY)).await);
    let publication = published.publication.expect("published");
    assert_eq!((publication.version, publication.ids_rounded), (1, 10));
    let again: PolicyReport = read(node.client.policy_publish(text(POLICY)).await);
    assert_eq!(
        again.publication.expect("published").version,
        1,
        "the same again changes nothing"
    );

    let ask = ExplainRequest {
        dataset: "customers".to_owned(),
        column: "mobile".to_owned(),
        to: "river-pay".to_owned(),
    };
    let explained: ColumnExplanation = read(node.client.policy_explain(ask).await);
    assert!(explained.verbs[&Verb::Match].0 && !explained.verbs[&Verb::Reveal].0);
    let catalog: Vec<CatalogEntry> = read(node.client.catalog(Empty {}).await);
    assert_eq!(catalog.len(), 1);
    let listed: Vec<DatasetReport> = read(node.client.data_list(Empty {}).await);
    assert_eq!(
        (listed[0].published_version, listed[0].ids[0].eligible_ids),
        (Some(1), Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_comes_back_as_a_problem_with_its_code() {
    let mut node = serve().await;
    let job = |job: &str| JobRef {
        job: job.to_owned(),
    };
    assert_eq!(
        refused(node.client.job_watch(job("J-12345678")).await).code,
        Code::JobUnknown
    );
    assert_eq!(
        refused(node.client.job_result(job("../../etc")).await).code,
        Code::Argument
    );
    assert_eq!(
        refused(node.client.job_result_parquet(job("J-12345678")).await).code,
        Code::JobUnknown
    );
    assert_eq!(
        refused(node.client.job_cancel(job("J-1")).await).code,
        Code::Argument
    );
    let yaml = |yaml: &str| JobText {
        yaml: yaml.to_owned(),
    };
    assert_eq!(
        refused(node.client.job_submit(yaml("entente: 2")).await).code,
        Code::JobFile
    );
    let check: JobCheck = read(node.client.job_check(yaml(JOB)).await);
    assert!(!check.problems.is_empty() && check.summary.is_none());
    assert!(node.client.job_preview(yaml(JOB)).await.is_err());
    let decision = Decision {
        body: b"no decision".to_vec(),
        signature: Vec::new(),
    };
    assert_eq!(
        refused(node.client.decide(decision).await).code,
        Code::ApprovalRefused
    );
    let add = |ids: &str| DataAddRequest {
        dataset: "c".to_owned(),
        path: "/nowhere.csv".to_owned(),
        ids: vec![ids.to_owned()],
    };
    assert_eq!(
        refused(node.client.data_add(add("mobile")).await).code,
        Code::Argument
    );
    assert_eq!(
        refused(node.client.data_add(add("mobile=phone")).await).code,
        Code::Argument
    );
    assert_eq!(
        refused(node.client.data_add(add("mobile=email")).await).code,
        Code::FileUnreadable
    );
    let ask = ExplainRequest {
        dataset: "c".to_owned(),
        column: "x".to_owned(),
        to: "river-pay".to_owned(),
    };
    assert_eq!(
        refused(node.client.policy_explain(ask).await).code,
        Code::DatasetUnknown
    );
    let join = JoinInvite {
        invite: "entente-inv1:rubbish".to_owned(),
    };
    assert_eq!(
        refused(node.client.join(join).await).code,
        Code::InviteRefused
    );
    assert_eq!(
        refused(node.client.status(Empty {}).await).code,
        Code::NodeNotRunning
    );
    let bad_name = InviteRequest {
        org: "River Pay".to_owned(),
        expires_s: 3_600,
    };
    assert_eq!(
        refused(node.client.invite(bad_name).await).code,
        Code::Argument
    );
    let invite = InviteRequest {
        org: "river-pay".to_owned(),
        expires_s: 3_600,
    };
    let invite: InviteLine = read(node.client.invite(invite).await);
    assert!(invite.invite.starts_with("entente-inv1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_and_goes_with_the_node() {
    let node = serve().await;
    let mode = fs::metadata(&node.socket)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(node.client);
    node.stop.send(()).expect("serving");
    node.serving
        .await
        .expect("no panic")
        .expect("stops in order");
    assert!(!node.socket.exists());
}

/// A partner of this node that exists only in its ledger, with one published dataset.
fn imagine_partner(ledger: &Ledger) {
    let signer = || {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        Signer::from_pkcs8(document.as_ref()).expect("a key just made")
    };
    let (root, node, org): (_, _, OrgName) =
        (signer(), signer(), "river-pay".parse().expect("a name"));
    let registry = Registry {
        org: org.clone(),
        version: 1,
        node_key: node.public_key(),
        people: BTreeMap::new(),
    };
    let policy = POLICY
        .replace("customers", "users")
        .replace("river-pay", "north-bank");
    let publication = Publication {
        org: org.clone(),
        version: 1,
        policy: Policy::from_toml(&policy).expect("a policy"),
        schema: Schema([(ColumnName("mobile".to_owned()), ColumnType::Text)].into()),
        ids_rounded: 10,
    };
    let pin = Pin {
        org: org.clone(),
        address: "nowhere:1".to_owned(),
        root_fingerprint: Digest([0; 32]),
        root_key: root.public_key(),
        words: "four made up words".to_owned(),
    };
    let registry = Record::sign(&root, Kind::Registry, &org, &registry);
    let publication = Record::sign(&node, Kind::Publication, &org, &publication);
    let facts = [
        Fact::PartnerLinked(pin),
        Fact::RegistrySeen {
            record: SignedRecord::from(&registry),
        },
        Fact::PublicationSeen {
            record: SignedRecord::from(&publication),
        },
    ];
    for fact in facts {
        ledger.record(1, fact).expect("records");
    }
}

/// A job that waits for approvals.
async fn submitted(node: &mut Served) -> JobView {
    let csv = node.folder.path().join("customers.csv");
    fs::write(&csv, "mobile\n13800000001\n13800000002\n").expect("writes");
    let add = DataAddRequest {
        dataset: "customers".to_owned(),
        path: csv.display().to_string(),
        ids: vec!["mobile=e164(+86)".to_owned()],
    };
    let _: DatasetReport = read(node.client.data_add(add).await);
    let text = PolicyText {
        dataset: "customers".to_owned(),
        toml: POLICY.to_owned(),
    };
    let _: PolicyReport = read(node.client.policy_publish(text).await);
    imagine_partner(&node.ledger);
    node.jobs.ledger_changed().expect("looks");
    read(
        node.client
            .job_submit(JobText {
                yaml: JOB.to_owned(),
            })
            .await,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_the_job() {
    let mut node = serve().await;
    let job = JobRef {
        job: submitted(&mut node).await.id,
    };
    let mut views = node
        .client
        .job_watch(job.clone())
        .await
        .expect("watches")
        .into_inner();
    let first: JobView = read(Ok(Response::new(
        views.message().await.expect("comes").expect("a view"),
    )));
    assert_eq!(first.state, JobState::AwaitingApprovals);
    let _: JobView = read(node.client.job_cancel(job).await);
    let last: JobView = read(Ok(Response::new(
        views.message().await.expect("comes").expect("a view"),
    )));
    assert_eq!(last.state, JobState::Cancelled);
    assert!(views.message().await.expect("ends in order").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_does_not_keep_a_stopping_node() {
    let mut node = serve().await;
    let job = JobRef {
        job: submitted(&mut node).await.id,
    };
    let mut views = node
        .client
        .job_watch(job)
        .await
        .expect("watches")
        .into_inner();
    views.message().await.expect("comes").expect("a view");
    node.stop.send(()).expect("serving");
    while let Ok(Some(_)) = views.message().await {}
    node.serving
        .await
        .expect("no panic")
        .expect("stops in order");
}

#[tokio::test]
async fn a_dead_nodes_socket_is_replaced_and_anything_else_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("node.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("binds"));
    assert!(path.exists(), "a crash leaves the file");
    drop(Socket::bind(&path).expect("replaces it"));
    fs::write(&path, "precious").expect("writes");
    assert_eq!(
        Socket::bind(&path)
            .map(drop)
            .expect_err("not a socket")
            .code,
        Code::Home
    );
    assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
}

#[tokio::test]
async fn a_path_that_is_too_long_says_how_long_it_may_be() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let deep = folder.path().join("x".repeat(90));
    fs::create_dir(&deep).expect("a folder");
    let problem = Socket::bind(&deep.join("node.sock"))
        .map(drop)
        .expect_err("too long");
    assert_eq!(problem.code, Code::Home);
    assert!(problem.what.contains("107") && problem.todo.contains("--home"));
}
