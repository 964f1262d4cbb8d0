//! What the blind join releases, to whom, and behind how much noise (protocols.md §8): the two parties' entries where neither
//! learns which ids are common, and the words for the sums that are opened.

use super::parties::View;
use super::{Cheat, NOT_PREVENTED, Observer, ProtocolPart, Role, Run, cheat};
use crate::plan::{Joint, MomentKind, NoiseScale, Plan, SideColumn};

/// √2 and √4 in millionths, by the number of parties that add noise.
const NOISE_MILLIONTHS: [u128; 2] = [1_414_214, 2_000_000];
const MILLION: u128 = 1_000_000;
/// Digits of a standard error that are worth reading.
const DIGITS: usize = 3;

/// What R receives, learns and could get.
pub(super) fn receiver(run: &Run<'_>, joint: &Joint, part: &ProtocolPart) -> Observer {
    party(View::receiver(run), joint, &part.receiver)
}

/// What S receives, learns and could get.
pub(super) fn sender(run: &Run<'_>, joint: &Joint, part: &ProtocolPart) -> Observer {
    party(View::sender(run), joint, &part.sender)
}

fn party(view: View<'_>, joint: &Joint, role: &Role) -> Observer {
    let reads = joint.readers.contains(view.me.org());
    let (mut result, mut learns) = (Vec::new(), Vec::new());
    if reads {
        let partner = view.partner.org();
        result.push(view.result());
        result.push(format!(
            "For each group {partner}'s share of whether it is shown, and for each group that is shown {partner}'s shares of its opened sums."
        ));
        learns.extend(table(view, joint));
    } else {
        learns.push(
            "Nothing about the table: no number of it, not which groups are shown, and not how many ids are common."
                .to_owned(),
        );
    }
    learns.push("Not which ids are common.".to_owned());
    let mut cheating = vec![
        view.enters(role.ids_most),
        view.falsifies_share(joint, reads),
    ];
    cheating.extend(role.cheats.iter().cloned());
    cheating.extend(reads.then(|| view.subtracts(joint)));
    cheating.push(view.repeats());
    cheating.push(view.breaks_off(reads));
    view.observer(result, &role.receives, learns, cheating)
}

/// What a reader learns of the table.
fn table(view: View<'_>, joint: &Joint) -> Vec<String> {
    let least = joint.min_group;
    let plan = view.run.plan;
    let count = match joint.epsilon {
        Some(_) => format!("whose number of common ids, with noise, is at least {least}"),
        None => format!("with at least {least} common ids"),
    };
    let own = match joint.noisy_parties() {
        2 => " Its own node's part of the noise it could take off again.",
        _ => "",
    };
    let mut learns = vec![format!(
        "Of each group {count}: {}. Everything shown is computed from these.{own}",
        opened(plan, joint).join("; ")
    )];
    learns.push(
        "Which groups are suppressed, and how many, but no number of theirs: nobody's node learns one. A group without any common \
         id is among them."
            .to_owned(),
    );
    learns.extend(view.about_conditions());
    learns
}

/// The sums that a reader sees, each with its standard error.
fn opened(plan: &Plan, joint: &Joint) -> Vec<String> {
    let moments = joint.moments.iter().enumerate();
    moments
        .filter(|(_, moment)| moment.opened)
        .map(|(place, moment)| {
            let words = words(plan, &moment.what);
            match error(plan, joint, place) {
                Some(error) => format!("{words} (standard error at most {error})"),
                None => words,
            }
        })
        .collect()
}

/// What a moment adds up, in words.
pub(super) fn words(plan: &Plan, what: &MomentKind) -> String {
    match what {
        MomentKind::Ids => "the number of common ids".to_owned(),
        MomentKind::One { side, column } => match column {
            SideColumn::Value { place } => format!("the sum of {}", measure(plan, *side, *place)),
            SideColumn::Present { place } => {
                format!(
                    "how many of them have a value of {}",
                    measure(plan, *side, *place)
                )
            }
            SideColumn::Square { place } => {
                format!("the sum of squares of {}", measure(plan, *side, *place))
            }
            SideColumn::Product {
                places: [first, second],
            } => format!(
                "the sum of products of {} and {}",
                measure(plan, *side, *first),
                measure(plan, *side, *second)
            ),
        },
        MomentKind::Both {
            columns: [first, second],
        } => format!(
            "the sum of products of {} and {}",
            factor(plan, 0, *first),
            factor(plan, 1, *second)
        ),
    }
}

fn factor(plan: &Plan, side: usize, column: SideColumn) -> String {
    let (SideColumn::Value { place }
    | SideColumn::Present { place }
    | SideColumn::Square { place }) = column
    else {
        return "a product".to_owned();
    };
    measure(plan, side, place)
}

/// A measure by its owner and its text.
fn measure(plan: &Plan, side: usize, place: usize) -> String {
    let found = plan
        .sides
        .get(side)
        .and_then(|side| Some((&side.org, side.measures.get(place)?)));
    match found {
        Some((org, measure)) => format!("{org}'s {}", measure.sql.0),
        None => "a measure".to_owned(),
    }
}

/// Decimals of a sum.
fn scale(plan: &Plan, what: &MomentKind) -> usize {
    let of = |side: usize, place: usize| {
        let measure = plan
            .sides
            .get(side)
            .and_then(|side| side.measures.get(place));
        measure.map_or(0, |measure| usize::from(measure.scale))
    };
    let column = |side: usize, column: SideColumn| match column {
        SideColumn::Present { .. } => 0,
        SideColumn::Value { place } => of(side, place),
        SideColumn::Square { place } => 2 * of(side, place),
        SideColumn::Product {
            places: [first, second],
        } => of(side, first) + of(side, second),
    };
    match what {
        MomentKind::Ids => 0,
        MomentKind::One { side, column: one } => column(*side, *one),
        MomentKind::Both {
            columns: [first, second],
        } => column(0, *first) + column(1, *second),
    }
}

/// A bound on the standard error of an opened sum: √2·b for each party that adds noise of scale b, their variances added. Noise is
/// of whole units, whose error is slightly smaller.
pub(super) fn error(plan: &Plan, joint: &Joint, place: usize) -> Option<String> {
    let noise = joint.noise(place)?;
    let factor = NOISE_MILLIONTHS.get(joint.noisy_parties().checked_sub(1)?)?;
    let what = &joint.moments.get(place)?.what;
    Some(significant(
        thousandths(noise, *factor),
        scale(plan, what) + 3,
    ))
}

/// A multiple of the scale of noise, in thousandths of a unit, so that a small count's error has its decimals too.
pub(super) fn thousandths(noise: NoiseScale, factor_millionths: u128) -> u128 {
    let below = u128::from(noise.denominator);
    match noise.numerator.checked_mul(factor_millionths * 1_000) {
        Some(product) => product / (below * MILLION),
        None => (noise.numerator / below).saturating_mul(factor_millionths * 1_000 / MILLION),
    }
}

/// `units` of 10^-`scale` with [`DIGITS`] digits that count, rounded up.
pub(super) fn significant(units: u128, scale: usize) -> String {
    let digits = units.to_string().len();
    let dropped = digits.saturating_sub(DIGITS).min(scale + digits);
    let step = 10_u128.pow(u32::try_from(dropped).unwrap_or(0));
    let rounded = units.div_ceil(step).saturating_mul(step);
    let text = format!("{rounded:0>width$}", width = scale + 1);
    let (whole, decimals) = text.split_at(text.len() - scale);
    match decimals.trim_end_matches('0') {
        "" => whole.to_owned(),
        decimals => format!("{whole}.{decimals}"),
    }
}

impl View<'_> {
    /// The threshold and all sums are computed from what both nodes hold.
    fn falsifies_share(self, joint: &Joint, reads: bool) -> Cheat {
        let covered = match joint.epsilon.filter(|_| reads) {
            Some(_) => {
                "; the partner's noise covers what keeps to the caps only: by a larger number, or one that counts several times, it could \
                 find out whether an id of its choice is common"
            }
            None => "",
        };
        cheat(
            "Leave out ids or invent some, or change its shares of the table, so that the result is wrong or a group is shown that \
             is smaller than allowed.",
            format!("{NOT_PREVENTED}{covered}; its signed dataset version is on record"),
        )
    }

    /// What tables tell beside each other.
    fn subtracts(self, joint: &Joint) -> Cheat {
        let partner = self.partner.org();
        let budget = &self.partner.publication.policy.budget;
        match joint.epsilon {
            Some(_) => cheat(
                "Ask slightly different questions and subtract the tables, or ask one often, to find out about one person.",
                format!(
                    "{partner}'s noise and its node's budget: all runs over its dataset together lose at most {} in a year",
                    budget.epsilon_per_year
                ),
            ),
            None => cheat(
                "Ask slightly different questions and subtract the exact tables, or a table and what it knows already.",
                format!(
                    "{NOT_PREVENTED} by noise, there is none; each question needs its own approvals, at most {} in 30 days",
                    budget.jobs_per_30d
                ),
            ),
        }
    }

    fn breaks_off(self, reads: bool) -> Cheat {
        let partner = self.partner.org();
        match reads {
            true => cheat(
                "Break off once it has the table, or a part of it.",
                format!(
                    "{NOT_PREVENTED}; {partner}'s node books the attempt and its loss before anything is opened"
                ),
            ),
            false => cheat(
                "Break off in the middle.",
                format!("{NOT_PREVENTED}; the table is lost, nothing is learned from it"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::significant;

    #[test]
    fn errors_are_shown_with_three_digits_and_never_too_small() {
        for (units, scale, text) in [
            (8_486, 3, "8.49"),
            (2_829, 3, "2.83"),
            (28_290_000, 5, "283"),
            (282_901, 3, "283"),
            (0, 3, "0"),
            (7, 5, "0.00007"),
            (999_999, 3, "1000"),
        ] {
            assert_eq!(significant(units, scale), text);
        }
    }
}
