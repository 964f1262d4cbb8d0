//! Names: which party, dataset and column a name in the question means. Only what the parties have published exists here.

use super::collapse::Collapsed;
use super::question::folded;
use super::refuse::{At, Refusals, shown};
use super::verbs::Need;
use super::{Catalog, collapse};
use crate::names::{ColumnName, DatasetName, OrgName};
use crate::policy::ColumnPolicy;
use crate::publication::{ColumnType, Publication};
use sqlparser::ast::{Expr, Ident, ObjectName, Spanned, TableAlias, TableFactor};

/// The tables a name can belong to: both sides of the join, or the one table inside a subquery.
pub(super) struct Scope<'c> {
    /// In the order of FROM and JOIN.
    pub(super) tables: Vec<Table<'c>>,
}

/// One table of the question.
pub(super) struct Table<'c> {
    /// Its alias, or the dataset's name.
    pub(super) qualifier: String,
    /// Whose.
    pub(super) org: OrgName,
    /// Which.
    pub(super) dataset: DatasetName,
    /// What its owner published of it.
    pub(super) publication: &'c Publication,
    /// Set for a subquery that collapses an event table.
    pub(super) collapsed: Option<Collapsed>,
    /// The id column joined on, as its owner names it; known once ON has been read.
    pub(super) id: Option<ColumnName>,
    /// What the question needs of its policy, in the order found.
    pub(super) needs: Vec<Need>,
    /// Where it stands in the question.
    pub(super) at: At,
}

/// A column that a name means.
#[derive(Debug, Clone)]
pub(super) struct Column<'c> {
    /// Index into [`Scope::tables`].
    pub(super) side: usize,
    /// The name the local query knows it by.
    pub(super) name: ColumnName,
    /// Its type.
    pub(super) kind: ColumnType,
    /// May be NULL.
    pub(super) nullable: bool,
    /// The published columns it is made from: itself, or what a collapsing aggregate is taken over.
    pub(super) sources: Vec<ColumnName>,
    /// Its owner's policy; none for a collapsed column.
    pub(super) policy: Option<&'c ColumnPolicy>,
}

impl<'c> Scope<'c> {
    /// The column that `expr` names. `None` if it names none; then the reason has been given.
    pub(super) fn column(
        &self,
        expr: &Expr,
        at: At,
        refusals: &mut Refusals,
    ) -> Option<Column<'c>> {
        match expr {
            Expr::Identifier(name) => self.bare(name, at, refusals),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [qualifier, name] => self.qualified(&folded(qualifier), &folded(name), at, refusals),
                _ => refusals.question(
                    at,
                    "a column's name has more than two parts",
                    "give the table an alias (FROM \"north-bank\".customers AS b) and write b.column",
                ),
            },
            _ => refusals.question(at, "a column is expected here", "write alias.column"),
        }
    }

    /// The smaller of both published sizes: no more ids can be common.
    pub(super) fn ids_min(&self) -> u64 {
        let ids = self
            .tables
            .iter()
            .map(|table| table.publication.ids_rounded);
        ids.min().unwrap_or(0)
    }

    /// The table with this alias.
    pub(super) fn table(&self, qualifier: &str, at: At, refusals: &mut Refusals) -> Option<usize> {
        let found = self
            .tables
            .iter()
            .position(|table| table.qualifier == qualifier);
        if found.is_none() {
            let known: Vec<String> = self
                .tables
                .iter()
                .map(|table| shown(&table.qualifier))
                .collect();
            return refusals.question(
                at,
                format!("no table is called {}", shown(qualifier)),
                format!(
                    "the tables of this question are called {}",
                    known.join(" and ")
                ),
            );
        }
        found
    }

    fn bare(&self, name: &Ident, at: At, refusals: &mut Refusals) -> Option<Column<'c>> {
        let name = folded(name);
        let [table] = self.tables.as_slice() else {
            let (name, first) = (shown(&name), &self.tables.first()?.qualifier);
            return refusals.question(
                at,
                format!("{name} does not say whose column it is"),
                format!(
                    "write it with a table's alias, such as {first}.{}",
                    name.trim_matches('"')
                ),
            );
        };
        let qualifier = table.qualifier.clone();
        self.qualified(&qualifier, &name, at, refusals)
    }

    fn qualified(
        &self,
        qualifier: &str,
        name: &str,
        at: At,
        refusals: &mut Refusals,
    ) -> Option<Column<'c>> {
        let side = self.table(qualifier, at, refusals)?;
        let table = self.tables.get(side)?;
        let found = table.find(side, name);
        if found.is_none() {
            return unknown_column(table, name, at, refusals);
        }
        found
    }
}

impl<'c> Table<'c> {
    /// What its owner's policy and schema say of a published column.
    pub(super) fn published(&self, name: &ColumnName) -> Option<(ColumnType, &'c ColumnPolicy)> {
        let kind = self.publication.schema.0.get(name)?;
        Some((*kind, self.publication.policy.columns.get(name)?))
    }

    fn find(&self, side: usize, name: &str) -> Option<Column<'c>> {
        let name = ColumnName(name.to_owned());
        if let Some(collapsed) = &self.collapsed {
            return collapsed.column(side, &name, self);
        }
        let (kind, policy) = self.published(&name)?;
        Some(Column {
            side,
            kind,
            nullable: policy.nullable,
            sources: vec![name.clone()],
            policy: Some(policy),
            name,
        })
    }

    /// Whether `column` is the id this question joins on.
    pub(super) fn is_join_id(&self, column: &Column<'_>) -> bool {
        let outer = match &self.collapsed {
            Some(collapsed) => Some(&collapsed.id_alias),
            None => self.id.as_ref(),
        };
        outer == Some(&column.name)
    }
}

fn unknown_column<T>(table: &Table<'_>, name: &str, at: At, refusals: &mut Refusals) -> Option<T> {
    let (org, dataset) = (&table.org, &table.dataset);
    if table.collapsed.is_some() {
        return refusals.question(
            at,
            format!(
                "the subquery {} has no column {}",
                shown(&table.qualifier),
                shown(name)
            ),
            "select it inside the subquery: the id, or an aggregate with AS",
        );
    }
    let twin = table
        .publication
        .schema
        .0
        .keys()
        .find(|known| known.0.eq_ignore_ascii_case(name));
    let todo = match twin {
        Some(twin) => format!(
            "names without quotes fold to lower case: write \"{}\" in double quotes",
            twin.0
        ),
        None => format!(
            "`entente catalog` lists what is published; {org}'s data owner can publish a column by giving it a [columns.…] \
             section in the policy of {dataset}"
        ),
    };
    refusals.question(
        at,
        format!("{org} publishes no column {} of {dataset}", shown(name)),
        todo,
    )
}

/// The table that one item of FROM means.
pub(super) fn table<'c>(
    factor: TableFactor,
    catalog: &'c dyn Catalog,
    fallback: At,
    refusals: &mut Refusals,
) -> Option<Table<'c>> {
    let at = At::of(&factor).or(fallback);
    match factor {
        TableFactor::Table {
            name,
            alias,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
            let alias = match alias {
                Some(alias) => Some(plain_alias(&alias, at, refusals)?),
                None => None,
            };
            published(&name, alias, catalog, at, refusals)
        }
        TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
            let Some(alias) = alias else {
                return refusals.question(at, "a subquery has no name", "name it: (SELECT …) AS e");
            };
            let alias = plain_alias(&alias, at, refusals)?;
            collapse::table(*subquery, alias, catalog, at, refusals)
        }
        _ => refusals.question(
            at,
            "this kind of table is not part of the question language",
            "FROM takes organisation.dataset, or a subquery that collapses an event table to one row an id",
        ),
    }
}

fn plain_alias(alias: &TableAlias, fallback: At, refusals: &mut Refusals) -> Option<String> {
    let TableAlias {
        explicit: _,
        name,
        columns,
        at,
    } = alias;
    if !columns.is_empty() || at.is_some() {
        return refusals.question(
            At::of(alias).or(fallback),
            "an alias that renames columns is not part of the question language",
            "write only a name behind AS",
        );
    }
    Some(folded(name))
}

fn published<'c>(
    name: &ObjectName,
    alias: Option<String>,
    catalog: &'c dyn Catalog,
    at: At,
    refusals: &mut Refusals,
) -> Option<Table<'c>> {
    let parts: Option<Vec<String>> = name
        .0
        .iter()
        .map(|part| part.as_ident().map(folded))
        .collect();
    let (schema, dataset) = match parts.as_deref() {
        Some([schema, dataset]) => (schema.clone(), dataset.clone()),
        _ => {
            return refusals.question(
                at,
                "a table is not named by its organisation and dataset",
                "write organisation.dataset; organisations with a dash stand in double quotes: \"north-bank\".customers",
            );
        }
    };
    if schema == "*" {
        return refusals.question(
            at,
            "\"*\" asks all parties together, and the job does not say who they are",
            "name them in the job: parties: [north-bank, river-pay, hill-bank]",
        );
    }
    let at = At::from(name.span()).or(at);
    let (org, publication) = look_up(&schema, &dataset, catalog, at, refusals)?;
    Some(Table {
        qualifier: alias.unwrap_or(dataset),
        org,
        dataset: publication.policy.dataset.clone(),
        publication,
        collapsed: None,
        id: None,
        needs: Vec::new(),
        at,
    })
}

fn look_up<'c>(
    schema: &str,
    dataset: &str,
    catalog: &'c dyn Catalog,
    at: At,
    refusals: &mut Refusals,
) -> Option<(OrgName, &'c Publication)> {
    let orgs = catalog.orgs();
    let org = schema
        .parse::<OrgName>()
        .ok()
        .filter(|org| orgs.contains(org));
    let Some(org) = org else {
        let known: Vec<String> = orgs.iter().map(|org| format!("\"{org}\"")).collect();
        return refusals.partner(
            at,
            format!(
                "no organisation {} has published anything here",
                shown(schema)
            ),
            format!(
                "known are: {}. Link a new partner with `entente invite`",
                known.join(", ")
            ),
        );
    };
    let publication = dataset
        .parse::<DatasetName>()
        .ok()
        .and_then(|dataset| catalog.publication(&org, &dataset))
        .filter(|publication| {
            publication.org == org && publication.policy.dataset.as_str() == dataset
        });
    let Some(publication) = publication else {
        return refusals.dataset(
            at,
            &org,
            format!("{org} has published no dataset {}", shown(dataset)),
            format!("`entente catalog` lists what is there; {org} can publish one with `entente policy publish`"),
        );
    };
    Some((org, publication))
}
