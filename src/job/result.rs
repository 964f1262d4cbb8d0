//! `entente job result`: the answer as a table, as JSON or as a file.

use super::JobId;
use crate::cli::Context;
use crate::failure::{Failure, file_problem};
use crate::local_node::{LocalNode, ResultForm};
use crate::result_table::{Notes, ResultTable};
use clap::Args;
use entente_wire::problem::{Code, Problem};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

/// Largest result that is read whole into a table or JSON; `--csv` has no limit.
const TABLE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The answer of a job.
#[derive(Args)]
pub(crate) struct ResultOf {
    #[command(flatten)]
    id: JobId,
    /// The CSV file as it is.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Write the result there: as Parquet where the name ends in .parquet, else as CSV.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ResultOf {
    pub(super) async fn run(self, context: &Context, node: &mut LocalNode) -> Result<(), Failure> {
        let job = self.id.job;
        if let Some(path) = &self.out {
            save_result(node, &job, path).await?;
            context.screen.show(
                &serde_json::json!({ "file": path.display().to_string() }),
                |_| path.display().to_string(),
            );
            return Ok(());
        }
        if self.csv {
            let screen = context.screen;
            node.job_result(job, ResultForm::Csv, |chunk| {
                screen.bytes(chunk);
                Ok(())
            })
            .await?;
            return Ok(());
        }
        let table = read_result(node, &job, usize::MAX).await?;
        context.screen.show(&table, ResultTable::text);
        Ok(())
    }
}

/// The result into a file of the person's own, in the form that its name says, whole or not at all.
pub(crate) async fn save_result(
    node: &mut LocalNode,
    job: &str,
    path: &Path,
) -> Result<(), Problem> {
    let unwritten = |fault: &std::io::Error| file_problem(path, "written", fault);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|fault| unwritten(&fault))?;
    node.job_result(job.to_owned(), ResultForm::of(path), |chunk| {
        file.write_all(chunk).map_err(|fault| unwritten(&fault))
    })
    .await?;
    file.persist(path)
        .map_err(|fault| unwritten(&fault.error))?;
    Ok(())
}

/// The result as a table of at most `rows_max` rows.
pub(crate) async fn read_result(
    node: &mut LocalNode,
    job: &str,
    rows_max: usize,
) -> Result<ResultTable, Problem> {
    let mut csv = Vec::new();
    node.job_result(job.to_owned(), ResultForm::Csv, |chunk| {
        if csv.len() + chunk.len() > TABLE_BYTES_MAX {
            return Err(Problem::request(
                Code::Argument,
                format!("the result is larger than {TABLE_BYTES_MAX} bytes"),
                "take the file: --csv or --out FILE",
            ));
        }
        csv.extend_from_slice(chunk);
        Ok(())
    })
    .await?;
    let notes = notes(node, job).await?;
    ResultTable::from_csv(csv.as_slice(), rows_max, notes)
}

/// The same of a result of any size: it goes through a file without a name.
pub(crate) async fn read_large_result(
    node: &mut LocalNode,
    job: &str,
    rows_max: usize,
) -> Result<ResultTable, Problem> {
    let unwritten = |fault: &std::io::Error| file_problem(&std::env::temp_dir(), "written", fault);
    let mut file = tempfile::tempfile().map_err(|fault| unwritten(&fault))?;
    node.job_result(job.to_owned(), ResultForm::Csv, |chunk| {
        file.write_all(chunk).map_err(|fault| unwritten(&fault))
    })
    .await?;
    file.rewind().map_err(|fault| unwritten(&fault))?;
    let notes = notes(node, job).await?;
    ResultTable::from_csv(file, rows_max, notes)
}

/// What the node says of the result beside the file.
async fn notes(node: &mut LocalNode, job: &str) -> Result<Notes, Problem> {
    let jobs = node.jobs().await?;
    let view = jobs
        .iter()
        .find(|view| view.id == job || view.hash.to_string().starts_with(job));
    Ok(view.map(Notes::of).unwrap_or_default())
}
