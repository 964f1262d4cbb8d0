//! What the banks of the demo write: the policy that all publish, and the question that one of them asks.

use entente_wire::names::OrgName;

/// Every bank's policy for its accounts: the first bank may ask for sums over groups, and nobody for a row.
pub(super) const POLICY: &str = r#"[dataset]
name      = "accounts"
consent   = "consent"      # rows where this is not true never enter a job
min_group = 50             # smallest group that is shown
min_set   = 1000           # smallest list that may enter a job
set_grid  = 1000           # published sizes are rounded up to this
noise     = "optional"
budget    = { epsilon_per_year = 8.0, jobs_per_30d = 200 }
approvers = { need = 2, of = ["data-owner", "compliance", "security"] }
latest    = "updated_at"   # which of several rows of one id counts

[columns.phone]
id  = "e164(+86)"
may = { count = ["north-bank"] }
[columns.industry]
may    = { group = ["north-bank"] }
domain = ["retail", "food", "metal", "energy", "fishery", "shipping"]
[columns.month]
may    = { group = ["north-bank"] }
domain = ["2026-01", "2026-02", "2026-03"]
[columns.overdue]
may      = { sum = ["north-bank"] }
clip     = [0, 50_000]
scale    = 2
nullable = true
[columns.balance]
may      = { sum = ["north-bank"] }
clip     = [-10_000, 100_000]
scale    = 2
nullable = true
"#;

/// The question's names: asked of all, asked while one is lost, and asked with noise.
pub(super) const NAMES: [&str; 3] = [
    "overdue-by-industry",
    "overdue-by-industry-lost",
    "overdue-by-industry-noise",
];

/// The question under a name, with noise or `none`.
pub(super) fn overdue_by_industry(
    name: &str,
    banks: &[OrgName],
    epsilon: &str,
    expires: &str,
) -> String {
    let parties: Vec<&str> = banks.iter().map(OrgName::as_str).collect();
    let parties = parties.join(", ");
    let asker = parties.split(',').next().unwrap_or_default();
    format!(
        r#"entente: 1
name: {name}
purpose: see early in which industries businesses stop paying
legal_basis: consent (PIPL art. 13(1)); PIA-2026-021
ask: |
  SELECT industry, month, COUNT(*) AS accounts, SUM(overdue) AS overdue, AVG(balance) AS average_balance
  FROM "*".accounts
  GROUP BY industry, month
parties: [{parties}]
aggregate: {{ min_parties: 3, dropouts: 1/3 }}
protect: {{ epsilon: {epsilon}, min_group: 50 }}
results_to: [{asker}]
expires: {expires}
runs: 1
"#
    )
}

#[cfg(test)]
mod tests {
    use super::super::banks::{INDUSTRIES, MONTHS, PARTIES, make};
    use super::*;
    use crate::demo::dice::Dice;
    use crate::demo::people::SCALE_MIN;
    use entente_wire::job::Job;
    use entente_wire::names::ColumnName;
    use entente_wire::policy::Policy;

    #[test]
    fn policy_and_questions_parse_and_have_the_domains_of_the_files() {
        let policy = Policy::from_toml(POLICY).expect("what the demo writes is valid");
        for (column, values) in [("industry", &INDUSTRIES[..]), ("month", &MONTHS[..])] {
            let column = &policy.columns[&ColumnName(column.to_owned())];
            assert_eq!(column.domain.as_deref().expect("a domain"), values);
        }
        for parties in [*PARTIES.start(), *PARTIES.end()] {
            let banks = make(parties, SCALE_MIN, &mut Dice::new(1));
            let banks: Vec<OrgName> = banks.into_iter().map(|bank| bank.org).collect();
            for epsilon in ["none", "1.0"] {
                let yaml = overdue_by_industry(NAMES[0], &banks, epsilon, "2030-01-01T00:00:00Z");
                let job = Job::from_yaml(&yaml).expect("what the demo writes is valid");
                assert_eq!(job.parties.len(), parties);
            }
        }
    }
}
