//! What the two organisations of these tests hold, allow and ask.

/// Seven days after the beginning.
const EXPIRES: &str = "2026-09-28T00:00:00Z";

/// The bank's customers: number, tier, balance, whether they consent.
pub(super) fn customers() -> String {
    let rows = (0..40).map(|number| {
        let tier = ["gold", "silver", "plain"][number % 3];
        format!("138000000{number:02},{tier},{number}.50,true\n")
    });
    std::iter::once("mobile,tier,balance,consent\n".to_owned())
        .chain(rows)
        .collect()
}

/// The platform's users: every other customer and twenty strangers, in other spellings.
pub(super) fn users() -> String {
    let known = (0..40)
        .step_by(2)
        .map(|number| format!("+86 138 0000 00{number:02},{},true\n", number % 4 == 0));
    let strangers = (0..20).map(|number| format!("139000000{number:02},true,true\n"));
    std::iter::once("mobile,active,consent\n".to_owned())
        .chain(known)
        .chain(strangers)
        .collect()
}

pub(super) const CUSTOMERS_POLICY: &str = r#"
[dataset]
name = "customers"
consent = "consent"
min_group = 3
min_set = 5
budget = { epsilon_per_year = 8.0, jobs_per_30d = 20 }
approvers = { need = 2, of = ["data-owner", "compliance"] }
set_grid = 16
noise = "optional"

[columns.mobile]
id = "e164(+86)"
may = { match = ["river-pay"] }
[columns.tier]
may = { group = ["river-pay"] }
domain = ["gold", "silver", "plain"]
[columns.balance]
may = { sum = ["river-pay"] }
clip = [0, 1000]
scale = 2
"#;

pub(super) const USERS_POLICY: &str = r#"
[dataset]
name = "users"
consent = "consent"
min_group = 3
min_set = 5
budget = { epsilon_per_year = 8.0, jobs_per_30d = 20 }
approvers = { need = 2, of = ["data-owner", "compliance"] }
set_grid = 16
noise = "optional"

[columns.mobile]
id = "e164(+86)"
may = { match = ["north-bank"], reveal = ["north-bank"] }
[columns.active]
may = { filter = ["north-bank"] }
"#;

/// The three questions that this version carries.
pub(super) const REVEAL: &str = "SELECT b.tier, b.balance";
pub(super) const OVERLAP: &str = "SELECT COUNT(*) AS both_hold";
pub(super) const TABLE: &str = "SELECT b.tier, COUNT(*) AS customers, SUM(b.balance) AS total";

/// A job file of the bank's data team.
pub(super) fn job(select: &str, tail: &str) -> String {
    format!(
        r#"entente: 1
name: the-question
purpose: size an offer
legal_basis: consent
ask: |
  {select} FROM "north-bank".customers b JOIN "river-pay".users p ON b.mobile = p.mobile {tail}
protect: {{ epsilon: none, min_group: 3 }}
results_to: [north-bank]
expires: {EXPIRES}
runs: 1
"#
    )
}
