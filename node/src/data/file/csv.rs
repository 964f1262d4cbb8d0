//! CSV: a header line and rows in UTF-8, quotes by RFC 4180, line ends of any kind. Every field is read as text; an empty
//! one, quoted or not, is no value. The delimiter is a comma, unless the header has none and has a semicolon, a tab or
//! a bar.

use super::quotes::{FIELD_BYTES_MAX, QuoteFault, QuoteWatch};
use super::split::Piece;
use super::{BATCH_ROWS, DataFile, malformed, unreadable};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::{BufReader as CsvBatches, Format as CsvFormat};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::error::ArrowError;
use entente_wire::problem::Problem;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// Bytes read from disk at a time.
const READ_BYTES: usize = 1 << 18;
/// Longest header line.
const HEADER_BYTES_MAX: u64 = 1 << 20;
/// Delimiters other than the comma, in the order in which they are tried.
const OTHER_DELIMITERS: [u8; 3] = [b';', b'\t', b'|'];

/// Batches of text columns.
pub(super) type Rows = CsvBatches<BufReader<QuoteWatch<File>>>;

/// The delimiter, by the first line.
pub(super) fn delimiter(path: &Path, start: &[u8]) -> Result<char, Problem> {
    let line_end = memchr::memchr2(b'\n', b'\r', start);
    let line = start
        .get(..line_end.unwrap_or(start.len()))
        .unwrap_or(start);
    if std::str::from_utf8(line).is_err() && line_end.is_some() {
        return Err(not_utf8(path, "in its header"));
    }
    let other = OTHER_DELIMITERS
        .into_iter()
        .find(|delimiter| line.contains(delimiter));
    Ok(match other {
        Some(other) if !line.contains(&b',') => char::from(other),
        _ => ',',
    })
}

/// The names in the header, as they stand there.
pub(super) fn header(file: &DataFile, delimiter: u8) -> Result<Vec<String>, Problem> {
    let start = file.at_start()?.take(HEADER_BYTES_MAX);
    let (schema, _) = CsvFormat::default()
        .with_header(true)
        .with_delimiter(delimiter)
        .infer_schema(start, Some(0))
        .map_err(|error| explain(file, &error))?;
    let names = schema.fields().iter().map(|field| field.name().clone());
    Ok(names.collect())
}

/// All rows with the columns at `places` of the header's `names`.
pub(super) fn rows(
    file: &DataFile,
    delimiter: u8,
    names: &[String],
    places: Vec<usize>,
) -> Result<Rows, Problem> {
    let fields: Vec<_> = names
        .iter()
        .map(|name| Field::new(name, DataType::Utf8, true))
        .collect();
    let watched = QuoteWatch::new(file.at_start()?, delimiter);
    ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        .with_delimiter(delimiter)
        .with_batch_size(BATCH_ROWS)
        .with_projection(places)
        .build_buffered(BufReader::with_capacity(READ_BYTES, watched))
        .map_err(|error| explain(file, &error))
}

/// The records of one piece, with the columns at `places` of the header's `names`, whatever quotes and line ends it has.
pub(super) fn piece<'a>(
    piece: &Piece,
    delimiter: u8,
    names: impl Iterator<Item = &'a String>,
    places: &[usize],
) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<_> = names
        .map(|name| Field::new(name, DataType::Utf8, true))
        .collect();
    // Only at the beginning of a file may a byte-order mark be dropped; an empty line keeps it from being the first thing read.
    let before: &[u8] = if piece.header { b"" } else { b"\n" };
    let watched = QuoteWatch::new(before.chain(piece.bytes.as_slice()), delimiter);
    let records_max = memchr::memchr2_iter(b'\n', b'\r', &piece.bytes).count() + 1;
    let reader = ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(piece.header)
        .with_delimiter(delimiter)
        .with_batch_size(records_max.min(BATCH_ROWS))
        .with_projection(places.to_vec())
        .build_buffered(BufReader::with_capacity(READ_BYTES, watched))?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    concat_batches(&schema, &batches)
}

/// Says what is wrong in our words. The reader's own messages are used only where they are known to quote no value.
pub(super) fn explain(file: &DataFile, error: &ArrowError) -> Problem {
    let path = file.path();
    match error {
        ArrowError::IoError(_, io) => match io.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(fault) => explain_quotes(path, fault),
            None => unreadable(path, &io.kind().to_string()),
        },
        ArrowError::CsvError(message) => explain_message(path, message),
        _ => malformed(
            path,
            "its rows cannot be read",
            "check that it is CSV in UTF-8",
        ),
    }
}

fn explain_quotes(path: &Path, fault: &QuoteFault) -> Problem {
    let todo = match fault {
        QuoteFault::TooLong { .. } => {
            format!("check that it is CSV; no field may be longer than {FIELD_BYTES_MAX} bytes")
        }
        _ => "write quotes inside fields twice and close every quote (RFC 4180)".to_owned(),
    };
    malformed(path, &fault.to_string(), &todo)
}

fn explain_message(path: &Path, message: &str) -> Problem {
    if let Some(rest) = message.strip_prefix("incorrect number of fields for line ") {
        let counts = rest.replace(" got ", ", got ");
        let what = format!("a row has another number of fields than the header: record {counts}");
        return malformed(
            path,
            &what,
            "repair that record, or quote fields that hold the delimiter",
        );
    }
    if let Some(rest) = message.strip_prefix("Encountered invalid UTF-8 data for line ") {
        let place = format!("in record {}", rest.replace(" and field", ", field"));
        return not_utf8(path, &place);
    }
    malformed(
        path,
        "its rows cannot be read as CSV",
        "check that it is CSV in UTF-8",
    )
}

fn not_utf8(path: &Path, place: &str) -> Problem {
    malformed(
        path,
        &format!("its text is not in UTF-8, {place}"),
        "convert it, for example with: iconv -f GB18030 -t UTF-8 (or -f LATIN1)",
    )
}
