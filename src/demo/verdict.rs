//! Holds what the node answered against the truth, cell by cell.

use super::oracle::Truth;
use crate::result_table::ResultTable;

/// Why the table is not the truth; nothing when it is.
pub(super) fn table_is_true(table: &ResultTable, truth: &Truth) -> Result<(), String> {
    expect_columns(table, &["tier", "customers", "average_balance"])?;
    let shown: Vec<&str> = table
        .rows
        .iter()
        .filter_map(|row| row[0].as_deref())
        .collect();
    let due: Vec<&str> = truth.by_tier.keys().map(String::as_str).collect();
    let mut sorted = shown.clone();
    sorted.sort_unstable();
    if sorted != due {
        return Err(format!("tiers {shown:?} are shown, {due:?} are due"));
    }
    if table.suppressed_groups != Some(truth.suppressed) {
        let said = table.suppressed_groups;
        return Err(format!(
            "{said:?} groups are reported suppressed, {} are",
            truth.suppressed
        ));
    }
    for row in &table.rows {
        let [Some(tier), customers, average] = row.as_slice() else {
            return Err(format!("{row:?} is not a row of the answer"));
        };
        let Some(cell) = truth.by_tier.get(tier) else {
            return Err(format!("{tier} is no tier"));
        };
        let due = Some(cell.customers.to_string());
        if *customers != due {
            return Err(format!("{tier}: {customers:?} customers, {due:?} in truth"));
        }
        let due = cell.average_like(average.as_deref().unwrap_or("0.00"));
        if *average != due {
            return Err(format!(
                "{tier}: an average of {average:?}, {due:?} in truth"
            ));
        }
    }
    Ok(())
}

/// Why the one number is not the truth.
pub(super) fn number_is_true(table: &ResultTable, truth: &Truth) -> Result<(), String> {
    expect_columns(table, &["shared_customers"])?;
    let due = truth.shared_by_email.to_string();
    match table.rows.as_slice() {
        [row] if row[0].as_deref() == Some(&due) => Ok(()),
        rows => Err(format!("{rows:?} shared customers, {due} in truth")),
    }
}

fn expect_columns(table: &ResultTable, due: &[&str]) -> Result<(), String> {
    if table.columns == due {
        return Ok(());
    }
    Err(format!("columns {:?}, {due:?} are due", table.columns))
}

#[cfg(test)]
mod tests {
    use super::super::oracle::Cell;
    use super::*;

    fn truth() -> Truth {
        let cell = Cell {
            customers: 60,
            balances: 3,
            sum: 200,
        };
        Truth {
            by_tier: [("gold".to_owned(), cell)].into(),
            suppressed: 1,
            shared_by_email: 70,
        }
    }

    fn answer(csv: &str, suppressed: u64) -> ResultTable {
        ResultTable::from_csv(csv.as_bytes(), 10, Some(suppressed)).expect("valid CSV")
    }

    #[test]
    fn the_truth_is_true() {
        let table = answer("tier,customers,average_balance\ngold,60,0.67\n", 1);
        assert_eq!(table_is_true(&table, &truth()), Ok(()));
        assert_eq!(
            number_is_true(&answer("shared_customers\n70\n", 0), &truth()),
            Ok(())
        );
    }

    #[test]
    fn every_kind_of_wrong_answer_is_noticed() {
        for (csv, suppressed) in [
            ("tier,customers\ngold,60\n", 1),
            ("tier,customers,average_balance\ngold,61,0.67\n", 1),
            ("tier,customers,average_balance\ngold,60,0.66\n", 1),
            ("tier,customers,average_balance\ngold,60,\n", 1),
            ("tier,customers,average_balance\nsilver,60,0.67\n", 1),
            ("tier,customers,average_balance\n", 1),
            (
                "tier,customers,average_balance\ngold,60,0.67\ngold,60,0.67\n",
                1,
            ),
            ("tier,customers,average_balance\ngold,60,0.67\n", 0),
        ] {
            assert!(
                table_is_true(&answer(csv, suppressed), &truth()).is_err(),
                "{csv}"
            );
        }
        assert!(number_is_true(&answer("shared_customers\n71\n", 0), &truth()).is_err());
    }
}
