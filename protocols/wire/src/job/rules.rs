//! What every job has to be, whoever wrote it and however it came here.

use super::{JOB_VERSION, Job, ProtocolChoice, SecurityChoice};
use crate::canonical;
use crate::flaw::{Flaw, require};
use crate::limits::{
    EXPIRES_UNIX_S_MAX, JOB_BYTES_MAX, PARTIES_MAX, QUESTION_BYTES_MAX, RUNS_MAX, WORDS_BYTES_MAX,
};
use crate::policy::rules::{clip, domain};
use crate::printable::is_lines;

impl Job {
    /// The rules that a file's shape alone cannot hold.
    pub(crate) fn check(&self) -> Result<(), Flaw> {
        require(self.entente == JOB_VERSION, || {
            Flaw::at(
                ["entente"],
                "the job is of another version of the language",
                "write 1",
            )
        })?;
        self.check_words()?;
        self.check_protection()?;
        for (name, values) in &self.domains {
            name.check()
                .and_then(|()| domain(values))
                .map_err(|flaw| flaw.within(["domains", &name.0]))?;
        }
        for (name, measure) in &self.measures {
            name.check()
                .and_then(|()| clip(measure.clip, measure.scale))
                .map_err(|flaw| flaw.within(["measures", &name.0]))?;
        }
        require(canonical::to_bytes(self).len() <= JOB_BYTES_MAX, || {
            let what = format!("the whole job is longer than {JOB_BYTES_MAX} bytes");
            Flaw::at([], what, "shorten its domains")
        })
    }

    fn check_words(&self) -> Result<(), Flaw> {
        for (name, text) in [
            ("purpose", &self.purpose),
            ("legal_basis", &self.legal_basis),
        ] {
            require(is_lines(text, WORDS_BYTES_MAX), || {
                Flaw::at(
                    [name],
                    format!(
                        "the text is blank, longer than {WORDS_BYTES_MAX} bytes or has control characters"
                    ),
                    "write one or two plain sentences",
                )
            })?;
        }
        require(is_lines(&self.ask, QUESTION_BYTES_MAX), || {
            Flaw::at(
                ["ask"],
                format!(
                    "the question is blank, longer than {QUESTION_BYTES_MAX} bytes or has invisible characters"
                ),
                "write one SQL question in plain characters",
            )
        })
    }

    fn check_protection(&self) -> Result<(), Flaw> {
        if let Some(epsilon) = self.protect.epsilon {
            require(epsilon.0 > 0, || {
                Flaw::at(
                    ["protect", "epsilon"],
                    "epsilon is 0, so no answer could be given",
                    "write a number such as 1.0, or none",
                )
            })?;
            epsilon
                .check()
                .map_err(|flaw| flaw.within(["protect", "epsilon"]))?;
        }
        require(self.protect.min_group != Some(0), || {
            Flaw::at(
                ["protect", "min_group"],
                "groups of 0 ids cannot be shown",
                "write 1 or more, or leave the field out",
            )
        })?;
        self.check_security()?;
        require((1..=PARTIES_MAX).contains(&self.results_to.len()), || {
            Flaw::at(
                ["results_to"],
                "nobody would read the answer",
                "name the organisation that reads it",
            )
        })?;
        require((1..=RUNS_MAX).contains(&self.runs), || {
            Flaw::at(
                ["runs"],
                format!("a job runs 1 to {RUNS_MAX} times"),
                "write `runs: 1`",
            )
        })?;
        require(
            (1..=EXPIRES_UNIX_S_MAX).contains(&self.expires_unix_s),
            || {
                Flaw::at(
                    ["expires"],
                    "the moment is after the year 9999",
                    "write a moment within a few months",
                )
            },
        )
    }
}

impl Job {
    /// Only VOLE-PSI has a mode against parties that cheat.
    fn check_security(&self) -> Result<(), Flaw> {
        if self.protect.security != Some(SecurityChoice::Malicious) {
            return Ok(());
        }
        let (name, written) = match self.protect.protocol {
            None | Some(ProtocolChoice::Vole) => return Ok(()),
            Some(ProtocolChoice::Ecdh) => ("ECDH-PSI", "ecdh"),
            Some(ProtocolChoice::Blind) => ("the blind join", "blind"),
        };
        let what = format!(
            "{name} is secure against semi-honest parties only, so `security: malicious` cannot stand with `protocol: {written}`"
        );
        let fix = "take one of the two out; VOLE-PSI can run with `security: malicious`";
        Err(Flaw::at(["protect", "security"], what, fix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{from_bytes, to_bytes};
    use crate::names::ColumnName;
    use crate::policy::Epsilon;

    fn good() -> Job {
        from_bytes(include_bytes!("../../../vectors/wire/job/full.json")).expect("a good vector")
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
}
