//! What all kinds of ids but `raw` share: compatibility forms are folded (NFKC: full-width digits and letters, no-break and
//! ideographic spaces), and characters that nobody sees are dropped.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// `text` in NFKC without invisible characters. Plain ASCII, the usual case, is returned as it stands.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().filter(|c| !is_invisible(*c)).collect())
}

/// Characters without a glyph that come along when numbers are copied from address books and web pages: soft hyphen,
/// zero-width spaces and joiners, direction marks and the byte-order mark.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Dashes that people put between groups of digits, after NFKC; the last one is the Japanese vowel mark, typed as a dash.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}')
}

/// `1.38001E+10`: what is left of a long number after a spreadsheet took it for a quantity.
pub(super) fn is_spreadsheet_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    is_digits(whole) && is_digits(fraction) && is_digits(exponent.trim_start_matches('+'))
}
