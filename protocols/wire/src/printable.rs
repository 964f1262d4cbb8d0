//! Which characters may stand in words that one organisation shows to another's people. Text from elsewhere must not move a
//! terminal's cursor, nor look different from what was signed.

/// Control characters, and invisible ones that reorder or hide the text around them.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether `text` is one line, not blank, of at most `bytes_max` bytes.
pub(crate) fn is_line(text: &str, bytes_max: usize) -> bool {
    !text.trim().is_empty() && text.len() <= bytes_max && !text.chars().any(is_unprintable)
}

/// As [`is_line`], but line feeds and tabs may stand in it.
pub(crate) fn is_lines(text: &str, bytes_max: usize) -> bool {
    let hidden = |c: char| is_unprintable(c) && c != '\n' && c != '\t';
    !text.trim().is_empty() && text.len() <= bytes_max && !text.chars().any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cannot_hide_or_reorder_themselves() {
        assert!(is_line("consent (PIPL art. 13(1)); 个人信息", 100));
        assert!(is_lines("SELECT\n\t1", 100));
        for text in [
            "",
            "  ",
            "a\nb",
            "a\u{1b}[2J",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\0",
        ] {
            assert!(!is_line(text, 100), "{text:?}");
        }
        assert!(!is_line("aaa", 2));
        assert!(!is_lines("a\rb", 100));
        assert!(!is_lines("a\u{2066}b", 100));
    }
}
