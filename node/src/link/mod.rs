//! Who this node talks to: partners whose roots its operators pinned, and the coordinator.
//!
//! Two organisations link once. One makes an **invite** (a line with its address, its root's fingerprint and a one-time
//! token), the other **joins** with it: it connects to the inviter with that root expected in the handshake, hands over the
//! token and its registry of people, and gets the inviter's. Both pin the other's root and address; both screens show the
//! same four words, made from the connection itself. Pins come from nowhere else: not from the coordinator, not from a
//! certificate. Afterwards only a pinned partner can open a session or measure the link ([`peer_service`], [`measure`]), and only the
//! pinned root is dialled ([`reach`]).
//!
//! Who learns what: whoever connects learns the organisation, node name and root behind the port. The holder of a valid invite
//! learns the registry of people (names, roles, public keys), as every linked partner does. The coordinator
//! ([`coordinator`]) is told what nodes publish and sign, and is believed in nothing.

mod coordinator;
mod invites;
mod join;
mod measure;
mod measured;
mod peer_service;
mod reach;
#[cfg(test)]
mod tests;

pub(crate) use coordinator::{Coordinator, CoordinatorState, Pace, Records};
pub(crate) use peer_service::PeerService;
pub(crate) use reach::no_coordinator;

use crate::config::Address;
use crate::ledger::{Fact, Ledger, Pin, SignedRecord};
use crate::session;
use entente_certs::{Peer, RootFingerprint, TlsParty};
use entente_wire::canonical::Digest;
use entente_wire::local;
use entente_wire::names::OrgName;
use entente_wire::people::{Pins, Registry};
use entente_wire::problem::{Code, Problem};
use entente_wire::sign::{PublicKey, Record};
use invites::Refusals;
use measured::Measured;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Waits of linking and dialling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waits {
    /// To reach a partner, TCP and TLS together.
    pub(crate) connect: Duration,
    /// For the answer to a call.
    pub(crate) call: Duration,
    /// To find out whether the joining side can be reached: shorter than `call`, in which the joiner waits for it.
    pub(crate) probe: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(30),
            probe: Duration::from_secs(5),
        }
    }
}

/// What linking needs of the node.
pub(crate) struct Setting {
    pub(crate) own: OrgName,
    pub(crate) ledger: Ledger,
    pub(crate) party: TlsParty,
    /// Where partners reach this node; the problem if nobody knows.
    pub(crate) advertised: Result<Address, Problem>,
    pub(crate) waits: Waits,
    /// The time.
    pub(crate) clock: Clock,
    /// Told after a partner was linked.
    pub(crate) linked: Box<dyn Fn() -> Result<(), Problem> + Send + Sync>,
}

/// Where the time comes from.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Partners of a node. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Link {
    setting: Arc<Setting>,
    /// Held while an invite is redeemed, so that one token cannot be used twice at once.
    refusals: Arc<Mutex<Refusals>>,
    measured: Arc<Measured>,
}

impl Link {
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            setting: Arc::new(setting),
            refusals: Arc::default(),
            measured: Arc::default(),
        }
    }

    /// The linked partners, as people see them.
    pub(crate) fn partners(&self) -> Result<Vec<local::Partner>, Problem> {
        let ledger = &self.setting.ledger;
        let registries = ledger.pins()?;
        let version = |org| {
            registries
                .registry(org)
                .map_or(0, |registry| registry.version)
        };
        let pins = ledger.partners()?;
        Ok(pins
            .iter()
            .map(|pin| shown(pin, version(&pin.org), None))
            .collect())
    }

    /// A linked partner: its pin, and its node as a session knows it.
    fn pinned(&self, org: &OrgName) -> Result<(Pin, session::Partner), Problem> {
        let ledger = &self.setting.ledger;
        let pin = ledger.partner(org)?.ok_or_else(|| not_linked(org))?;
        let registries = ledger.pins()?;
        let registry = registries.registry(org).ok_or_else(|| {
            let what = format!("{org}'s registry of people is not here yet");
            Problem::here(Code::PartnerUnknown, what, "link again with a new invite")
        })?;
        let partner = session::Partner {
            org: org.clone(),
            node_key: registry.node_key,
        };
        Ok((pin, partner))
    }

    /// The pinned partner that a handshake proved, or a refusal. Roots are compared, names are not enough.
    fn proven(&self, peer: &Peer) -> Result<session::Partner, Problem> {
        let org: OrgName = peer.org().parse().map_err(|_| unnamed())?;
        let (pin, partner) = self.pinned(&org)?;
        if pin.root_fingerprint.0 != *peer.root().as_bytes() {
            let what = format!("the caller calls itself {org}, but its root is not the pinned one");
            let todo = format!("ask {org} whether it has made a new root key; if so, link anew");
            return Err(Problem::partner(&org, Code::PartnerNotProven, what, todo));
        }
        Ok(partner)
    }

    /// What of this organisation every partner gets.
    fn own_registry(&self) -> Result<Record, Problem> {
        let own = &self.setting.own;
        let record = self.setting.ledger.registry(own)?;
        let record = record.as_ref().map(Record::from);
        record.ok_or_else(|| {
            let what = "this node's own registry of people is not in its ledger";
            Problem::here(Code::Defect, what, "report this with the node's log")
        })
    }

    /// Whether a partner of that name and root may be linked: a name is pinned to one root.
    fn may_link(&self, org: &OrgName, root: RootFingerprint) -> Result<Option<Registry>, Problem> {
        if *org == self.setting.own {
            let what = format!("{org} is this organisation itself");
            return Err(Problem::request(
                Code::InviteRefused,
                what,
                "link another organisation",
            ));
        }
        match self.setting.ledger.partner(org)? {
            None => Ok(None),
            Some(pin) if pin.root_fingerprint.0 == *root.as_bytes() => {
                Ok(self.setting.ledger.pins()?.registry(org).cloned())
            }
            Some(_) => {
                let what = format!("{org} is linked here already, under another root key");
                let todo = format!("ask {org} by telephone whether it has made a new root key");
                Err(Problem::here(Code::InviteRefused, what, todo))
            }
        }
    }

    /// The registry in a record that came with a link: signed by the proven root, of the proven name, not behind what is held.
    fn their_registry(
        &self,
        peer: &Peer,
        org: &OrgName,
        record: Option<entente_wire::rpc::record::v1::Record>,
    ) -> Result<Record, Problem> {
        let refuse = |what: String| {
            let todo = format!("ask {org} to look at its registry.record");
            Problem::partner(org, Code::RegistryRefused, what, todo)
        };
        let record = record.ok_or_else(|| refuse(format!("{org} sent no registry of people")))?;
        let record = Record::try_from(record)
            .map_err(|error| refuse(format!("{org}'s registry of people was refused: {error}")))?;
        if record.org != *org {
            return Err(refuse(format!(
                "{org} sent {}'s registry of people",
                record.org
            )));
        }
        let held = self.may_link(org, peer.root())?;
        Registry::open(
            &record,
            PublicKey::from_bytes(peer.root_key()),
            held.as_ref(),
        )?;
        Ok(record)
    }

    /// Pins a partner. The pin is on disk before the registry, which counts for nothing without it.
    fn pin(
        &self,
        peer: &Peer,
        org: &OrgName,
        address: &Address,
        registry: &Record,
    ) -> Result<Pin, Problem> {
        let pin = Pin {
            org: org.clone(),
            address: address.as_str().to_owned(),
            root_fingerprint: Digest(*peer.root().as_bytes()),
            root_key: PublicKey::from_bytes(peer.root_key()),
            words: peer.words(),
        };
        self.record(Fact::PartnerLinked(pin.clone()))?;
        let record = SignedRecord::from(registry);
        self.record(Fact::RegistrySeen { record })?;
        (self.setting.linked)()?;
        tracing::info!(partner = %org, root = %peer.root(), "linked");
        Ok(pin)
    }

    fn record(&self, fact: Fact) -> Result<(), Problem> {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self.setting.ledger.record(now_ms, fact)?;
        Ok(())
    }

    fn now(&self) -> SystemTime {
        (self.setting.clock)()
    }

    fn now_unix_s(&self) -> u64 {
        self.now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
    }

    /// Runs what reads or writes the ledger where it holds up nobody.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let link = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&link)).await;
        done.unwrap_or_else(|_| {
            let what = "a call about partners ended without an answer";
            Err(Problem::here(
                Code::Defect,
                what,
                "report this with the node's log",
            ))
        })
    }
}

fn shown(pin: &Pin, registry_version: u64, reverse_problem: Option<Problem>) -> local::Partner {
    local::Partner {
        org: pin.org.clone(),
        address: pin.address.clone(),
        root_fingerprint: pin.root_fingerprint.to_string(),
        words: pin.words.clone(),
        registry_version,
        reverse_problem,
    }
}

fn not_linked(org: &OrgName) -> Problem {
    Problem::here(
        Code::PartnerUnknown,
        format!("{org} is not linked with this node"),
        format!("link it first: `entente invite {org}` at one side, `entente join` at the other"),
    )
}

fn unnamed() -> Problem {
    let what = "the caller's certificate names no valid organisation";
    Problem::here(Code::PartnerUnknown, what, "link it first")
}
