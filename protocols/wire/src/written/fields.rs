//! Strict readers over [`Written`]: what is expected, what was found, and the fix, at the place where it stands.

use super::{Entry, Mistake, Place, Value, Written, excerpt};
use crate::decimal;
use std::fmt::Display;
use std::str::FromStr;

/// The fields of one table, all of whose names are known.
pub(crate) struct Fields<'a> {
    title: &'a str,
    place: Place,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The fields of `table`, called `title` in messages. A field that is not in `known` is a mistake: most are typing errors,
    /// and one that was ignored would be a rule that does not hold.
    pub(crate) fn of(table: &'a Written, title: &'a str, known: &[&str]) -> Result<Self, Mistake> {
        let entries = table.table(title)?;
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let what = format!("{title} has no field `{}`", excerpt(&entry.key));
                return Err(Mistake::new(
                    entry.place,
                    what,
                    suggestion(&entry.key, known),
                ));
            }
        }
        Ok(Self {
            title,
            place: table.place,
            entries,
        })
    }

    /// A field that may be left out.
    pub(crate) fn optional(&self, name: &str) -> Option<&'a Written> {
        self.entries
            .iter()
            .find(|entry| entry.key == name)
            .map(|entry| &entry.value)
    }

    /// A field that has to be there; `fix` says what to write.
    pub(crate) fn required(&self, name: &str, fix: &str) -> Result<&'a Written, Mistake> {
        self.optional(name).ok_or_else(|| {
            Mistake::new(
                self.place,
                format!("{} lacks the field `{name}`", self.title),
                fix,
            )
        })
    }
}

/// The nearest known name where a typing error is likely, and all of them otherwise.
fn suggestion(given: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|name| (distance(given, name), name)).min();
    match nearest {
        Some((steps, name)) if steps <= 2 => format!("did you mean `{name}`?"),
        _ => format!("the fields are {}", known.join(", ")),
    }
}

/// Levenshtein's distance; names are short, and longer ones are no typing error of ours.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let here = (diagonal + usize::from(x != *y))
                .min(left + 1)
                .min(*above + 1);
            diagonal = *above;
            *above = here;
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

impl Written {
    fn expected(&self, what: &str, fix: &str) -> Mistake {
        Mistake::new(
            self.place,
            format!("expected {what}, found {}", self.value.describe()),
            fix,
        )
    }

    /// A table's entries.
    pub(crate) fn table(&self, title: &str) -> Result<&[Entry], Mistake> {
        match &self.value {
            Value::Table(entries) => Ok(entries),
            _ => Err(self.expected(
                &format!("{title} to be a table"),
                "write `field: value` or `field = value` pairs",
            )),
        }
    }

    /// A list's items.
    pub(crate) fn list(&self, of: &str) -> Result<&[Written], Mistake> {
        match &self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.expected(
                &format!("a list of {of}"),
                "write a list in brackets: [first, second]",
            )),
        }
    }

    /// A text.
    pub(crate) fn text(&self, what: &str) -> Result<&str, Mistake> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Number(_) | Value::Bool(_) => Err(self.expected(what, "put it in quotes")),
            _ => Err(self.expected(what, "write a text")),
        }
    }

    /// A text of a type of its own.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &self,
        what: &str,
        fix: &str,
    ) -> Result<T, Mistake> {
        self.text(what)?
            .parse()
            .map_err(|reason: T::Err| Mistake::new(self.place, reason.to_string(), fix))
    }

    /// True or false.
    pub(crate) fn flag(&self) -> Result<bool, Mistake> {
        match self.value {
            Value::Bool(flag) => Ok(flag),
            _ => Err(self.expected("true or false", "write true or false, without quotes")),
        }
    }

    /// A number in units of 10^-`scale`, exactly as written.
    pub(crate) fn decimal(&self, scale: u8) -> Result<i64, Mistake> {
        let fix = match scale {
            0 => "write a whole number in plain digits",
            _ => "write a plain decimal number such as 12 or 0.25",
        };
        match &self.value {
            Value::Number(text) => decimal::parse(text, scale).map_err(|reason| {
                Mistake::new(self.place, format!("{}: {reason}", excerpt(text)), fix)
            }),
            _ => Err(self.expected("a number", fix)),
        }
    }

    /// A whole number, at least 0.
    pub(crate) fn count(&self) -> Result<u64, Mistake> {
        let number = self.decimal(0)?;
        u64::try_from(number).map_err(|_| {
            Mistake::new(
                self.place,
                format!("{number} is negative"),
                "write 0 or more",
            )
        })
    }

    /// A whole number that fits 32 bits.
    pub(crate) fn small_count(&self) -> Result<u32, Mistake> {
        let number = self.count()?;
        u32::try_from(number).map_err(|_| {
            Mistake::new(
                self.place,
                format!("{number} is too large"),
                "write a smaller number",
            )
        })
    }

    /// A value of a public domain: text, or a whole number or truth value in the form in which it is printed.
    pub(crate) fn domain_value(&self) -> Result<String, Mistake> {
        match &self.value {
            Value::Text(text) => Ok(text.clone()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Number(text) if text.parse::<i64>().is_ok_and(|n| n.to_string() == *text) => {
                Ok(text.clone())
            }
            _ => Err(self.expected(
                "a text or a whole number",
                "write the value in quotes, exactly as it is printed",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::written::yaml;

    #[test]
    fn a_typing_error_is_answered_with_the_name_that_was_meant() {
        let file = yaml::parse("min_grup: 5\n").expect("YAML");
        let mistake = Fields::of(&file, "protect", &["epsilon", "min_group"])
            .err()
            .expect("unknown");
        assert_eq!(mistake.place, Place { line: 1, column: 1 });
        assert_eq!(mistake.fix, "did you mean `min_group`?");
        let file = yaml::parse("colour: 5\n").expect("YAML");
        let mistake = Fields::of(&file, "protect", &["epsilon", "min_group"])
            .err()
            .expect("unknown");
        assert_eq!(mistake.fix, "the fields are epsilon, min_group");
    }

    #[test]
    fn distances_count_typing_steps() {
        for (a, b, steps) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("min_grup", "min_group", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), steps, "{a} {b}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        let file = yaml::parse("a: '5'\nb: -1\nc: 1.5\nd: 05\ne: 99999999999\n").expect("YAML");
        let fields = Fields::of(&file, "x", &["a", "b", "c", "d", "e"]).expect("known");
        let get = |name| fields.required(name, "").expect("there");
        assert!(
            get("a")
                .count()
                .expect_err("text")
                .what
                .contains("found the text \"5\"")
        );
        assert!(
            get("b")
                .count()
                .expect_err("negative")
                .what
                .contains("negative")
        );
        assert!(
            get("c")
                .count()
                .expect_err("fraction")
                .what
                .contains("decimals")
        );
        assert!(get("d").domain_value().is_err());
        assert!(get("e").small_count().is_err());
        assert_eq!(get("b").domain_value().as_deref(), Ok("-1"));
        assert!(
            get("b")
                .text("a name")
                .expect_err("number")
                .fix
                .contains("quotes")
        );
    }
}
