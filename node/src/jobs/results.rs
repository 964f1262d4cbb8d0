//! Where results lie and who may read them.
//!
//! A result is written under a temporary name while the session is on and gets its own name only after both nodes have closed,
//! so a file called `result.csv` is always a whole one of a run that both sides have signed.

use super::answer::Written;
use super::views::released;
use super::{Core, Jobs, unknown};
use crate::data::{self, Storage};
use crate::jobs::life::End;
use crate::ledger::ResultFile;
use entente_wire::canonical::Digest;
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::JobHash;
use ring::digest::{Context, SHA256};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file name that people look for.
const RESULT: &str = "result.csv";

/// A released result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultAt {
    /// The file, CSV with a header.
    pub path: PathBuf,
    /// Rows without the header.
    pub rows: u64,
    /// Groups not shown because they are smaller than allowed.
    pub suppressed_groups: u64,
    /// Types of the columns, in the file's order. None where the result was released before they were kept.
    pub types: Vec<Storage>,
}

/// A result that is not released yet. The file goes with it unless it is released.
pub(super) struct Draft {
    path: PathBuf,
    folder: String,
    released: bool,
}

impl Jobs {
    /// The result of a job, for a party that receives it, once the run is over and only if the file is as it was released.
    pub fn result(&self, job_ref: &str) -> Result<ResultAt, Problem> {
        let (job, result) = {
            let live = self.core.live();
            let job = live.find(job_ref)?;
            let life = &live
                .tracked
                .get(&job)
                .ok_or_else(|| unknown(&job.short()))?
                .life;
            let readers = &life.submission().job.results_to;
            if !readers.contains(&self.core.own) {
                let names: Vec<&str> = readers.iter().map(|org| org.as_str()).collect();
                let what = format!(
                    "the result of {} is for {}, not for {}",
                    job.short(),
                    names.join(", "),
                    self.core.own
                );
                return Err(Problem::request(
                    Code::ResultNotYours,
                    what,
                    "ask them; their node holds it",
                ));
            }
            match (life.end(), released(life)) {
                (Some(End::Failed(problem)), _) => return Err(problem.clone()),
                (Some(End::Done), Some(result)) => (job, result.clone()),
                _ => {
                    let what = format!("{} has no result yet", job.short());
                    return Err(Problem::request(
                        Code::JobState,
                        what,
                        "follow it with `entente job watch`",
                    ));
                }
            }
        };
        let path = self.core.result_path(&result);
        if digest(&path).map_err(|error| unreadable(&path, &error))? != result.digest {
            let what = format!(
                "the result of {} is not the one that was released: the file was changed",
                job.short()
            );
            return Err(Problem::here(
                Code::DataChanged,
                what,
                "restore the file from a backup, or submit the job again",
            ));
        }
        Ok(ResultAt {
            path,
            rows: result.rows,
            suppressed_groups: result.suppressed_groups,
            types: result.types,
        })
    }

    /// The same result as Parquet, with the types that the columns have in the dataset: a copy without a name, gone once the file
    /// is closed. Reads the whole result; blocking.
    pub fn result_as_parquet(&self, job_ref: &str) -> Result<File, Problem> {
        let result = self.result(job_ref)?;
        if result.types.is_empty() {
            return Err(Problem::here(
                Code::NotInThisVersion,
                "the result was released by an earlier version, which did not keep the types of its columns",
                "take it as CSV: --out FILE.csv",
            ));
        }
        let folder = result.path.parent().unwrap_or(Path::new("."));
        let mut copy = tempfile::tempfile_in(folder).map_err(|error| unwritable(folder, &error))?;
        data::write_parquet(&result.path, &result.types, &mut copy)?;
        copy.rewind().map_err(|error| unwritable(folder, &error))?;
        Ok(copy)
    }
}

impl Core {
    pub(super) fn result_path(&self, result: &ResultFile) -> PathBuf {
        self.results.join(&result.folder).join(RESULT)
    }

    /// A new, empty place for a result, readable by nobody else.
    pub(super) fn draft(&self, job: &JobHash, attempt: u32) -> Result<Draft, Problem> {
        let twin = self
            .live()
            .tracked
            .keys()
            .any(|other| other != job && other.short() == job.short());
        let folder = if twin { job.to_string() } else { job.short() };
        let parent = self.results.join(&folder);
        let path = parent.join(format!(".result-{attempt}.part"));
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&parent)
            .and_then(|()| {
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&path)
            });
        made.map_err(|error| unwritable(&path, &error))?;
        Ok(Draft {
            path,
            folder,
            released: false,
        })
    }
}

impl Draft {
    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was written, on disk.
    pub(super) fn finish(&self, written: Written) -> Result<ResultFile, Problem> {
        let unwritable = |error| unwritable(&self.path, &error);
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .map_err(unwritable)?;
        let digest = digest(&self.path).map_err(unwritable)?;
        Ok(ResultFile {
            folder: self.folder.clone(),
            digest,
            rows: written.rows,
            suppressed_groups: written.suppressed_groups,
            types: written.types,
        })
    }

    /// Gives the result its name.
    pub(super) fn release(mut self) -> Result<(), Problem> {
        let released = self.path.with_file_name(RESULT);
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let done = fs::rename(&self.path, &released)
            .and_then(|()| File::open(folder))
            .and_then(|folder| folder.sync_all());
        done.map_err(|error| unwritable(&released, &error))?;
        self.released = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.released && fs::remove_file(&self.path).is_err() {
            tracing::warn!(
                "an unreleased result could not be removed; remove the hidden file in its folder by hand"
            );
        }
    }
}

/// SHA-256 of a file.
pub(super) fn digest(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        context.update(bytes);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(Digest(digest))
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let what = format!("the result file {} cannot be read: {error}", path.display());
    Problem::here(
        Code::FileUnreadable,
        what,
        "restore it from a backup, or submit the job again",
    )
}

fn unwritable(path: &Path, error: &io::Error) -> Problem {
    let what = format!(
        "the result cannot be written to {}: {error}",
        path.display()
    );
    Problem::here(
        Code::Disk,
        what,
        "check space and permissions of the home folder",
    )
}
