//! Words of people that must not count.

use super::*;

#[test]
fn fewer_people_than_the_policy_needs_are_not_enough() {
    let stage = stage();
    let submission = submission(&stage);
    let mei = yes(&stage, &submission, &river(), &["mei"]);
    refused(
        with_river(&stage, mei),
        Code::ApprovalRefused,
        "1 of the 2 approvals that its policy needs are missing; still open: data-owner, security",
    );
    refused(
        with_river(&stage, Vec::new()),
        Code::ApprovalRefused,
        "2 of the 2",
    );
}

#[test]
fn two_people_with_one_role_count_once() {
    let stage = stage();
    let submission = submission(&stage);
    let both = yes(&stage, &submission, &river(), &["lin", "kai"]);
    refused(
        with_river(&stage, both),
        Code::ApprovalRefused,
        "data-owner has decided already",
    );
}

#[test]
fn one_person_cannot_approve_twice() {
    let stage = stage();
    let submission = submission(&stage);
    let twice = yes(&stage, &submission, &river(), &["mei", "mei"]);
    refused(
        with_river(&stage, twice),
        Code::ApprovalRefused,
        "decided already",
    );
}

#[test]
fn a_role_that_the_policy_does_not_ask_for_does_not_count() {
    let stage = stage();
    let submission = submission(&stage);
    let intern = yes(&stage, &submission, &river(), &["mei", "tao"]);
    refused(
        with_river(&stage, intern),
        Code::ApprovalRefused,
        "tao decides as intern",
    );
}

#[test]
fn a_person_of_another_organisation_does_not_count() {
    let stage = stage();
    let submission = submission(&stage);
    let mut decisions = yes(&stage, &submission, &river(), &["mei"]);
    decisions.extend(yes(&stage, &submission, &north(), &["bo"]));
    refused(
        with_river(&stage, decisions),
        Code::ApprovalRefused,
        "given for north-bank",
    );

    let mut relabelled = yes(&stage, &submission, &river(), &["mei"]);
    let mut bo = yes(&stage, &submission, &north(), &["bo"]).remove(0);
    bo.decision.org = river();
    relabelled.push(bo);
    refused(
        with_river(&stage, relabelled),
        Code::PersonUnknown,
        "bo is not registered at river-pay",
    );
}

#[test]
fn a_decision_under_another_persons_name_is_refused() {
    let stage = stage();
    let submission = submission(&stage);
    let mut decisions = yes(&stage, &submission, &river(), &["mei", "kai"]);
    decisions[1].decision.person = "lin".parse().expect("a name");
    refused(
        with_river(&stage, decisions),
        Code::ApprovalRefused,
        "not by the key registered for lin",
    );
}

#[test]
fn a_denial_cannot_be_carried_as_an_approval() {
    let stage = stage();
    let submission = submission(&stage);
    let mut decisions = yes(&stage, &submission, &river(), &["mei", "lin"]);
    decisions.push(stage.decision(&river(), "kai", submission.hash(), Verdict::Deny));
    refused(
        with_river(&stage, decisions.clone()),
        Code::ApprovalRefused,
        "kai's denial",
    );
    decisions[2].decision.verdict = Verdict::Approve;
    refused(
        with_river(&stage, decisions),
        Code::ApprovalRefused,
        "not by the key",
    );
}

#[test]
fn a_person_removed_or_moved_since_does_not_count() {
    let mut stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    let cast = stage.orgs.get_mut(&river()).expect("on the stage");
    let role = "intern".parse().expect("a role");
    let moved = cast
        .registry
        .next(|next| next.people.get_mut(&person("lin")).expect("known").role = role);
    let removed = cast
        .registry
        .next(|next| drop(next.people.remove(&person("lin"))));
    cast.registry = moved.expect("valid");
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "lin decides as intern",
    );
    let cast = stage.orgs.get_mut(&river()).expect("on the stage");
    cast.registry = removed.expect("valid");
    refused(
        check(&stage, &submission, &approvals),
        Code::PersonUnknown,
        "lin is not registered",
    );
}

#[test]
fn a_ballot_tells_what_is_still_missing() {
    let stage = stage();
    let submission = submission(&stage);
    let quorum = &stage
        .cast(&river())
        .publications
        .values()
        .next()
        .expect("published")
        .policy
        .approvers;
    let mut ballot = Ballot::new(submission.hash(), quorum, &stage.cast(&river()).registry);
    assert_eq!((ballot.missing(), ballot.is_met()), (2, false));
    let mut words = yes(&stage, &submission, &river(), &["lin", "kai", "mei"]).into_iter();
    ballot.add(words.next().expect("lin")).expect("counts");
    ballot
        .add(words.next().expect("kai"))
        .expect_err("the same role");
    assert_eq!(ballot.missing(), 1);
    let open: Vec<String> = ballot
        .open_roles()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(open, ["compliance", "security"]);
    ballot.add(words.next().expect("mei")).expect("counts");
    assert!(ballot.is_met());
    // A colleague's no counts even where the role has said yes, and ends it.
    let no = stage.decision(&river(), "kai", submission.hash(), Verdict::Deny);
    ballot.add(no).expect("a denial is a decision");
    assert!(!ballot.is_met() && ballot.denial().is_some());
    let late = yes(&stage, &submission, &river(), &["mei"]).remove(0);
    assert!(matches!(ballot.add(late), Err(Refusal::Denied { .. })));
}

#[test]
fn a_stranger_cannot_deny() {
    let stage = stage();
    let submission = submission(&stage);
    let quorum = &stage
        .cast(&river())
        .publications
        .values()
        .next()
        .expect("published")
        .policy
        .approvers;
    let mut ballot = Ballot::new(submission.hash(), quorum, &stage.cast(&river()).registry);
    let intern = stage.decision(&river(), "tao", submission.hash(), Verdict::Deny);
    assert!(matches!(
        ballot.add(intern),
        Err(Refusal::RoleNotAsked { .. })
    ));
    let mut forged = stage.decision(&river(), "tao", submission.hash(), Verdict::Deny);
    forged.decision.person = person("mei");
    assert!(matches!(
        ballot.add(forged),
        Err(Refusal::BadSignature { .. })
    ));
    assert!(ballot.denial().is_none());
}

#[test]
fn a_decision_comes_in_as_the_bytes_that_were_signed() {
    let stage = stage();
    let submission = submission(&stage);
    let signed = yes(&stage, &submission, &river(), &["mei"]).remove(0);
    let body = crate::canonical::to_bytes(&signed.decision);
    let back = SignedDecision::from_parts(&body, &signed.signature.0).expect("own bytes");
    assert_eq!(back, signed);
    assert!(SignedDecision::from_parts(&body, &signed.signature.0[1..]).is_err());
    let spaced = [b" ", body.as_slice()].concat();
    assert!(SignedDecision::from_parts(&spaced, &signed.signature.0).is_err());
    let mut silent = signed.decision.clone();
    (silent.verdict, silent.reason) = (Verdict::Deny, " ".to_owned());
    assert!(
        PersonDecision::from_bytes(&crate::canonical::to_bytes(&silent)).is_err(),
        "a denial needs a reason"
    );
}

#[test]
fn more_decisions_than_a_quorum_can_have_roles_are_not_read() {
    let stage = stage();
    let submission = submission(&stage);
    let mei = yes(&stage, &submission, &river(), &["mei"]);
    let many = vec![mei[0].clone(); ROLES_MAX + 1];
    refused(
        with_river(&stage, many),
        Code::ApprovalRefused,
        "more than 32 decisions",
    );
}
