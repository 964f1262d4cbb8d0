//! What is added up, in words, and how far noise moves it.

use crate::leakage::release::{significant, thousandths};
use crate::plan::{Aggregation, MomentKind, SideColumn};
use crate::seal::AggregateTerms;

/// What a moment adds up, in words.
pub(super) fn words(plan: &Aggregation, what: &MomentKind) -> String {
    let measure = |place: usize| {
        let side = plan.sides.first();
        let measure = side.and_then(|side| side.measures.get(place));
        measure.map_or("a measure", |measure| measure.sql.0.as_str())
    };
    match what {
        MomentKind::Ids | MomentKind::Both { .. } => "the number of ids".to_owned(),
        MomentKind::One { column, .. } => match column {
            SideColumn::Value { place } => format!("the sum of {}", measure(*place)),
            SideColumn::Present { place } => {
                format!("how many of them have a value of {}", measure(*place))
            }
            SideColumn::Square { place } => format!("the sum of squares of {}", measure(*place)),
            SideColumn::Product {
                places: [first, second],
            } => {
                format!(
                    "the sum of products of {} and {}",
                    measure(*first),
                    measure(*second)
                )
            }
        },
    }
}

/// A bound on the standard error of a sum: the shares of all parties where those of fewer are the whole noise, √2·b for each whole one.
pub(super) fn error(plan: &Aggregation, terms: &AggregateTerms, place: usize) -> Option<String> {
    const TRILLION: u128 = 1_000_000_000_000;
    let moment = plan.table.moments.get(place)?;
    let noise = plan.table.noise(place)?;
    let variances = 2 * TRILLION * plan.sides.len() as u128;
    let variance = variances.div_ceil(u128::from(terms.noise_parties()).max(1));
    let root = variance.isqrt();
    let factor_millionths = root + u128::from(root * root < variance);
    let side = plan.sides.first()?;
    let scale = |place: usize| {
        side.measures
            .get(place)
            .map_or(0, |measure| usize::from(measure.scale))
    };
    let decimals = match &moment.what {
        MomentKind::One {
            column: SideColumn::Value { place },
            ..
        } => scale(*place),
        MomentKind::One {
            column: SideColumn::Square { place },
            ..
        } => 2 * scale(*place),
        MomentKind::One {
            column: SideColumn::Product {
                places: [first, second],
            },
            ..
        } => scale(*first) + scale(*second),
        _ => 0,
    };
    Some(significant(
        thousandths(noise, factor_millionths),
        decimals + 3,
    ))
}
