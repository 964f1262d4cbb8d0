//! The processes of a loopback collaboration, and the people of its organisations.

use super::process::{Service, Starting};
use crate::approve::{Decision, load_signer, proven_hash};
use crate::failure::{Failure, file_problem};
use crate::init;
use crate::local_node::LocalNode;
use crate::people::key_problem;
use entente_certs::{PrivateKey, RootFingerprint};
use entente_wire::approval::Verdict;
use entente_wire::local::Partner;
use entente_wire::names::{OrgName, PersonName, Role};
use entente_wire::people::Person;
use entente_wire::problem::{Code, Problem};
use entente_wire::sign::PublicKey;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Any free port, reachable from this machine alone.
const LOOPBACK: &str = "127.0.0.1:0";
/// How long an invite of this world can be used: it is used at once.
const INVITE_EXPIRES: Duration = Duration::from_secs(600);

/// Where the homes are: a folder that goes away, or one that the person keeps.
pub(crate) enum Folder {
    /// Removed at the end.
    Temporary(tempfile::TempDir),
    /// Stays.
    Kept(PathBuf),
}

impl Folder {
    /// A new folder: `keep`, which must be empty or absent, or a temporary one.
    pub(crate) fn new(keep: Option<&Path>) -> Result<Self, Problem> {
        let Some(keep) = keep else {
            return tempfile::Builder::new()
                .prefix("entente-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|fault| file_problem(&std::env::temp_dir(), "written", &fault));
        };
        let unwritten = |fault: std::io::Error| file_problem(keep, "written", &fault);
        std::fs::create_dir_all(keep).map_err(unwritten)?;
        let mut entries = std::fs::read_dir(keep).map_err(unwritten)?;
        if entries.next().is_some() {
            return Err(Problem::request(
                Code::Argument,
                format!("{} is not empty", keep.display()),
                "name a folder that is empty or does not exist",
            ));
        }
        std::path::absolute(keep).map(Self::Kept).map_err(unwritten)
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// One organisation: its node's process, a client of it, and its people.
pub(crate) struct Member {
    pub(crate) org: OrgName,
    pub(crate) home: PathBuf,
    // Hung up before the node is waited for.
    pub(crate) node: LocalNode,
    pub(crate) service: Service,
    approvers: Vec<PersonName>,
}

/// A running collaboration. Dropping it stops every process.
pub(crate) struct World {
    // Dropped in this order: the folder goes last.
    pub(crate) members: Vec<Member>,
    pub(crate) coordinator: Service,
    folder: Folder,
}

impl World {
    /// Makes keys, admits everyone, registers a person a role, and starts all processes.
    pub(crate) async fn start(
        folder: Folder,
        orgs: &[(OrgName, BTreeSet<Role>)],
    ) -> Result<Self, Failure> {
        let host = folder.path().join("coordinator");
        let summary = entente_coordinator::init(&host, LOOPBACK, SystemTime::now())?;
        let coordinator =
            Service::start("the coordinator", &host, &["coordinator", "run"])?.wait()?;
        let url = format!("{}#{}", coordinator.listen(), summary.fingerprint);
        let mut starting = Vec::new();
        for (org, roles) in orgs {
            let home = folder.path().join(org.as_str());
            let made = init::make(&home, org, LOOPBACK, None, Some(&url))?;
            let fingerprint: RootFingerprint = made
                .root_fingerprint
                .parse()
                .expect("a fingerprint reads what it wrote");
            entente_coordinator::admit(&host, org, fingerprint)?;
            let approvers = register_people(&home, roles)?;
            let service = start_node(org, &home)?;
            starting.push((org.clone(), home, service, approvers));
        }
        let mut members = Vec::new();
        for (org, home, service, approvers) in starting {
            let service = service.wait()?;
            let node = LocalNode::connect(&home).await?;
            members.push(Member {
                org,
                home,
                service,
                node,
                approvers,
            });
        }
        Ok(Self {
            members,
            coordinator,
            folder,
        })
    }

    /// Where all homes are.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Links every pair; what the first of each pair sees of the second, and the other way round.
    pub(crate) async fn link(&mut self) -> Result<Vec<[Partner; 2]>, Failure> {
        let mut links = Vec::new();
        for first in 0..self.members.len() {
            for second in first + 1..self.members.len() {
                links.push(self.link_pair(first, second).await?);
            }
        }
        Ok(links)
    }

    async fn link_pair(&mut self, first: usize, second: usize) -> Result<[Partner; 2], Failure> {
        let partner = self.members[second].org.clone();
        let inviting = &mut self.members[first].node;
        let line = inviting
            .invite(partner.to_string(), INVITE_EXPIRES.as_secs())
            .await?;
        let seen_by_second = self.members[second].node.join(line.invite).await?;
        let partners = self.members[first].node.partners().await?;
        match partners.into_iter().find(|seen| seen.org == partner) {
            Some(seen_by_first) => Ok([seen_by_first, seen_by_second]),
            None => Err(Failure::from(Problem::here(
                Code::Defect,
                format!("the link with {partner} is not there after joining"),
                "report this with both nodes' logs",
            ))),
        }
    }

    /// Starts the node of a member again that was killed.
    pub(crate) async fn restart(&mut self, org: &OrgName) -> Result<(), Failure> {
        let member = self.member(org)?;
        member.service = start_node(org, &member.home)?.wait()?;
        member.node = LocalNode::connect(&member.home).await?;
        Ok(())
    }

    /// The member of that name.
    pub(crate) fn member(&mut self, org: &OrgName) -> Result<&mut Member, Problem> {
        let member = self.members.iter_mut().find(|member| member.org == *org);
        member.ok_or_else(|| {
            Problem::request(
                Code::PartnerUnknown,
                format!("{org} takes no part here"),
                "name every organisation of the question with --org",
            )
        })
    }
}

fn start_node(org: &OrgName, home: &Path) -> Result<Starting, Problem> {
    Service::start(&format!("{org}'s node"), home, &["node"])
}

impl Drop for World {
    fn drop(&mut self) {
        // All at once; each is then waited for in turn.
        for member in &mut self.members {
            member.service.stop();
        }
        self.coordinator.stop();
    }
}

/// One person a role, who bears the role's name and keeps a key in the home.
fn register_people(home: &Path, roles: &BTreeSet<Role>) -> Result<Vec<PersonName>, Failure> {
    let mut approvers = Vec::new();
    for role in roles {
        let name: PersonName = role
            .as_str()
            .parse()
            .expect("roles and people are both labels");
        let key = PrivateKey::generate();
        key.save_new(&key_file(home, &name))
            .map_err(|fault| key_problem(&fault))?;
        let person = Person {
            role: role.clone(),
            key: PublicKey::from_bytes(key.public_key()),
        };
        entente_node::home::add_person(home, name.clone(), person)?;
        approvers.push(name);
    }
    Ok(approvers)
}

/// Where a person of this world keeps their key.
fn key_file(home: &Path, person: &PersonName) -> PathBuf {
    home.join(format!("{person}.key"))
}

impl Member {
    /// Lets people approve until this organisation's quorum is met, and says who did. Each checks the page against the hash,
    /// as a person's client does. `before` is called just before each decision is handed in.
    pub(super) async fn approve(
        &mut self,
        job: &str,
        mut before: impl FnMut(),
    ) -> Result<Vec<PersonName>, Failure> {
        let items = self.node.inbox().await?;
        let item = items.into_iter().find(|item| item.job.id == job);
        let item = item.ok_or_else(|| {
            Problem::here(
                Code::JobUnknown,
                format!("{job} is not in {}'s inbox", self.org),
                "see the node's log",
            )
        })?;
        let hash = proven_hash(&item)?;
        let mut waiting_for = item.job.waiting_for;
        let mut approved = Vec::new();
        for person in &self.approvers {
            if !waiting_for.iter().any(|waiting| waiting.org == self.org) {
                break;
            }
            let decision = Decision {
                org: self.org.clone(),
                person: person.clone(),
                verdict: Verdict::Approve,
                reason: String::new(),
            };
            let signer = load_signer(&key_file(&self.home, person))?;
            before();
            let view = decision.send(&mut self.node, hash, &signer).await?;
            waiting_for = view.waiting_for;
            approved.push(person.clone());
        }
        Ok(approved)
    }
}
