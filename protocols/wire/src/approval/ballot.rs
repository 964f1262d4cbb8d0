//! One organisation's decisions on one job, counted against its policy's quorum: `need` different people, whose roles are all
//! asked for and all differ, each with a key of their own.

use super::{SignedDecision, Verdict};
use crate::names::{OrgName, PersonName, Role};
use crate::people::Registry;
use crate::policy::Quorum;
use crate::problem::{Code, Problem, Side};
use crate::seal::JobHash;
use std::collections::BTreeSet;

/// A count in progress. Only decisions that hold are in it.
#[derive(Debug)]
pub struct Ballot<'a> {
    job: JobHash,
    org: &'a OrgName,
    quorum: &'a Quorum,
    registry: &'a Registry,
    counted: Vec<SignedDecision>,
    roles: BTreeSet<&'a Role>,
    denial: Option<SignedDecision>,
}

/// Why a decision was not counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is about another job.
    #[error("the decision is about {got}, not {expected}")]
    AnotherJob {
        /// The job it names.
        got: String,
        /// The job that is decided.
        expected: String,
    },
    /// It is given for another organisation.
    #[error("the decision is given for {got}, not {expected}")]
    AnotherOrg {
        /// The organisation it names.
        got: OrgName,
        /// The organisation that decides.
        expected: OrgName,
    },
    /// The person is not in the registry of that organisation.
    #[error("{person} is not registered at {org}")]
    UnknownPerson {
        /// Who.
        person: PersonName,
        /// Where.
        org: OrgName,
    },
    /// The signature is not by the person's registered key.
    #[error("the signature is not by the key registered for {person} at {org}")]
    BadSignature {
        /// Who.
        person: PersonName,
        /// Where.
        org: OrgName,
    },
    /// The person's role is not one that the policy asks for.
    #[error("{person} decides as {role}; the policy asks for {asked}")]
    RoleNotAsked {
        /// Who.
        person: PersonName,
        /// As what.
        role: Role,
        /// Roles asked for.
        asked: String,
    },
    /// Somebody decided in that role already; a second person with the same role, or the same person again, adds nothing.
    #[error("{role} has decided already, so {person}'s decision adds nothing")]
    RoleTwice {
        /// Who.
        person: PersonName,
        /// As what.
        role: Role,
    },
    /// Somebody has said no; that is final.
    #[error("{person} has denied the job: {reason}")]
    Denied {
        /// Who.
        person: PersonName,
        /// Why.
        reason: String,
    },
}

impl Refusal {
    /// The problem to show, at `side`.
    pub fn into_problem(self, side: Side) -> Problem {
        let (code, todo) = match &self {
            Self::UnknownPerson { .. } => (
                Code::PersonUnknown,
                "register the person: `entente people add NAME --role ROLE --key KEY`",
            ),
            Self::RoleNotAsked { .. } => (
                Code::ApprovalRefused,
                "let a person decide who has one of the roles asked for",
            ),
            Self::RoleTwice { .. } => (
                Code::ApprovalRefused,
                "let a person with another role decide; `entente inbox` shows which are missing",
            ),
            Self::Denied { .. } => (
                Code::ApprovalRefused,
                "a denial is final; submit a new job that answers its reason",
            ),
            Self::BadSignature { .. } => (
                Code::ApprovalRefused,
                "sign with the key that is registered for this person, or register the new key",
            ),
            Self::AnotherJob { .. } | Self::AnotherOrg { .. } => (
                Code::ApprovalRefused,
                "decide on this job, for this organisation; a decision serves no second time",
            ),
        };
        Problem::new(code, side, self.to_string(), todo)
    }
}

impl<'a> Ballot<'a> {
    /// An empty count for `job` at the organisation of `registry`.
    pub fn new(job: JobHash, quorum: &'a Quorum, registry: &'a Registry) -> Self {
        Self {
            job,
            org: &registry.org,
            quorum,
            registry,
            counted: Vec::new(),
            roles: BTreeSet::new(),
            denial: None,
        }
    }

    /// Counts a decision, or says why it does not count. A denial by anyone whose role is asked for ends the ballot.
    pub fn add(&mut self, signed: SignedDecision) -> Result<(), Refusal> {
        self.admit(&signed)?;
        let role = self.role_of(&signed.decision.person)?;
        if signed.decision.verdict == Verdict::Deny {
            self.denial = Some(signed);
            return Ok(());
        }
        self.roles.insert(role);
        self.counted.push(signed);
        Ok(())
    }

    fn admit(&self, signed: &SignedDecision) -> Result<(), Refusal> {
        let decision = &signed.decision;
        if let Some(denial) = &self.denial {
            return Err(Refusal::Denied {
                person: denial.decision.person.clone(),
                reason: denial.decision.reason.clone(),
            });
        }
        if decision.job != self.job {
            return Err(Refusal::AnotherJob {
                got: decision.job.short(),
                expected: self.job.short(),
            });
        }
        if decision.org != *self.org {
            return Err(Refusal::AnotherOrg {
                got: decision.org.clone(),
                expected: self.org.clone(),
            });
        }
        let person = self.person(&decision.person)?;
        signed
            .verify(person.key)
            .map_err(|_| Refusal::BadSignature {
                person: decision.person.clone(),
                org: self.org.clone(),
            })?;
        if !self.quorum.of.contains(&person.role) {
            let asked: Vec<&str> = self.quorum.of.iter().map(Role::as_str).collect();
            return Err(Refusal::RoleNotAsked {
                person: decision.person.clone(),
                role: person.role.clone(),
                asked: asked.join(", "),
            });
        }
        // A role counts once, so the same person, who has one role, counts once too; keys differ by the registry's rule.
        if self.roles.contains(&person.role) && decision.verdict == Verdict::Approve {
            return Err(Refusal::RoleTwice {
                person: decision.person.clone(),
                role: person.role.clone(),
            });
        }
        Ok(())
    }

    fn person(&self, name: &PersonName) -> Result<&'a crate::people::Person, Refusal> {
        self.registry
            .people
            .get(name)
            .ok_or_else(|| Refusal::UnknownPerson {
                person: name.clone(),
                org: self.org.clone(),
            })
    }

    fn role_of(&self, name: &PersonName) -> Result<&'a Role, Refusal> {
        self.person(name).map(|person| &person.role)
    }

    /// How many more different roles have to approve.
    pub fn missing(&self) -> u32 {
        let counted = u32::try_from(self.counted.len()).unwrap_or(u32::MAX);
        self.quorum.need.saturating_sub(counted)
    }

    /// Whether enough roles have approved and nobody has denied.
    pub fn is_met(&self) -> bool {
        self.denial.is_none() && self.missing() == 0
    }

    /// Roles that have not approved yet.
    pub fn open_roles(&self) -> Vec<Role> {
        let open = self
            .quorum
            .of
            .iter()
            .filter(|role| !self.roles.contains(role));
        open.cloned().collect()
    }

    /// The denial that ended the ballot, if any.
    pub fn denial(&self) -> Option<&SignedDecision> {
        self.denial.as_ref()
    }

    /// The approvals counted, in the order given: what a [`super::NodeApproval`] carries.
    pub fn decisions(&self) -> &[SignedDecision] {
        &self.counted
    }
}
