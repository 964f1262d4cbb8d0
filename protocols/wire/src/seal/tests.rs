//! The same seal at every party, and a name for every difference.

mod aggregation;

use super::*;
use crate::canonical::{from_bytes, to_bytes};
use crate::job::SecurityChoice;
use crate::leakage::statement;
use crate::names::ColumnName;
use crate::policy::Verb;
use crate::rehearsal::{Stage, protocol};
use crate::sql::{Catalog, plan};
use std::collections::BTreeSet;

fn org(name: &str) -> OrgName {
    name.parse().expect("a valid name")
}

/// North publishes the same columns as River; River lets North learn which of its ids it holds.
fn stage() -> Stage {
    let mut rivers: Publication = from_bytes(include_bytes!(
        "../../../vectors/wire/documents/publication.json"
    ))
    .expect("good");
    let mut norths = rivers.clone();
    norths.org = org("north-bank");
    norths.policy.dataset = "customers".parse().expect("a name");
    let mobile = ColumnName("mobile".to_owned());
    let grants = |publication: &mut Publication, verb, to: &str| {
        let column = publication
            .policy
            .columns
            .get_mut(&mobile)
            .expect("a column");
        column.may.insert(verb, BTreeSet::from([org(to)]));
    };
    grants(&mut rivers, Verb::Reveal, "north-bank");
    grants(&mut norths, Verb::Match, "river-pay");
    Stage::default()
        .with_org("north-bank", &[])
        .with_org("river-pay", &[])
        .with_publication(norths)
        .with_publication(rivers)
}

fn job() -> Job {
    from_bytes(include_bytes!("../../../vectors/wire/job/smallest.json")).expect("a good vector")
}

fn derived(stage: &Stage, job: &Job) -> Result<Seal, Problem> {
    let plan = plan(job, &org("north-bank"), stage).expect("a plan");
    stage
        .submission(job, &org("north-bank"), &plan)
        .map(|submission| submission.seal)
}

#[test]
fn the_same_arguments_give_the_same_seal_and_it_travels_unchanged() {
    let seal = derived(&stage(), &job()).expect("a seal");
    let again = derived(&stage(), &job()).expect("a seal");
    assert_eq!(seal, again);
    assert_eq!(seal.hash(), again.hash());
    let arrived: Seal = from_bytes(&to_bytes(&seal)).expect("own bytes");
    assert_eq!(arrived.hash(), seal.hash());
    assert_eq!(seal.compare(&arrived), Ok(()));
    assert!(seal.hash().short().starts_with("J-") && seal.hash().short().len() == 10);
}

#[test]
fn a_change_at_any_party_is_named() {
    let seal = derived(&stage(), &job()).expect("a seal");
    let differs = |change: fn(&mut Publication)| {
        let mut stage = stage();
        let cast = stage.orgs.get_mut(&org("river-pay")).expect("on the stage");
        cast.publications.values_mut().for_each(change);
        let theirs = derived(&stage, &job()).expect("a seal");
        assert_ne!(seal.hash(), theirs.hash());
        seal.compare(&theirs).expect_err("another seal").what
    };
    assert!(differs(|theirs| theirs.policy.min_set += 1).contains("river-pay's policy differs"));
    assert!(
        differs(|theirs| theirs.ids_rounded += 1_000)
            .contains("river-pay's published size differs")
    );
    let text = |theirs: &mut Publication| {
        let spend = ColumnName("spend_90d".to_owned());
        theirs
            .schema
            .0
            .insert(spend, crate::publication::ColumnType::Integer);
    };
    assert!(differs(text).contains("river-pay's schema differs"));
    let mut another = job();
    another.purpose.push('!');
    let theirs = derived(&stage(), &another).expect("a seal");
    assert!(
        seal.compare(&theirs)
            .expect_err("another job")
            .what
            .contains("the job's text differs")
    );
}

#[test]
fn publications_out_of_the_plans_order_are_a_defect() {
    let stage = stage();
    let (job, north) = (job(), org("north-bank"));
    let plan = plan(&job, &north, &stage).expect("a plan");
    let [left, right] = stage.publications(&plan);
    let (protocol, cost) = protocol(&plan, [left, right]);
    let page = statement(&plan, &job, [left, right], &protocol, cost).expect("a pair's");
    let nonce = JobNonce([1; 16]);
    let swapped = derive(&job, &north, nonce, &plan, [right, left], &protocol, &page);
    assert_eq!(swapped.expect_err("swapped").code, Code::Defect);
    let outsider = derive(
        &job,
        &org("harbour-bank"),
        nonce,
        &plan,
        [left, right],
        &protocol,
        &page,
    );
    assert_eq!(
        outsider.expect_err("asked from outside").code,
        Code::JobFile
    );
    assert_eq!(stage.orgs().len(), 2);
}

#[test]
fn a_protocol_that_is_not_the_plans_is_a_defect() {
    let stage = stage();
    let (mut job, north) = (job(), org("north-bank"));
    let derived = |job: &Job, change: fn(&mut Protocol)| {
        let plan = plan(job, &north, &stage).expect("a plan");
        let publications = stage.publications(&plan);
        let (mut protocol, cost) = protocol(&plan, publications);
        change(&mut protocol);
        let page = statement(&plan, job, publications, &protocol, cost).expect("a pair's");
        let nonce = JobNonce([1; 16]);
        derive(job, &north, nonce, &plan, publications, &protocol, &page)
    };
    let fast = derived(&job, |_| ()).expect("a seal");
    assert!(matches!(fast.protocol, Protocol::Vole(_)));
    let other_kind = derived(&job, |protocol| *protocol = Protocol::ecdh());
    assert_eq!(other_kind.expect_err("another kind").code, Code::Defect);
    let weaker = |protocol: &mut Protocol| {
        if let Protocol::Vole(terms) = protocol {
            terms.security = SecurityChoice::SemiHonest;
        }
    };
    derived(&job, weaker).expect("semi-honest is what the plan says");
    job.protect.security = Some(SecurityChoice::Malicious);
    let strong = derived(&job, |_| ()).expect("a seal");
    assert_ne!(strong.protocol, fast.protocol);
    assert_eq!(
        derived(&job, weaker).expect_err("weaker").code,
        Code::Defect
    );
    job.protect.security = None;
    job.protect.protocol = Some(crate::job::ProtocolChoice::Ecdh);
    let slow = derived(&job, |_| ()).expect("a seal");
    assert_eq!(slow.protocol, Protocol::ecdh());
}

#[test]
fn every_parameter_of_the_protocol_is_compared() {
    let seal = derived(&stage(), &job()).expect("a seal");
    let changes: [fn(&mut VoleTerms); 10] = [
        |terms| terms.version += 1,
        |terms| terms.security = SecurityChoice::Malicious,
        |terms| terms.code.push('x'),
        |terms| terms.noise -= 1,
        |terms| terms.buckets *= 2,
        |terms| terms.receiver_bucket_ids += 1,
        |terms| terms.sender_bucket_ids += 1,
        |terms| terms.vector_elements += 1,
        |terms| terms.tag_bytes -= 1,
        |terms| terms.lanes += 1,
    ];
    let sealed = match &seal.protocol {
        Protocol::Vole(terms) => Some(terms),
        Protocol::Ecdh { .. } | Protocol::Blind(_) | Protocol::Aggregate(_) => None,
    };
    let sealed = sealed.expect("a reveal runs by VOLE-PSI");
    for (place, change) in changes.into_iter().enumerate() {
        let mut terms = sealed.clone();
        change(&mut terms);
        let theirs = Seal {
            protocol: Protocol::Vole(terms),
            ..seal.clone()
        };
        assert_ne!(theirs.hash(), seal.hash(), "parameter {place}");
        let problem = seal.compare(&theirs).expect_err("another protocol");
        assert!(problem.what.contains("the protocol differs"), "{problem}");
    }
}

/// A table over both parties' columns, with the noise that both policies require.
fn table() -> Job {
    let mut job = job();
    job.ask = "SELECT b.segment, COUNT(*) AS n, SUM(a.spend_90d) AS spend FROM \"north-bank\".customers a \
               JOIN \"river-pay\".users b ON a.mobile = b.mobile GROUP BY b.segment"
        .to_owned();
    job.protect.epsilon = Some(crate::policy::Epsilon(1_000_000));
    job
}

fn blind_terms(seal: &Seal) -> BlindTerms {
    let sealed = match &seal.protocol {
        Protocol::Blind(terms) => Some(terms.clone()),
        Protocol::Ecdh { .. } | Protocol::Vole(_) | Protocol::Aggregate(_) => None,
    };
    sealed.expect("a table runs by the blind join")
}

#[test]
fn every_parameter_of_the_blind_join_is_compared() {
    let seal = derived(&stage(), &table()).expect("a seal");
    let changes: [fn(&mut BlindTerms); 13] = [
        |terms| terms.version += 1,
        |terms| terms.code.push('x'),
        |terms| terms.noise -= 1,
        |terms| terms.buckets *= 2,
        |terms| terms.receiver_bucket_ids += 1,
        |terms| terms.sender_bucket_ids += 1,
        |terms| terms.bins += 1,
        |terms| terms.equality_bits -= 1,
        |terms| terms.vector_elements += 1,
        |terms| terms.hint_words += 1,
        |terms| terms.receiver_groups += 1,
        |terms| terms.sender_groups *= 2,
        |terms| terms.lanes += 1,
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut terms = blind_terms(&seal);
        change(&mut terms);
        let theirs = Seal {
            protocol: Protocol::Blind(terms),
            ..seal.clone()
        };
        assert_ne!(theirs.hash(), seal.hash(), "parameter {place}");
        let problem = seal.compare(&theirs).expect_err("another protocol");
        assert!(problem.what.contains("the protocol differs"), "{problem}");
    }
}

#[test]
fn a_blind_join_of_other_groups_than_the_plans_is_a_defect() {
    let (stage, north, job) = (stage(), org("north-bank"), table());
    let plan = plan(&job, &north, &stage).expect("a plan");
    let publications = stage.publications(&plan);
    let derived = |change: fn(&mut BlindTerms)| {
        let (protocol, cost) = protocol(&plan, publications);
        let page = statement(&plan, &job, publications, &protocol, cost).expect("a pair's");
        let protocol = match protocol {
            Protocol::Blind(mut terms) => {
                change(&mut terms);
                Protocol::Blind(terms)
            }
            other => other,
        };
        let nonce = JobNonce([1; 16]);
        derive(&job, &north, nonce, &plan, publications, &protocol, &page)
    };
    let seal = derived(|_| ()).expect("as planned");
    assert_eq!(
        blind_terms(&seal).receiver_groups,
        3,
        "river-pay's segments"
    );
    for change in [
        (|terms| terms.receiver_groups += 1) as fn(&mut BlindTerms),
        |terms| terms.sender_groups *= 2,
    ] {
        let problem = derived(change).expect_err("another table");
        assert_eq!(problem.code, Code::Defect);
    }
}
