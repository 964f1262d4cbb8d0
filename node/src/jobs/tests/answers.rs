//! Whole runs of two nodes, compared with the plain answer.

use super::pair::Pair;
use super::question::{OVERLAP, REVEAL, TABLE, job};
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use entente_wire::local::JobState;
use entente_wire::problem::Code;
use std::fs;

#[test]
fn a_reveal_gives_the_receivers_own_rows_of_common_ids() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(REVEAL, ""));
    let session = pair.open();
    pair.run(session).expect("runs");
    assert_eq!(
        (pair.bank.state(hash), pair.pay.state(hash)),
        (JobState::Done, JobState::Done)
    );
    let expected: String = (0..40)
        .step_by(2)
        .map(|number| format!("{},{number}.50\n", ["gold", "silver", "plain"][number % 3]))
        .collect();
    assert_eq!(pair.result(hash), format!("tier,balance\n{expected}"));
    assert_eq!(pair.bank.view(hash).result_rows, Some(20));
}

#[test]
fn a_result_can_be_had_as_parquet_while_the_csv_stays_as_it_was_released() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(REVEAL, ""));
    let session = pair.open();
    pair.run(session).expect("runs");
    let before = pair.result(hash);
    let jobs = pair.bank.jobs();
    let file = jobs.result_as_parquet(&hash.short()).expect("a copy");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let types: Vec<_> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), field.data_type().clone()))
        .collect();
    assert_eq!(
        types,
        [
            ("tier".to_owned(), DataType::Utf8),
            ("balance".to_owned(), DataType::Decimal128(4, 2))
        ]
    );
    assert_eq!(reader.metadata().file_metadata().num_rows(), 20);
    assert_eq!(pair.result(hash), before);
    let path = jobs.result(&hash.short()).expect("a result").path;
    let folder = path.parent().expect("a folder");
    let left = fs::read_dir(folder).expect("reads").count();
    assert_eq!(left, 1, "the copy has no name");
    let problem = pair.pay.jobs().result_as_parquet(&hash.short());
    assert_eq!(problem.expect_err("not theirs").code, Code::ResultNotYours);
}

#[test]
fn an_overlap_gives_the_count_alone() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let session = pair.open();
    pair.run(session).expect("runs");
    assert_eq!(pair.result(hash), "both_hold\n20\n");
}

#[test]
fn a_table_groups_and_sums_the_receivers_columns_and_suppresses_small_groups() {
    let mut pair = Pair::new();
    // Customers whose number is divisible by 4: 4 of gold (0 12 24 36), 3 of silver (4 16 28), 3 of plain (8 20 32).
    let hash = pair.ready(&job(
        TABLE,
        "WHERE p.active AND b.tier <> 'plain' GROUP BY b.tier ORDER BY b.tier",
    ));
    let session = pair.open();
    pair.run(session).expect("runs");
    assert_eq!(
        pair.result(hash),
        "tier,customers,total\ngold,4,74.00\nsilver,3,49.50\n"
    );
    assert_eq!(pair.bank.view(hash).suppressed_groups, Some(1));
}

#[test]
fn an_overlap_smaller_than_allowed_is_suppressed_not_zero() {
    let mut pair = Pair::new();
    let yaml = job(OVERLAP, "").replace("min_group: 3", "min_group: 21");
    let hash = pair.ready(&yaml);
    let session = pair.open();
    pair.run(session).expect("runs");
    assert_eq!(pair.result(hash), "both_hold\n");
    assert_eq!(pair.bank.view(hash).suppressed_groups, Some(1));
}

#[test]
fn only_those_in_results_to_have_a_result() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let before = pair
        .bank
        .jobs()
        .result(&hash.short())
        .expect_err("no result yet");
    assert_eq!(before.code, Code::JobState);
    let session = pair.open();
    pair.run(session).expect("runs");
    let problem = pair
        .pay
        .jobs()
        .result(&hash.short())
        .expect_err("not theirs");
    assert_eq!(problem.code, Code::ResultNotYours);
    assert!(!pair.pay.home.path().join("results").exists());
    assert_eq!(pair.pay.view(hash).result_path, None);
}

#[test]
fn a_result_that_was_changed_on_disk_is_not_given_out() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let session = pair.open();
    pair.run(session).expect("runs");
    let path = pair
        .bank
        .jobs()
        .result(&hash.short())
        .expect("a result")
        .path;
    fs::write(&path, "both_hold\n21\n").expect("writes");
    let problem = pair.bank.jobs().result(&hash.short()).expect_err("changed");
    assert_eq!(problem.code, Code::DataChanged);
}

#[test]
fn a_filter_that_leaves_only_a_few_ids_is_refused_without_telling_how_many() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(REVEAL, "WHERE b.tier = 'gold' AND b.balance < 10"));
    let session = pair.open();
    let problem = pair.run(session).expect_err("four gold customers");
    assert_eq!(problem.code, Code::SetTooSmall);
    assert!(!problem.what.contains('4'), "{}", problem.what);
    assert_ne!(pair.bank.state(hash), JobState::Done);
}

#[test]
fn a_closed_run_shows_its_stages_and_bytes() {
    let mut pair = Pair::new();
    let hash = pair.ready(&job(OVERLAP, ""));
    let session = pair.open();
    pair.run(session).expect("runs");
    let progress = pair.bank.view(hash).progress.expect("a run");
    let stages: Vec<&str> = progress
        .stages_ms
        .iter()
        .map(|(stage, _)| stage.as_str())
        .collect();
    assert_eq!(
        stages,
        [
            "connecting",
            "reading",
            "matching",
            "releasing",
            "writing",
            "closing"
        ]
    );
    assert!(progress.sent_bytes > 48 * 32 && progress.received_bytes > 2 * 48 * 32);
}
