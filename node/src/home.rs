//! The home folder of a node: who the organisation is, its keys, and what its operators decided.
//!
//! ```text
//! org.toml          what an operator decides
//! keys/             root.key root.crt node.key node.crt sign.key: made here, readable by their owner only, never sent
//! registry.record   the newest registry of this organisation's people, signed by the root
//! journal/ state/   the ledger
//! results/          results of jobs, for those who may read them
//! node.sock         the way in for this organisation's own people
//! ```
//!
//! [`init`] makes it and never overwrites anything. `Home::load` checks all of it before the node opens a port.
//! [`add_person`] is the one command besides `init` that uses the root key for something other than node certificates.

mod files;
#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::ledger::SignedRecord;
use entente_certs::{
    KeyFileError, NodeCertificate, OrgRoot, PrivateKey, RootFingerprint, TlsParty,
};
use entente_wire::names::{OrgName, PersonName};
use entente_wire::people::{Person, Registry};
use entente_wire::problem::{Code, Problem};
use entente_wire::sign::{Kind, PublicKey, Record, Signer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The node's name in its certificate. An organisation has one node in this version.
const NODE: &str = "node";

/// What `init` writes into `org.toml`, as typed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The organisation.
    pub org: OrgName,
    /// `address:port` of the one inbound port.
    pub listen: String,
    /// `host:port` where partners reach it, where that is another.
    pub advertise: Option<String>,
    /// `host:port#fingerprint`, as the coordinator's `init` printed it.
    pub coordinator: Option<String>,
}

/// A home whose every part has been read and found good. Holds secrets: no `Debug`.
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    pub(crate) config: Config,
    /// Signs this node's statements. Must not be sent.
    pub(crate) signer: Arc<Signer>,
    /// This node in TLS handshakes.
    pub(crate) party: TlsParty,
    /// Verifies this organisation's registries.
    pub(crate) root_key: PublicKey,
    /// The registry as signed.
    pub(crate) registry_record: Record,
}

/// Makes an organisation's keys, an empty registry and `org.toml`. Refuses where any of them exists.
pub fn init(
    folder: &Path,
    settings: &Settings,
    now: SystemTime,
) -> Result<RootFingerprint, Problem> {
    let text = org_toml(settings);
    let config = Config::parse(&text).map_err(|problem| Problem {
        code: Code::Argument,
        side: entente_wire::problem::Side::Request,
        todo: "correct what was given and run `entente init` again".to_owned(),
        ..problem
    })?;
    for taken in [
        files::org_toml(folder),
        files::keys(folder),
        files::registry(folder),
    ] {
        if taken.exists() {
            return Err(Problem::request(
                Code::Home,
                format!("{} exists already; nothing was changed", taken.display()),
                "name another folder with --home; keys are never made twice over each other",
            ));
        }
    }
    let keys = files::keys(folder);
    files::make_folder(folder)?;
    let root = OrgRoot::create(settings.org.as_str(), now).map_err(|error| issue(&error))?;
    root.save(&keys).map_err(|error| key_file(&error))?;
    let sign_key = PrivateKey::generate();
    sign_key
        .save_new(&files::sign_key(folder))
        .map_err(|error| key_file(&error))?;
    let registry = Registry {
        org: settings.org.clone(),
        version: 1,
        node_key: PublicKey::from_bytes(sign_key.public_key()),
        people: BTreeMap::new(),
    };
    files::write(&files::registry(folder), &signed(&root, &registry)?.1)?;
    root.issue(NODE, &config.certificate_names(), now)
        .map_err(|error| issue(&error))?
        .save(&keys)
        .map_err(|error| key_file(&error))?;
    // Last: a home without it is unfinished and says so.
    files::write(&files::org_toml(folder), text.as_bytes())?;
    Ok(root.fingerprint())
}

/// The registry of this organisation's people, checked against its root.
pub fn registry(folder: &Path) -> Result<Registry, Problem> {
    files::check_folder(folder)?;
    let root = load_root(folder, SystemTime::now())?;
    Ok(read_registry(folder, &root)?.1)
}

/// Registers a person: a new version of the registry, signed by the root. A running node is told by whoever calls.
pub fn add_person(
    folder: &Path,
    name: PersonName,
    person: Person,
) -> Result<(Record, Registry), Problem> {
    files::check_folder(folder)?;
    let _lock = files::lock_registry(folder)?;
    let root = load_root(folder, SystemTime::now())?;
    let (record, held) = read_registry(folder, &root)?;
    match held.people.get(&name) {
        Some(known) if *known == person => return Ok((record, held)),
        Some(known) => {
            return Err(Problem::request(
                Code::Argument,
                format!(
                    "{name} is registered already, as {} with another key or role",
                    known.role
                ),
                "register the new key under another name",
            ));
        }
        None => {}
    }
    if person.key.0.0 == root.public_key() {
        return Err(person_refused("the root key cannot stand for a person"));
    }
    let next = held
        .next(|registry| {
            registry.people.insert(name, person);
        })
        .map_err(|flaw| person_refused(&flaw.to_string()))?;
    let (record, bytes) = signed(&root, &next)?;
    files::write(&files::registry(folder), &bytes)?;
    Ok((record, next))
}

impl Home {
    /// Reads and checks everything; issues the node's certificate again if it is about to end.
    pub(crate) fn load(folder: &Path, now: SystemTime) -> Result<Self, Problem> {
        files::check_folder(folder)?;
        let config = Config::load(&files::org_toml(folder))?;
        let root = load_root(folder, now)?;
        if root.org() != config.org.as_str() {
            let what = format!(
                "org.toml is {}'s, but the keys are {}'s",
                config.org,
                root.org()
            );
            let todo = "correct org in org.toml; keys cannot change hands";
            return Err(Problem::here(Code::Home, what, todo));
        }
        let sign_key = PrivateKey::load(&files::sign_key(folder)).map_err(|e| key_file(&e))?;
        let signer = Signer::from_pkcs8(sign_key.pkcs8()).map_err(|error| {
            let what = format!("{}: {error}", files::sign_key(folder).display());
            Problem::here(Code::KeyFile, what, "restore the file from your backup")
        })?;
        let (registry_record, registry) = read_registry(folder, &root)?;
        if registry.node_key != signer.public_key() {
            return Err(Problem::here(
                Code::KeyFile,
                "keys/sign.key is not the node key that the registry names",
                "restore keys/ and registry.record from the same backup",
            ));
        }
        let party = TlsParty::new(&certificate(folder, &config, now)?);
        Ok(Self {
            folder: folder.to_owned(),
            config,
            signer: Arc::new(signer),
            party,
            root_key: PublicKey::from_bytes(root.public_key()),
            registry_record,
        })
    }

    /// Has the root issue the node's certificate again if two thirds of its life are over; handshakes from now on show it.
    /// Reads the root key from its file, so that a node does not hold it while it runs.
    pub(crate) fn renew_certificate(&self, now: SystemTime) -> Result<(), Problem> {
        let renewed = certificate(&self.folder, &self.config, now)?;
        if renewed.until() != self.party.until() {
            self.party.replace(&renewed);
            tracing::info!("the node's certificate was issued again");
        }
        Ok(())
    }

    /// Where results lie.
    pub(crate) fn results(&self) -> PathBuf {
        files::results(&self.folder)
    }

    /// Where this organisation's own people reach the node.
    pub(crate) fn socket(&self) -> PathBuf {
        files::socket(&self.folder)
    }
}

fn certificate(
    folder: &Path,
    config: &Config,
    now: SystemTime,
) -> Result<NodeCertificate, Problem> {
    let names = config.certificate_names();
    NodeCertificate::load_or_issue(&files::keys(folder), NODE, &names, now).map_err(|error| {
        let todo = "restore the keys folder from your backup, or correct what is said";
        Problem::here(Code::KeyFile, error.to_string(), todo)
    })
}

fn load_root(folder: &Path, now: SystemTime) -> Result<OrgRoot, Problem> {
    OrgRoot::load(&files::keys(folder), now).map_err(|error| key_file(&error))
}

fn read_registry(folder: &Path, root: &OrgRoot) -> Result<(Record, Registry), Problem> {
    let path = files::registry(folder);
    let stored: SignedRecord = files::read_json(&path)?;
    let record = Record::from(&stored);
    let root_key = PublicKey::from_bytes(root.public_key());
    let registry = Registry::open(&record, root_key, None).map_err(|problem| {
        let what = format!("{}: {}", path.display(), problem.what);
        Problem::here(Code::Home, what, "restore registry.record from your backup")
    })?;
    if registry.org.as_str() != root.org() {
        let what = format!("{} is {}'s registry", path.display(), registry.org);
        return Err(Problem::here(
            Code::Home,
            what,
            "restore registry.record from your backup",
        ));
    }
    Ok((record, registry))
}

/// The registry signed by the root, and as it stands in its file.
fn signed(root: &OrgRoot, registry: &Registry) -> Result<(Record, Vec<u8>), Problem> {
    let signer = Signer::from_pkcs8(root.pkcs8()).map_err(|error| {
        Problem::here(Code::KeyFile, error.to_string(), "restore keys/root.key")
    })?;
    let record = Record::sign(&signer, Kind::Registry, &registry.org, registry);
    let bytes = entente_wire::canonical::to_bytes(&SignedRecord::from(&record));
    Ok((record, bytes))
}

/// `org.toml` as text. A JSON string is also a TOML one; what is not is refused when the text is parsed.
fn org_toml(settings: &Settings) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!(
        "# This organisation's node. What is not set here has a default.\norg = {}\nlisten = {}\n",
        quoted(settings.org.as_str()),
        quoted(&settings.listen)
    );
    let advertise_hint =
        "# advertise = \"node.example:7443\"   # where partners reach the port, if not at listen\n";
    match &settings.advertise {
        Some(address) => text.push_str(&format!("advertise = {}\n", quoted(address))),
        None => text.push_str(advertise_hint),
    }
    if let Some(coordinator) = &settings.coordinator {
        text.push_str(&format!("coordinator = {}\n", quoted(coordinator)));
    }
    text
}

fn person_refused(what: &str) -> Problem {
    Problem::request(
        Code::Argument,
        what,
        "register a key that the person made alone",
    )
}

fn issue(error: &entente_certs::IssueError) -> Problem {
    Problem::request(Code::Argument, error.to_string(), "correct what was given")
}

fn key_file(error: &KeyFileError) -> Problem {
    let todo = "put the keys folder right as said; a partner trusts only the keys that it pinned";
    Problem::here(Code::KeyFile, error.to_string(), todo)
}
