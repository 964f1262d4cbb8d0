//! A node with its socket, and a partner that exists only in its ledger.

use crate::api::{Api, Socket};
use crate::home::{Home, Settings, init};
use crate::jobs::{Jobs, Setting, Surroundings};
use crate::ledger::{Fact, Ledger, Pin, SignedRecord};
use crate::link::{self, Link, Waits};
use entente_wire::canonical::Digest;
use entente_wire::local::{DatasetReport, JobView, PolicyReport};
use entente_wire::names::{ColumnName, OrgName};
use entente_wire::people::Registry;
use entente_wire::policy::Policy;
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::{ColumnType, Publication, Schema};
use entente_wire::rpc::local::v1::local_client::LocalClient;
use entente_wire::rpc::local::v1::{DataAddRequest, Document, JobText, PolicyText};
use entente_wire::sign::{Kind, Record, Signer};
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Response;
use tonic::transport::{Channel, Endpoint};

pub(super) const POLICY: &str = r#"
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

pub(super) const JOB: &str = r#"entente: 1
name: overlap
purpose: size an offer
legal_basis: consent
ask: SELECT COUNT(*) AS n FROM "north-bank".customers b JOIN "river-pay".users p ON b.mobile = p.mobile
protect: { epsilon: none }
results_to: [north-bank]
expires: 2099-01-01T00:00:00Z
"#;

/// A node at its socket.
pub(super) struct Served {
    pub(super) client: LocalClient<Channel>,
    pub(super) jobs: Jobs,
    pub(super) ledger: Ledger,
    pub(super) socket: PathBuf,
    pub(super) folder: TempDir,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) serving: JoinHandle<Result<(), Problem>>,
}

pub(super) async fn serve() -> Served {
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

pub(super) async fn connect(socket: &Path) -> LocalClient<Channel> {
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

pub(super) fn read<T: DeserializeOwned>(answer: Result<Response<Document>, tonic::Status>) -> T {
    let document = answer.expect("answers").into_inner();
    serde_json::from_slice(&document.json).expect("the document's type")
}

pub(super) fn refused<T>(answer: Result<T, tonic::Status>) -> Problem {
    match answer {
        Ok(_) => panic!("it was answered"),
        Err(status) => Problem::from_status(&status),
    }
}

/// A partner of this node that exists only in its ledger, with one published dataset.
pub(super) fn imagine_partner(ledger: &Ledger) {
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
pub(super) async fn submitted(node: &mut Served) -> JobView {
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
