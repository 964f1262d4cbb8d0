//! How the same phone number and the same address come out of different systems: the dirt that real files have.

use super::dice::Dice;

/// A cell with an id, and whether anybody could say which person it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdCell {
    /// As it stands in the file; empty for null.
    pub(super) text: String,
    /// Means exactly one person.
    pub(super) usable: bool,
}

/// One cell in this many cannot be used.
const UNUSABLE_ONE_IN: u64 = 40;

/// Writes a Chinese mobile number (11 digits) in one of the ways people write it.
pub(super) fn mobile(number: &str, dice: &mut Dice) -> IdCell {
    if dice.one_in(UNUSABLE_ONE_IN) {
        let text = dice.pick(&["", "", "n/a", "12345", "unknown", "138-0000"]);
        return unusable(text);
    }
    let (head, middle, tail) = (&number[..3], &number[3..7], &number[7..]);
    usable(match dice.below(8) {
        0 => format!("+86{number}"),
        1 => format!("0086{number}"),
        2 => full_width(number),
        3 => format!("{head} {middle} {tail}"),
        4 => format!("+86 {head}-{middle}-{tail}"),
        5 => format!(" {number} "),
        _ => number.to_owned(),
    })
}

/// Writes an e-mail address in one of the ways people write it.
pub(super) fn email(address: &str, dice: &mut Dice) -> IdCell {
    if dice.one_in(UNUSABLE_ONE_IN) {
        return unusable(dice.pick(&["", "", "none", "not@given", "@example.com"]));
    }
    usable(match dice.below(5) {
        0 => address.to_uppercase(),
        1 => capitals(address),
        2 => format!(" {address}"),
        _ => address.to_owned(),
    })
}

fn usable(text: String) -> IdCell {
    IdCell { text, usable: true }
}

fn unusable(text: &str) -> IdCell {
    IdCell {
        text: text.to_owned(),
        usable: false,
    }
}

/// `138` as `１３８`.
fn full_width(digits: &str) -> String {
    const SHIFT: u32 = '０' as u32 - '0' as u32;
    digits
        .chars()
        .filter_map(|digit| char::from_u32(digit as u32 + SHIFT))
        .collect()
}

/// `li.na@x` as `Li.Na@x`.
fn capitals(address: &str) -> String {
    let mut at_word = true;
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        if at_word {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        at_word = c == '.';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_comes_up_and_keeps_its_digits() {
        let mut dice = Dice::new(1);
        let mut shapes = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let cell = mobile("13812345678", &mut dice);
            if !cell.usable {
                continue;
            }
            let shape: String = cell
                .text
                .chars()
                .map(|c| if c.is_numeric() { '9' } else { c })
                .collect();
            shapes.insert((shape, cell.text.is_ascii()));
            let digits: String = cell
                .text
                .chars()
                .filter_map(|c| {
                    c.to_digit(10)
                        .or_else(|| (c as u32).checked_sub('０' as u32))
                })
                .filter_map(|digit| char::from_digit(digit, 10))
                .collect();
            assert!(digits.ends_with("13812345678"), "{}", cell.text);
        }
        assert!(shapes.len() >= 7, "{shapes:?}");
    }

    #[test]
    fn addresses_differ_in_case_only() {
        let mut dice = Dice::new(2);
        for _ in 0..200 {
            let cell = email("li.na7@example.com", &mut dice);
            let same = cell.text.trim().to_lowercase() == "li.na7@example.com";
            assert_eq!(cell.usable, same, "{}", cell.text);
        }
    }
}
