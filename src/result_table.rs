//! A result file (CSV with a header) as a table for people or as JSON for programs.

use crate::screen::table;
use entente_wire::local::JobView;
use entente_wire::problem::{Code, Problem};
use serde::Serialize;

/// Most rows shown to people; `--csv` has them all.
const SHOWN_ROWS_MAX: usize = 50;

/// What the node says beside the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Groups not shown because they are smaller than allowed.
    pub(crate) suppressed_groups: Option<u64>,
    /// Of an aggregation, whose numbers are in it.
    pub(crate) parties: Option<Parties>,
}

/// Whose numbers an aggregation added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Parties {
    /// In the sum.
    pub(crate) in_sum: Vec<String>,
    /// Vanished on the way, or never came.
    pub(crate) missing: Vec<String>,
}

impl Notes {
    /// Of a table of which so many groups are not shown.
    #[cfg(test)]
    pub(crate) fn suppressed(groups: u64) -> Self {
        Self {
            suppressed_groups: Some(groups),
            parties: None,
        }
    }

    /// Of a job that is over.
    pub(crate) fn of(job: &JobView) -> Self {
        let parties = job.summed_parties.as_ref().map(|in_sum| {
            let missing = job.parties.iter().filter(|org| !in_sum.contains(org));
            Parties {
                in_sum: in_sum.iter().map(ToString::to_string).collect(),
                missing: missing.map(ToString::to_string).collect(),
            }
        });
        Self {
            suppressed_groups: job.suppressed_groups,
            parties,
        }
    }
}

impl Parties {
    fn text(&self) -> String {
        let (in_sum, missing) = (self.in_sum.len(), self.missing.len());
        let whose = format!("\nthe numbers of {in_sum} of {} parties", in_sum + missing);
        match self.missing.is_empty() {
            true => whose,
            false => format!("{whose}; missing: {}", self.missing.join(", ")),
        }
    }
}

/// A result, read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ResultTable {
    /// Output names, in order.
    pub(crate) columns: Vec<String>,
    /// Cells as text, exactly as in the file, so that no reader rounds a sum or eats a leading zero. An empty cell is null.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// Rows in the file; more than in `rows` where a limit cut them.
    pub(crate) row_count: u64,
    /// Groups not shown because they are smaller than allowed.
    pub(crate) suppressed_groups: Option<u64>,
    /// Of an aggregation, whose numbers are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parties: Option<Parties>,
}

impl ResultTable {
    /// Reads CSV, keeping at most `rows_max` rows.
    pub(crate) fn from_csv(
        source: impl std::io::Read,
        rows_max: usize,
        notes: Notes,
    ) -> Result<Self, Problem> {
        let mut reader = csv::ReaderBuilder::new().from_reader(source);
        let columns = reader.headers().map_err(|fault| unreadable(&fault))?;
        let columns = columns.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        let mut row_count = 0;
        for record in reader.records() {
            let record = record.map_err(|fault| unreadable(&fault))?;
            row_count += 1;
            if rows.len() < rows_max {
                rows.push(record.iter().map(cell).collect());
            }
        }
        Ok(Self {
            columns,
            rows,
            row_count,
            suppressed_groups: notes.suppressed_groups,
            parties: notes.parties,
        })
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = self.rows_text();
        match self.suppressed_groups {
            None | Some(0) => {}
            Some(1) => text.push_str("\n1 group suppressed: fewer people than allowed"),
            Some(groups) => text.push_str(&format!(
                "\n{groups} groups suppressed: fewer people than allowed"
            )),
        }
        text.extend(self.parties.as_ref().map(Parties::text));
        text
    }

    /// What is shown alone.
    pub(crate) fn rows_text(&self) -> String {
        let numbers: Vec<usize> = (0..self.columns.len())
            .filter(|at| self.is_numeric(*at))
            .collect();
        let header: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let rows = self.rows.iter().take(SHOWN_ROWS_MAX).map(|row| {
            row.iter()
                .map(|cell| cell.clone().unwrap_or_else(|| "NULL".to_owned()))
                .collect()
        });
        let mut text = table(&header, &numbers, rows.collect());
        let shown = self.rows.len().min(SHOWN_ROWS_MAX) as u64;
        if shown < self.row_count {
            text.push_str(&format!(
                "\n{shown} of {} rows; --csv has them all",
                self.row_count
            ));
        }
        text
    }

    fn is_numeric(&self, at: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(at)?.as_deref());
        cells.all(|cell| cell.parse::<f64>().is_ok())
    }
}

fn cell(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn unreadable(fault: &csv::Error) -> Problem {
    Problem::here(
        Code::Defect,
        format!("the result file is not CSV: {fault}"),
        "report this with the job's id",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_text_and_rows_are_counted_beyond_the_limit() {
        let csv = "phone,total\n0086,1.10\n,2.20\n\"a,b\",3\n";
        let table =
            ResultTable::from_csv(csv.as_bytes(), 2, Notes::suppressed(1)).expect("valid CSV");
        assert_eq!(table.columns, ["phone", "total"]);
        assert_eq!(table.row_count, 3);
        assert_eq!(
            table.rows,
            [
                [Some("0086".to_owned()), Some("1.10".to_owned())],
                [None, Some("2.20".to_owned())]
            ]
        );
        let text = table.text();
        assert!(text.contains("2 of 3 rows") && text.contains("1 group suppressed"));
        let more = ResultTable {
            suppressed_groups: Some(12),
            ..table
        };
        assert!(
            more.text()
                .ends_with("12 groups suppressed: fewer people than allowed")
        );
        assert!(!more.rows_text().contains("suppressed"));
    }

    #[test]
    fn an_aggregation_says_whose_numbers_it_has_and_whose_not() {
        let parties = |missing: &[&str]| Parties {
            in_sum: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            missing: missing.iter().map(|org| (*org).to_owned()).collect(),
        };
        assert_eq!(parties(&[]).text(), "\nthe numbers of 3 of 3 parties");
        let two = "\nthe numbers of 3 of 5 parties; missing: d, e";
        assert_eq!(parties(&["d", "e"]).text(), two);
    }
}
