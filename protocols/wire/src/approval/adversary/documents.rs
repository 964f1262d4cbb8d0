//! Known answers in `protocols/vectors/wire/documents`: one good document of each kind, and the digests derived from them.

use super::vectors::{folder, hold};
use super::*;
use crate::canonical;
use crate::job::SecurityChoice;
use crate::limits::WIRE_VERSION;
use crate::report::{Report, Step};
use crate::seal::{BlindTerms, Transfers, VoleTerms};
use crate::session::{
    Contribution, Control, Opening, SessionNonce, Transcript, id_key, session_id,
};

#[test]
fn documents_keep_their_bytes() {
    let stage = stage();
    let submission = submission(&stage);
    let river_cast = stage.cast(&river());
    let approval: NodeApproval = honest(&stage, &submission)[1]
        .read_unverified(Kind::Approval)
        .expect("ours");
    let problem = Problem::here(
        Code::DataChanged,
        "the file of users changed since it was registered",
        "add it again",
    );
    let report = Report {
        job: submission.hash(),
        attempt: 1,
        step: Step::Failed,
        problem: Some(problem.clone()),
    };
    let nonce = SessionNonce([9; 32]);
    let opening = Opening {
        version: WIRE_VERSION,
        job: submission.hash(),
        attempt: 1,
        dataset_version: Digest([3; 32]),
        ids_rounded: 3_000,
        nonce_commitment: nonce.commitment(),
        continues: None,
        answered_by: None,
    };
    let transcript = Transcript {
        job: submission.hash(),
        attempt: 1,
        sent: Digest([4; 32]),
        received: Digest([5; 32]),
        sent_bytes: 96_000,
        received_bytes: 64_000,
    };
    let publication = river_cast.publications.values().next().expect("published");
    let known: Vec<(&str, Vec<u8>)> = vec![
        ("job", canonical::to_bytes(&submission.job)),
        ("policy", canonical::to_bytes(&publication.policy)),
        ("publication", canonical::to_bytes(publication)),
        ("registry", canonical::to_bytes(&river_cast.registry)),
        ("seal", canonical::to_bytes(&submission.seal)),
        ("seal_vole", canonical::to_bytes(&seal_of_vole(&submission))),
        (
            "seal_blind",
            canonical::to_bytes(&seal_of_blind(&submission)),
        ),
        ("submission", canonical::to_bytes(&submission)),
        ("decision", canonical::to_bytes(&approval.decisions[0])),
        ("approval", canonical::to_bytes(&approval)),
        ("report", canonical::to_bytes(&report)),
        ("problem", canonical::to_bytes(&problem)),
        ("opening", canonical::to_bytes(&opening)),
        ("transcript", canonical::to_bytes(&transcript)),
        (
            "control_open",
            Control::open(&river_cast.node, &river(), opening.clone()).to_bytes(),
        ),
        ("control_nonce", Control::Nonce { nonce }.to_bytes()),
        ("control_working", Control::Working {}.to_bytes()),
        (
            "control_closing",
            Control::closing(&river_cast.node, &river(), transcript).to_bytes(),
        ),
        ("control_abort", Control::Abort { problem }.to_bytes()),
    ];
    for (name, bytes) in known {
        hold(&folder("documents").join(format!("{name}.json")), &bytes);
    }
    hold_digests(&submission, &opening, &nonce);
}

/// The job's name, and what a session derives from both openings.
fn hold_digests(submission: &Submission, opening: &Opening, nonce: &SessionNonce) {
    let ours = Contribution { opening, nonce };
    let digests = format!(
        "H = {}\nname = {}\nsid (both sides alike) = {}\nid key = {}\n",
        submission.hash(),
        submission.hash().short(),
        session_id(ours, ours),
        hex::encode(id_key(ours, ours)),
    );
    hold(&folder("documents").join("digests.txt"), digests.as_bytes());
}

/// The same seal over VOLE-PSI.
fn seal_of_vole(submission: &Submission) -> Seal {
    let terms = VoleTerms {
        version: 1,
        security: SecurityChoice::Malicious,
        code: "expand-convolute 7x24".to_owned(),
        noise: 320,
        buckets: 1,
        receiver_bucket_ids: 4_096,
        sender_bucket_ids: 4_096,
        vector_elements: 5_431,
        tag_bytes: 16,
        lanes: 1,
    };
    Seal {
        protocol: Protocol::Vole(terms),
        ..submission.seal.clone()
    }
}

/// The same seal over the blind join.
fn seal_of_blind(submission: &Submission) -> Seal {
    let terms = BlindTerms {
        version: 1,
        code: "expand-convolute 7x24".to_owned(),
        noise: 320,
        buckets: 1,
        receiver_bucket_ids: 4_096,
        sender_bucket_ids: 4_096,
        bins: 5_448,
        equality_bits: 56,
        vector_elements: 5_431,
        hint_words: 3,
        receiver_groups: 4,
        sender_groups: 4,
        transfers: Transfers::Fast,
        link: None,
        lanes: 1,
    };
    Seal {
        protocol: Protocol::Blind(terms),
        ..submission.seal.clone()
    }
}
