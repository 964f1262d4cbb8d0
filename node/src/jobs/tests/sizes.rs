//! How long the lists are that sessions match.

use super::pair::Pair;
use super::question::{CUSTOMERS_POLICY, OVERLAP, job};
use std::fmt::Write;

/// Forty customers with a number, and thirty more with an address alone.
fn with_addresses() -> String {
    let mut csv = "mobile,email,tier,balance,consent\n".to_owned();
    for number in 0..70 {
        let mobile = match number {
            0..40 => format!("138000000{number:02}"),
            _ => String::new(),
        };
        let _ = writeln!(csv, "{mobile},c{number}@example.com,gold,1.50,true");
    }
    csv
}

#[test]
fn a_list_is_padded_to_what_is_published_whichever_id_it_is_matched_on() {
    let mut pair = Pair::new();
    let addresses = "\n[columns.email]\nid = \"email\"\nmay = { match = [\"river-pay\"] }\n";
    let policy = format!("{CUSTOMERS_POLICY}{addresses}");
    let ids = [("mobile", "e164(+86)"), ("email", "email")];
    pair.bank
        .publish_by(&ids, "customers", &with_addresses(), &policy);
    pair.deliver();
    pair.ready(&job(OVERLAP, ""));
    let session = pair.open();
    // By number there are 40, which the grid alone would make 48.
    assert_eq!(session.asked.ids_rounded, 80);
}
