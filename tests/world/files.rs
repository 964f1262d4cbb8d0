//! The usual two datasets: 1,500 customers, 1,400 users, 1,200 of them the same people, three tiers, one of them small.

/// People in both files.
pub(crate) const SHARED: u64 = 1_200;
/// Of those, in tier gold: fewer than may be shown.
pub(crate) const GOLD: u64 = 30;

/// A mobile number of person `n`.
pub(crate) fn mobile(n: u64) -> String {
    format!("138{:08}", n * 7_919 % 100_000_000)
}

/// The bank's file.
pub(crate) fn customers() -> String {
    let mut csv = "mobile,tier,balance,opened_on\n".to_owned();
    for n in 0..1_500 {
        let tier = match n {
            0..GOLD => "gold",
            _ if n % 3 == 0 => "silver",
            _ => "basic",
        };
        csv.push_str(&format!("{},{tier},{}.25,2020-01-01\n", mobile(n), n));
    }
    csv
}

/// The platform's file, with other ways to write the same numbers.
pub(crate) fn users() -> String {
    let mut csv = "mobile,active,segment\n".to_owned();
    for n in 300_000..300_200 {
        csv.push_str(&format!("{},true,new\n", mobile(n)));
    }
    for n in 0..SHARED {
        let number = mobile(n);
        let written = match n % 4 {
            0 => format!("+86{number}"),
            1 => format!("0086 {number}"),
            2 => format!("{} {}", &number[..3], &number[3..]),
            _ => number,
        };
        csv.push_str(&format!("{written},{},vip\n", n % 2 == 0));
    }
    csv
}

/// The `[dataset]` part that both policies share.
pub(crate) fn dataset_part(name: &str) -> String {
    format!(
        r#"[dataset]
name      = "{name}"
consent   = "not-needed"
min_group = 50
min_set   = 500
set_grid  = 100
noise     = "optional"
budget    = {{ epsilon_per_year = 8.0, jobs_per_30d = 200 }}
approvers = {{ need = 2, of = ["data-owner", "compliance", "security"] }}
"#
    )
}

/// The bank's policy.
pub(crate) fn customers_policy(name: &str) -> String {
    let dataset = dataset_part(name);
    format!(
        r#"{dataset}
[columns.mobile]
id  = "e164(+86)"
may = {{ match = ["river-pay"] }}
[columns.tier]
domain = ["basic", "silver", "gold"]
[columns.balance]
clip  = [0, 100_000]
scale = 2
[columns.opened_on]
"#
    )
}

/// The platform's policy.
pub(crate) fn users_policy(name: &str) -> String {
    let dataset = dataset_part(name);
    format!(
        r#"{dataset}
[columns.mobile]
id  = "e164(+86)"
may = {{ match = ["north-bank"], reveal = ["north-bank"] }}
[columns.active]
may = {{ filter = ["north-bank"] }}
[columns.segment]
domain = ["new", "vip"]
"#
    )
}

/// A job file around a question, over the datasets of test `name`: `{c}` and `{u}` stand for the two tables.
pub(crate) fn job(name: &str, ask: &str) -> String {
    job_with(name, ask, "2036-01-01T00:00:00Z", 1)
}

/// A job file with an expiry and a number of runs.
pub(crate) fn job_with(name: &str, ask: &str, expires: &str, runs: u32) -> String {
    let ask = ask
        .replace("{c}", &format!("\"north-bank\".\"{name}-c\""))
        .replace("{u}", &format!("\"river-pay\".\"{name}-u\""));
    format!(
        "entente: 1\nname: {name}\npurpose: a test\nlegal_basis: made-up people\nask: |\n  {ask}\n\
         protect: {{ epsilon: none, min_group: 50 }}\nresults_to: [north-bank]\nexpires: {expires}\nruns: {runs}\n"
    )
}

/// How many of both there are.
pub(crate) const OVERLAP: &str =
    "SELECT COUNT(*) AS n FROM {c} c JOIN {u} u ON c.mobile = u.mobile";
/// A table over the bank's own columns.
pub(crate) const BY_TIER: &str = "SELECT c.tier, COUNT(*) AS n, SUM(c.balance) AS total FROM {c} c JOIN {u} u ON c.mobile = u.mobile GROUP BY c.tier";
/// The bank's own rows that both have.
pub(crate) const REVEAL: &str = "SELECT c.* FROM {c} c JOIN {u} u ON c.mobile = u.mobile";
