//! Aggregates and what they add up: measures, numbers with a public cap and scale, so that what one person contributes is bounded
//! and sums are proven not to wrap.

use super::call;
use super::checked::{Checked, Form};
use super::expression::Checker;
use super::functions;
use super::refuse::{At, Refusals};
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
    /// `VAR_SAMP(x)`.
    VarSamp,
    /// `STDDEV_SAMP(x)`.
    StddevSamp,
    /// `CORR(y, x)`.
    Corr,
    /// `REGR_SLOPE(y, x)`.
    RegrSlope,
    /// `REGR_INTERCEPT(y, x)`.
    RegrIntercept,
}

impl Aggregate {
    /// As questions call it, and its output where that has no name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CountAll | Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::VarSamp => "var_samp",
            Self::StddevSamp => "stddev_samp",
            Self::Corr => "corr",
            Self::RegrSlope => "regr_slope",
            Self::RegrIntercept => "regr_intercept",
        }
    }

    /// Whether it adds up squares or products, which the blind join alone carries.
    pub(super) fn needs_products(self) -> bool {
        !matches!(self, Self::CountAll | Self::Count | Self::Sum | Self::Avg)
    }
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
    Some(Some(Call { what, arguments }))
}

/// The aggregate of that name with so many arguments.
fn named(name: &str, count: usize, here: At, refusals: &mut Refusals) -> Option<Aggregate> {
    match (name, count) {
        ("count", 1) => Some(Aggregate::Count),
        ("sum", 1) => Some(Aggregate::Sum),
        ("avg", 1) => Some(Aggregate::Avg),
        ("var_samp" | "variance", 1) => Some(Aggregate::VarSamp),
        ("stddev_samp" | "stddev", 1) => Some(Aggregate::StddevSamp),
        ("corr", 2) => Some(Aggregate::Corr),
        ("regr_slope", 2) => Some(Aggregate::RegrSlope),
        ("regr_intercept", 2) => Some(Aggregate::RegrIntercept),
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

/// The measure of `COUNT(x)` where x itself is not added up.
pub(super) fn counted(argument: &Checked<'_>) -> Measure {
    let sql = SqlText(format!(
        "(CASE WHEN ({} IS NULL) THEN NULL ELSE 1 END)",
        argument.sql()
    ));
    Measure {
        sql,
        clip: [0, 1],
        scale: 0,
    }
}

/// The measure of a number that is added up; `name` is that of its cap and scale in the job, where its owner gives none.
pub(super) fn planned(
    argument: &Checked<'_>,
    name: &ColumnName,
    job: &Job,
    used: &mut BTreeSet<ColumnName>,
    refusals: &mut Refusals,
) -> Option<Measure> {
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
