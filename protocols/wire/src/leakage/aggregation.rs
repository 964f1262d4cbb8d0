//! The statement of an aggregation: many parties' tables added up under masks (protocols.md §10). What is computed stands here, in `local`
//! and in `sums`; who sees what, who could break what and how many of them it takes, in `observers`.

mod local;
mod observers;
mod sums;

use super::runs::{column_words, moment, shown};
use super::vole::counted;
use super::{Cost, Statement};
use crate::job::Job;
use crate::names::OrgName;
use crate::plan::{Aggregation, Joint};
use crate::policy::Epsilon;
use crate::problem::Problem;
use crate::publication::Publication;
use crate::seal::{AggregateTerms, Protocol, not_the_plans};

/// Parties, or kinds of local queries, that are spelled out; the job names them all, and the seal holds what each publishes.
const SHOWN: usize = 20;
/// Bits of statistical security of one class of failure in a round (protocols.md, preamble).
const LAMBDA_0: u32 = 43;

/// The statement for `plan`. `publications` stand in the order of [`Aggregation::sides`]; `protocol` is the plan's with its parameters, and
/// `cost` what a round of it costs.
///
/// Errors: the protocol is another one (a defect of the caller).
pub fn aggregation_statement(
    plan: &Aggregation,
    job: &Job,
    publications: &[&Publication],
    protocol: &Protocol,
    cost: Cost,
) -> Result<Statement, Problem> {
    let (Protocol::Aggregate(terms), Some(recipient)) = (protocol, plan.recipient()) else {
        return Err(not_the_plans());
    };
    let round = Round {
        plan,
        job,
        publications,
        terms,
        recipient,
    };
    Ok(Statement {
        runs: round.lines(),
        recipients: vec![recipient.clone()],
        observers: vec![
            round.at_recipient(),
            round.at_others(),
            round.at_coordinator(),
            round.on_the_line(),
        ],
        assumptions: round.assumptions(),
        cost,
    })
}

/// Everything the statement is made from.
struct Round<'a> {
    plan: &'a Aggregation,
    job: &'a Job,
    publications: &'a [&'a Publication],
    terms: &'a AggregateTerms,
    recipient: &'a OrgName,
}

/// Of many entries as many as can be read, and how many more there are.
fn cut(mut entries: Vec<String>) -> Vec<String> {
    let more = entries.len().saturating_sub(SHOWN);
    entries.truncate(SHOWN);
    entries.extend((more > 0).then(|| format!("{more} more")));
    entries
}

/// `1 party`, `2 parties`.
fn parties(count: u32) -> String {
    match count {
        1 => "1 party".to_owned(),
        count => format!("{count} parties"),
    }
}

impl Round<'_> {
    fn table(&self) -> &Joint {
        &self.plan.table
    }

    fn parties(&self) -> usize {
        self.plan.sides.len()
    }

    fn lines(&self) -> Vec<String> {
        let orgs = self.plan.sides.iter().map(|side| side.org.to_string());
        let mut lines = vec![format!(
            "{} parties add up their numbers: {}. No ids are compared: somebody known to several parties counts at each.",
            self.parties(),
            cut(orgs.collect()).join(", ")
        )];
        lines.extend(self.local());
        lines.extend(self.protocol());
        lines.extend([self.result(), self.noise()]);
        let until = moment(self.job.expires_unix_s);
        lines.push(format!(
            "The job gives one table at most, not after {until}."
        ));
        lines
    }

    fn protocol(&self) -> [String; 2] {
        let AggregateTerms {
            version,
            words,
            tag_words,
            survivors_min,
            quorum,
            threshold,
            ..
        } = self.terms;
        let neighbours = match self.terms.picks {
            None => "every two nodes share a mask".to_owned(),
            Some(picks) => format!("each node picks {picks} others to share masks with"),
        };
        let groups = match self.plan.cells() {
            1 => "Without groups,".to_owned(),
            cells => format!("For each of {cells} groups"),
        };
        let moments = self.table().moments.iter();
        let sums: Vec<String> = moments
            .map(|moment| sums::words(self.plan, &moment.what))
            .collect();
        [
            format!(
                "Between the nodes, by way of the coordinator: secure aggregation (protocols.md §10), version {version}. {groups} these are \
                 added up: {}. Each node sends {}, and {tag_words} more by which the sum is checked, under masks that cancel in the sum; \
                 {neighbours}. All are whole numbers of 64 bits, proven not to wrap.",
                sums.join("; "),
                counted(u64::from(*words), "number"),
            ),
            format!(
                "The sum opens only with the numbers of at least {survivors_min} of the {} parties; the others may vanish at any step. {quorum} nodes \
                 sign who is in it before any gives its shares of masks, and {threshold} shares open a mask.",
                self.parties()
            ),
        ]
    }

    /// What is shown to whom.
    fn result(&self) -> String {
        let Joint {
            columns,
            min_group,
            epsilon,
            display,
            ..
        } = self.table();
        let columns: Vec<String> = columns.iter().map(column_words).collect();
        let noisy = epsilon.map_or("", |_| ", counted with noise,");
        let recipient = self.recipient;
        format!(
            "The result is a table of {}{}, for {recipient}, with the number of parties that are in it. {recipient}'s node sees the sums of all \
             groups, and leaves those of fewer than {min_group} ids{noisy} out of the table: it keeps this rule itself, the computation does not \
             enforce it.",
            columns.join(", "),
            shown(display)
        )
    }

    fn noise(&self) -> String {
        let Some(epsilon) = self.table().epsilon else {
            return "The sums are exact, without noise.".to_owned();
        };
        let budget = match self.smallest_budget() {
            Some((org, year)) => format!("; the smallest budget of a year is {org}'s, {year}"),
            None => String::new(),
        };
        let whole = match self.terms.noise_parties() {
            1 => "every share is a whole noise".to_owned(),
            count => format!("the shares of {count} parties are the whole noise"),
        };
        format!(
            "Before its numbers leave, each node adds a share of discrete Laplace noise to each; {whole}, and up to {} are in the sum. A table spends a privacy loss of {epsilon} at every party, shared equally by the {} of a group{budget}.",
            self.parties(),
            counted(self.table().moments.len() as u64, "sum")
        )
    }

    fn smallest_budget(&self) -> Option<(&OrgName, Epsilon)> {
        let budgets = self.publications.iter().map(|publication| {
            let year = publication.policy.budget.epsilon_per_year;
            (&publication.org, year)
        });
        budgets.min_by_key(|(_, year)| *year)
    }

    fn assumptions(&self) -> Vec<String> {
        let colluders = match self.terms.colluders {
            0 => "none".to_owned(),
            most => format!("at most {most}"),
        };
        let mut lines = vec![
            format!(
                "Parties that cheat together, with or without the coordinator: {colluders} of {}, settled before the round begins. Nodes keep what they have \
                 written to disk: each begins a round once, and signs one list of who is in it.",
                self.parties()
            ),
            "The Diffie-Hellman problem is hard on Curve25519, AES and AES-256-GCM are secure, and BLAKE3 behaves like a random function. Curve25519 does not \
             resist a large quantum computer: whoever keeps all that passes through the coordinator may open it then."
                .to_owned(),
            "Ed25519 signatures and SHA-256 cannot be forged; each node's keys are only its own.".to_owned(),
            "Each party answers for its own data: consent, correct ids, one person behind one id.".to_owned(),
        ];
        lines.extend(self.terms.picks.map(|_| {
            format!(
                "Chance alone ends a round that enough parties stay in with a probability of at most 2^-{LAMBDA_0}, if who vanishes does not depend on who \
                 shares masks with whom."
            )
        }));
        lines.extend(self.table().epsilon.map(|_| {
            format!("Chance alone lets noise leave the range of its sum with a probability of at most 2^-{LAMBDA_0} in a round.")
        }));
        lines.push(self.loss());
        lines
    }

    /// What the numbers themselves tell about one person.
    fn loss(&self) -> String {
        match self.table().epsilon {
            None => "The result carries no noise (`epsilon: none`, allowed by all policies): it is not differentially private, and exact numbers can be \
                     subtracted from one another."
                .to_owned(),
            Some(epsilon) => format!(
                "The noise makes the table differentially private with a loss of {epsilon} for each id of one party that is there, is not there, or has \
                 other values within its domains and caps, towards everybody who knows the shares of noise of at most {}. Losses of several tables about \
                 one id add up; somebody known to several parties, or by several ids, loses as much at each.",
                parties(self.terms.colluders.max(1))
            ),
        }
    }
}
