//! E-mail addresses: NFKC, lower case, one @, a domain with a dot.
//!
//! Lower case is taken on both sides of the @: RFC 5321 lets a host tell `A@x` from `a@x`, no large provider does, and people
//! type both. Dots and `+tags` are left alone, because what they mean differs between providers. A domain outside ASCII is
//! refused rather than converted: `xn--…` is its one written form.

use super::Rejection;
use super::text::fold;

/// RFC 5321, section 4.5.3.1.1.
const LOCAL_BYTES_MAX: usize = 64;
/// RFC 5321, section 4.5.3.1.3, less the path's brackets.
const ADDRESS_BYTES_MAX: usize = 254;
/// RFC 1035, section 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

pub(super) fn normalise(text: &str, out: &mut String) -> Result<(), Rejection> {
    let folded = fold(text);
    let (local, domain) = folded
        .trim()
        .split_once('@')
        .ok_or(Rejection::NotAnAddress)?;
    if local.is_empty() || domain.contains('@') {
        return Err(Rejection::NotAnAddress);
    }
    if local.chars().any(cannot_stand_in_local_part) {
        return Err(Rejection::StrangeCharacter);
    }
    out.extend(local.chars().flat_map(char::to_lowercase));
    if out.len() > LOCAL_BYTES_MAX {
        out.clear();
        return Err(Rejection::TooLong);
    }
    out.push('@');
    let domain_begins = out.len();
    // The ideographic full stop is what a Chinese keyboard types for the dot of a domain (RFC 3490, section 3.1).
    out.extend(
        domain
            .chars()
            .map(|c| if c == '\u{3002}' { '.' } else { c })
            .map(|c| c.to_ascii_lowercase()),
    );
    let fault = if out.len() > ADDRESS_BYTES_MAX {
        Some(Rejection::TooLong)
    } else if !is_domain(&out[domain_begins..]) {
        Some(Rejection::Domain)
    } else {
        None
    };
    fault.map_or(Ok(()), |why| {
        out.clear();
        Err(why)
    })
}

/// White space, control characters, and what separates addresses in lists and headers.
fn cannot_stand_in_local_part(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top_level = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(is_label)
        && !top_level.bytes().all(|b| b.is_ascii_digit())
}
