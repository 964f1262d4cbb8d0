//! Node approvals and keys that must not count.

use super::*;

#[test]
fn too_few_approvals_name_everybody_who_is_missing() {
    let stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    refused(
        check(&stage, &submission, &[]),
        Code::ApprovalsMissing,
        "north-bank, river-pay",
    );
    refused(
        check(&stage, &submission, &approvals[..1]),
        Code::ApprovalsMissing,
        "river-pay",
    );
    refused(
        check(&stage, &submission, &approvals[1..]),
        Code::ApprovalsMissing,
        "north-bank",
    );
}

#[test]
fn a_foreign_organisations_approval_is_refused() {
    let stage = stage();
    let submission = submission(&stage);
    let mut approvals = honest(&stage, &submission);
    let harbour = org("harbour-bank");
    let decisions = yes(&stage, &submission, &harbour, &["ada"]);
    approvals.push(stage.node_approval(&harbour, submission.hash(), decisions));
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "takes no part",
    );
}

#[test]
fn one_organisations_approval_cannot_stand_for_two() {
    let stage = stage();
    let submission = submission(&stage);
    let mut approvals = honest(&stage, &submission);
    approvals[1] = approvals[0].clone();
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "twice",
    );
    let mut renamed = honest(&stage, &submission);
    renamed[1] = renamed[0].clone();
    renamed[1].org = river();
    refused(
        check(&stage, &submission, &renamed),
        Code::ApprovalRefused,
        "signature",
    );
}

#[test]
fn an_approval_signed_by_a_node_for_another_organisation_is_refused() {
    let stage = stage();
    let submission = submission(&stage);
    let mut approvals = honest(&stage, &submission);
    let approval = NodeApproval {
        job: submission.hash(),
        org: north(),
        registry_version: 1,
        counter: 1,
        journal_head: Digest([0; 32]),
        decisions: yes(&stage, &submission, &river(), &["mei", "lin"]),
    };
    approvals[1] = Record::sign(
        &stage.cast(&river()).node,
        Kind::Approval,
        &river(),
        &approval,
    );
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "given for north-bank",
    );
}

#[test]
fn a_new_key_voids_what_the_old_one_signed() {
    let mut stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    let cast = stage.orgs.get_mut(&river()).expect("on the stage");
    let old = cast.registry.clone();
    let node_key = signer("new").public_key();
    cast.registry = old.next(|next| next.node_key = node_key).expect("valid");
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "not by river-pay's key",
    );
    let cast = stage.orgs.get_mut(&river()).expect("on the stage");
    let changed =
        old.next(|next| next.people.get_mut(&person("mei")).expect("known").key = node_key);
    cast.registry = changed.expect("valid");
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "registered for mei",
    );
}

#[test]
fn an_approval_under_a_registry_not_seen_yet_waits() {
    let mut stage = stage();
    let submission = submission(&stage);
    let cast = stage.orgs.get_mut(&river()).expect("on the stage");
    let old = cast.registry.clone();
    cast.registry = old.next(|_| ()).expect("valid");
    let approvals = honest(&stage, &submission);
    stage.orgs.get_mut(&river()).expect("on the stage").registry = old;
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalsMissing,
        "version 2",
    );
}

#[test]
fn one_key_cannot_speak_for_both_parties() {
    let mut stage = stage();
    let cast = stage.orgs.get_mut(&north()).expect("on the stage");
    let shared = signer("river-pay/mei");
    cast.registry
        .people
        .get_mut(&person("ada"))
        .expect("known")
        .key = shared.public_key();
    cast.people.insert(person("ada"), shared);
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "another party",
    );
}

#[test]
fn a_stranger_cannot_be_a_party() {
    let mut stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    stage.orgs.remove(&river());
    refused(
        check(&stage, &submission, &approvals),
        Code::PartnerUnknown,
        "river-pay is not linked",
    );
}

#[test]
fn every_flipped_bit_of_an_approval_is_refused() {
    let stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    let body = approvals[1].body.len();
    let signature = approvals[1].signature.len();
    for place in (0..body).step_by(7).chain(body..body + signature) {
        let mut tampered = approvals.clone();
        match place.checked_sub(body) {
            None => tampered[1].body[place] ^= 1 << (place % 8),
            Some(place) => tampered[1].signature[place] ^= 1 << (place % 8),
        }
        check(&stage, &submission, &tampered).expect_err("a flipped bit");
    }
    for signature in [&[][..], &[0; 63], &[0; 64], &[0; 65], &[255; 64]] {
        let mut tampered = approvals.clone();
        tampered[1].signature = signature.to_vec();
        refused(
            check(&stage, &submission, &tampered),
            Code::ApprovalRefused,
            "signature",
        );
    }
}

#[test]
fn a_record_of_another_kind_cannot_pass_as_an_approval() {
    let stage = stage();
    let submission = submission(&stage);
    let mut approvals = honest(&stage, &submission);
    approvals[1].kind = Kind::Report;
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "wrong kind",
    );
    let approval: NodeApproval = honest(&stage, &submission)[1]
        .read_unverified(Kind::Approval)
        .expect("ours");
    let mut as_report = Record::sign(
        &stage.cast(&river()).node,
        Kind::Report,
        &river(),
        &approval,
    );
    as_report.kind = Kind::Approval;
    approvals[1] = as_report;
    refused(
        check(&stage, &submission, &approvals),
        Code::ApprovalRefused,
        "signature",
    );
}

#[test]
fn one_approval_alone_is_held_to_the_same_rules() {
    let stage = stage();
    let submission = submission(&stage);
    let [norths, rivers] = honest(&stage, &submission).try_into().ok().expect("two");
    let alone = |record: &Record| check_one(&submission, &stage, &stage, record);
    assert_eq!(alone(&norths), Ok(()));
    assert_eq!(alone(&rivers), Ok(()));
    let hash = submission.hash();
    let short = stage.node_approval(&river(), hash, yes(&stage, &submission, &river(), &["mei"]));
    assert_eq!(
        alone(&short).expect_err("too few").code,
        Code::ApprovalRefused
    );
    let harbour = org("harbour-bank");
    let foreign = stage.node_approval(&harbour, hash, yes(&stage, &submission, &harbour, &["ada"]));
    assert!(
        alone(&foreign)
            .expect_err("foreign")
            .what
            .contains("takes no part")
    );
    let mut flipped = rivers;
    flipped.signature[5] ^= 1;
    assert!(alone(&flipped).is_err());
}
