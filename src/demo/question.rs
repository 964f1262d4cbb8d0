//! What the two organisations of the demo write: their policies and their questions, as anybody would write them.

use entente_wire::names::OrgName;

/// The bank, which asks.
pub(super) fn bank() -> OrgName {
    "north-bank".parse().expect("a label")
}

/// The payment platform, its partner.
pub(super) fn platform() -> OrgName {
    "river-pay".parse().expect("a label")
}

/// The bank's policy for its customers.
pub(super) const CUSTOMERS_POLICY: &str = r#"[dataset]
name      = "customers"
consent   = "consent"      # rows where this is not true never enter a job
min_group = 50             # smallest group that is shown
min_set   = 1000           # smallest list that may be matched
set_grid  = 1000           # published sizes are rounded up to this
noise     = "optional"
budget    = { epsilon_per_year = 8.0, jobs_per_30d = 200 }
approvers = { need = 2, of = ["data-owner", "compliance", "security"] }
latest    = "updated_at"   # which of several rows of one id counts

[columns.mobile]
id  = "e164(+86)"
may = { match = ["river-pay"] }
[columns.email]
id  = "email"
may = { match = ["river-pay"] }
[columns.tier]
domain = ["basic", "silver", "gold", "platinum"]
[columns.balance]
clip     = [0, 1_000_000]
scale    = 2
nullable = true
[columns.opened_on]
"#;

/// The platform's policy for its users: the bank may group by segment and add up spending, but learns of no user that it is there.
pub(super) const USERS_POLICY: &str = r#"[dataset]
name      = "users"
consent   = "consent"
min_group = 50
min_set   = 1000
set_grid  = 1000
noise     = "optional"
budget    = { epsilon_per_year = 8.0, jobs_per_30d = 200 }
approvers = { need = 2, of = ["data-owner", "compliance", "security"] }
latest    = "updated_at"

[columns.mobile]
id  = "e164(+86)"
may = { match = ["north-bank"] }
[columns.email]
id  = "email"
may = { match = ["north-bank"] }
[columns.active]
may = { filter = ["north-bank"] }
[columns.segment]
may    = { group = ["north-bank"] }
domain = ["new", "regular", "vip"]
[columns.spend_90d]
may      = { sum = ["north-bank"] }
clip     = [0, 100_000]
scale    = 2
nullable = true
"#;

/// The first question: a table over columns of both, for the active users that both have.
pub(super) fn tier_by_segment(expires: &str) -> String {
    by_both("tier-by-segment", "none", expires)
}

/// The same once more, with noise.
pub(super) fn tier_by_segment_noise(expires: &str) -> String {
    by_both("tier-by-segment-noise", "1.0", expires)
}

fn by_both(name: &str, epsilon: &str, expires: &str) -> String {
    format!(
        r#"entente: 1
name: {name}
purpose: size a co-branded card offer
legal_basis: consent (PIPL art. 13(1)); PIA-2026-014
ask: |
  SELECT b.tier, p.segment, COUNT(*) AS customers, AVG(p.spend_90d) AS average_spend
  FROM "north-bank".customers b JOIN "river-pay".users p ON b.mobile = p.mobile
  WHERE p.active AND b.opened_on < DATE '2026-01-01'
  GROUP BY b.tier, p.segment
protect: {{ epsilon: {epsilon}, min_group: 50 }}
results_to: [north-bank]
expires: {expires}
runs: 1
"#
    )
}

/// Another question: one number.
pub(super) fn shared_by_email(expires: &str) -> String {
    format!(
        r#"entente: 1
name: shared-by-email
purpose: know how many customers both serve
legal_basis: consent (PIPL art. 13(1)); PIA-2026-014
ask: |
  SELECT COUNT(*) AS shared_customers
  FROM "north-bank".customers b JOIN "river-pay".users p ON b.email = p.email
protect: {{ epsilon: none, min_group: 50 }}
results_to: [north-bank]
expires: {expires}
runs: 1
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_wire::job::Job;
    use entente_wire::policy::Policy;

    #[test]
    fn policies_and_questions_parse() {
        for toml in [CUSTOMERS_POLICY, USERS_POLICY] {
            Policy::from_toml(toml).expect("what the demo writes is valid");
        }
        for yaml in [
            tier_by_segment("2030-01-01T00:00:00Z"),
            tier_by_segment_noise("2030-01-01T00:00:00Z"),
            shared_by_email("2030-01-01T00:00:00Z"),
        ] {
            Job::from_yaml(&yaml).expect("what the demo writes is valid");
        }
    }
}
