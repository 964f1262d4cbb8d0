//! `entente data`: files of this organisation that may take part in jobs. They stay where they are; the node keeps their
//! path, their hash and counts.

use crate::cli::Context;
use crate::failure::{Failure, file_problem};
use crate::local_node::{LocalNode, block_on};
use crate::screen::table;
use clap::{Args, Subcommand};
use entente_wire::local::{DatasetReport, IdReport};
use entente_wire::names::DatasetName;
use std::path::PathBuf;

/// Datasets of this organisation.
#[derive(Subcommand)]
pub(crate) enum Data {
    /// Register a CSV or Parquet file, or register it again after it changed.
    Add(Add),
    /// What is registered.
    List,
}

/// Register a file as a dataset.
#[derive(Args)]
pub(crate) struct Add {
    /// The dataset's name.
    name: DatasetName,
    /// The file: .csv or .parquet.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// An id column and how its ids are written: e164(+CC), email, cn-id or raw.
    #[arg(long = "id", value_name = "COLUMN=KIND", required = true)]
    ids: Vec<String>,
}

impl Data {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        block_on(async {
            let mut node = LocalNode::connect(&context.home).await?;
            match self {
                Self::Add(add) => {
                    // The node has a working directory of its own.
                    let path = std::path::absolute(&add.from)
                        .map_err(|fault| file_problem(&add.from, "found", &fault))?;
                    let path = path.display().to_string();
                    let report = node.data_add(add.name.to_string(), path, add.ids).await?;
                    context.screen.show(&report, report_text);
                }
                Self::List => {
                    let reports = node.data_list().await?;
                    context.screen.show(&reports, |reports| list_text(reports));
                }
            }
            Ok(())
        })
    }
}

/// One dataset's report.
pub(crate) fn report_text(report: &DatasetReport) -> String {
    let columns: Vec<String> = report
        .columns
        .iter()
        .map(|(name, kind)| format!("{name} {}", format!("{kind:?}").to_lowercase()))
        .collect();
    let published = match report.published_version {
        Some(version) => format!("published, version {version}"),
        None => format!(
            "not published; next: `entente policy new {}`",
            report.dataset
        ),
    };
    format!(
        "{}: {} rows in {}\n{}\ncolumns: {}\n{published}",
        report.dataset,
        report.rows,
        report.path,
        ids_text(&report.ids),
        columns.join(", ")
    )
}

/// What became of the rows, by id column.
pub(crate) fn ids_text(ids: &[IdReport]) -> String {
    let known =
        |count: Option<u64>| count.map_or_else(|| "with a policy".to_owned(), |n| n.to_string());
    let rows = ids
        .iter()
        .map(|id| {
            vec![
                format!("{} {}", id.column, String::from(id.kind.clone())),
                id.usable_rows.to_string(),
                rejected_text(id),
                id.distinct_ids.to_string(),
                known(id.non_consenting_ids),
                known(id.conflicting_ids),
                known(id.eligible_ids),
            ]
        })
        .collect();
    table(
        &[
            "id column",
            "usable rows",
            "rejected rows",
            "different ids",
            "no consent",
            "conflicting",
            "can enter a job",
        ],
        &[1, 3, 4, 5, 6],
        rows,
    )
}

fn rejected_text(id: &IdReport) -> String {
    if id.rejected_rows.is_empty() {
        return "0".to_owned();
    }
    let reasons: Vec<String> = id
        .rejected_rows
        .iter()
        .map(|(reason, rows)| format!("{rows} {reason}"))
        .collect();
    reasons.join("\n")
}

fn list_text(reports: &[DatasetReport]) -> String {
    if reports.is_empty() {
        return "no datasets yet; register one with `entente data add NAME --from FILE --id COLUMN=KIND`"
            .to_owned();
    }
    let texts: Vec<String> = reports.iter().map(report_text).collect();
    texts.join("\n\n")
}
