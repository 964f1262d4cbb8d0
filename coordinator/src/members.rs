//! Who is admitted: organisations and the roots that speak for them, in `admitted.toml`, which an operator may also edit by
//! hand. It is read again at every call, so nobody has to restart a coordinator to admit or to exclude.

use crate::files;
use crate::home::COORDINATOR;
use entente_certs::{Peer, RootFingerprint};
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::warn;

pub(crate) const ADMITTED: &str = "admitted.toml";
const HEADING: &str =
    "# Organisations that may use this coordinator: ORG = \"ROOT FINGERPRINT\".\n";

type Roots = BTreeMap<OrgName, RootFingerprint>;

/// Admits `org` with the root that its operators told. A running coordinator knows at once.
pub fn admit(home: &Path, org: &OrgName, root: RootFingerprint) -> Result<(), Problem> {
    let path = home.join(ADMITTED);
    let mut roots = read(&path)?;
    if org.as_str() == COORDINATOR {
        return Err(Problem::request(
            Code::Argument,
            format!("no organisation can be called \"{COORDINATOR}\""),
            "that name is the coordinator's own; the organisation has to choose another",
        ));
    }
    match roots.get(org) {
        Some(known) if *known == root => return Ok(()),
        Some(known) => {
            return Err(Problem::request(
                Code::Argument,
                format!("{org} is admitted already, with the root {known}"),
                format!(
                    "if {org} told you that it has a new root, remove its line from {} first",
                    path.display()
                ),
            ));
        }
        None => {}
    }
    roots.insert(org.clone(), root);
    files::replace(&path, &write(&roots))
}

/// Nobody admitted yet; leaves a list that exists.
pub(crate) fn begin(home: &Path) -> Result<(), Problem> {
    let path = home.join(ADMITTED);
    if path.exists() {
        return Ok(());
    }
    files::replace(&path, &write(&Roots::new()))
}

/// The list as the service asks it.
#[derive(Clone)]
pub(crate) struct Members {
    path: PathBuf,
    /// What was read last, for as long as an operator's edit is half done.
    last: Arc<Mutex<Roots>>,
}

impl Members {
    pub(crate) fn open(path: PathBuf) -> Result<Self, Problem> {
        let last = Arc::new(Mutex::new(read(&path)?));
        Ok(Self { path, last })
    }

    /// The caller's name, if its root is admitted under it. Reads the file; call it where blocking is allowed.
    pub(crate) fn check(&self, caller: &Peer) -> Result<OrgName, Problem> {
        let org: Option<OrgName> = caller.org().parse().ok();
        match org {
            Some(org) if self.root_of(&org) == Some(caller.root()) => Ok(org),
            _ => Err(not_admitted(caller)),
        }
    }

    /// What [`Self::check`] says against each of many callers, from one reading of the file.
    pub(crate) fn struck(&self, callers: &[Peer]) -> Vec<Option<Problem>> {
        let roots = self.read_again();
        let admitted = |caller: &Peer| {
            let org: Option<OrgName> = caller.org().parse().ok();
            org.and_then(|org| roots.get(&org).copied()) == Some(caller.root())
        };
        let one = |caller| (!admitted(caller)).then(|| not_admitted(caller));
        callers.iter().map(one).collect()
    }

    fn root_of(&self, org: &OrgName) -> Option<RootFingerprint> {
        self.read_again().get(org).copied()
    }

    fn read_again(&self) -> MutexGuard<'_, Roots> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match read(&self.path) {
            Ok(roots) => *last = roots,
            Err(problem) => warn!(%problem, "the list as it was read last still holds"),
        }
        last
    }
}

fn not_admitted(caller: &Peer) -> Problem {
    Problem::here(
        Code::NotAdmitted,
        format!(
            "{} with the root {} is not admitted",
            caller.org(),
            caller.root()
        ),
        format!(
            "tell the coordinator's operator this name and root; he types: entente coordinator admit {} {}",
            caller.org(),
            caller.root()
        ),
    )
}

fn read(path: &Path) -> Result<Roots, Problem> {
    toml::from_str(&files::read(path)?).map_err(|error| {
        Problem::here(
            Code::Home,
            format!("{} is not valid: {}", path.display(), error.message()),
            "each line is ORG = \"64 hexadecimal digits\"",
        )
    })
}

fn write(roots: &Roots) -> String {
    // Names and fingerprints need no escapes, neither as keys nor as strings.
    let lines = roots
        .iter()
        .map(|(org, root)| format!("{org} = \"{root}\"\n"));
    std::iter::once(HEADING.to_owned()).chain(lines).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use std::fs;

    fn org(name: &str) -> OrgName {
        name.parse().unwrap()
    }

    fn root(number: u8) -> RootFingerprint {
        RootFingerprint::of_root_key(&[number; 32])
    }

    #[test]
    fn members_are_read_back_and_admitting_twice_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        begin(home.path()).unwrap();
        admit(home.path(), &org("north-bank"), root(1)).unwrap();
        admit(home.path(), &org("river-pay"), root(2)).unwrap();
        admit(home.path(), &org("north-bank"), root(1)).unwrap();
        let members = Members::open(home.path().join(ADMITTED)).unwrap();
        assert_eq!(members.root_of(&org("north-bank")), Some(root(1)));
        assert_eq!(members.root_of(&org("river-pay")), Some(root(2)));
        assert_eq!(members.root_of(&org("harbour-bank")), None);
    }

    #[test]
    fn another_root_for_a_member_is_refused() {
        let home = tempfile::tempdir().unwrap();
        begin(home.path()).unwrap();
        admit(home.path(), &org("north-bank"), root(1)).unwrap();
        let swapped = admit(home.path(), &org("north-bank"), root(2)).unwrap_err();
        assert_eq!(swapped.code, Code::Argument);
        let members = Members::open(home.path().join(ADMITTED)).unwrap();
        assert_eq!(members.root_of(&org("north-bank")), Some(root(1)));
    }

    #[test]
    fn the_coordinators_own_name_is_refused() {
        let home = tempfile::tempdir().unwrap();
        begin(home.path()).unwrap();
        assert!(admit(home.path(), &org(COORDINATOR), root(1)).is_err());
    }

    #[test]
    fn who_is_struck_from_the_list_is_out_at_once_and_a_broken_list_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        begin(home.path()).unwrap();
        admit(home.path(), &org("north-bank"), root(1)).unwrap();
        let path = home.path().join(ADMITTED);
        let members = Members::open(path.clone()).unwrap();
        fs::write(&path, "north-bank = \"half a li").unwrap();
        assert_eq!(members.root_of(&org("north-bank")), Some(root(1)));
        fs::write(&path, "").unwrap();
        assert_eq!(members.root_of(&org("north-bank")), None);
        fs::write(&path, "\"North Bank\" = \"00\"").unwrap();
        assert_eq!(Members::open(path).err().unwrap().code, Code::Home);
    }

    #[test]
    fn a_missing_home_says_how_to_make_one() {
        let home = tempfile::tempdir().unwrap();
        let problem = admit(home.path(), &org("north-bank"), root(1)).unwrap_err();
        assert_eq!(problem.code, Code::Home);
        assert!(problem.todo.contains("coordinator init"));
    }
}
