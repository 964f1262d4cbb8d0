//! TOML to [`Written`]. The parser itself refuses duplicate keys and nesting deeper than 80.

use super::{DEPTH_MAX, Entry, Mistake, Place, Value, Written, bounded};
use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

/// Parses a whole file.
pub(crate) fn parse(text: &str) -> Result<Written, Mistake> {
    bounded(text)?;
    let table = DeTable::parse(text).map_err(|error| {
        let place = error
            .span()
            .map_or(Place::START, |span| Place::of_byte(text, span.start));
        let what = format!("this is not TOML: {}", error.message().replace('\n', ", "));
        Mistake::new(
            place,
            what,
            "correct the syntax; texts stand in quotes, tables in [brackets]",
        )
    })?;
    Ok(Written {
        place: Place::START,
        value: Value::Table(entries(text, table.get_ref(), 1)?),
    })
}

fn entries(text: &str, table: &DeTable<'_>, depth: usize) -> Result<Vec<Entry>, Mistake> {
    table
        .iter()
        .map(|(key, value)| {
            Ok(Entry {
                key: key.get_ref().clone().into_owned(),
                place: Place::of_byte(text, key.span().start),
                value: written(text, value, depth)?,
            })
        })
        .collect()
}

fn written(text: &str, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Written, Mistake> {
    let place = Place::of_byte(text, value.span().start);
    if depth > DEPTH_MAX {
        return Err(Mistake::new(
            place,
            "this is nested too deeply",
            "no field needs such nesting",
        ));
    }
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => {
            Value::Number(number.as_str().to_owned())
        }
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| written(text, item, depth + 1))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => Value::Table(entries(text, table, depth + 1)?),
    };
    Ok(Written { place, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_text_and_everything_has_its_place() {
        let file = parse("# é\n[dataset]\nbudget = { e = 8.10, j = 0x10 }\n").expect("TOML");
        let Value::Table(top) = &file.value else {
            unreachable!("a table")
        };
        let Value::Table(dataset) = &top[0].value.value else {
            unreachable!("a table")
        };
        assert_eq!(dataset[0].place, Place { line: 3, column: 1 });
        let Value::Table(budget) = &dataset[0].value.value else {
            unreachable!("a table")
        };
        assert_eq!(budget[0].value.value, Value::Number("8.10".to_owned()));
        assert_eq!(
            budget[0].value.place,
            Place {
                line: 3,
                column: 16
            }
        );
        assert_eq!(budget[1].value.value, Value::Number("0x10".to_owned()));
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let mistake = parse("[dataset]\nname = \n").expect_err("no value");
        assert_eq!(mistake.place.line, 2);
        let mistake = parse("a = 1\nb = 2\na = 3\n").expect_err("twice");
        assert_eq!(mistake.place, Place { line: 3, column: 1 });
        assert!(parse(&format!("a = {}1{}", "[".repeat(30), "]".repeat(30))).is_err());
        assert!(
            parse(&"a".repeat(300_000))
                .expect_err("long")
                .what
                .contains("300000 bytes")
        );
    }
}
