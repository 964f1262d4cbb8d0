//! YAML to [`Written`], and only the part of YAML that reads the same to everybody: one document, no anchors, aliases, tags or
//! merge keys, no key twice. Plain `true`, `false`, `null`, `~` and decimal numbers have their usual meaning (YAML 1.2);
//! `yes`, `on` and `1e3` are text.

use super::{DEPTH_MAX, Entry, Mistake, Place, Value, Written, bounded};
use crate::decimal;
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

const ONE_READING: &str = "write the value out in full";

/// Parses a whole file.
pub(crate) fn parse(text: &str) -> Result<Written, Mistake> {
    bounded(text)?;
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        tree.take(event, span)?;
    }
    tree.root.ok_or_else(|| {
        Mistake::new(
            Place::START,
            "the file is empty",
            "write the fields that a job needs",
        )
    })
}

fn place(marker: &Marker) -> Place {
    Place {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn syntax(error: &ScanError) -> Mistake {
    Mistake::new(
        place(error.marker()),
        format!("this is not YAML: {}", error.info()),
        "correct the syntax; mind the indentation, and put text with `: ` or `#` in quotes",
    )
}

/// A collection whose end has not been read.
enum Open {
    List(Place, Vec<Written>),
    /// The key whose value comes next stands beside the finished entries.
    Table(Place, Vec<Entry>, Option<(String, Place)>),
}

#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    root: Option<Written>,
    documents: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Mistake> {
        let at = place(&span.start);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Mistake::new(
                        at,
                        "a second document begins here",
                        "one file holds one document",
                    ));
                }
                Ok(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) | Event::Anchor(..) => Err(Mistake::new(
                at,
                "anchors and aliases are not read",
                ONE_READING,
            )),
            Event::Scalar(text, style, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                self.scalar(at, text.into_owned(), style)
            }
            Event::SequenceStart(_, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                self.begin(Open::List(at, Vec::new()), at)
            }
            Event::MappingStart(_, anchor, tag) => {
                plain(at, anchor, tag.is_some())?;
                self.begin(Open::Table(at, Vec::new(), None), at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open, at: Place) -> Result<(), Mistake> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Mistake::new(
                at,
                "this is nested too deeply",
                "no field needs such nesting",
            ));
        }
        if let Some(Open::Table(_, _, None)) = self.open.last() {
            return Err(Mistake::new(
                at,
                "a key is not a plain text",
                "keys are the names of fields",
            ));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Mistake> {
        let finished = match self.open.pop() {
            Some(Open::List(place, items)) => (place, Value::List(items)),
            Some(Open::Table(place, entries, _)) => (place, Value::Table(entries)),
            None => return Ok(()),
        };
        let (place, value) = finished;
        self.put(Written { place, value });
        Ok(())
    }

    fn scalar(&mut self, at: Place, text: String, style: ScalarStyle) -> Result<(), Mistake> {
        if let Some(Open::Table(_, entries, key @ None)) = self.open.last_mut() {
            if entries.iter().any(|entry| entry.key == text) {
                let what = format!("`{}` stands here a second time", super::excerpt(&text));
                return Err(Mistake::new(at, what, "keep one of the two"));
            }
            if text == "<<" {
                return Err(Mistake::new(at, "merge keys are not read", ONE_READING));
            }
            *key = Some((text, at));
            return Ok(());
        }
        let value = match style {
            ScalarStyle::Plain => meaning(text),
            _ => Value::Text(text),
        };
        self.put(Written { place: at, value });
        Ok(())
    }

    fn put(&mut self, value: Written) {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List(_, items)) => items.push(value),
            Some(Open::Table(_, entries, waiting)) => {
                if let Some((key, place)) = waiting.take() {
                    entries.push(Entry { key, place, value });
                }
            }
        }
    }
}

fn plain(at: Place, anchor: usize, tagged: bool) -> Result<(), Mistake> {
    if anchor != 0 || tagged {
        return Err(Mistake::new(
            at,
            "anchors and tags are not read",
            ONE_READING,
        ));
    }
    Ok(())
}

fn meaning(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Nothing,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number if decimal::looks_like_number(number) => Value::Number(text),
        _ => Value::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(text: &str) -> Entry {
        match parse(text).expect("YAML").value {
            Value::Table(mut entries) => entries.remove(0),
            other => unreachable!("not a table: {other:?}"),
        }
    }

    #[test]
    fn plain_scalars_mean_one_thing() {
        for (text, value) in [
            ("a: 1.0", Value::Number("1.0".to_owned())),
            ("a: 1_000", Value::Number("1_000".to_owned())),
            ("a: '1.0'", Value::Text("1.0".to_owned())),
            ("a: none", Value::Text("none".to_owned())),
            ("a: no", Value::Text("no".to_owned())),
            ("a: 1e3", Value::Text("1e3".to_owned())),
            ("a: true", Value::Bool(true)),
            ("a: \"true\"", Value::Text("true".to_owned())),
            ("a:", Value::Nothing),
            (
                "a: 2026-12-31T00:00:00Z",
                Value::Text("2026-12-31T00:00:00Z".to_owned()),
            ),
            ("a: |\n  x\n  y\n", Value::Text("x\ny\n".to_owned())),
        ] {
            assert_eq!(entry(text).value.value, value, "{text}");
        }
        assert_eq!(entry("é: 1").place, Place { line: 1, column: 1 });
        assert_eq!(entry("é: 1").value.place, Place { line: 1, column: 4 });
        assert_eq!(entry("\n\na:\n  - 5").value.place.line, 4);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused_where_it_stands() {
        for (text, line, reason) in [
            ("a: 1\nb: 2\na: 3", 3, "second time"),
            ("a: &x 1\nb: *x", 1, "anchors"),
            ("a: 1\n<<: {b: 2}", 2, "merge"),
            ("a: !!str 1", 1, "tags"),
            ("a: 1\n---\nb: 2", 2, "second document"),
            ("a: 1\n? [b]\n: 2", 2, "plain text"),
            ("a: [1", 1, "not YAML"),
            ("a: 1\n b: 2", 2, "not YAML"),
            ("", 1, "empty"),
        ] {
            let mistake = parse(text).expect_err(text);
            assert!(mistake.what.contains(reason), "{text:?}: {mistake:?}");
            assert_eq!(mistake.place.line, line, "{text:?}: {mistake:?}");
        }
        let deep = format!("a: {}{}", "[".repeat(20), "]".repeat(20));
        assert!(parse(&deep).expect_err("deep").what.contains("deeply"));
        assert!(parse(&format!("a: {}", "[".repeat(100_000))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c:\\-\\[\\]{}&*!|>'\"#,~ \n\t.0-9%@`?]{0,60}") {
            let _ = parse(&text);
        }
    }
}
