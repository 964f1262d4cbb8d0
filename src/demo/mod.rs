//! `entente demo`: a whole collaboration in a few seconds, from dirty files to a table that is checked against the truth.

mod dice;
mod dirt;
mod likely;
mod narrative;
mod network;
mod oracle;
mod people;
mod question;
mod report;
mod story;
mod verdict;
mod voice;

use crate::cli::Context;
use crate::failure::Failure;
use crate::local_node::block_on;
use crate::service::interruptible;
use clap::Args;
use entente_wire::problem::{Code, Problem};
use narrative::Language;
use network::PARTIES;
use people::{SCALE_MAX, SCALE_MIN};
use std::path::PathBuf;

/// Customers of the bank: a run of a few seconds.
const SCALE_DEFAULT: &str = "10000";

/// Organisations that match their customers.
const TWO: usize = 2;

/// Show a whole collaboration on this machine, checked against the truth.
#[derive(Args)]
pub(crate) struct Demo {
    /// How many organisations: two match their customers; 3 to 16 banks add up their numbers.
    #[arg(long, value_name = "N", default_value_t = TWO, value_parser = parse_parties)]
    parties: usize,
    /// Customers of the bank, the platform has half as many more; or accounts of each bank. 1e6 works too.
    #[arg(long, value_name = "N", default_value = SCALE_DEFAULT, value_parser = parse_scale)]
    scale: u64,
    /// Makes the same data again; a new one each time by default.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Keep data, homes, keys and logs in this folder, which must be empty.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The language it speaks.
    #[arg(long, value_enum, default_value = "en")]
    lang: Language,
}

impl Demo {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let screen = context.screen;
        if self.parties == TWO {
            return block_on(interruptible(story::tell(&self, screen)));
        }
        self.check_rows()?;
        block_on(interruptible(network::tell(&self, screen)))
    }

    /// All banks' rows are made in memory, as many as one bank's could be.
    fn check_rows(&self) -> Result<(), Problem> {
        let accounts = self.scale.saturating_mul(self.parties as u64);
        if accounts <= SCALE_MAX {
            return Ok(());
        }
        Err(Problem::request(
            Code::Argument,
            format!("{} banks would have {accounts} accounts", self.parties),
            format!(
                "choose a --scale of at most {}",
                SCALE_MAX / self.parties as u64
            ),
        ))
    }

    /// The seed that was asked for, or one that nobody chose.
    fn seed(&self) -> u64 {
        // Six digits are easy to type again.
        const SEEDS: u64 = 1_000_000;
        self.seed
            .unwrap_or_else(|| getrandom::u64().unwrap_or_default() % SEEDS)
    }
}

/// Two, or as many as a network can have.
fn parse_parties(text: &str) -> Result<usize, String> {
    let parties = text.parse().ok();
    parties
        .filter(|parties| *parties == TWO || PARTIES.contains(parties))
        .ok_or_else(|| {
            let (fewest, most) = (PARTIES.start(), PARTIES.end());
            format!("the demo has {TWO} organisations, or {fewest} to {most} banks")
        })
}

/// A whole number, also as `1e6`.
fn parse_scale(text: &str) -> Result<u64, String> {
    let rule = || format!("a scale is a whole number from {SCALE_MIN} to {SCALE_MAX}, also as 1e6");
    let scale = match text.split_once(['e', 'E']) {
        None => text.parse().map_err(|_| rule())?,
        Some((digits, exponent)) => {
            let digits: u64 = digits.parse().map_err(|_| rule())?;
            let exponent: u32 = exponent.parse().map_err(|_| rule())?;
            let power = 10_u64.checked_pow(exponent).ok_or_else(rule)?;
            digits.checked_mul(power).ok_or_else(rule)?
        }
    };
    if (SCALE_MIN..=SCALE_MAX).contains(&scale) {
        Ok(scale)
    } else {
        Err(rule())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_has_two_organisations_or_a_few_banks() {
        for (text, parties) in [("2", 2), ("3", 3), ("16", 16)] {
            assert_eq!(parse_parties(text), Ok(parties));
        }
        for bad in ["0", "1", "17", "-3", "three", ""] {
            let told = parse_parties(bad).expect_err(bad);
            assert!(told.contains("3 to 16"), "{told}");
        }
    }

    #[test]
    fn scales_are_whole_numbers_within_limits() {
        assert_eq!(parse_scale("1e6"), Ok(1_000_000));
        assert_eq!(parse_scale("10000"), Ok(10_000));
        for bad in ["0", "1e99", "-1", "1.5e6", "", "e6", "99999999999"] {
            assert!(parse_scale(bad).is_err(), "{bad}");
        }
    }
}
