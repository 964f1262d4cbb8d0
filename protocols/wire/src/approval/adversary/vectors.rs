//! Known answers in `protocols/vectors/wire/approvals`: whole scenes with their outcome, for other implementations too. Made
//! from fixed seeds, so a change in any byte that organisations agree on shows here. With ENTENTE_WRITE_VECTORS set they are
//! written anew.

use super::*;
use crate::people::Registry;
use crate::sign::Signature;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// A record as text.
#[derive(Clone, Serialize, Deserialize)]
struct Signed {
    org: OrgName,
    body_hex: String,
    signature: Signature,
}

#[derive(Clone, Serialize, Deserialize)]
struct Scene {
    now_unix_s: u64,
    registries: Vec<Registry>,
    publications: Vec<Publication>,
    submission: Submission,
    approvals: Vec<Signed>,
    outcome: Outcome,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Verified(JobHash),
    Refused(Problem),
}

impl Scene {
    fn of(stage: &Stage, submission: &Submission, approvals: &[Record], now_unix_s: u64) -> Self {
        let casts = stage.orgs.values();
        let publications = casts.clone().flat_map(|cast| cast.publications.values());
        let signed = approvals.iter().map(|record| Signed {
            org: record.org.clone(),
            body_hex: hex::encode(&record.body),
            signature: Signature(record.signature.as_slice().try_into().expect("64 bytes")),
        });
        let mut scene = Self {
            now_unix_s,
            registries: casts.map(|cast| cast.registry.clone()).collect(),
            publications: publications.cloned().collect(),
            submission: submission.clone(),
            approvals: signed.collect(),
            outcome: Outcome::Verified(submission.hash()),
        };
        scene.outcome = scene.play();
        scene
    }

    /// Verifies from what stands in the scene alone.
    fn play(&self) -> Outcome {
        let mut stage = Stage::default();
        for registry in &self.registries {
            stage = stage.with_org(registry.org.as_str(), &[]);
            stage
                .orgs
                .get_mut(&registry.org)
                .expect("just added")
                .registry = registry.clone();
        }
        for publication in &self.publications {
            stage = stage.with_publication(publication.clone());
        }
        let approvals: Vec<Record> = self.approvals.iter().map(Signed::record).collect();
        match verify(
            &self.submission,
            &stage,
            &stage,
            &approvals,
            self.now_unix_s,
        ) {
            Ok(verified) => Outcome::Verified(verified.hash()),
            Err(problem) => Outcome::Refused(problem),
        }
    }
}

impl Signed {
    fn record(&self) -> Record {
        Record {
            kind: Kind::Approval,
            org: self.org.clone(),
            body: hex::decode(&self.body_hex).expect("a vector holds hexadecimal digits"),
            signature: self.signature.0.to_vec(),
        }
    }
}

pub(super) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors/wire")
        .join(name)
}

/// Compares with the stored vector, or stores it.
pub(super) fn hold(path: &Path, bytes: &[u8]) {
    if std::env::var_os("ENTENTE_WRITE_VECTORS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, bytes).expect("writable");
    }
    let stored = fs::read(path).expect("the vector is here");
    assert_eq!(
        String::from_utf8_lossy(bytes),
        String::from_utf8_lossy(&stored),
        "{}",
        path.display()
    );
}

/// The honest scene with one thing changed.
fn changed(change: impl FnOnce(&mut Stage, &mut Submission, &mut Vec<Record>)) -> Scene {
    let mut stage = stage();
    let mut submission = submission(&stage);
    let mut approvals = honest(&stage, &submission);
    change(&mut stage, &mut submission, &mut approvals);
    Scene::of(&stage, &submission, &approvals, NOW_UNIX_S)
}

fn river_votes(people: &'static [&'static str]) -> Scene {
    changed(|stage, submission, approvals| {
        let decisions = yes(stage, submission, &river(), people);
        approvals[1] = stage.node_approval(&river(), submission.hash(), decisions);
    })
}

type Named = (&'static str, Scene);

fn scenes() -> Vec<Named> {
    [
        scenes_of_parties(),
        scenes_of_people(),
        scenes_of_jobs(),
        scenes_of_keys(),
    ]
    .concat()
}

fn scenes_of_parties() -> Vec<Named> {
    vec![
        ("honest", changed(|_, _, _| ())),
        (
            "bad_party_missing",
            changed(|_, _, approvals| approvals.truncate(1)),
        ),
        (
            "bad_party_twice",
            changed(|_, _, approvals| approvals.push(approvals[0].clone())),
        ),
        (
            "bad_party_foreign",
            changed(|stage, submission, approvals| {
                let harbour = org("harbour-bank");
                let decisions = yes(stage, submission, &harbour, &["ada"]);
                approvals.push(stage.node_approval(&harbour, submission.hash(), decisions));
            }),
        ),
    ]
}

fn scenes_of_people() -> Vec<Named> {
    vec![
        (
            "more_than_needed",
            changed(|stage, submission, approvals| {
                let decisions = yes(stage, submission, &north(), &["bo", "ada"]);
                approvals[0] = stage.node_approval(&north(), submission.hash(), decisions);
            }),
        ),
        ("bad_one_role_short", river_votes(&["mei"])),
        ("bad_role_twice", river_votes(&["lin", "kai"])),
        ("bad_person_twice", river_votes(&["mei", "mei"])),
        ("bad_role_not_asked", river_votes(&["mei", "tao"])),
        (
            "bad_denial_inside",
            changed(|stage, submission, approvals| {
                let mut decisions = yes(stage, submission, &river(), &["mei", "lin"]);
                decisions.push(stage.decision(&river(), "kai", submission.hash(), Verdict::Deny));
                approvals[1] = stage.node_approval(&river(), submission.hash(), decisions);
            }),
        ),
        (
            "bad_person_removed",
            with_rivers_registry(|next| {
                next.people.remove(&person("lin"));
            }),
        ),
    ]
}

fn scenes_of_jobs() -> Vec<Named> {
    let stage = stage();
    let submission = submission(&stage);
    let approvals = honest(&stage, &submission);
    let late = Scene::of(
        &stage,
        &submission,
        &approvals,
        submission.job.expires_unix_s,
    );
    vec![
        ("bad_expired", late),
        (
            "bad_replayed",
            changed(|_, submission, _| submission.seal.nonce = JobNonce([8; 16])),
        ),
        (
            "bad_words_replayed",
            changed(|stage, submission, approvals| {
                let words = yes(stage, submission, &river(), &["mei", "lin"]);
                submission.seal.nonce = JobNonce([8; 16]);
                *approvals = honest(stage, submission);
                approvals[1] = stage.node_approval(&river(), submission.hash(), words);
            }),
        ),
        (
            "bad_seal_changed",
            changed(|_, submission, _| submission.seal.leakage.0[0] ^= 1),
        ),
        (
            "bad_job_changed",
            changed(|_, submission, _| submission.job.runs = 2),
        ),
        (
            "bad_policy_changed",
            changed(|stage, _, _| {
                let cast = stage.orgs.get_mut(&river()).expect("on the stage");
                let publications = cast.publications.values_mut();
                publications.for_each(|publication| publication.policy.approvers.need = 1);
            }),
        ),
    ]
}

fn scenes_of_keys() -> Vec<Named> {
    vec![
        (
            "bad_node_key_changed",
            with_rivers_registry(|next| next.node_key = signer("new").public_key()),
        ),
        (
            "bad_registry_older_than_approval",
            changed(|stage, submission, approvals| {
                stage
                    .orgs
                    .get_mut(&river())
                    .expect("on the stage")
                    .registry
                    .version = 2;
                *approvals = honest(stage, submission);
                stage
                    .orgs
                    .get_mut(&river())
                    .expect("on the stage")
                    .registry
                    .version = 1;
            }),
        ),
        (
            "bad_signature_flipped",
            changed(|_, _, approvals| approvals[1].signature[0] ^= 1),
        ),
        (
            "bad_body_not_canonical",
            changed(|stage, _, approvals| {
                let spaced = [approvals[1].body.as_slice(), b"\n"].concat();
                let node = &stage.cast(&river()).node;
                approvals[1].signature = node.sign(Kind::Approval, &river(), &spaced).0.to_vec();
                approvals[1].body = spaced;
            }),
        ),
    ]
}

/// The honest scene, after which River's registry was changed.
fn with_rivers_registry(change: impl FnOnce(&mut Registry)) -> Scene {
    changed(|stage, _, _| {
        let registry = &mut stage.orgs.get_mut(&river()).expect("on the stage").registry;
        *registry = registry.next(change).expect("valid");
    })
}

#[test]
fn scenes_of_approvals_end_as_they_always_did() {
    for (name, scene) in scenes() {
        let refused = matches!(scene.outcome, Outcome::Refused(_));
        assert_eq!(
            refused,
            name.starts_with("bad_"),
            "{name}: {:?}",
            scene.outcome
        );
        let mut text = serde_json::to_vec_pretty(&scene).expect("JSON");
        text.push(b'\n');
        let path = folder("approvals").join(format!("{name}.json"));
        hold(&path, &text);
        let stored: Scene =
            serde_json::from_slice(&fs::read(&path).expect("stored")).expect("a scene");
        assert_eq!(stored.play(), stored.outcome, "{name}");
    }
    let stored = fs::read_dir(folder("approvals")).expect("stored").count();
    assert_eq!(stored, scenes().len(), "a vector that no scene makes");
}
