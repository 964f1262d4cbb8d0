//! The layout of a table: each side's group keys and measures, and what stands in each output column.

use super::answer::{Output, Shows};
use super::checked::Checked;
use super::filters::Filters;
use super::groups::{self, Key};
use super::measures::{self, Aggregate, Call};
use super::refuse::{Refusals, shown};
use crate::job::Job;
use crate::names::ColumnName;
use crate::plan::{GroupKey, Measure, MeasureAt, TableColumn, TableValue};
use std::collections::BTreeSet;

/// The answer laid out over both sides.
#[derive(Default)]
pub(super) struct Layout {
    /// Each side's group keys.
    pub(super) groups: [Vec<GroupKey>; 2],
    /// Each side's measures.
    pub(super) measures: [Vec<Measure>; 2],
    /// The output columns.
    pub(super) columns: Vec<TableColumn>,
}

impl Layout {
    /// A measure by its place.
    pub(super) fn measure(&self, side: usize, place: usize) -> Option<&Measure> {
        self.measures.get(side)?.get(place)
    }
}

/// Lays out a table of `outputs` in groups of `keys`.
pub(super) fn table(
    outputs: &[Output<'_>],
    keys: &[Key<'_>],
    job: &Job,
    filters: &Filters,
    refusals: &mut Refusals,
) -> Option<Layout> {
    let mut plan = Planning {
        outputs,
        job,
        filters,
        layout: Layout::default(),
        used: BTreeSet::new(),
    };
    let places = plan.group_places(keys, refusals);
    let mut clear = Some(());
    for output in outputs {
        let Some(name) = &output.name else { continue };
        let value = match &output.shows {
            Shows::Key(place) => places.get(*place).cloned().flatten(),
            Shows::Aggregate(call) => plan.aggregate(call, name, refusals),
            Shows::Star(_) | Shows::Column(_) => refusals.question(
                output.at,
                "rows and aggregates stand in one answer",
                "put the column into GROUP BY, or ask two questions",
            ),
        };
        match value {
            Some(value) => plan.layout.columns.push(TableColumn {
                name: name.clone(),
                value,
            }),
            None => clear = None,
        }
    }
    unused(job, &plan.used, refusals);
    clear?;
    Some(plan.layout)
}

/// A layout in the making.
struct Planning<'q, 'c> {
    outputs: &'q [Output<'c>],
    job: &'q Job,
    filters: &'q Filters,
    layout: Layout,
    /// Entries of the job's `domains` and `measures` that something needs.
    used: BTreeSet<ColumnName>,
}

impl Planning<'_, '_> {
    /// Plans each key under its output's name; a key that is not selected would leave rows nobody could tell apart.
    fn group_places(
        &mut self,
        keys: &[Key<'_>],
        refusals: &mut Refusals,
    ) -> Vec<Option<TableValue>> {
        let mut places = Vec::with_capacity(keys.len());
        for (place, key) in keys.iter().enumerate() {
            let output = self
                .outputs
                .iter()
                .find(|output| matches!(output.shows, Shows::Key(shown) if shown == place));
            let Some(name) = output.and_then(|output| output.name.as_ref()) else {
                places.push(refusals.question(
                    key.checked.at,
                    "a group key is not selected, so rows of the table could not be told apart",
                    "add it to SELECT",
                ));
                continue;
            };
            let planned = groups::planned(key, name, self.job, &mut self.used, refusals);
            places.push(planned.and_then(|planned| {
                let groups = self.layout.groups.get_mut(key.side)?;
                groups.push(planned);
                Some(TableValue::Group {
                    side: key.side,
                    place: groups.len() - 1,
                })
            }));
        }
        places
    }

    fn aggregate(
        &mut self,
        call: &Call<'_>,
        name: &ColumnName,
        refusals: &mut Refusals,
    ) -> Option<TableValue> {
        match call.arguments.as_slice() {
            [(side, argument)] if call.what == Aggregate::Count => {
                self.count(*side, argument, refusals)
            }
            [(side, argument)] => {
                let MeasureAt { side, place } = self.measure(*side, argument, name, refusals)?;
                Some(match call.what {
                    Aggregate::Sum => TableValue::Sum { side, place },
                    Aggregate::VarSamp => TableValue::VarSamp { side, place },
                    Aggregate::StddevSamp => TableValue::StddevSamp { side, place },
                    _ => TableValue::Avg { side, place },
                })
            }
            [(y_side, y), (x_side, x)] => {
                let y = self.measure(*y_side, y, &argument_name(name, 0), refusals);
                let x = self.measure(*x_side, x, &argument_name(name, 1), refusals);
                let (y, x) = (y?, x?);
                Some(match call.what {
                    Aggregate::RegrSlope => TableValue::RegrSlope { y, x },
                    Aggregate::RegrIntercept => TableValue::RegrIntercept { y, x },
                    _ => TableValue::Corr { y, x },
                })
            }
            _ => Some(TableValue::CountAll),
        }
    }

    /// `COUNT(x)`: where WHERE leaves no NULL, the number of ids; where x is added up too, the number of that measure's values.
    fn count(
        &mut self,
        side: usize,
        argument: &Checked<'_>,
        refusals: &mut Refusals,
    ) -> Option<TableValue> {
        let sql = argument.sql();
        if self.filters.exclude_null(side, &sql) {
            return Some(TableValue::CountAll);
        }
        let outputs = self.outputs.iter();
        let twin = outputs
            .flat_map(added_up)
            .find(|(twin_side, twin, _)| *twin_side == side && twin.sql() == sql);
        let MeasureAt { side, place } = match twin {
            Some((_, twin, name)) => self.measure(side, twin, &name, refusals)?,
            None => self.place(side, measures::counted(argument))?,
        };
        Some(TableValue::Count { side, place })
    }

    /// The place of a number that is added up.
    fn measure(
        &mut self,
        side: usize,
        argument: &Checked<'_>,
        name: &ColumnName,
        refusals: &mut Refusals,
    ) -> Option<MeasureAt> {
        let measure = measures::planned(argument, name, self.job, &mut self.used, refusals)?;
        self.place(side, measure)
    }

    /// The place of a measure, each one once.
    fn place(&mut self, side: usize, measure: Measure) -> Option<MeasureAt> {
        let measures = self.layout.measures.get_mut(side)?;
        let known = measures.iter().position(|known| *known == measure);
        let place = known.unwrap_or_else(|| {
            measures.push(measure);
            measures.len() - 1
        });
        Some(MeasureAt { side, place })
    }
}

/// The numbers that an output adds up: side, expression, and the name of its cap and scale in the job.
fn added_up<'o, 'c>(
    output: &'o Output<'c>,
) -> impl Iterator<Item = (usize, &'o Checked<'c>, ColumnName)> {
    let call = match (&output.shows, &output.name) {
        (Shows::Aggregate(call), Some(name)) if call.what != Aggregate::Count => Some((call, name)),
        _ => None,
    };
    call.into_iter().flat_map(|(call, name)| {
        let pair = call.arguments.len() > 1;
        let arguments = call.arguments.iter().enumerate();
        arguments.map(move |(place, (side, argument))| {
            let name = match pair {
                true => argument_name(name, place),
                false => name.clone(),
            };
            (*side, argument, name)
        })
    })
}

/// Under which name the job gives cap and scale to an argument of an output that takes two: `c.y` and `c.x`.
fn argument_name(output: &ColumnName, place: usize) -> ColumnName {
    let argument = if place == 0 { "y" } else { "x" };
    ColumnName(format!("{}.{argument}", output.0))
}

/// A name under `domains` or `measures` that nothing uses is a slip of the pen.
pub(super) fn unused(job: &Job, used: &BTreeSet<ColumnName>, refusals: &mut Refusals) {
    let lists = [
        ("domains", job.domains.keys().collect::<Vec<_>>()),
        ("measures", job.measures.keys().collect()),
    ];
    for (list, names) in lists {
        for name in names.into_iter().filter(|name| !used.contains(name)) {
            let _: Option<()> = refusals.job(
                format!(
                    "`{list}` has an entry for {}, which no output of the question needs",
                    shown(&name.0)
                ),
                "remove it, or give the output that name with AS",
            );
        }
    }
}
