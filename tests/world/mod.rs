//! A collaboration for tests: a coordinator and two organisations' nodes as processes of the binary under test, driven through
//! the command line as people drive it. Everything has a deadline, and no process outlives the test.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod command;
pub(crate) mod files;
mod jobs;
pub(crate) mod process;
pub(crate) mod taken;

use command::{Outcome, entente};
use process::Service;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What one node says reaches the other within this, on a machine that is busy with other tests.
const ARRIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// The organisation that asks.
pub(crate) const BANK: &str = "north-bank";
/// Its partner.
pub(crate) const PAY: &str = "river-pay";
/// Roles that have a person of the same name at both.
pub(crate) const ROLES: [&str; 3] = ["data-owner", "compliance", "security"];

/// A coordinator and two linked nodes.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) coordinator: Mutex<Option<Service>>,
    pub(crate) coordinator_url: String,
    nodes: BTreeMap<&'static str, Mutex<Option<Service>>>,
}

impl World {
    /// The world that the tests of this binary share while any of them runs.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
        let mut shared = SHARED
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        shared.upgrade().unwrap_or_else(|| {
            let world = Arc::new(Self::linked());
            *shared = Arc::downgrade(&world);
            world
        })
    }

    /// A world of its own, for a test that stops or corrupts a part of it.
    pub(crate) fn linked() -> Self {
        let world = Self::unlinked();
        let line = world.at(BANK, &["invite", PAY]).json()["invite"].clone();
        let line = line.as_str().expect("an invite is a line");
        world.at(PAY, &["join", line]).json();
        world
    }

    /// Many organisations, each linked with each.
    pub(crate) fn network(orgs: &[&'static str]) -> Self {
        let world = Self::unlinked_of(orgs);
        for (place, one) in orgs.iter().enumerate() {
            for other in &orgs[place + 1..] {
                let line = world.at(one, &["invite", other]).json()["invite"].clone();
                let line = line.as_str().expect("an invite is a line");
                world.at(other, &["join", line]).json();
            }
        }
        world
    }

    /// Both nodes run and are admitted, but do not know each other.
    pub(crate) fn unlinked() -> Self {
        Self::unlinked_of(&[BANK, PAY])
    }

    fn unlinked_of(orgs: &[&'static str]) -> Self {
        let folder = TempDir::with_prefix("entente-test-").expect("a folder for tests");
        let host = folder.path().join("coordinator");
        let made = entente(&host, &["coordinator", "init", "--listen", "127.0.0.1:0"]).json();
        let fingerprint = made["root_fingerprint"].as_str().expect("a fingerprint");
        let coordinator = Service::start(&host, &["coordinator", "run"]);
        let coordinator_url = format!("{}#{fingerprint}", coordinator.listen());
        let mut nodes = BTreeMap::new();
        for &org in orgs {
            let home = folder.path().join(org);
            make_home(&home, org, &coordinator_url, &host);
            let node = Service::start(&home, &["node"]);
            keep_port(&home.join("org.toml"), node.listen());
            nodes.insert(org, Mutex::new(Some(node)));
        }
        keep_port(&host.join("coordinator.toml"), coordinator.listen());
        Self {
            folder,
            coordinator: Mutex::new(Some(coordinator)),
            coordinator_url,
            nodes,
        }
    }

    /// The home of an organisation.
    pub(crate) fn home(&self, org: &str) -> PathBuf {
        self.folder.path().join(org)
    }

    /// Runs the command at an organisation.
    pub(crate) fn at(&self, org: &str, args: &[&str]) -> Outcome {
        entente(&self.home(org), args)
    }

    /// Where an organisation's node listens.
    pub(crate) fn listen(&self, org: &str) -> std::net::SocketAddr {
        let node = self.nodes[org].lock().expect("no test panicked holding it");
        node.as_ref().expect("the node runs").listen()
    }

    /// Stops an organisation's node, as SIGKILL does or in order.
    pub(crate) fn stop(&self, org: &str, kill: bool) {
        let mut node = self.nodes[org].lock().expect("no test panicked holding it");
        let service = node.take().expect("the node runs");
        if kill {
            service.kill();
        }
    }

    /// Starts it again.
    pub(crate) fn start(&self, org: &str) {
        let mut node = self.nodes[org].lock().expect("no test panicked holding it");
        *node = Some(Service::start(&self.home(org), &["node"]));
    }

    /// Stops the coordinator and gives its port to an adversary who has its keys.
    pub(crate) fn take_over(&self, alter: Arc<taken::Alter>) -> taken::Taken {
        let mut coordinator = self
            .coordinator
            .lock()
            .expect("no test panicked holding it");
        let service = coordinator.take().expect("the coordinator runs");
        let address = service.listen();
        service.kill();
        taken::Taken::over(&self.folder.path().join("coordinator"), address, alter)
    }

    /// Stops the coordinator as a power cut does.
    pub(crate) fn kill_coordinator(&self) {
        let mut coordinator = self
            .coordinator
            .lock()
            .expect("no test panicked holding it");
        coordinator.take().expect("the coordinator runs").kill();
    }

    /// Starts the coordinator again.
    pub(crate) fn start_coordinator(&self) {
        let mut coordinator = self
            .coordinator
            .lock()
            .expect("no test panicked holding it");
        let host = self.folder.path().join("coordinator");
        *coordinator = Some(Service::start(&host, &["coordinator", "run"]));
    }

    /// The same, where it is not running.
    pub(crate) fn start_coordinator_once(&self) {
        let runs = self
            .coordinator
            .lock()
            .expect("no test panicked holding it")
            .is_some();
        if !runs {
            self.start_coordinator();
        }
    }

    /// A file in the world's folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("the test folder takes files");
        path.display().to_string()
    }

    /// Registers a CSV file.
    pub(crate) fn add(
        &self,
        org: &str,
        dataset: &str,
        csv: impl AsRef<[u8]>,
        ids: &[&str],
    ) -> Outcome {
        let path = self.file(&format!("{org}-{dataset}.csv"), csv);
        let mut args = vec!["data", "add", dataset, "--from", &path];
        for id in ids {
            args.extend(["--id", id]);
        }
        self.at(org, &args)
    }

    /// Publishes a policy.
    pub(crate) fn publish(&self, org: &str, dataset: &str, toml: &str) -> Outcome {
        let path = self.file(&format!("{org}-{dataset}.toml"), toml);
        self.at(org, &["policy", "publish", dataset, "--file", &path])
    }

    /// Waits until an organisation's catalogue has a dataset of another's, at least in this version.
    pub(crate) fn await_catalog(&self, at: &str, of: &str, dataset: &str, version: u64) {
        until(
            &format!("{of}'s {dataset} version {version} at {at}"),
            || {
                let catalog = self.at(at, &["catalog"]).json();
                let has = |entry: &Value| {
                    let publication = &entry["publication"];
                    publication["org"] == of
                        && publication["policy"]["dataset"] == dataset
                        && publication["version"].as_u64() >= Some(version)
                };
                catalog
                    .as_array()
                    .is_some_and(|list| list.iter().any(has))
                    .then_some(())
            },
        );
    }

    /// Registers and publishes the usual two datasets under names of the test's own, and waits until each sees the other's.
    pub(crate) fn datasets(&self, name: &str) {
        let (customers, users) = (format!("{name}-c"), format!("{name}-u"));
        self.add(BANK, &customers, files::customers(), &["mobile=e164(+86)"])
            .json();
        self.add(PAY, &users, files::users(), &["mobile=e164(+86)"])
            .json();
        self.publish(BANK, &customers, &files::customers_policy(&customers))
            .json();
        self.publish(PAY, &users, &files::users_policy(&users))
            .json();
        self.await_catalog(BANK, PAY, &users, 1);
        self.await_catalog(PAY, BANK, &customers, 1);
    }
}

/// A service that starts again has to be where the others know it.
fn keep_port(settings: &Path, listen: std::net::SocketAddr) {
    let text = std::fs::read_to_string(settings).expect("its settings read");
    let kept = text.replace("127.0.0.1:0", &listen.to_string());
    assert_ne!(text, kept, "{} names the port", settings.display());
    std::fs::write(settings, kept).expect("its settings can be written");
}

/// Makes keys, has the coordinator admit them, and registers a person a role.
fn make_home(home: &Path, org: &str, coordinator: &str, host: &Path) {
    let made = entente(
        home,
        &[
            "init",
            "--org",
            org,
            "--listen",
            "127.0.0.1:0",
            "--coordinator",
            coordinator,
        ],
    )
    .json();
    let fingerprint = made["root_fingerprint"].as_str().expect("a fingerprint");
    let admit = ["coordinator", "admit", org, "--fingerprint", fingerprint];
    entente(host, &admit).json();
    for role in ROLES {
        let key = home.join(format!("{role}.key")).display().to_string();
        entente(home, &["people", "keygen", "--out", &key]).json();
        let public = format!("{key}.pub");
        entente(
            home,
            &["people", "add", role, "--role", role, "--key", &public],
        )
        .json();
    }
}

/// Asks until there is an answer, up to a deadline. Each question runs a process, so this does not spin.
pub(crate) fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + ARRIVE_TIMEOUT;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(
            Instant::now() < end,
            "{what}: not within {ARRIVE_TIMEOUT:?}"
        );
    }
}

/// A number that no other test of this process gets.
pub(crate) fn unique() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
