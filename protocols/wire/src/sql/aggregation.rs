//! Questions over `"*"`: the same columns of many parties, added up (protocols.md §10).
//!
//! The question is planned once for each party, as if it were asked of that party's table alone; all that is refused by the language or a
//! policy is found there, and what several parties have in common is said once. Then the plans have to be the same: a table that is added
//! up has one shape. Where two parties publish different domains, caps, scales or types, the difference is shown.

mod gathered;
mod same;

use super::answer::{self, Output};
use super::filters::Filters;
use super::layout::{self, Layout};
use super::operator::aggregates_only;
use super::protection::{self, Carries};
use super::question::{self, Shape};
use super::refuse::{At, Refusals, shown};
use super::scope::{self, Scope, Table};
use super::verbs::{self, Need};
use super::{Catalog, display, engine, groups, items, joint, side, text};
use crate::job::Job;
use crate::limits::AGGREGATE_WORDS_MAX;
use crate::names::{ColumnName, OrgName};
use crate::plan::{Aggregation, Cap, Display, Joint, Moment, PLAN_VERSION, Side, TableColumn};
use crate::policy::Verb;
use crate::publication::ColumnType;
use sqlparser::ast::{ObjectNamePart, TableWithJoins, visit_relations, visit_relations_mut};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The schema that stands for all parties.
const ALL: &str = "*";
/// The one form of FROM.
const FORM: &str = "write FROM \"*\".accounts, or a subquery over it that collapses an event table to one row an id";
/// Bits of a word, sign included; that no sum leaves them is proven where the noise is drawn (`Terms::new` of the protocol).
const WORD_BITS: u8 = 64;

/// What one party's table is, and what is asked of it.
struct One {
    side: Side,
    /// The published columns that it uses, in the order of use, with their types: one text can mean two things over two types.
    types: Vec<(ColumnName, ColumnType)>,
    columns: Vec<TableColumn>,
    moments: Vec<Moment>,
    min_group: u64,
    display: Display,
}

/// Plans `job`, whose rules have been checked, as asked by `asker`.
pub(super) fn planned(
    job: &Job,
    asker: &OrgName,
    catalog: &dyn Catalog,
    refusals: &mut Refusals,
) -> Option<Aggregation> {
    let attendance = job.aggregate?;
    if !job.parties.contains(asker) {
        return refusals.job(
            format!("{asker} asks and is not among `parties`"),
            "add your own organisation to `parties`",
        );
    }
    let tokens = text::tokens(&job.ask, refusals)?;
    let mut shape = question::parse(tokens, refusals)?;
    let from = std::mem::take(&mut shape.from);
    names_nobody(&from, shape.at, refusals)?;
    let asked = job.parties.iter().map(|org| {
        let mut own = Refusals::new(asker.clone());
        let from = of_party(&from, org);
        let one = one((&shape, from), (job, asker), catalog, &mut own);
        (org, one, own)
    });
    let each = gathered::each(asked, refusals)?;
    same::check(&each, refusals)?;
    let min_group = each.iter().map(|one| one.min_group).max()?;
    let (sides, mut shapes): (Vec<Side>, Vec<_>) = each
        .into_iter()
        .map(|one| (one.side, (one.columns, one.moments, one.display)))
        .unzip();
    // What one engine reads, all do: the texts are the same.
    engine::reads(sides.get(..1)?, refusals)?;
    let (columns, moments, display) = shapes.swap_remove(0);
    let parties = u32::try_from(sides.len()).ok()?;
    Some(Aggregation {
        version: PLAN_VERSION,
        sides,
        table: Joint {
            columns,
            moments,
            min_group,
            epsilon: job.protect.epsilon,
            readers: job.results_to.clone(),
            display,
        },
        min_parties: attendance.min_parties,
        colluders: attendance.colluders(parties),
    })
}

/// The question as it is asked of the one party that FROM names.
fn one(
    (shape, from): (&Shape, Vec<TableWithJoins>),
    (job, asker): (&Job, &OrgName),
    catalog: &dyn Catalog,
    refusals: &mut Refusals,
) -> Option<One> {
    let table = one_table(from, catalog, shape, refusals)?;
    let mut scope = Scope {
        tables: vec![table],
    };
    let filters = Filters::of(shape, Vec::new(), &mut scope, refusals);
    let items = items::items(shape, refusals);
    let keys = groups::keys(&shape.group_by, &items, &mut scope, shape.at, refusals);
    let having = display::having(shape, refusals);
    let outputs = keys
        .as_ref()
        .and_then(|keys| answer::outputs(&items, keys, &mut scope, refusals));
    protection::noise(Carries::JointTable, job, &scope, refusals);
    let told: BTreeSet<OrgName> = job.results_to.iter().chain([asker]).cloned().collect();
    verbs::check(&scope, &told, refusals);
    let (keys, outputs, having, filters) = (keys?, outputs?, having?, filters?);
    aggregates_only(&outputs, shape.at, refusals)?;
    let layout = layout::table(&outputs, &keys, job, &filters, refusals);
    let complete = joint::no_null_in_pairs(&outputs, &filters, &scope, refusals);
    let display = display::display(shape, &outputs, &keys, &scope, refusals);
    let layout = layout?;
    let moments = moments(&layout, &outputs, &filters, refusals)?;
    complete?;
    let min_group = protection::min_group(job, having, &scope);
    let columns = layout.columns.clone();
    let types = types(scope.tables.first()?);
    let side = own_side(scope, filters, layout)?;
    Some(One {
        side,
        types,
        columns,
        moments,
        min_group,
        display: display?,
    })
}

/// Refuses a table of one organisation.
fn names_nobody(from: &[TableWithJoins], fallback: At, refusals: &mut Refusals) -> Option<()> {
    let named = from.iter().find_map(|table| {
        let of_one = visit_relations(table, |name| match name.0.as_slice() {
            [ObjectNamePart::Identifier(schema), _] if schema.value != ALL => {
                ControlFlow::Break((schema.value.clone(), At::of(name)))
            }
            _ => ControlFlow::Continue(()),
        });
        of_one.break_value()
    });
    let Some((schema, at)) = named else {
        return Some(());
    };
    refusals.question(
        at.or(fallback),
        format!(
            "FROM names a table of {} alone, and `parties` asks for the same table of all",
            shown(&schema)
        ),
        FORM,
    )
}

/// FROM with `"*"` read as `org`, wherever it stands for an organisation and nowhere else.
fn of_party(from: &[TableWithJoins], org: &OrgName) -> Vec<TableWithJoins> {
    let mut from = from.to_vec();
    let _: ControlFlow<()> = visit_relations_mut(&mut from, |name| {
        if let [ObjectNamePart::Identifier(schema), _] = name.0.as_mut_slice()
            && schema.value == ALL
        {
            schema.value = org.to_string();
        }
        ControlFlow::Continue(())
    });
    from
}

/// Types of the columns that the question uses. How ids are written is each party's own matter, as long as they are only counted.
fn types(table: &Table<'_>) -> Vec<(ColumnName, ColumnType)> {
    let counted =
        |need: &&Need| table.id.as_ref() == Some(&need.column) && need.verb == Verb::Count;
    let used = table.needs.iter().filter(|need| !counted(need));
    used.filter_map(|need| {
        let (kind, _) = table.published(&need.column)?;
        Some((need.column.clone(), kind))
    })
    .collect()
}

/// FROM names one table of all parties, and one id in it.
fn one_table<'c>(
    from: Vec<TableWithJoins>,
    catalog: &'c dyn Catalog,
    shape: &Shape,
    refusals: &mut Refusals,
) -> Option<Table<'c>> {
    let mut from = from.into_iter();
    let (Some(only), None) = (from.next(), from.next()) else {
        return refusals.question(shape.at, "FROM does not hold exactly one table", FORM);
    };
    if !only.joins.is_empty() {
        return refusals.question(
            shape.at,
            "an aggregation joins tables; each party's numbers are added up as they are",
            "take `parties` out to join the tables of two parties",
        );
    }
    let mut table = scope::table(only.relation, catalog, shape.at, refusals)?;
    let id = id(&table, refusals)?;
    // Whatever is asked for, the number of people in each group is added up and seen.
    let why = "counting the people of each group";
    let need = Need::new(id.clone(), Verb::Count, table.at);
    table.needs.push(Need { why, ..need });
    table.id = Some(id);
    Some(table)
}

/// Whose rows these are: the id that a subquery groups by, or the only one of the dataset.
fn id(table: &Table<'_>, refusals: &mut Refusals) -> Option<ColumnName> {
    if let Some(collapsed) = &table.collapsed {
        return Some(collapsed.id.clone());
    }
    let columns = table.publication.policy.columns.iter();
    let ids: Vec<&ColumnName> = columns
        .filter(|(_, policy)| policy.id.is_some())
        .map(|(name, _)| name)
        .collect();
    if let [id] = ids.as_slice() {
        return Some((*id).clone());
    }
    let names: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
    let dataset = &table.dataset;
    refusals.question(
        table.at,
        format!(
            "{dataset} has {} id columns ({}), so it is not clear whose rows are counted",
            ids.len(),
            names.join(", ")
        ),
        format!(
            "name one by collapsing to it: FROM (SELECT id, SUM(x) AS total FROM \"*\".{dataset} GROUP BY id) AS e"
        ),
    )
}

/// What a cell adds up, the number of ids first.
fn moments(
    layout: &Layout,
    outputs: &[Output<'_>],
    filters: &Filters,
    refusals: &mut Refusals,
) -> Option<Vec<Moment>> {
    let kinds = joint::kinds(layout, filters);
    let cells = layout.groups.iter().flatten().fold(1_u64, |cells, key| {
        cells.saturating_mul(key.domain.len() as u64 + u64::from(key.nullable))
    });
    let words = cells.saturating_mul(kinds.len() as u64);
    if words > AGGREGATE_WORDS_MAX {
        return refusals.question(
            At::WHOLE,
            format!(
                "the table would have {cells} cells and {words} sums; an aggregation adds up at most {AGGREGATE_WORDS_MAX}"
            ),
            "group by fewer keys or by keys with fewer values, or ask for fewer aggregates in one question",
        );
    }
    let at = outputs.first().map_or(At::WHOLE, |output| output.at);
    let moment = |what| match joint::cap(&what, layout) {
        Some(cap) => Some(Moment {
            opened: true,
            bits: WORD_BITS,
            cap: Cap(cap),
            what,
        }),
        None => refusals.question(
            at,
            "squares or products of a measure are too large for any sum",
            "lower its cap, or keep fewer decimals",
        ),
    };
    kinds.into_iter().map(moment).collect()
}

fn own_side(scope: Scope<'_>, filters: Filters, layout: Layout) -> Option<Side> {
    let table = scope.tables.into_iter().next()?;
    let [filter, _] = filters.into_sql();
    let Layout {
        groups: [groups, _],
        measures: [measures, _],
        columns: _,
    } = layout;
    side(table, filter, groups, measures)
}
