//! What every job has to be, whoever wrote it and however it came here.

use super::{JOB_VERSION, Job, ProtocolChoice, SecurityChoice};
use crate::canonical;
use crate::flaw::{Flaw, require};
use crate::limits::{
    AGGREGATE_PARTIES_MIN, EXPIRES_UNIX_S_MAX, JOB_BYTES_MAX, PARTIES_MAX, QUESTION_BYTES_MAX,
    RUNS_MAX, WORDS_BYTES_MAX,
};
use crate::names::OrgName;
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
        self.check_parties()?;
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
    /// An aggregation names its parties, one reader among them, and who has to be there; a join none of it.
    fn check_parties(&self) -> Result<(), Flaw> {
        let Some(attendance) = self.aggregate else {
            return require(self.parties.is_empty(), || {
                let fix = "write aggregate: { min_parties: 3, dropouts: 1/3 }";
                Flaw::at(
                    ["aggregate"],
                    "an aggregation does not say who has to take part",
                    fix,
                )
            });
        };
        let parties = self.parties.len();
        let named = |why: &str, fix: &str| {
            let what = format!(
                "{parties} parties are named; an aggregation has {AGGREGATE_PARTIES_MIN} to {PARTIES_MAX}{why}"
            );
            Flaw::at(["parties"], what, fix)
        };
        require(parties >= AGGREGATE_PARTIES_MIN, || {
            named(
                ", because the sum of two would tell each the other's numbers",
                "name further parties, or join two parties' tables instead",
            )
        })?;
        require(parties <= PARTIES_MAX, || named("", "name fewer parties"))?;
        let fewest = attendance.min_parties as usize;
        require((AGGREGATE_PARTIES_MIN..=parties).contains(&fewest), || {
            let what = format!(
                "`min_parties` is {fewest}, which is not between {AGGREGATE_PARTIES_MIN} and the number of parties, {parties}"
            );
            let fix = format!("write {AGGREGATE_PARTIES_MIN} to {parties}");
            Flaw::at(["aggregate", "min_parties"], what, fix)
        })?;
        let most = attendance.colluders_max(parties as u32);
        let asked = attendance.colluders.unwrap_or(most);
        require(asked <= most, || {
            let what = format!(
                "`colluders` is {asked}, and with so many parties that may be missing only {most} can be withstood"
            );
            let fix = format!("write 0 to {most}, or let fewer parties be missing");
            Flaw::at(["aggregate", "colluders"], what, fix)
        })?;
        let readers: Vec<&OrgName> = self.results_to.iter().collect();
        let (what, fix) = match readers.as_slice() {
            [reader] if self.parties.contains(*reader) => return self.check_fixed(),
            [reader] => (
                format!("{reader} reads the table and is not one of its parties"),
                "name one of `parties`, whose own numbers are in the sum",
            ),
            _ => (
                format!(
                    "{} parties would read the table; one node opens the sum",
                    readers.len()
                ),
                "name one of `parties`",
            ),
        };
        Err(Flaw::at(["results_to"], what, fix))
    }

    /// What an author cannot choose in an aggregation.
    fn check_fixed(&self) -> Result<(), Flaw> {
        let chosen = [
            ("security", self.protect.security.is_some()),
            ("protocol", self.protect.protocol.is_some()),
        ];
        let Some((name, _)) = chosen.into_iter().find(|(_, is_chosen)| *is_chosen) else {
            return require(self.runs == 1, || {
                let fix = "write `runs: 1`, and submit the job again for another table";
                Flaw::at(["runs"], "an aggregation gives one table", fix)
            });
        };
        let what = format!("an aggregation has one protocol, so `{name}` says nothing");
        Err(Flaw::at(["protect", name], what, "leave the field out"))
    }

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
mod tests;
