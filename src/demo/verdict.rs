//! Holds what the node answered against the truth, cell by cell.

use super::oracle::{Group, Truth};
use crate::result_table::ResultTable;
use std::collections::BTreeMap;

/// A cell of an answer; an empty one is null.
type Answered = Option<String>;

/// Why the exact table is not the truth; nothing when it is.
pub(super) fn table_is_true(table: &ResultTable, truth: &Truth) -> Result<(), String> {
    expect_columns(table, &["tier", "segment", "customers", "average_spend"])?;
    let rows = by_group(table, &truth.groups)?;
    let due = truth.shown();
    if !rows.keys().eq(due.keys()) {
        let (shown, due): (Vec<_>, Vec<_>) = (rows.keys().collect(), due.keys().collect());
        return Err(format!("groups {shown:?} are shown, {due:?} are due"));
    }
    for ((group, cell), numbers) in due.iter().zip(rows.values()) {
        let due = [Some(cell.customers.to_string()), cell.average()];
        if *numbers != due {
            return Err(format!("{group:?}: {numbers:?}, {due:?} in truth"));
        }
    }
    Ok(())
}

/// The numbers of each row by its group: no group twice, none that is not in the domains, and all others counted as suppressed.
pub(super) fn by_group<'a, C>(
    table: &'a ResultTable,
    groups: &BTreeMap<Group, C>,
) -> Result<BTreeMap<Group, &'a [Answered]>, String> {
    let mut rows = BTreeMap::new();
    for row in &table.rows {
        let [Some(first), Some(second), numbers @ ..] = row.as_slice() else {
            return Err(format!("{row:?} is not a row of the answer"));
        };
        let is_this = |group: &&Group| **group == (first.as_str(), second.as_str());
        let known = groups.keys().find(is_this);
        let known = known.ok_or_else(|| format!("{first}, {second} is no group"))?;
        if rows.insert(*known, numbers).is_some() {
            return Err(format!("{first}, {second} stands there twice"));
        }
    }
    let suppressed = (groups.len() - rows.len()) as u64;
    if table.suppressed_groups != Some(suppressed) {
        let said = table.suppressed_groups;
        return Err(format!(
            "{said:?} groups are reported suppressed, {suppressed} are not shown"
        ));
    }
    Ok(rows)
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

pub(super) fn expect_columns(table: &ResultTable, due: &[&str]) -> Result<(), String> {
    if table.columns == due {
        return Ok(());
    }
    Err(format!("columns {:?}, {due:?} are due", table.columns))
}

#[cfg(test)]
mod tests {
    use super::super::oracle::Cell;
    use super::*;
    use crate::result_table::Notes;

    fn truth() -> Truth {
        let cell = |customers| Cell {
            customers,
            values: 3,
            sum: 200,
        };
        Truth {
            groups: [
                (("gold", "new"), cell(60)),
                (("gold", "vip"), cell(49)),
                (("basic", "vip"), cell(0)),
            ]
            .into(),
            shared_by_email: 70,
        }
    }

    fn answer(csv: &str, suppressed: u64) -> ResultTable {
        ResultTable::from_csv(csv.as_bytes(), 10, Notes::suppressed(suppressed)).expect("valid CSV")
    }

    const HEADER: &str = "tier,segment,customers,average_spend";
    const ROW: &str = "gold,new,60,0.6666666667";

    #[test]
    fn the_truth_is_true() {
        let table = answer(&format!("{HEADER}\n{ROW}\n"), 2);
        assert_eq!(table_is_true(&table, &truth()), Ok(()));
        let number = answer("shared_customers\n70\n", 0);
        assert_eq!(number_is_true(&number, &truth()), Ok(()));
    }

    #[test]
    fn every_kind_of_wrong_answer_is_noticed() {
        for (rows, suppressed) in [
            ("", 3),
            ("gold,new,61,0.6666666667\n", 2),
            ("gold,new,60,0.67\n", 2),
            ("gold,new,60,\n", 2),
            ("gold,vip,60,0.6666666667\n", 2),
            ("gold,new,60,0.6666666667\ngold,vip,49,0.6666666667\n", 1),
            ("gold,new,60,0.6666666667\nbasic,vip,0,\n", 1),
            ("gold,new,60,0.6666666667\ngold,new,60,0.6666666667\n", 2),
            ("silver,new,60,0.6666666667\n", 2),
            ("gold,new,60,0.6666666667\n", 1),
        ] {
            let table = answer(&format!("{HEADER}\n{rows}"), suppressed);
            assert!(table_is_true(&table, &truth()).is_err(), "{rows}");
        }
        let other = answer("tier,segment,customers\ngold,new,60\n", 2);
        assert!(table_is_true(&other, &truth()).is_err());
        let number = answer("shared_customers\n71\n", 0);
        assert!(number_is_true(&number, &truth()).is_err());
    }
}
