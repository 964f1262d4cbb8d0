//! Holds a table of many banks against the truth of exactly the banks whose numbers it says it has.

use super::oracle::{Groups, Truth};
use crate::demo::verdict::{by_group, expect_columns};
use crate::result_table::ResultTable;
use entente_wire::names::OrgName;
use std::collections::BTreeSet;

/// Why the exact table is not the truth; nothing when it is. `lost` alone may be missing from it.
pub(super) fn table_is_true(
    table: &ResultTable,
    truth: &Truth,
    lost: Option<&OrgName>,
) -> Result<(), String> {
    expect_columns(
        table,
        &[
            "industry",
            "month",
            "accounts",
            "overdue",
            "average_balance",
        ],
    )?;
    let sum = sum_of_named(table, truth, lost)?;
    let rows = by_group(table, &sum)?;
    let due = sum.iter().filter(|(_, cell)| cell.may_be_shown());
    if !rows.keys().eq(due.clone().map(|(group, _)| group)) {
        let (shown, due): (Vec<_>, Vec<_>) = (rows.keys().collect(), due.collect());
        return Err(format!("groups {shown:?} are shown, {due:?} are due"));
    }
    for ((group, cell), numbers) in due.zip(rows.values()) {
        let due = cell.numbers();
        if *numbers != due {
            return Err(format!("{group:?}: {numbers:?}, {due:?} in truth"));
        }
    }
    Ok(())
}

/// The true sum over the banks that the result names; each bank is in it or missing, and none but `lost` is missing.
pub(super) fn sum_of_named(
    table: &ResultTable,
    truth: &Truth,
    lost: Option<&OrgName>,
) -> Result<Groups, String> {
    let parties = table.parties.as_ref();
    let parties = parties.ok_or("the result does not say whose numbers it has")?;
    let told = parties.in_sum.iter().chain(&parties.missing);
    let each: BTreeSet<&str> = told.clone().map(String::as_str).collect();
    let banks: BTreeSet<&str> = truth.by_bank.keys().map(OrgName::as_str).collect();
    if each != banks || told.count() != banks.len() {
        return Err(format!("{parties:?} are not the {} banks", banks.len()));
    }
    let may_miss = |org: &String| lost.is_some_and(|lost| lost.as_str() == org);
    if let Some(org) = parties.missing.iter().find(|org| !may_miss(org)) {
        return Err(format!("{org}'s numbers are missing"));
    }
    let is_in = |org: &&OrgName| parties.in_sum.iter().any(|named| named == org.as_str());
    let sum = truth.sum(truth.by_bank.keys().filter(is_in));
    sum.ok_or_else(|| "a bank without a table".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::banks::{INDUSTRIES, MONTHS};
    use super::super::oracle::{Amounts, Cell};
    use super::*;
    use crate::result_table::{Notes, Parties};
    use std::collections::BTreeMap;

    const GROUPS: [(&str, &str); 2] = [("food", "2026-01"), ("food", "2026-02")];
    const GROUPS_IN_ALL: usize = INDUSTRIES.len() * MONTHS.len();

    /// Three banks with 30 and 10 accounts in the two groups, one with 40 and 15, and nobody anywhere else.
    fn truth() -> Truth {
        let cell = |accounts| Cell {
            accounts,
            overdue: Amounts {
                values: accounts / 2,
                sum: 100 * accounts as i64,
            },
            balance: Amounts {
                values: accounts,
                sum: -50 * accounts as i64,
            },
        };
        let groups = |first, second| -> Groups {
            let cells = [cell(first), cell(second)];
            GROUPS.into_iter().zip(cells).collect()
        };
        let bank = |name: &str, groups| (name.parse().expect("a label"), groups);
        let by_bank = BTreeMap::from([
            bank("a", groups(30, 10)),
            bank("b", groups(30, 10)),
            bank("c", groups(30, 10)),
            bank("d", groups(40, 15)),
        ]);
        Truth { by_bank }
    }

    fn judged(rows: &str, in_sum: &[&str], missing: &[&str]) -> Result<(), String> {
        let suppressed = GROUPS_IN_ALL - rows.lines().count();
        judged_with(suppressed as u64, rows, in_sum, missing)
    }

    fn judged_with(
        suppressed: u64,
        rows: &str,
        in_sum: &[&str],
        missing: &[&str],
    ) -> Result<(), String> {
        let header = "industry,month,accounts,overdue,average_balance";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let notes = Notes {
            suppressed_groups: Some(suppressed),
            parties: Some(Parties {
                in_sum: names(in_sum),
                missing: names(missing),
            }),
        };
        let csv = format!("{header}\n{rows}");
        let table = ResultTable::from_csv(csv.as_bytes(), 10, notes).expect("valid CSV");
        let lost = "d".parse().expect("a label");
        table_is_true(&table, &truth(), Some(&lost))
    }

    const ALL: &[&str] = &["a", "b", "c", "d"];
    const OTHERS: &[&str] = &["a", "b", "c"];
    const OF_ALL: &str = "food,2026-01,130,130.00,-0.50\n";
    const OF_OTHERS: &str = "food,2026-01,90,90.00,-0.50\n";

    #[test]
    fn the_truth_of_whoever_is_named_is_true() {
        assert_eq!(judged(OF_ALL, ALL, &[]), Ok(()));
        assert_eq!(judged(OF_OTHERS, OTHERS, &["d"]), Ok(()));
    }

    #[test]
    fn every_kind_of_wrong_answer_is_noticed() {
        for rows in [
            "",
            "food,2026-01,131,130.00,-0.50\n",
            "food,2026-01,130,130.01,-0.50\n",
            "food,2026-01,130,130.00,-0.51\n",
            "food,2026-01,130,,-0.50\n",
            "food,2026-01,130,130.00,\n",
            "food,2026-02,45,45.00,-0.50\n",
            "food,2026-01,130,130.00,-0.50\nfood,2026-02,45,45.00,-0.50\n",
            "food,2026-01,130,130.00,-0.50\nretail,2026-01,0,,\n",
            "food,2026-01,130,130.00,-0.50\nfood,2026-01,130,130.00,-0.50\n",
            "metal,2026-01,130,130.00,-0.50\n",
        ] {
            assert!(judged(rows, ALL, &[]).is_err(), "{rows}");
        }
        assert!(
            judged_with(16, OF_ALL, ALL, &[]).is_err(),
            "suppressed groups miscounted"
        );
        let plain = ResultTable::from_csv(OF_ALL.as_bytes(), 10, Notes::suppressed(2));
        let plain = plain.expect("valid CSV");
        assert!(table_is_true(&plain, &truth(), None).is_err(), "columns");
    }

    #[test]
    fn numbers_of_others_than_are_named_are_noticed() {
        assert!(judged(OF_OTHERS, ALL, &[]).is_err(), "one less than named");
        assert!(
            judged(OF_ALL, OTHERS, &["d"]).is_err(),
            "one more than named"
        );
        let others = &["a", "b", "d"];
        assert!(judged(OF_ALL, others, &["c"]).is_err(), "nobody lost c");
        assert!(judged(OF_OTHERS, OTHERS, &[]).is_err(), "d is nowhere");
        assert!(
            judged(OF_ALL, &["a", "b", "c", "d", "d"], &[]).is_err(),
            "twice"
        );
        assert!(
            judged(OF_ALL, &["a", "b", "c", "e"], &["d"]).is_err(),
            "no bank"
        );
    }
}
