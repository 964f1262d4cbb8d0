//! National numbering plans, as far as ids need them: which country codes exist, and for those listed, how long a national
//! number is and which trunk prefix people write before it. Sources: ITU-T E.164 and its list of assigned codes, the
//! operators' published numbering plans, checked against the public metadata of libphonenumber.
//!
//! A plan is listed only where it is certain. For all others a number is read only with its country code.

/// What is known of the numbers behind one country code.
pub(super) struct Plan {
    /// Digits without the plus.
    pub(super) code: &'static str,
    /// Written before a national number inside the country, never after the country code.
    pub(super) trunk: Option<&'static str>,
    /// Shortest and longest national number, in digits, without trunk prefix.
    pub(super) digits: (usize, usize),
    /// Which of those numbers can exist.
    pub(super) numbers: Numbers,
    /// How an international number is begun inside the country, besides `+` and `00`.
    pub(super) exit: Option<&'static str>,
}

/// What numbers of a country begin with.
#[derive(Clone, Copy)]
pub(super) enum Numbers {
    /// As [`exists_in_china`] says.
    China,
    /// As [`exists_in_north_america`] says.
    NorthAmerica,
    /// Anything.
    Any,
    /// Anything but 0.
    NoZero,
}

const fn plan(
    code: &'static str,
    trunk: Option<&'static str>,
    min: usize,
    max: usize,
    exit: Option<&'static str>,
) -> Plan {
    Plan {
        code,
        trunk,
        digits: (min, max),
        numbers: match code.as_bytes() {
            b"86" => Numbers::China,
            b"1" => Numbers::NorthAmerica,
            // Italy's numbers keep their 0 abroad.
            b"39" => Numbers::Any,
            _ => Numbers::NoZero,
        },
        exit,
    }
}

const ZERO: Option<&str> = Some("0");

/// By country code.
const PLANS: &[Plan] = &[
    plan("1", None, 10, 10, Some("011")),
    plan("20", ZERO, 8, 10, None),
    plan("27", ZERO, 9, 9, None),
    plan("30", None, 10, 10, None),
    plan("31", ZERO, 9, 9, None),
    plan("32", ZERO, 8, 9, None),
    plan("33", ZERO, 9, 9, None),
    plan("34", None, 9, 9, None),
    plan("36", Some("06"), 8, 9, None),
    plan("39", None, 6, 12, None),
    plan("40", ZERO, 9, 9, None),
    plan("41", ZERO, 9, 9, None),
    plan("43", ZERO, 4, 13, None),
    plan("44", ZERO, 9, 10, None),
    plan("45", None, 8, 8, None),
    plan("46", ZERO, 7, 10, None),
    plan("47", None, 8, 8, None),
    plan("48", None, 9, 9, None),
    plan("49", ZERO, 5, 13, None),
    plan("52", None, 10, 10, None),
    plan("60", ZERO, 8, 10, None),
    plan("61", ZERO, 9, 9, Some("0011")),
    plan("62", ZERO, 7, 12, None),
    plan("63", ZERO, 8, 10, None),
    plan("64", ZERO, 8, 10, None),
    plan("65", None, 8, 8, None),
    plan("66", ZERO, 8, 9, None),
    plan("7", Some("8"), 10, 10, None),
    plan("81", ZERO, 9, 10, Some("010")),
    plan("82", ZERO, 8, 10, None),
    plan("84", ZERO, 9, 10, None),
    plan("86", ZERO, 10, 11, None),
    plan("90", ZERO, 10, 10, None),
    plan("91", ZERO, 10, 10, None),
    plan("92", ZERO, 9, 10, None),
    plan("94", ZERO, 9, 9, None),
    plan("351", None, 9, 9, None),
    plan("353", ZERO, 7, 10, None),
    plan("420", None, 9, 9, None),
    plan("421", ZERO, 9, 9, None),
    plan("852", None, 8, 8, None),
    plan("853", None, 8, 8, None),
    plan("855", ZERO, 8, 9, None),
    plan("880", ZERO, 8, 10, None),
    plan("886", ZERO, 8, 9, None),
    plan("966", ZERO, 9, 9, None),
    plan("971", ZERO, 8, 9, None),
    plan("972", ZERO, 8, 9, None),
    plan("974", None, 8, 8, None),
];

/// Assigned codes of two digits.
const TWO_DIGITS: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// Assigned codes of three digits, as first and last of each unbroken run.
const THREE_DIGITS: &[(u16, u16)] = &[
    (211, 213),
    (216, 216),
    (218, 218),
    (220, 258),
    (260, 269),
    (290, 291),
    (297, 299),
    (350, 359),
    (370, 383),
    (385, 387),
    (389, 389),
    (420, 421),
    (423, 423),
    (500, 509),
    (590, 599),
    (670, 670),
    (672, 683),
    (685, 692),
    (800, 800),
    (808, 808),
    (850, 850),
    (852, 853),
    (855, 856),
    (870, 870),
    (878, 878),
    (880, 883),
    (886, 886),
    (888, 888),
    (960, 968),
    (970, 977),
    (979, 979),
    (992, 996),
    (998, 998),
];

/// By a country code as a number, one more than the place of its plan; 0 where none is listed.
static PLACES: [u8; 1_000] = {
    let mut places = [0; 1_000];
    let mut place = 0;
    while place < PLANS.len() {
        places[number(PLANS[place].code)] = place as u8 + 1;
        place += 1;
    }
    places
};

/// Which codes of two digits are assigned.
static IS_TWO_DIGITS: [bool; 100] = {
    let mut assigned = [false; 100];
    let mut place = 0;
    while place < TWO_DIGITS.len() {
        assigned[number(TWO_DIGITS[place])] = true;
        place += 1;
    }
    assigned
};

/// The number that digits stand for.
const fn number(digits: &str) -> usize {
    let (digits, mut number, mut place) = (digits.as_bytes(), 0, 0);
    while place < digits.len() {
        number = number * 10 + (digits[place] - b'0') as usize;
        place += 1;
    }
    number
}

/// The plan of a country code, where one is listed.
pub(super) fn plan_of(code: &str) -> Option<&'static Plan> {
    let place = PLACES.get(number(code))?.checked_sub(1)?;
    PLANS
        .get(usize::from(place))
        .filter(|plan| plan.code == code)
}

/// The country code that `digits` begin with. Codes are prefix-free, so there is at most one.
pub(super) fn country_code(digits: &str) -> Option<&str> {
    if let Some(one @ ("1" | "7")) = digits.get(..1) {
        return digits.get(..one.len());
    }
    let two = digits.get(..2)?;
    if IS_TWO_DIGITS[number(two)] {
        return Some(two);
    }
    let three = digits.get(..3)?;
    let value = number(three);
    let mut runs = THREE_DIGITS.iter();
    runs.any(|(first, last)| (usize::from(*first)..=usize::from(*last)).contains(&value))
        .then_some(three)
}

/// Whether a number of China, without country code and trunk prefix, can exist: mobile 1[3-9] and nine more digits; Beijing
/// 10 and eight; other area codes and service numbers begin with 2 to 9.
pub(super) fn exists_in_china(national: &str) -> bool {
    let mut digits = national.bytes();
    matches!(
        (digits.next(), digits.next(), national.len()),
        (Some(b'1'), Some(b'3'..=b'9'), 11)
            | (Some(b'1'), Some(b'0'), 10)
            | (Some(b'2'..=b'9'), Some(_), 10 | 11)
    )
}

/// Whether a number of the North American plan can exist: neither the area nor the exchange begins with 0 or 1.
pub(super) fn exists_in_north_america(national: &str) -> bool {
    let digits = national.as_bytes();
    let begins_group = |place: usize| matches!(digits.get(place), Some(b'2'..=b'9'));
    begins_group(0) && begins_group(3)
}
