//! Every domain tag under which organisations hash or sign. Two uses never share a tag, so a digest or a signature made for one
//! purpose means nothing for another; a test holds the list.

/// A canonical [`crate::job::Job`], as it stands in `H`.
pub const JOB: &str = "entente/1/job";
/// A [`crate::plan::Plan`], as it stands in `H`.
pub const PLAN: &str = "entente/1/plan";
/// A [`crate::plan::Aggregation`], as it stands in `H`.
pub const AGGREGATION: &str = "entente/1/aggregation";
/// A [`crate::policy::Policy`], as it stands in `H`.
pub const POLICY: &str = "entente/1/policy";
/// A [`crate::publication::Schema`], as it stands in `H`.
pub const SCHEMA: &str = "entente/1/schema";
/// A [`crate::leakage::Statement`], as it stands in `H`.
pub const LEAKAGE: &str = "entente/1/leakage";
/// A [`crate::seal::Seal`]; the digest is `H`.
pub const SEAL: &str = "entente/1/seal";
/// The commitment to a session's nonce.
pub const NONCE: &str = "entente/1/nonce";
/// The identity of a session, which every protocol hash takes in.
pub const SESSION: &str = "entente/1/session";
/// The key under which ids are digested in one session.
pub const ID_KEY: &str = "entente/1/id-key";
/// An [`crate::session::Opening`] inside a session's identity.
pub const OPENING_DIGEST: &str = "entente/1/opening-digest";
/// Signature of a [`crate::people::Registry`].
pub const SIGNED_REGISTRY: &str = "entente/1/registry";
/// Signature of a [`crate::publication::Publication`].
pub const SIGNED_PUBLICATION: &str = "entente/1/publication";
/// Signature of a [`crate::submission::Submission`].
pub const SIGNED_SUBMISSION: &str = "entente/1/submission";
/// Signature of a [`crate::approval::NodeApproval`].
pub const SIGNED_APPROVAL: &str = "entente/1/approval";
/// Signature of a [`crate::report::Report`].
pub const SIGNED_REPORT: &str = "entente/1/report";
/// Signature of a [`crate::approval::PersonDecision`].
pub const SIGNED_DECISION: &str = "entente/1/decision";
/// Signature of a [`crate::session::Opening`].
pub const SIGNED_OPENING: &str = "entente/1/opening";
/// Signature of a [`crate::session::Transcript`].
pub const SIGNED_TRANSCRIPT: &str = "entente/1/transcript";
/// Signature of a dataset's manifest.
pub const SIGNED_MANIFEST: &str = "entente/1/manifest";

/// All of them.
pub const ALL: &[&str] = &[
    JOB,
    PLAN,
    AGGREGATION,
    POLICY,
    SCHEMA,
    LEAKAGE,
    SEAL,
    NONCE,
    SESSION,
    ID_KEY,
    OPENING_DIGEST,
    SIGNED_REGISTRY,
    SIGNED_PUBLICATION,
    SIGNED_SUBMISSION,
    SIGNED_APPROVAL,
    SIGNED_REPORT,
    SIGNED_DECISION,
    SIGNED_OPENING,
    SIGNED_TRANSCRIPT,
    SIGNED_MANIFEST,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::Kind;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_purposes_share_a_tag() {
        let distinct: BTreeSet<&str> = ALL.iter().copied().collect();
        assert_eq!(distinct.len(), ALL.len());
        let source = include_str!("tags.rs");
        let declared = source
            .lines()
            .filter(|line| line.starts_with("pub const"))
            .count();
        assert_eq!(declared, ALL.len() + 1, "a tag is missing from ALL");
        for tag in ALL {
            assert!(tag.starts_with("entente/1/"), "{tag} has no version");
        }
    }

    #[test]
    fn each_kind_of_signature_has_its_own_tag() {
        let tags: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.tag()).collect();
        assert_eq!(tags.len(), Kind::ALL.len());
        assert!(tags.iter().all(|tag| ALL.contains(tag)));
    }

    #[test]
    fn tags_are_written_nowhere_else_in_this_crate() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("the sources are here") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != "tags.rs") {
                    let text = std::fs::read_to_string(&path).expect("sources are text");
                    assert!(
                        !text.contains("\"entente/1/"),
                        "{} writes a tag",
                        path.display()
                    );
                }
            }
        }
    }
}
