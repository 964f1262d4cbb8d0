//! `entente policy`: what partners may do with a dataset. One TOML file a dataset, deny by default, in the home's
//! `policies` folder unless another file is named.

use crate::cli::Context;
use crate::failure::{Failure, file_problem};
use crate::local_node::{LocalNode, block_on};
use crate::screen::table;
use clap::{Args, Subcommand};
use entente_wire::local::{ColumnExplanation, DatasetReport, PolicyReport};
use entente_wire::names::{DatasetName, OrgName};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::ColumnType;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder for policies in a home.
const POLICIES: &str = "policies";

/// Policies.
#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Write a file that denies everything, to begin from.
    New(Named),
    /// Check a policy against its dataset.
    Check(Named),
    /// Sign a policy and show it to partners; jobs that were approved under the old one are void.
    Publish(Named),
    /// What a partner may do with a column, and which line says so.
    Explain(Explain),
}

/// A dataset's policy.
#[derive(Args)]
pub(crate) struct Named {
    /// The dataset.
    dataset: DatasetName,
    /// The policy file; HOME/policies/DATASET.toml by default.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// A column's rights.
#[derive(Args)]
pub(crate) struct Explain {
    /// The column, as COLUMN or DATASET.COLUMN.
    column: String,
    /// The partner.
    #[arg(long, value_name = "PARTNER")]
    to: OrgName,
}

impl Policy {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        block_on(async {
            let mut node = LocalNode::connect(&context.home).await?;
            match self {
                Self::New(named) => named.write_new(context, &mut node).await,
                Self::Check(named) => {
                    let text = named.read(&context.home)?;
                    let report = node.policy_check(named.dataset.to_string(), text).await?;
                    told(context, report)
                }
                Self::Publish(named) => {
                    let text = named.read(&context.home)?;
                    let report = node.policy_publish(named.dataset.to_string(), text).await?;
                    told(context, report)
                }
                Self::Explain(explain) => explain.run(context, &mut node).await,
            }
        })
    }
}

/// Shows a report; problems in it fail the command.
fn told(context: &Context, report: PolicyReport) -> Result<(), Failure> {
    context.screen.show(&report, report_text);
    if report.problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Problems(report.problems))
}

fn report_text(report: &PolicyReport) -> String {
    let mut lines = Vec::new();
    for note in &report.notes {
        lines.push(format!("note: {note}"));
    }
    match &report.publication {
        Some(publication) => lines.push(format!(
            "published: {} version {}, about {} ids; partners see it in `entente catalog`",
            report.dataset, publication.version, publication.ids_rounded
        )),
        None if report.problems.is_empty() => lines.push(format!(
            "the policy of {} is in order; next: `entente policy publish {}`",
            report.dataset, report.dataset
        )),
        None => lines.push(format!(
            "the policy of {} cannot be published",
            report.dataset
        )),
    }
    lines.join("\n")
}

impl Named {
    fn path(&self, home: &Path) -> PathBuf {
        match &self.file {
            Some(file) => file.clone(),
            None => home.join(POLICIES).join(format!("{}.toml", self.dataset)),
        }
    }

    fn read(&self, home: &Path) -> Result<String, Problem> {
        let path = self.path(home);
        std::fs::read_to_string(&path).map_err(|fault| match fault.kind() {
            std::io::ErrorKind::NotFound => Problem::request(
                Code::PolicyFile,
                format!("there is no policy file {}", path.display()),
                format!(
                    "write one with `entente policy new {}`, or name it with --file",
                    self.dataset
                ),
            ),
            _ => file_problem(&path, "read", &fault),
        })
    }

    async fn write_new(&self, context: &Context, node: &mut LocalNode) -> Result<(), Failure> {
        let reports = node.data_list().await?;
        let Some(report) = reports.iter().find(|report| report.dataset == self.dataset) else {
            return Err(Failure::from(Problem::request(
                Code::DatasetUnknown,
                format!("no dataset {} is registered", self.dataset),
                "register it with `entente data add`, or see `entente data list`",
            )));
        };
        let path = self.path(&context.home);
        write_new_file(&path, &template(report))?;
        let shown = serde_json::json!({ "file": path.display().to_string() });
        context.screen.show(&shown, |_| {
            format!(
                "{}: denies everything; grant what you mean to, then `entente policy check {}`",
                path.display(),
                self.dataset
            )
        });
        Ok(())
    }
}

/// Writes a file that was not there.
pub(crate) fn write_new_file(path: &Path, text: &str) -> Result<(), Problem> {
    let written = (|| {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::File::create_new(path)?;
        file.write_all(text.as_bytes())
    })();
    written.map_err(|fault| file_problem(path, "written", &fault))
}

/// A policy that grants nothing, with every column of the file as a comment to begin from.
fn template(report: &DatasetReport) -> String {
    let mut text = format!(
        "# What partners may do with {name}. A column that does not stand here is not published.\n\
         # Verbs: match (join on it), group (GROUP BY), count (COUNT(x)), sum (other aggregates), filter (WHERE, CASE),\n\
         # reveal (on an id: the partner learns which of its own ids are here).\n\
         [dataset]\n\
         name      = \"{name}\"\n\
         consent   = \"CHOOSE\"     # the column that has to be true, or \"not-needed\" where the law asks for none\n\
         min_group = 50           # smallest group that is shown\n\
         min_set   = 1000         # smallest list that may be matched\n\
         set_grid  = 1000         # published sizes are rounded up to this\n\
         noise     = \"required\"   # \"optional\": a job may go without noise\n\
         budget    = {{ epsilon_per_year = 8.0, jobs_per_30d = 200 }}\n\
         approvers = {{ need = 2, of = [\"data-owner\", \"compliance\"] }}\n\
         # latest  = \"updated_at\"   # which of several rows of one id counts\n",
        name = report.dataset
    );
    for id in &report.ids {
        let kind = String::from(id.kind.clone());
        text.push_str(&format!(
            "\n[columns.{:?}]\nid  = \"{kind}\"\nmay = {{}}   # {{ match = [\"PARTNER\"] }}\n",
            id.column.0
        ));
    }
    text.push('\n');
    for (column, kind) in &report.columns {
        if report.ids.iter().any(|id| id.column == *column) {
            continue;
        }
        text.push_str(&format!(
            "# [columns.{:?}]\n# {}\n",
            column.0,
            suggestion(*kind)
        ));
    }
    text
}

/// What a column of this type is usually granted for.
fn suggestion(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Integer | ColumnType::Decimal => {
            "may = { sum = [\"PARTNER\"] }   clip = [0, 100_000]   scale = 2"
        }
        ColumnType::Text => "may = { group = [\"PARTNER\"] }   domain = [\"every\", \"value\"]",
        ColumnType::Boolean | ColumnType::Date | ColumnType::Timestamp => {
            "may = { filter = [\"PARTNER\"] }"
        }
    }
}

impl Explain {
    async fn run(&self, context: &Context, node: &mut LocalNode) -> Result<(), Failure> {
        let (dataset, column) = match self.column.split_once('.') {
            Some((dataset, column)) => (dataset.to_owned(), column.to_owned()),
            None => (the_one_with(node, &self.column).await?, self.column.clone()),
        };
        let explanation = node
            .policy_explain(dataset, column, self.to.to_string())
            .await?;
        context.screen.show(&explanation, explanation_text);
        Ok(())
    }
}

/// The one dataset that has this column.
async fn the_one_with(node: &mut LocalNode, column: &str) -> Result<String, Problem> {
    let reports = node.data_list().await?;
    let having: Vec<&DatasetReport> = reports
        .iter()
        .filter(|report| report.columns.iter().any(|(name, _)| name.0 == column))
        .collect();
    match having.as_slice() {
        [one] => Ok(one.dataset.to_string()),
        [] => Err(Problem::request(
            Code::ColumnMissing,
            format!("no registered dataset has a column {column}"),
            "see the columns with `entente data list`",
        )),
        several => Err(Problem::request(
            Code::Argument,
            format!("{} datasets have a column {column}", several.len()),
            "write DATASET.COLUMN",
        )),
    }
}

fn explanation_text(explanation: &ColumnExplanation) -> String {
    let rows = explanation
        .verbs
        .iter()
        .map(|(verb, (allowed, why))| {
            let verdict = if *allowed { "yes" } else { "no" };
            vec![
                format!("{verb:?}").to_lowercase(),
                verdict.to_owned(),
                why.clone(),
            ]
        })
        .collect();
    format!(
        "{}.{} to {}\n{}",
        explanation.dataset,
        explanation.column,
        explanation.to,
        table(&["verb", "allowed", "because"], &[], rows)
    )
}
