//! Aggregates and what they add up: COUNT, SUM and AVG over measures, numbers with a public cap and scale, so that what one
//! person contributes is bounded and a 64-bit sum is proven not to wrap.

use super::call;
use super::checked::{Checked, Form};
use super::expression::Checker;
use super::functions;
use super::refuse::{At, Refusals, shown};
use super::scope::Scope;
use crate::decimal::SCALE_MAX;
use crate::job::Job;
use crate::names::ColumnName;
use crate::plan::{Measure, SqlText};
use crate::policy::Verb;
use sqlparser::ast::{Expr, Function};
use std::collections::BTreeSet;

/// An aggregate of SELECT.
pub(super) struct Call<'c> {
    /// Which.
    pub(super) what: Aggregate,
    /// Over what, each over one side.
    pub(super) arguments: Vec<(usize, Checked<'c>)>,
}

/// The aggregates of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    /// `COUNT(*)`.
    CountAll,
    /// `COUNT(x)`.
    Count,
    /// `SUM(x)`.
    Sum,
    /// `AVG(x)`.
    Avg,
    /// In the language, but needs squares or products, which this version does not carry.
    Later,
}

/// The aggregate that `expr` is, if it is one; the outer `Option` is `None` if it was refused.
pub(super) fn call<'c>(
    expr: &Expr,
    scope: &mut Scope<'c>,
    here: At,
    refusals: &mut Refusals,
) -> Option<Option<Call<'c>>> {
    let Expr::Function(function) = expr else {
        return Some(None);
    };
    if !is_aggregate(function) {
        return Some(None);
    }
    let mut checker = Checker::new(scope, here, refusals);
    let (name, arguments) = call::arguments(function, &mut checker)?;
    if let ("count", [None]) = (name.as_str(), arguments.as_slice()) {
        return Some(Some(Call {
            what: Aggregate::CountAll,
            arguments: Vec::new(),
        }));
    }
    let plain: Option<Vec<&Expr>> = arguments.iter().copied().collect();
    let what = named(&name, arguments.len(), here, checker.refusals)?;
    let Some(plain) = plain else {
        return refusals.question(
            here,
            format!("{name}(*) has no meaning"),
            "COUNT(*) is the only place for *",
        );
    };
    let checked = checker.check_all(plain)?;
    let arguments = own_sides(what, &name, checked, scope, refusals)?;
    if what == Aggregate::Later {
        return refusals.version(
            here,
            format!(
                "{name} needs sums of squares or products, which are not available in this version"
            ),
            "this version carries COUNT, SUM and AVG",
        );
    }
    Some(Some(Call { what, arguments }))
}

/// The aggregate of that name with so many arguments.
fn named(name: &str, count: usize, here: At, refusals: &mut Refusals) -> Option<Aggregate> {
    match (name, count) {
        ("count", 1) => Some(Aggregate::Count),
        ("sum", 1) => Some(Aggregate::Sum),
        ("avg", 1) => Some(Aggregate::Avg),
        ("var_samp" | "stddev_samp", 1) | ("corr" | "regr_slope" | "regr_intercept", 2) => {
            Some(Aggregate::Later)
        }
        ("min" | "max", _) => refusals.question(
            here,
            format!("{name}(…) would show the value of one person"),
            "use AVG, or count the ids of each bin: GROUP BY CASE WHEN x < 100 THEN '0-99' … END",
        ),
        _ => refusals.question(
            here,
            format!("{name} does not take {count} arguments"),
            "correct the arguments",
        ),
    }
}

/// The arguments, each with the one side it is over; what they need of the policies is noted.
fn own_sides<'c>(
    what: Aggregate,
    name: &str,
    checked: Vec<Checked<'c>>,
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<Vec<(usize, Checked<'c>)>> {
    let mut arguments = Vec::with_capacity(checked.len());
    for argument in checked {
        let side = argument.one_side("an aggregate", refusals)?;
        if what != Aggregate::Count && !argument.is_number() {
            let text = format!(
                "{name} needs a number, and this is {}",
                argument.kind_word()
            );
            return refusals.question(argument.at, text, "CAST it, or use COUNT");
        }
        let counts = what == Aggregate::Count;
        argument.note_needs(if counts { Verb::Count } else { Verb::Sum }, scope);
        arguments.push((side, argument));
    }
    Some(arguments)
}

fn is_aggregate(function: &Function) -> bool {
    let name = function.name.to_string().to_ascii_lowercase();
    functions::AGGREGATES.contains(&name.as_str())
}

/// The measure under an aggregate with output name `name`.
pub(super) fn planned(
    what: Aggregate,
    argument: &Checked<'_>,
    name: &ColumnName,
    job: &Job,
    used: &mut BTreeSet<ColumnName>,
    refusals: &mut Refusals,
) -> Option<Measure> {
    if what == Aggregate::Count {
        let sql = SqlText(format!(
            "(CASE WHEN ({} IS NULL) THEN NULL ELSE 1 END)",
            argument.sql()
        ));
        return Some(Measure {
            sql,
            clip: [0, 1],
            scale: 0,
        });
    }
    let own = match &argument.form {
        Form::Column(column) => column
            .policy
            .and_then(|policy| Some((policy.clip?, policy.scale?))),
        _ => None,
    };
    let given = job
        .measures
        .get(name)
        .map(|measure| (measure.clip, measure.scale));
    used.extend(given.map(|_| name.clone()));
    let (clip, scale) = match (own, given) {
        (Some(_), Some(_)) => {
            return refusals.job(
                format!("`measures` gives cap and scale for {name}, whose column has both in its owner's policy"),
                format!("remove {name} from `measures`"),
            );
        }
        (Some(measure), None) | (None, Some(measure)) => measure,
        (None, None) => {
            return refusals.question(
                argument.at,
                format!("{name} has no cap and scale, so nobody could say what one person contributes at most"),
                format!(
                    "give them in the job under `measures: {{ {name}: {{ clip: [0, 1000], scale: 2 }} }}`; a column's owner can \
                     publish `clip` and `scale`"
                ),
            );
        }
    };
    let [low, high] = clip;
    if low > high || scale > SCALE_MAX {
        return refusals.job(
            format!("the cap of {name} goes from {low} to {high} in units of 10^-{scale}"),
            format!("write the smaller bound first, and a scale of at most {SCALE_MAX}"),
        );
    }
    Some(Measure {
        sql: SqlText(argument.sql()),
        clip,
        scale,
    })
}

/// Proves that the sum of one measure over any `ids` ids fits 64 bits with its sign.
pub(super) fn cannot_wrap(
    measure: &Measure,
    ids: u64,
    name: &ColumnName,
    refusals: &mut Refusals,
) -> Option<()> {
    let cap = measure
        .clip
        .iter()
        .map(|bound| bound.unsigned_abs())
        .max()
        .unwrap_or(0);
    if u128::from(cap) * u128::from(ids) < 1_u128 << 63 {
        return Some(());
    }
    refusals.job(
        format!(
            "the sum {} could wrap: {ids} ids times a cap of {cap} (in units of 10^-{}) do not fit 64 bits",
            shown(&name.0),
            measure.scale
        ),
        "lower the cap or keep fewer decimals",
    )
}
