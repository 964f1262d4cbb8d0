//! Approvals that must not count.

use crate::jobs::tests::bench::{new_signer, org};
use crate::jobs::tests::pair::Pair;
use crate::jobs::tests::question::{OVERLAP, job};
use entente_wire::approval::{NodeApproval, PersonDecision, SignedDecision, Verdict};
use entente_wire::canonical::{Digest, to_bytes};
use entente_wire::local::JobState;
use entente_wire::problem::Code;
use entente_wire::seal::JobHash;
use entente_wire::sign::{Kind, Record, Signer};

fn forge(pair: &Pair, hash: JobHash, people: &[(&str, &Signer)], node: &Signer) -> Record {
    let decisions = people.iter().map(|(person, signer)| {
        let decision = PersonDecision {
            job: hash,
            org: pair.pay.org.clone(),
            person: person.parse().expect("a name"),
            verdict: Verdict::Approve,
            reason: String::new(),
        };
        SignedDecision::sign(signer, decision)
    });
    let approval = NodeApproval {
        job: hash,
        org: pair.pay.org.clone(),
        registry_version: 1,
        counter: 1,
        journal_head: Digest([0; 32]),
        decisions: decisions.collect(),
    };
    Record::sign(node, Kind::Approval, &pair.pay.org, &approval)
}

#[test]
fn approvals_by_strangers_or_too_few_people_do_not_count() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    pair.bank.approve_all(hash);
    let stranger = new_signer();
    let (mei, ming, li, sam) = (
        &pair.pay.people["mei"],
        &pair.pay.people["ming"],
        &pair.pay.people["li"],
        &pair.pay.people["sam"],
    );
    let node = &pair.pay.key;
    let forgeries = [
        ("nobody", forge(&pair, hash, &[], node)),
        ("one", forge(&pair, hash, &[("mei", mei)], node)),
        (
            "two of one role",
            forge(&pair, hash, &[("mei", mei), ("ming", ming)], node),
        ),
        (
            "one twice",
            forge(&pair, hash, &[("mei", mei), ("mei", mei)], node),
        ),
        (
            "a role not asked for",
            forge(&pair, hash, &[("mei", mei), ("sam", sam)], node),
        ),
        (
            "a stranger",
            forge(&pair, hash, &[("mei", mei), ("eve", &stranger)], node),
        ),
        (
            "another's key",
            forge(&pair, hash, &[("mei", mei), ("li", &stranger)], node),
        ),
        (
            "another node key",
            forge(&pair, hash, &[("mei", mei), ("li", li)], &stranger),
        ),
    ];
    for (what, record) in forgeries {
        pair.bank.jobs().on_record(record.clone());
        assert!(pair.bank.refused(&record), "{what}");
        assert_eq!(pair.bank.state(hash), JobState::AwaitingApprovals, "{what}");
    }
    assert!(pair.bank.dial().is_none());
    let genuine = forge(&pair, hash, &[("mei", mei), ("li", li)], node);
    pair.bank.jobs().on_record(genuine);
    assert_eq!(pair.bank.state(hash), JobState::Ready);
}

#[test]
fn an_approval_of_one_job_does_nothing_for_another() {
    let mut pair = Pair::new();
    let (first, second) = (
        pair.submitted(&job(OVERLAP, "")),
        pair.submitted(&job(OVERLAP, "")),
    );
    assert_ne!(first, second);
    pair.bank.approve_all(second);
    pair.pay.approve_all(first);
    let approval = pair.pay.posted().remove(0);
    pair.bank.jobs().on_record(approval.clone());
    assert_eq!(pair.bank.state(second), JobState::AwaitingApprovals);
    // The same approval, said to be of the other job and signed by somebody else than its node.
    let body = String::from_utf8(approval.body.clone()).expect("JSON");
    let replayed = Record {
        body: body
            .replace(&first.to_string(), &second.to_string())
            .into_bytes(),
        ..approval
    };
    pair.bank.jobs().on_record(replayed.clone());
    assert!(pair.bank.refused(&replayed));
    // A node that signs it itself has people's signatures over the other job.
    let moved: NodeApproval = replayed.read_unverified(Kind::Approval).expect("JSON");
    let signed = Record::sign(&pair.pay.key, Kind::Approval, &pair.pay.org, &moved);
    pair.bank.jobs().on_record(signed.clone());
    assert!(pair.bank.refused(&signed));
    assert_eq!(pair.bank.state(second), JobState::AwaitingApprovals);
}

#[test]
fn decisions_count_only_by_registered_people_with_an_asked_role_and_their_own_key() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    let bank = &pair.bank;
    let code = |person: &str, verdict| {
        let (body, signature) = bank.decision(hash, person, verdict);
        bank.jobs()
            .decide(&body, &signature)
            .expect_err("refused")
            .code
    };
    assert_eq!(code("sam", Verdict::Approve), Code::ApprovalRefused);
    assert_eq!(code("sam", Verdict::Deny), Code::ApprovalRefused);
    let (body, _) = bank.decision(hash, "mei", Verdict::Approve);
    let (_, other) = bank.decision(hash, "li", Verdict::Approve);
    assert_eq!(
        bank.jobs()
            .decide(&body, &other)
            .expect_err("not hers")
            .code,
        Code::ApprovalRefused
    );
    assert_eq!(
        bank.jobs()
            .decide(b"{}", &other)
            .expect_err("no decision")
            .code,
        Code::ApprovalRefused
    );
    assert_eq!(bank.state(hash), JobState::AwaitingApprovals);
    assert!(
        bank.ledger()
            .job(&hash)
            .expect("reads")
            .iter()
            .all(|entry| !matches!(entry.fact, crate::ledger::Fact::Decided { .. }))
    );
}

#[test]
fn a_decision_for_a_partner_is_refused_here() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    let (body, signature) = pair.pay.decision(hash, "mei", Verdict::Approve);
    let problem = pair
        .bank
        .jobs()
        .decide(&body, &signature)
        .expect_err("another organisation");
    assert_eq!(problem.code, Code::ApprovalRefused);
}

#[test]
fn two_people_of_one_role_are_one_voice() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    pair.bank.approve(hash, "mei").expect("counts");
    let problem = pair.bank.approve(hash, "ming").expect_err("adds nothing");
    assert_eq!(problem.code, Code::ApprovalRefused);
    let view = pair.bank.view(hash);
    let own = view
        .waiting_for
        .iter()
        .find(|waiting| waiting.org == pair.bank.org)
        .expect("waits");
    let roles: Vec<&str> = own.of.iter().map(|role| role.as_str()).collect();
    assert_eq!((own.need, roles), (1, vec!["data-owner"]));
}

#[test]
fn the_same_decision_twice_is_one() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    let (body, signature) = pair.bank.decision(hash, "mei", Verdict::Approve);
    pair.bank.jobs().decide(&body, &signature).expect("counts");
    let before = pair.bank.ledger().head();
    pair.bank.jobs().decide(&body, &signature).expect("known");
    assert_eq!(pair.bank.ledger().head(), before);
}

#[test]
fn a_denial_is_final_at_both_nodes() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    pair.bank.approve_all(hash);
    pair.pay.approve(hash, "li").expect("counts");
    pair.pay.deny(hash, "mei").expect("counts");
    pair.deliver();
    for node in [&pair.bank, &pair.pay] {
        let view = node.view(hash);
        assert_eq!(view.state, JobState::Failed);
        assert!(view.problem.expect("a reason").what.contains("as agreed"));
    }
    for person in ["mei", "ming"] {
        assert!(pair.pay.approve(hash, person).is_err());
    }
    let late = forge(
        &pair,
        hash,
        &[
            ("mei", &pair.pay.people["mei"]),
            ("li", &pair.pay.people["li"]),
        ],
        &pair.pay.key,
    );
    pair.bank.jobs().on_record(late);
    assert_eq!(pair.bank.state(hash), JobState::Failed);
    assert!(pair.bank.dial().is_none());
}

#[test]
fn a_denial_counts_until_the_data_is_read() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    assert_eq!(pair.pay.state(hash), JobState::Ready);
    pair.pay.deny(hash, "ming").expect("second thoughts");
    let grant = pair.bank.dial().expect("granted");
    let opening = pair
        .bank
        .jobs()
        .opening(&grant, Digest([1; 32]))
        .expect("opens");
    assert!(
        pair.pay
            .jobs()
            .admit_session(&org("north-bank"), &opening)
            .is_err()
    );
}

#[test]
fn a_person_removed_after_approving_does_not_count_any_more() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    pair.pay.approve_all(hash);
    let approval = pair.pay.posted().remove(0);
    // The bank hears of the removal first.
    let mut registry: entente_wire::people::Registry = pair
        .pay
        .registry(2)
        .read_unverified(Kind::Registry)
        .expect("ours");
    registry.people.remove(&"li".parse().expect("a name"));
    let record = Record::sign(&pair.pay.root, Kind::Registry, &pair.pay.org, &registry);
    pair.bank.jobs().on_record(record);
    pair.bank.jobs().on_record(approval.clone());
    assert!(pair.bank.refused(&approval));
}

#[test]
fn a_node_approval_names_its_place_in_the_journal() {
    let mut pair = Pair::new();
    let hash = pair.submitted(&job(OVERLAP, ""));
    pair.pay.approve(hash, "mei").expect("counts");
    pair.pay.approve(hash, "li").expect("counts");
    let record = pair.pay.posted().remove(0);
    let approval: NodeApproval = record.read_unverified(Kind::Approval).expect("an approval");
    let facts = pair.pay.ledger().job(&hash).expect("reads");
    assert_eq!(approval.counter, 1);
    let given = facts
        .iter()
        .filter(|entry| matches!(entry.fact, crate::ledger::Fact::ApprovalGiven { .. }));
    assert_eq!(given.count(), 1);
    assert_ne!(approval.journal_head, pair.pay.ledger().head().digest);
    assert_eq!(to_bytes(&approval), record.body);
}
