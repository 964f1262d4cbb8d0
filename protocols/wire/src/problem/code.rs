//! Stable error codes: a number that people search for, scripts branch on, and that never changes meaning.
//!
//! The first digit is the area. A code that is no longer given is left out, its number is never used again. The table in
//! `protocols/wire/ERRORS.md` is held against [`Code::ALL`] by a test.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident = $number:literal,)*) => {
        /// A stable error code; its first digit is its [`area`](Code::area). `ERRORS.md` lists them all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $doc] #[serde(rename = $number)] $name,)*
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
                match self { $(Self::$name => $doc,)* }.trim()
            }
        }
    };
}

// One line of documentation a code: it is also the meaning printed in ERRORS.md.
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
    /// A registry of people was refused.
    RegistryRefused = "E5005",
    /// A signed statement was refused.
    RecordRefused = "E5006",
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
    /// A party or the coordinator spoilt the round.
    RoundSpoilt = "E6008",
    /// Too few parties took part.
    TooFewParties = "E6009",
    /// The coordinator does not answer.
    CoordinatorUnreachable = "E7001",
    /// The coordinator does not know this organisation.
    NotAdmitted = "E7002",
    /// The coordinator refused.
    CoordinatorRefused = "E7003",
    /// The coordinator broke the protocol.
    CoordinatorMisbehaved = "E7004",
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

impl Code {
    /// The area a code belongs to, told by its first digit.
    pub fn area(self) -> &'static str {
        match self.as_str().as_bytes().get(1) {
            Some(b'1') => "request",
            Some(b'2') => "policy",
            Some(b'3') => "job",
            Some(b'4') => "data",
            Some(b'5') => "linking and people",
            Some(b'6') => "session and protocol",
            Some(b'7') => "coordinator",
            Some(b'8') => "this node",
            _ => "a defect",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_codes_are_equal_and_each_is_explained() {
        let numbers: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(numbers.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.meaning().len() > 10, "{code} has no meaning");
            assert!(code.meaning().ends_with('.'), "{code} is not a sentence");
            let digits = code.as_str().strip_prefix('E').expect("codes begin with E");
            assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()));
            assert_eq!(code.area() == "a defect", digits.starts_with('9'), "{code}");
        }
    }

    #[test]
    fn a_code_travels_as_its_number() {
        for code in Code::ALL {
            let text = serde_json::to_string(code).expect("a code is a string");
            assert_eq!(text, format!("\"{code}\""));
            assert_eq!(
                serde_json::from_str::<Code>(&text).expect("own text"),
                *code
            );
        }
        assert!(serde_json::from_str::<Code>("\"E0000\"").is_err());
    }

    #[test]
    fn the_table_in_errors_md_is_this_table() {
        let table: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("| {code} | {} | {} |", code.area(), code.meaning()))
            .collect();
        let page = include_str!("../../ERRORS.md");
        let found: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| E"))
            .collect();
        assert_eq!(
            found,
            table,
            "ERRORS.md should hold exactly:\n{}",
            table.join("\n")
        );
    }
}
