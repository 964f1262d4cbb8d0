//! Errors as people see them: what happened, on whose side, what to do, and a code that never changes meaning.

use crate::names::OrgName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A problem that a person can act on. Holds counts, names and job ids; never identifiers, rows or keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable.
    pub code: Code,
    /// On whose side.
    pub side: Side,
    /// What happened, one sentence.
    pub what: String,
    /// What to do, one sentence.
    pub todo: String,
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.code, self.what, self.side)
    }
}

/// On whose side something went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Side {
    /// What the person typed or wrote.
    Request,
    /// This organisation's own node or data.
    Here,
    /// A partner.
    Partner {
        /// Which.
        org: OrgName,
    },
    /// The coordinator.
    Coordinator,
    /// The way between.
    Network,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("in the request"),
            Self::Here => f.write_str("on this side"),
            Self::Partner { org } => write!(f, "on {org}'s side"),
            Self::Coordinator => f.write_str("at the coordinator"),
            Self::Network => f.write_str("on the network"),
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// Stable error codes. The first digit is the area: 1 request, 2 policy, 3 job, 4 data, 5 linking and people,
        /// 6 session and protocol, 7 coordinator, 8 this node, 9 a defect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])* #[serde(rename = $number)] $name,)*
        }
        impl Code {
            /// All codes, for the documentation and the test that no two are equal.
            pub const ALL: &[Self] = &[$(Self::$name),*];
            /// As printed: `E2103`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $number,)* }
            }
            /// What the code says by itself, one sentence that holds nothing about the case at hand.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

codes! {
    /// The job file is not valid.
    JobFile = "E1001",
    /// The question is outside the language.
    Question = "E1002",
    /// A name, path or option is not valid.
    Argument = "E1003",
    /// The policy file is not valid.
    PolicyFile = "E2001",
    /// A policy does not allow what the job asks.
    PolicyRefuses = "E2101",
    /// A budget is used up.
    BudgetUsedUp = "E2102",
    /// The set is smaller than a policy allows.
    SetTooSmall = "E2103",
    /// No such job here.
    JobUnknown = "E3001",
    /// The job has expired.
    JobExpired = "E3002",
    /// The job has run as often as it may.
    JobUsed = "E3003",
    /// This node derives another `H` than the asker.
    JobDiffers = "E3004",
    /// The job is not in a state in which this can be done.
    JobState = "E3005",
    /// The result is not for this organisation.
    ResultNotYours = "E3006",
    /// An approval was refused.
    ApprovalRefused = "E3101",
    /// Approvals are missing.
    ApprovalsMissing = "E3102",
    /// This version cannot carry the question.
    NotInThisVersion = "E3201",
    /// The dataset is unknown.
    DatasetUnknown = "E4001",
    /// The file cannot be read.
    FileUnreadable = "E4002",
    /// The file is not what it says.
    FileMalformed = "E4003",
    /// A column is missing.
    ColumnMissing = "E4004",
    /// No usable ids.
    NoUsableIds = "E4005",
    /// A value is outside its domain or not a number.
    ValueOutside = "E4006",
    /// The file changed since it was registered.
    DataChanged = "E4007",
    /// The partner is not linked.
    PartnerUnknown = "E5001",
    /// The invite cannot be used.
    InviteRefused = "E5002",
    /// A key file is missing or bad.
    KeyFile = "E5003",
    /// The person is not registered.
    PersonUnknown = "E5004",
    /// The partner did not answer at its address.
    PartnerUnreachable = "E6001",
    /// The partner's certificate is not the one expected.
    PartnerNotProven = "E6002",
    /// The partner speaks another version.
    VersionDiffers = "E6003",
    /// The partner stopped answering.
    PartnerSilent = "E6004",
    /// The partner broke the protocol.
    PartnerMisbehaved = "E6005",
    /// The partner ended the session.
    PartnerAborted = "E6006",
    /// A session limit was reached.
    SessionLimit = "E6007",
    /// The coordinator does not answer.
    CoordinatorUnreachable = "E7001",
    /// The coordinator does not know this organisation.
    NotAdmitted = "E7002",
    /// The coordinator refused.
    CoordinatorRefused = "E7003",
    /// The node is not running.
    NodeNotRunning = "E8001",
    /// The home folder is not usable.
    Home = "E8002",
    /// The port is in use.
    PortInUse = "E8003",
    /// The disk is full or failing.
    Disk = "E8004",
    /// The journal is damaged.
    JournalDamaged = "E8005",
    /// A defect in this program.
    Defect = "E9001",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
