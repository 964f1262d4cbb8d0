//! Who has to take part in an aggregation for its table to open, as the job's author writes it: `aggregate: { min_parties: 3,
//! dropouts: 1/3 }`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How many parties have to be there, and how many may vanish on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attendance {
    /// Fewest parties whose numbers are added up.
    pub min_parties: u32,
    /// Parties that may vanish without ending the round.
    pub dropouts: Dropouts,
    /// Parties that may collude without learning more than the sum of the others, where the author wants fewer than the most: each of them
    /// counted on is a share of the noise that is not.
    pub colluders: Option<u32>,
}

impl Attendance {
    /// How many of so many parties may be missing from the table in the end; `min_parties` counts before `dropouts`.
    pub fn missing_max(self, parties: u32) -> u32 {
        let spare = parties.saturating_sub(self.min_parties);
        self.dropouts.of(parties).min(spare)
    }

    /// How many parties may collude, with each other and the coordinator, at most: with so many missing, N − missing votes still have to
    /// be a quorum ⌊(N + c)/2⌋ + 1 (protocols.md §10), and two honest parties have to be in every sum.
    pub fn colluders_max(self, parties: u32) -> u32 {
        let present = parties.saturating_sub(self.missing_max(parties));
        let by_votes = (2 * present).saturating_sub(parties + 1);
        by_votes.min(present.saturating_sub(2))
    }

    /// How many the round is made for: the author's number, or the most.
    pub fn colluders(self, parties: u32) -> u32 {
        let most = self.colluders_max(parties);
        self.colluders.map_or(most, |asked| asked.min(most))
    }
}

impl Default for Attendance {
    /// Three parties, and a third may vanish.
    fn default() -> Self {
        Self {
            min_parties: 3,
            dropouts: Dropouts { above: 1, below: 3 },
            colluders: None,
        }
    }
}

/// A part of the parties, such as 1/3; of 10 parties that is 3. Smaller than a half: two groups that know nothing of each other could
/// open a sum each otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dropouts {
    above: u32,
    below: u32,
}

/// Largest number in a fraction: there are at most so many parties.
const NUMBER_MAX: u32 = 1_000;

impl Dropouts {
    /// How many of so many parties.
    pub fn of(self, parties: u32) -> u32 {
        let product = u64::from(parties) * u64::from(self.above);
        u32::try_from(product / u64::from(self.below)).unwrap_or(parties)
    }
}

impl fmt::Display for Dropouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.above {
            0 => f.write_str("0"),
            above => write!(f, "{above}/{}", self.below),
        }
    }
}
impl fmt::Debug for Dropouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not a part of the parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is neither 0 nor a fraction below 1/2 such as 1/3")]
pub struct NotAFraction;

impl FromStr for Dropouts {
    type Err = NotAFraction;
    fn from_str(text: &str) -> Result<Self, NotAFraction> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= NUMBER_MAX);
        let (above, below) = match text.split_once('/') {
            None => (Some(0).filter(|_| text == "0"), Some(1)),
            Some((above, below)) => (number(above).filter(|above| *above > 0), number(below)),
        };
        let (above, below) = above.zip(below).ok_or(NotAFraction)?;
        let dropouts = Self { above, below };
        // One text a value: no sign, no zeros in front.
        let is_so = 2 * above < below && dropouts.to_string() == text;
        is_so.then_some(dropouts).ok_or(NotAFraction)
    }
}
impl TryFrom<String> for Dropouts {
    type Error = NotAFraction;
    fn try_from(text: String) -> Result<Self, NotAFraction> {
        text.parse()
    }
}
impl From<Dropouts> for String {
    fn from(dropouts: Dropouts) -> Self {
        dropouts.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colluders_and_the_missing_leave_a_quorum_and_two_honest_parties() {
        let attendance = |min_parties, dropouts: &str| Attendance {
            min_parties,
            dropouts: dropouts.parse().expect("a fraction"),
            colluders: None,
        };
        let both = |attendance: Attendance, parties| {
            (
                attendance.missing_max(parties),
                attendance.colluders(parties),
            )
        };
        // Three are the fewest, so nobody may be missing among three.
        assert_eq!(both(attendance(3, "1/3"), 3), (0, 1));
        assert_eq!(both(attendance(3, "1/3"), 5), (1, 2));
        assert_eq!(both(attendance(3, "1/3"), 10), (3, 3));
        assert_eq!(both(attendance(9, "1/3"), 10), (1, 7));
        assert_eq!(both(attendance(3, "0"), 10), (0, 8));
        for parties in 3..=1_000 {
            for dropouts in ["0", "1/10", "1/3", "2/5", "499/1000"] {
                let (missing, colluders) = both(attendance(3, dropouts), parties);
                let present = parties - missing;
                assert!((parties + colluders) / 2 < present, "{parties} {dropouts}");
                assert!(colluders + 2 <= present, "{parties} {dropouts}");
            }
        }
    }

    #[test]
    fn an_author_can_ask_for_fewer_colluders_and_not_for_more() {
        let asked = |colluders| Attendance {
            colluders,
            ..Attendance::default()
        };
        let ten = [None, Some(0), Some(1), Some(3), Some(4)]
            .map(|colluders| asked(colluders).colluders(10));
        assert_eq!(ten, [3, 0, 1, 3, 3]);
    }

    #[test]
    fn a_fraction_below_a_half_has_one_text() {
        for (text, of_ten) in [
            ("0", 0),
            ("1/3", 3),
            ("2/5", 4),
            ("499/1000", 4),
            ("1/1000", 0),
        ] {
            let dropouts: Dropouts = text.parse().expect(text);
            assert_eq!(
                (dropouts.to_string().as_str(), dropouts.of(10)),
                (text, of_ten)
            );
        }
        for text in [
            "", "1", "1/2", "2/3", "0/3", "1/0", "0/0", "01/3", "1/03", "+1/3", "-1/3", "1/3 ",
            "1/1001", "1/3/4",
        ] {
            assert_eq!(text.parse::<Dropouts>(), Err(NotAFraction), "{text}");
        }
    }
}
