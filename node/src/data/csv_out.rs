//! Result files: CSV in UTF-8, RFC 4180, one line feed a row. Nothing is an empty field; an empty text is `""`.

use entente_wire::problem::{Code, Problem};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Results are for their readers only.
const MODE: u32 = 0o600;

/// A result file being written.
pub(super) struct CsvFile {
    path: PathBuf,
    out: BufWriter<File>,
}

impl CsvFile {
    /// Begins `path` anew, readable by this user only.
    pub(super) fn create(path: &Path) -> Result<Self, Problem> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(MODE)
            .open(path)
            .map_err(|error| cannot_write(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::new(file),
        })
    }

    /// One row.
    pub(super) fn row<'a>(
        &mut self,
        fields: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<(), Problem> {
        let mut bytes = Vec::new();
        line(&mut bytes, fields);
        self.lines(&bytes)
    }

    /// Rows that [`line()`] has written.
    pub(super) fn lines(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let written = self.out.write_all(bytes);
        written.map_err(|error| cannot_write(&self.path, &error))
    }

    /// All rows are written: on disk when this returns.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let path = self.path;
        let file = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .map_err(|error| cannot_write(&path, &error))
    }
}

/// Appends one row to `out`.
pub(super) fn line<'a>(out: &mut Vec<u8>, fields: impl Iterator<Item = Option<&'a str>>) {
    for (place, field) in fields.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match field {
            None => {}
            Some(text) if needs_quotes(text) => {
                out.push(b'"');
                out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                out.push(b'"');
            }
            Some(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
    out.push(b'\n');
}

fn needs_quotes(text: &str) -> bool {
    // Digits, letters and dots: nearly all fields.
    let is_simple = |byte: &u8| *byte > b',' && byte.is_ascii();
    let simple = text
        .bytes()
        .fold(true, |simple, byte| simple & is_simple(&byte));
    if simple && !text.is_empty() {
        return false;
    }
    let is_special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    text.is_empty()
        || text.as_bytes().iter().any(is_special)
        || text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace)
}

fn cannot_write(path: &Path, error: &io::Error) -> Problem {
    Problem::here(
        Code::Disk,
        format!("{} cannot be written: {error}", path.display()),
        "check free space and permissions, then run the job again",
    )
}
