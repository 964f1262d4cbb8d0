//! Jobs that no file could have said.

use super::*;
use crate::canonical::{from_bytes, to_bytes};
use crate::job::{Attendance, Protect};
use crate::names::ColumnName;
use crate::policy::Epsilon;
use std::collections::BTreeSet;

fn good() -> Job {
    from_bytes(include_bytes!("../../../../vectors/wire/job/full.json")).expect("a good vector")
}

/// A job that no file could have said is refused on the way in as well, at `path`.
#[track_caller]
fn refused(path: &[&str], change: impl FnOnce(&mut Job)) {
    let mut job = good();
    change(&mut job);
    let flaw = job.check().expect_err("has to be refused");
    assert_eq!(flaw.path, path, "{flaw}");
    assert!(from_bytes::<Job>(&to_bytes(&job)).is_err());
}

#[test]
fn words_are_there_and_show_what_they_are() {
    refused(&["entente"], |job| job.entente = 2);
    refused(&["purpose"], |job| job.purpose = " \n".to_owned());
    refused(&["purpose"], |job| {
        job.purpose = "x".repeat(WORDS_BYTES_MAX + 1)
    });
    refused(&["legal_basis"], |job| {
        job.legal_basis = "a\u{1b}]0;b".to_owned()
    });
    refused(&["ask"], |job| job.ask = String::new());
    refused(&["ask"], |job| job.ask = "x".repeat(QUESTION_BYTES_MAX + 1));
    refused(&["ask"], |job| job.ask.push('\u{2066}'));
    refused(&["ask"], |job| job.ask.push('\r'));
}

#[test]
fn protection_readers_runs_and_time_have_bounds() {
    refused(&["protect", "epsilon"], |job| {
        job.protect.epsilon = Some(Epsilon(0))
    });
    refused(&["protect", "epsilon"], |job| {
        job.protect.epsilon = Some(Epsilon(u64::MAX))
    });
    refused(&["protect", "min_group"], |job| {
        job.protect.min_group = Some(0)
    });
    refused(&["protect", "security"], |job| {
        job.protect.security = Some(SecurityChoice::Malicious);
        job.protect.protocol = Some(ProtocolChoice::Ecdh);
    });
    refused(&["protect", "security"], |job| {
        job.protect.security = Some(SecurityChoice::Malicious);
        job.protect.protocol = Some(ProtocolChoice::Blind);
    });
    refused(&["results_to"], |job| job.results_to.clear());
    refused(&["results_to"], |job| {
        job.results_to = (0..=PARTIES_MAX)
            .map(|n| format!("o{n}").parse().expect("a name"))
            .collect();
    });
    refused(&["runs"], |job| job.runs = 0);
    refused(&["runs"], |job| job.runs = RUNS_MAX + 1);
    refused(&["expires"], |job| job.expires_unix_s = 0);
    refused(&["expires"], |job| {
        job.expires_unix_s = EXPIRES_UNIX_S_MAX + 1
    });
}

#[test]
fn an_aggregation_names_its_parties_one_reader_and_who_has_to_be_there() {
    let name = |name: &str| -> OrgName { name.parse().expect("a name") };
    let names = |count| {
        (0..count)
            .map(|n| name(&format!("o{n}")))
            .collect::<BTreeSet<_>>()
    };
    let added_up = |job: &mut Job, count| {
        (job.parties, job.results_to) = (names(count), names(1));
        (job.aggregate, job.protect) = (Some(Attendance::default()), Protect::default());
        job.runs = 1;
    };
    refused(&["aggregate"], |job| job.parties = names(3));
    refused(&["parties"], |job| {
        job.aggregate = Some(Attendance::default())
    });
    refused(&["parties"], |job| added_up(job, 2));
    refused(&["parties"], |job| added_up(job, PARTIES_MAX + 1));
    for fewest in [0, 2, 4, u32::MAX] {
        refused(&["aggregate", "min_parties"], |job| {
            added_up(job, 3);
            job.aggregate = job.aggregate.map(|attendance| Attendance {
                min_parties: fewest,
                ..attendance
            });
        });
    }
    for readers in [names(0), names(2), BTreeSet::from([name("o3")])] {
        refused(&["results_to"], |job| {
            added_up(job, 3);
            job.results_to = readers;
        });
    }
    refused(&["protect", "security"], |job| {
        added_up(job, 3);
        job.protect.security = Some(SecurityChoice::SemiHonest);
    });
    refused(&["protect", "protocol"], |job| {
        added_up(job, 3);
        job.protect.protocol = Some(ProtocolChoice::Vole);
    });
    refused(&["runs"], |job| {
        added_up(job, 3);
        job.runs = 2;
    });
    let mut most = good();
    added_up(&mut most, PARTIES_MAX);
    assert_eq!(most.check(), Ok(()));
}

#[test]
fn domains_and_measures_hold_the_rules_of_a_policys() {
    let name = |name: &str| ColumnName(name.to_owned());
    refused(&["domains", "tier"], |job| {
        drop(job.domains.insert(name("tier"), Vec::new()))
    });
    refused(&["domains", ""], |job| {
        drop(job.domains.insert(name(""), vec!["a".to_owned()]))
    });
    let reversed = crate::job::Measure {
        clip: [1, 0],
        scale: 2,
    };
    refused(&["measures", "monthly", "clip"], |job| {
        job.measures.insert(name("monthly"), reversed);
    });
    refused(&[], |job| {
        let values = (0..1_000).map(|n| format!("{n:0>200}"));
        job.domains.insert(name("tier"), values.collect());
    });
}

#[test]
fn a_job_expires_in_the_second_it_names() {
    let job = good();
    assert!(!job.has_expired(0));
    assert!(!job.has_expired(job.expires_unix_s - 1));
    assert!(job.has_expired(job.expires_unix_s));
}
