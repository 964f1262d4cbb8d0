//! A job on its way to the parties: its canonical text and the seal. Every node derives the seal again from its own view.

use crate::job::Job;
use crate::people::Pins;
use crate::problem::Problem;
use crate::seal::{JobHash, Seal};
use crate::sign::{Kind, Record};
use serde::{Deserialize, Serialize};

/// What the asker's node signs and sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The job.
    pub job: Job,
    /// What the asker derived; a node whose own derivation differs declines and says in which part.
    pub seal: Seal,
}

impl Submission {
    /// The submission in `record`, once the asker's pinned node key signed it and its seal is over its job.
    pub fn open(record: &Record, pins: &dyn Pins) -> Result<Self, Problem> {
        let submission: Self = record.open_pinned(Kind::Submission, pins)?;
        if submission.seal.asker != record.org {
            return Err(record.refused(format!("it is asked by {}", submission.seal.asker)));
        }
        if !submission.is_whole() {
            return Err(record.refused("its seal is over another job text"));
        }
        submission.seal.check_parties(&submission.job)?;
        Ok(submission)
    }

    /// `H`.
    pub fn hash(&self) -> JobHash {
        self.seal.hash()
    }

    /// Whether the seal covers exactly this job text.
    pub(crate) fn is_whole(&self) -> bool {
        self.seal.job == self.job.digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::from_bytes;
    use crate::problem::Code;
    use crate::rehearsal::Stage;

    fn good() -> Submission {
        from_bytes(include_bytes!(
            "../../vectors/wire/documents/submission.json"
        ))
        .expect("a good vector")
    }

    #[test]
    fn a_submission_is_taken_from_its_asker_only_and_with_its_own_text() {
        let stage = Stage::default()
            .with_org("north-bank", &[])
            .with_org("river-pay", &[]);
        let [north, river] = ["north-bank", "river-pay"].map(|name| name.parse().expect("a name"));
        let open = |org: &_, submission: &Submission| {
            let record = Record::sign(&stage.cast(org).node, Kind::Submission, org, submission);
            Submission::open(&record, &stage)
        };
        assert_eq!(open(&north, &good()), Ok(good()));
        let by_another = open(&river, &good()).expect_err("river asks in north's name");
        assert!(
            by_another.what.contains("asked by north-bank"),
            "{by_another}"
        );
        let mut another_text = good();
        another_text.job.runs += 1;
        let problem = open(&north, &another_text).expect_err("another text");
        assert_eq!(problem.code, Code::RecordRefused);
        assert!(problem.what.contains("another job text"), "{problem}");
        let mut outside = good();
        outside
            .job
            .results_to
            .insert("harbour-bank".parse().expect("a name"));
        outside.seal.job = outside.job.digest();
        assert_eq!(
            open(&north, &outside).expect_err("an outsider reads").code,
            Code::JobFile
        );
    }
}
