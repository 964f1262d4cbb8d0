//! The people of an organisation, their roles and keys, and the key of its node: one document, signed by the root key.
//!
//! A node pins a partner's root key when the two are linked, and from then on takes that partner's registry only from that key,
//! and only forwards: a version that is not newer cannot bring back a person who was removed.

#[cfg(test)]
mod adversary;

use crate::flaw::{Flaw, checked, require};
use crate::limits::PEOPLE_MAX;
use crate::names::{OrgName, PersonName, Role};
use crate::problem::{Code, Problem, Side};
use crate::sign::{Kind, PublicKey, Record};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everyone who may speak for an organisation. A node keeps the highest `version` it has seen of each partner and never goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Registry {
    /// Whose.
    pub org: OrgName,
    /// Grows with each change; the first is 1.
    pub version: u64,
    /// Signs the node's statements: publications, submissions, node approvals, reports, openings, transcripts.
    pub node_key: PublicKey,
    /// Who may approve.
    pub people: BTreeMap<PersonName, Person>,
}

checked!(Registry);

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What the person approves as.
    pub role: Role,
    /// The person's own key, made and kept by that person.
    pub key: PublicKey,
}

/// The keys that a node trusts because its own operators pinned them. The coordinator is never a source.
pub trait Pins {
    /// The newest registry of `org` whose signature verified under the root key pinned for `org`, the node's own organisation
    /// included; `None` for a stranger.
    fn registry(&self, org: &OrgName) -> Option<&Registry>;
}

impl Registry {
    /// The registry in `record`, once it is signed by `root_key` and does not go back behind the one `held`.
    pub fn open(
        record: &Record,
        root_key: PublicKey,
        held: Option<&Self>,
    ) -> Result<Self, Problem> {
        let refuse = |what: String, todo: &str| {
            let side = Side::Partner {
                org: record.org.clone(),
            };
            Problem::new(Code::RegistryRefused, side, what, todo)
        };
        let registry: Self = record.open(Kind::Registry, root_key).map_err(|error| {
            let what = format!("{}'s registry of people was refused: {error}", record.org);
            refuse(
                what,
                "link again with a new invite if the partner has made a new root key",
            )
        })?;
        if registry.org != record.org {
            let what = format!("{} signed a registry of {}", record.org, registry.org);
            return Err(refuse(what, "ask the partner to restore its own registry"));
        }
        if registry.keys().any(|key| key == root_key) {
            let what = format!(
                "{}'s root key also stands for its node or a person",
                record.org
            );
            return Err(refuse(what, "the partner has to make separate keys"));
        }
        let Some(held) = held else {
            return Ok(registry);
        };
        if registry.version < held.version {
            let what = format!(
                "{} sent version {} of its registry of people; version {} is known here",
                record.org, registry.version, held.version
            );
            return Err(refuse(what, "nothing; the newer one stays in force"));
        }
        if registry.version == held.version && registry != *held {
            let what = format!(
                "{} signed two different registries of people with version {}",
                record.org, held.version
            );
            return Err(refuse(
                what,
                "ask the partner which one holds; it has to sign a higher version",
            ));
        }
        Ok(registry)
    }

    /// The registry with one change, of the next version.
    pub fn next(&self, change: impl FnOnce(&mut Self)) -> Result<Self, Flaw> {
        let mut next = self.clone();
        change(&mut next);
        next.org = self.org.clone();
        next.version = self.version.saturating_add(1);
        next.check()?;
        Ok(next)
    }

    /// Roles that at least one person has.
    pub fn roles(&self) -> BTreeSet<&Role> {
        self.people.values().map(|person| &person.role).collect()
    }

    fn keys(&self) -> impl Iterator<Item = PublicKey> {
        let people = self.people.values().map(|person| person.key);
        people.chain(std::iter::once(self.node_key))
    }

    /// One key is one speaker: a key that stood for two would let one holder give two approvals.
    pub fn check(&self) -> Result<(), Flaw> {
        require(self.version > 0, || {
            Flaw::at(["version"], "versions begin with 1", "write 1")
        })?;
        require(self.people.len() <= PEOPLE_MAX, || {
            let what = format!("there are more than {PEOPLE_MAX} people");
            Flaw::at(["people"], what, "register only those who approve jobs")
        })?;
        const MAKE_ANOTHER: &str = "make the key with this program, and copy its public half whole";
        require(!self.node_key.is_weak(), || {
            Flaw::at(
                ["node_key"],
                "anybody could sign under this key",
                MAKE_ANOTHER,
            )
        })?;
        let mut seen = BTreeSet::from([self.node_key]);
        for (name, person) in &self.people {
            require(!person.key.is_weak(), || {
                let what = format!("anybody could sign under {name}'s key");
                Flaw::at(["people", name.as_str(), "key"], what, MAKE_ANOTHER)
            })?;
            require(seen.insert(person.key), || {
                let what = format!("{name}'s key is also another person's or the node's");
                Flaw::at(
                    ["people", name.as_str(), "key"],
                    what,
                    "each person makes a key alone and keeps it",
                )
            })?;
        }
        Ok(())
    }
}
