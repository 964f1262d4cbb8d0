//! What is signed, and by whom: each kind has a tag of its own, so a signature over one is none over another.

use crate::tags;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of document a record carries. Its tag separates the domains of all signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// [`crate::people::Registry`], signed by the organisation's root key.
    Registry,
    /// [`crate::publication::Publication`], signed by the node key.
    Publication,
    /// [`crate::submission::Submission`], signed by the asker's node key.
    Submission,
    /// [`crate::approval::NodeApproval`], signed by the node key.
    Approval,
    /// [`crate::report::Report`], signed by the node key.
    Report,
    /// [`crate::approval::PersonDecision`], signed by a person's own key; never a record of its own.
    Decision,
    /// [`crate::session::Opening`], signed by the node key; sent to the partner only.
    Opening,
    /// [`crate::session::Transcript`], signed by the node key; sent to the partner only.
    Transcript,
    /// A dataset's manifest, signed by the node key.
    Manifest,
}

impl Kind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Registry,
        Self::Publication,
        Self::Submission,
        Self::Approval,
        Self::Report,
        Self::Decision,
        Self::Opening,
        Self::Transcript,
        Self::Manifest,
    ];

    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Registry => tags::SIGNED_REGISTRY,
            Self::Publication => tags::SIGNED_PUBLICATION,
            Self::Submission => tags::SIGNED_SUBMISSION,
            Self::Approval => tags::SIGNED_APPROVAL,
            Self::Report => tags::SIGNED_REPORT,
            Self::Decision => tags::SIGNED_DECISION,
            Self::Opening => tags::SIGNED_OPENING,
            Self::Transcript => tags::SIGNED_TRANSCRIPT,
            Self::Manifest => tags::SIGNED_MANIFEST,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry => "registry of people",
            Self::Publication => "publication",
            Self::Submission => "submission",
            Self::Approval => "node approval",
            Self::Report => "report",
            Self::Decision => "decision",
            Self::Opening => "session opening",
            Self::Transcript => "transcript",
            Self::Manifest => "manifest",
        })
    }
}
