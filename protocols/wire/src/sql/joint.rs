//! Aggregates by the blind join: R by published sizes, every sum that an output needs and no other, each proven not to wrap, and
//! a table of bounded size.

use super::answer::{Output, Shows};
use super::checked::Form;
use super::display;
use super::filters::Filters;
use super::layout::{self, Layout};
use super::operator::{Planned, Understood};
use super::protection::{self, Carries};
use super::refuse::{At, Refusals, shown};
use super::scope::{Scope, Table};
use super::wrap::Sums;
use crate::decimal;
use crate::limits::{BLIND_CELLS_MAX, BLIND_WORDS_MAX, MOMENT_BITS_MAX};
use crate::names::OrgName;
use crate::plan::{
    Cap, GroupKey, Groups, Joint, Measure, Moment, MomentKind, Operator, SideColumn, TableColumn,
};
use std::collections::BTreeSet;

/// Grouping by R's codes is the cheaper one, so that a party whose groups are the only ones is R up to this many times the
/// partner's size (protocols.md §7).
const GROUPING_SIZE_MOST: u64 = 3;

/// The operator of a question that asks for aggregates and may tell nobody which ids are common.
pub(super) fn joint<'c>(
    understood: &Understood<'_, 'c>,
    min_group: u64,
    scope: &mut Scope<'c>,
    refusals: &mut Refusals,
) -> Option<Planned> {
    let Understood {
        job,
        shape,
        keys,
        outputs,
        filters,
        having: _,
        readers,
    } = understood;
    let layout = layout::table(outputs, keys, job, filters, refusals);
    let display = display::display(shape, outputs, keys, scope, refusals);
    protection::noise(Carries::JointTable, job, scope, refusals);
    let complete = no_null_in_pairs(outputs, filters, scope, refusals);
    let layout = layout?;
    let receiver = receiver(scope, &layout.groups)?;
    let groups = groups(&layout.groups, receiver)?;
    let kinds = kinds(&layout, filters);
    size(groups, kinds.len(), refusals)?;
    let sums = Sums {
        ids: scope.ids_min(),
        moments: kinds.len(),
        cells: groups.cells(),
        epsilon: job.protect.epsilon,
    };
    let moments = moments(kinds, &layout, filters, sums, min_group, refusals);
    complete?;
    let reads =
        |(side, table): (usize, &Table<'_>)| readers.contains(side).then(|| table.org.clone());
    let readers: BTreeSet<OrgName> = scope.tables.iter().enumerate().filter_map(reads).collect();
    let joint = Joint {
        columns: layout.columns.clone(),
        moments: moments?,
        min_group,
        epsilon: job.protect.epsilon,
        readers,
        display: display?,
    };
    Some(Planned {
        operator: Operator::Joint(joint),
        layout,
        receiver,
    })
}

/// R: the side with fewer ids, of equal ones the first by name; but the side that alone has groups, if sizes are near enough.
/// It hangs on what is public only.
fn receiver(scope: &Scope<'_>, groups: &[Vec<GroupKey>; 2]) -> Option<usize> {
    let [first, second] = scope.tables.as_slice() else {
        return None;
    };
    let by_size = |table: &Table<'_>| (table.publication.ids_rounded, table.org.clone());
    let smaller = usize::from(by_size(second) < by_size(first));
    let grouping = match groups.each_ref().map(Vec::is_empty) {
        [false, true] => 0,
        [true, false] => 1,
        _ => return Some(smaller),
    };
    let ids = |side: usize| Some(scope.tables.get(side)?.publication.ids_rounded);
    let near = ids(grouping)? <= ids(1 - grouping)?.saturating_mul(GROUPING_SIZE_MOST);
    Some(if near { grouping } else { smaller })
}

fn groups(keys: &[Vec<GroupKey>; 2], receiver: usize) -> Option<Groups> {
    let [receiver, sender] = [keys.get(receiver)?, keys.get(1 - receiver)?];
    Some(Groups::of(receiver, sender))
}

/// Refuses tables with too many cells or words.
fn size(groups: Groups, moments: usize, refusals: &mut Refusals) -> Option<()> {
    let Groups { receiver, sender } = groups;
    let cells = groups.cells();
    let words = cells.saturating_mul(moments as u64);
    if cells <= BLIND_CELLS_MAX && words <= BLIND_WORDS_MAX {
        return Some(());
    }
    let shape = match sender {
        1 => String::new(),
        _ => format!(" ({receiver} by {sender}, which is rounded up to a power of two)"),
    };
    refusals.question(
        At::WHOLE,
        format!(
            "the table would have {cells} cells{shape} and {words} sums; the blind join computes at most {BLIND_CELLS_MAX} cells and \
             {BLIND_WORDS_MAX} sums"
        ),
        "group by fewer keys or by keys with fewer values, or ask for fewer aggregates in one question",
    )
}

/// Everything that the outputs are computed from, the number of ids first, nothing twice.
pub(super) fn kinds(layout: &Layout, filters: &Filters) -> Vec<MomentKind> {
    let mut kinds = vec![MomentKind::Ids];
    for kind in layout
        .columns
        .iter()
        .flat_map(|column| needs(column, layout, filters))
    {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// What one output is computed from; a number of values that WHERE makes the number of ids is just that.
fn needs(column: &TableColumn, layout: &Layout, filters: &Filters) -> Vec<MomentKind> {
    let resolved = |kind| match kind {
        MomentKind::One {
            side,
            column: SideColumn::Present { place },
        } if layout
            .measure(side, place)
            .is_some_and(|measure| filters.exclude_null(side, &measure.sql.0)) =>
        {
            MomentKind::Ids
        }
        kind => kind,
    };
    column.value.moments().into_iter().map(resolved).collect()
}

/// The moments with their caps and bits; those that could wrap are refused, each with what would fit.
fn moments(
    kinds: Vec<MomentKind>,
    layout: &Layout,
    filters: &Filters,
    sums: Sums,
    min_group: u64,
    refusals: &mut Refusals,
) -> Option<Vec<Moment>> {
    let mut moments = Vec::with_capacity(kinds.len());
    let mut clear = Some(());
    for what in kinds {
        let user = layout
            .columns
            .iter()
            .find(|column| needs(column, layout, filters).contains(&what));
        let Some(cap) = cap(&what, layout) else {
            clear = None;
            continue;
        };
        let threshold = if what == MomentKind::Ids {
            min_group
        } else {
            0
        };
        match sums.bits(cap, threshold) {
            Some(bits) => moments.push(Moment {
                opened: user.is_some(),
                bits,
                cap: Cap(cap),
                what,
            }),
            None => clear = could_wrap(&what, cap, user, layout, sums, refusals),
        }
    }
    clear?;
    Some(moments)
}

/// The most that one id adds.
pub(super) fn cap(what: &MomentKind, layout: &Layout) -> Option<u128> {
    match what {
        MomentKind::Ids => Some(1),
        MomentKind::One { side, column } => column_cap(*side, *column, layout),
        MomentKind::Both {
            columns: [first, second],
        } => column_cap(0, *first, layout)?.checked_mul(column_cap(1, *second, layout)?),
    }
}

fn column_cap(side: usize, column: SideColumn, layout: &Layout) -> Option<u128> {
    let of = |place| Some(u128::from(layout.measure(side, place)?.cap()));
    match column {
        SideColumn::Present { .. } => Some(1),
        SideColumn::Value { place } => of(place),
        SideColumn::Square { place } => of(place)?.checked_mul(of(place)?),
        SideColumn::Product {
            places: [first, second],
        } => of(first)?.checked_mul(of(second)?),
    }
}

fn could_wrap<T>(
    what: &MomentKind,
    cap: u128,
    user: Option<&TableColumn>,
    layout: &Layout,
    sums: Sums,
    refusals: &mut Refusals,
) -> Option<T> {
    let user = user.map_or_else(String::new, |column| shown(&column.name.0));
    let (noise, larger) = match sums.epsilon {
        Some(_) => (", with their noise,", ", or spend a larger `epsilon`"),
        None => ("", ""),
    };
    let fits = sums.cap_max();
    let one = |measure: &Measure, cap: u128| {
        let cap = decimal::render(i64::try_from(cap).unwrap_or(i64::MAX), measure.scale);
        let sql = &measure.sql.0;
        format!("for {sql} `clip: [-{cap}, {cap}]` would fit, or keep fewer decimals{larger}")
    };
    let (sum, todo) = match what {
        MomentKind::One {
            side,
            column: SideColumn::Value { place },
        } => ("a sum", one(layout.measure(*side, *place)?, fits)),
        MomentKind::One {
            side,
            column: SideColumn::Square { place },
        } => (
            "a sum of squares",
            one(layout.measure(*side, *place)?, fits.isqrt()),
        ),
        _ => (
            "a sum of products",
            format!(
                "two caps whose product is at most {fits} would fit, each in units of its last decimal; lower one of them, or keep \
                 fewer decimals{larger}"
            ),
        ),
    };
    refusals.job(
        format!(
            "{user} needs {sum} that could wrap: {} ids that each add up to {cap} (in units of the last decimal){noise} do not fit \
             {MOMENT_BITS_MAX} bits",
            sums.ids
        ),
        todo,
    )
}

/// CORR and REGR count pairs, so WHERE has to leave none that is not complete.
pub(super) fn no_null_in_pairs(
    outputs: &[Output<'_>],
    filters: &Filters,
    scope: &Scope<'_>,
    refusals: &mut Refusals,
) -> Option<()> {
    let mut clear = Some(());
    for output in outputs {
        let Shows::Aggregate(call) = &output.shows else {
            continue;
        };
        let [_, _] = call.arguments.as_slice() else {
            continue;
        };
        for (side, argument) in &call.arguments {
            if filters.exclude_null(*side, &argument.sql()) {
                continue;
            }
            let name = call.what.name();
            let todo = match &argument.form {
                Form::Column(column) => {
                    let qualifier = &scope.tables.get(*side)?.qualifier;
                    format!("add `{qualifier}.{} IS NOT NULL` to WHERE", column.name)
                }
                _ => "add the same expression, followed by IS NOT NULL, to WHERE".to_owned(),
            };
            clear = refusals.question(
                argument.at,
                format!("{name} is over pairs of values, and WHERE does not say that this one is never NULL"),
                todo,
            );
        }
    }
    clear
}
