//! A made-up stage for tests: organisations with keys from fixed seeds, their people and publications. Everything it signs goes
//! through the same checks as the real thing, so it proves nothing that real keys would not prove; only with the feature
//! `rehearsal`, which no release turns on.

use crate::approval::{
    NodeApproval, PersonDecision, SignedDecision, Verdict, VerifiedApproval, verify,
};
use crate::canonical::Digest;
use crate::job::Job;
use crate::leakage::{Cost, Statement, aggregation_statement, statement};
use crate::names::{DatasetName, OrgName, PersonName};
use crate::people::{Person, Pins, Registry};
use crate::plan::{Aggregation, Matching, Plan, Side};
use crate::problem::Problem;
use crate::publication::Publication;
use crate::seal::{
    self, AggregateTerms, BlindTerms, JobHash, JobNonce, Protocol, Transfers, VoleTerms,
};
use crate::sign::{Kind, Record, Signer};
use crate::sql::Catalog;
use crate::submission::Submission;
use std::collections::BTreeMap;

/// One organisation on the stage.
pub struct Cast {
    /// Its registry of people, as partners hold it.
    pub registry: Registry,
    /// Signs the registry.
    pub root: Signer,
    /// Signs the node's statements.
    pub node: Signer,
    /// Each person's own key.
    pub people: BTreeMap<PersonName, Signer>,
    /// What it has published, by dataset.
    pub publications: BTreeMap<DatasetName, Publication>,
}

/// Everybody on the stage; knows all keys, so it stands for any one node's pins and catalogue.
#[derive(Default)]
pub struct Stage {
    /// By name.
    pub orgs: BTreeMap<OrgName, Cast>,
}

impl Pins for Stage {
    fn registry(&self, org: &OrgName) -> Option<&Registry> {
        self.orgs.get(org).map(|cast| &cast.registry)
    }
}

impl Catalog for Stage {
    fn publication(&self, org: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
        self.orgs.get(org)?.publications.get(dataset)
    }

    fn orgs(&self) -> Vec<OrgName> {
        self.orgs.keys().cloned().collect()
    }
}

/// A key that is the same in every run, another one for each name.
pub fn signer(name: &str) -> Signer {
    Signer::from_seed(&Digest::of("rehearsal", &[name.as_bytes()]).0)
}

/// The plan's protocol and its cost. Parameters are of about the right size only: the real ones come from the protocol
/// library, of which this crate knows nothing.
pub fn protocol(plan: &Plan, publications: [&Publication; 2]) -> (Protocol, Cost) {
    let ids = publications.map(|publication| publication.ids_rounded);
    let [first, _] = &plan.sides;
    let (receiver, sender) = match first.org == plan.receiver {
        true => (ids[0], ids[1]),
        false => (ids[1], ids[0]),
    };
    let bucket = |ids: u64| u32::try_from(ids).expect("lists on the stage fit one bucket");
    let security = match plan.matching {
        Matching::Ecdh => return (Protocol::ecdh(), Cost::of_ecdh(receiver, sender)),
        Matching::Vole { security } => security,
        Matching::Blind => {
            let groups = plan.groups();
            let terms = BlindTerms {
                version: 1,
                code: "expand-convolute 7x24".to_owned(),
                noise: 320,
                buckets: 1,
                receiver_bucket_ids: bucket(receiver),
                sender_bucket_ids: bucket(sender),
                bins: bucket(receiver * 13 / 10),
                equality_bits: 60,
                vector_elements: bucket(receiver * 4 / 3),
                hint_words: 2,
                receiver_groups: bucket(groups.receiver),
                sender_groups: bucket(groups.sender),
                transfers: Transfers::Fast,
                link: None,
                lanes: 1,
            };
            let cost = Cost {
                bytes: 600 * (receiver + sender),
                seconds: 1,
                memory_mib: 200,
                link: None,
            };
            return (Protocol::Blind(terms), cost);
        }
    };
    let terms = VoleTerms {
        version: 1,
        security,
        code: "expand-convolute 7x24".to_owned(),
        noise: 320,
        buckets: 1,
        receiver_bucket_ids: bucket(receiver),
        sender_bucket_ids: bucket(sender),
        vector_elements: bucket(receiver * 4 / 3),
        tag_bytes: 10,
        lanes: 1,
    };
    let cost = Cost {
        bytes: 40 * (receiver + sender),
        seconds: 1,
        memory_mib: 100,
        link: None,
    };
    (Protocol::Vole(terms), cost)
}

/// An aggregation's protocol among few parties, of which everybody shares a mask with everybody, and a cost.
pub fn aggregate_protocol(plan: &Aggregation) -> (Protocol, Cost) {
    let small = |number: u64| u32::try_from(number).expect("tables on the stage are small");
    let parties = plan.sides.len() as u64;
    let quorum = small(parties + u64::from(plan.colluders)) / 2 + 1;
    let terms = AggregateTerms {
        version: 3,
        recipient: plan
            .recipient()
            .expect("an aggregation has a reader")
            .clone(),
        words: small(plan.words()),
        tag_words: 64,
        survivors_min: quorum.max(plan.min_parties),
        colluders: plan.colluders,
        quorum,
        picks: None,
        threshold: quorum,
        isolable: 0,
    };
    let cost = Cost {
        bytes: parties * (8 * plan.words() + 200 * parties),
        seconds: 1,
        memory_mib: 10,
        link: None,
    };
    (Protocol::Aggregate(terms), cost)
}

impl Stage {
    /// Adds an organisation with `people` as (name, role).
    #[must_use]
    pub fn with_org(mut self, org: &str, people: &[(&str, &str)]) -> Self {
        let name: OrgName = org.parse().expect("a valid organisation");
        let key = |speaker: &str| signer(&format!("{org}/{speaker}"));
        let mut signers = BTreeMap::new();
        let mut registered = BTreeMap::new();
        for (person, role) in people {
            let signer = key(person);
            let person: PersonName = person.parse().expect("a valid person");
            let role = role.parse().expect("a valid role");
            registered.insert(
                person.clone(),
                Person {
                    role,
                    key: signer.public_key(),
                },
            );
            signers.insert(person, signer);
        }
        let node = key("its node");
        let registry = Registry {
            org: name.clone(),
            version: 1,
            node_key: node.public_key(),
            people: registered,
        };
        let cast = Cast {
            registry,
            root: key("its root"),
            node,
            people: signers,
            publications: BTreeMap::new(),
        };
        self.orgs.insert(name, cast);
        self
    }

    /// Adds a publication of an organisation that is on the stage.
    #[must_use]
    pub fn with_publication(mut self, publication: Publication) -> Self {
        let dataset = publication.policy.dataset.clone();
        let cast = self
            .orgs
            .get_mut(&publication.org)
            .expect("the organisation is on the stage");
        cast.publications.insert(dataset, publication);
        self
    }

    /// An organisation on the stage.
    pub fn cast(&self, org: &OrgName) -> &Cast {
        self.orgs
            .get(org)
            .expect("the organisation is on the stage")
    }

    /// The publications that a plan uses, in the order of its sides.
    pub fn publications(&self, plan: &Plan) -> [&Publication; 2] {
        let [left, right] = &plan.sides;
        [left, right].map(|side| {
            self.publication(&side.org, &side.dataset)
                .expect("published")
        })
    }

    /// What the asker's node sends.
    pub fn submission(
        &self,
        job: &Job,
        asker: &OrgName,
        plan: &Plan,
    ) -> Result<Submission, Problem> {
        let publications = self.publications(plan);
        let (protocol, cost) = protocol(plan, publications);
        let page: Statement = statement(plan, job, publications, &protocol, cost)?;
        let nonce = JobNonce([7; 16]);
        let seal = seal::derive(job, asker, nonce, plan, publications, &protocol, &page)?;
        Ok(Submission {
            job: job.clone(),
            seal,
        })
    }

    /// What the asker's node sends of an aggregation.
    pub fn aggregation_submission(
        &self,
        job: &Job,
        asker: &OrgName,
        plan: &Aggregation,
    ) -> Result<Submission, Problem> {
        let sides = plan.sides.iter();
        let published = |side: &Side| {
            self.publication(&side.org, &side.dataset)
                .expect("published")
        };
        let publications: Vec<&Publication> = sides.map(published).collect();
        let (protocol, cost) = aggregate_protocol(plan);
        let page = aggregation_statement(plan, job, &publications, &protocol, cost)?;
        let (seal, nonce) = (seal::derive_aggregation, JobNonce([7; 16]));
        let seal = seal(job, asker, nonce, plan, &publications, &protocol, &page)?;
        Ok(Submission {
            job: job.clone(),
            seal,
        })
    }

    /// One person's signed word.
    pub fn decision(
        &self,
        org: &OrgName,
        person: &str,
        job: JobHash,
        verdict: Verdict,
    ) -> SignedDecision {
        let person: PersonName = person.parse().expect("a valid person");
        let signer = self
            .cast(org)
            .people
            .get(&person)
            .expect("the person is on the stage");
        let decision = PersonDecision {
            job,
            org: org.clone(),
            person,
            verdict,
            reason: "as rehearsed".to_owned(),
        };
        SignedDecision::sign(signer, decision)
    }

    /// The node's approval with these decisions.
    pub fn node_approval(
        &self,
        org: &OrgName,
        job: JobHash,
        decisions: Vec<SignedDecision>,
    ) -> Record {
        let cast = self.cast(org);
        let approval = NodeApproval {
            job,
            org: org.clone(),
            registry_version: cast.registry.version,
            counter: 1,
            journal_head: Digest::of("rehearsal", &[b"journal"]),
            decisions,
        };
        Record::sign(&cast.node, Kind::Approval, org, &approval)
    }

    /// Node approvals of all parties, each with everybody's yes whose role is asked for.
    pub fn approvals(&self, submission: &Submission) -> Vec<Record> {
        let hash = submission.hash();
        let parties = submission.seal.parties.iter();
        parties
            .map(|(org, party)| {
                let publication = self.publication(org, &party.dataset).expect("published");
                let asked = &publication.policy.approvers.of;
                let people = self.cast(org).registry.people.iter();
                let decisions = people
                    .filter(|(_, person)| asked.contains(&person.role))
                    .map(|(name, _)| self.decision(org, name.as_str(), hash, Verdict::Approve))
                    .collect();
                self.node_approval(org, hash, decisions)
            })
            .collect()
    }

    /// The proof that everybody approved, through the real check.
    pub fn verified(
        &self,
        submission: &Submission,
        now_unix_s: u64,
    ) -> Result<VerifiedApproval, Problem> {
        verify(
            submission,
            self,
            self,
            &self.approvals(submission),
            now_unix_s,
        )
    }
}
