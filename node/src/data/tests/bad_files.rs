//! Files that are not what they should be: each ends in a problem that says what and what to do, never in a panic or a hang.

use super::*;
use datafusion::arrow::array::{Float64Array, Int64Array, StringArray};
use std::sync::Arc;

#[test]
fn a_missing_path_a_folder_and_a_pipe_are_unreadable_at_once() {
    let disk = Disk::new();
    let ids = [("mobile", "e164(+86)")];
    let missing = registered(&disk.path("nothing.csv"), &ids).unwrap_err();
    of_code(
        &missing,
        Code::FileUnreadable,
        &["nothing.csv", "No such file"],
    );
    let folder = registered(disk.0.path(), &ids).unwrap_err();
    of_code(&folder, Code::FileUnreadable, &["a folder"]);
    let device = registered(Path::new("/dev/zero"), &ids).unwrap_err();
    of_code(&device, Code::FileUnreadable, &["not a plain file"]);
    let pipe = disk.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        let pipe = registered(&pipe, &ids).unwrap_err();
        of_code(&pipe, Code::FileUnreadable, &["not a plain file"]);
    }
}

#[test]
fn empty_files_and_files_without_rows_are_told_apart() {
    of_code(&refused(""), Code::FileMalformed, &["it is empty"]);
    of_code(
        &refused("mobile,tier\n"),
        Code::NoUsableIds,
        &["a header and no rows"],
    );
    of_code(
        &refused("mobile,tier"),
        Code::NoUsableIds,
        &["a header and no rows"],
    );
    of_code(&refused("\n\n"), Code::FileMalformed, &[]);
}

#[test]
fn a_missing_id_column_names_those_that_are_there() {
    let problem = refused("phone,tier\n13800138000,gold\n");
    of_code(
        &problem,
        Code::ColumnMissing,
        &["no column mobile", "phone, tier"],
    );
    of_code(
        &refused(" mobile,tier\n1,2\n"),
        Code::ColumnMissing,
        &[" mobile"],
    );
    of_code(
        &refused("Mobile,tier\n1,2\n"),
        Code::ColumnMissing,
        &["Mobile"],
    );
}

#[test]
fn columns_with_one_name_or_none_are_refused() {
    let twice = refused("mobile,mobile\n13800138000,13800138001\n");
    of_code(
        &twice,
        Code::FileMalformed,
        &["two columns are called mobile"],
    );
    let other = refused("mobile,tier,tier\n13800138000,a,b\n");
    of_code(
        &other,
        Code::FileMalformed,
        &["two columns are called tier"],
    );
    of_code(
        &refused("mobile,\n13800138000,a\n"),
        Code::FileMalformed,
        &["column 2 has no usable name"],
    );
}

#[test]
fn ids_named_twice_or_not_at_all_are_an_argument_error() {
    let disk = Disk::new();
    let path = disk.file("customers.csv", "mobile\n13800138000\n");
    let twice = registered(&path, &[("mobile", "raw"), ("mobile", "e164(+86)")]).unwrap_err();
    of_code(&twice, Code::Argument, &["mobile is named twice"]);
    of_code(
        &registered(&path, &[]).unwrap_err(),
        Code::Argument,
        &["no id column"],
    );
}

#[test]
fn ragged_rows_name_their_record() {
    let short = refused("mobile,tier\n13800138000,gold\n13800138001\n");
    of_code(
        &short,
        Code::FileMalformed,
        &["record 3", "expected 2", "got 1"],
    );
    let long = refused("mobile,tier\n13800138000,gold,x\n");
    of_code(&long, Code::FileMalformed, &["record 2", "expected 2"]);
}

#[test]
fn other_encodings_are_named() {
    let utf16 = |bom: &[u8], big: bool| {
        let mut bytes = bom.to_vec();
        for unit in "mobile,tier\n13800138000,gold\n".encode_utf16() {
            bytes.extend(if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            });
        }
        bytes
    };
    for bytes in [
        utf16(&[0xff, 0xfe], false),
        utf16(&[0xfe, 0xff], true),
        utf16(&[], false),
        utf16(&[], true),
    ] {
        of_code(&refused(bytes), Code::FileMalformed, &["UTF-16"]);
    }
    let latin1 = refused(b"mobile,city\n13800138000,Z\xfcrich\n");
    of_code(
        &latin1,
        Code::FileMalformed,
        &["not in UTF-8", "record 2, field 2"],
    );
    let gbk = refused(b"mobile,\xb5\xc8\xbc\xb6\n13800138000,gold\n");
    of_code(&gbk, Code::FileMalformed, &["not in UTF-8", "header"]);
    let mut late = "mobile,city\n".to_owned().into_bytes();
    late.extend("13800138000,Bern\n".repeat(20_000).bytes());
    late.extend(b"13800138000,Z\xfcrich\n");
    of_code(
        &refused(late),
        Code::FileMalformed,
        &["not in UTF-8", "record 20002"],
    );
}

#[test]
fn a_utf8_byte_order_mark_is_no_part_of_the_first_name() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "\u{feff}mobile,tier\r\n13800138000,gold\r\n",
    );
    let (dataset, report) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    assert_eq!(dataset.columns[0].name, column("mobile"));
    assert_eq!((report.rows, report.ids[0].usable_rows), (1, 1));
    let quoted = disk.file(
        "quoted.csv",
        "\u{feff}\"mobile\",\"tier\"\n\"13800138000\",\"gold\"\n",
    );
    assert!(registered(&quoted, &[("mobile", "e164(+86)")]).is_ok());
}

#[test]
fn binary_compressed_and_spreadsheet_files_are_named() {
    of_code(
        &refused(b"PK\x03\x04rest"),
        Code::FileMalformed,
        &["spreadsheet"],
    );
    of_code(
        &refused(b"\x1f\x8b\x08rest"),
        Code::FileMalformed,
        &["compressed"],
    );
    of_code(
        &refused(b"mobile,tier\n138\x00001,x\n"),
        Code::FileMalformed,
        &["zero bytes"],
    );
    of_code(&refused(b"PARE1234"), Code::FileMalformed, &["encrypted"]);
    let disk = Disk::new();
    let path = disk.file("customers.parquet", "mobile\n13800138000\n");
    let named = registered(&path, &[("mobile", "raw")]).unwrap_err();
    of_code(&named, Code::FileMalformed, &["says Parquet"]);
}

#[test]
fn a_quote_that_is_not_closed_never_swallows_rows() {
    let last_column = refused("mobile,note\n13800138000,\"fine\n13800138001,gone\n");
    of_code(&last_column, Code::FileMalformed, &["line 2 is not closed"]);
    let after = refused("mobile,note\n13800138000,\"fine\"not\n");
    of_code(
        &after,
        Code::FileMalformed,
        &["line 2", "after its closing quote"],
    );
}

#[test]
fn no_usable_id_says_why_by_count() {
    let problem = refused("mobile,tier\nn/a,gold\n,gold\n123,gold\n");
    let reasons = [
        "e164(+86)",
        "of 3 rows",
        "1 empty",
        "1 too few digits",
        "1 a character",
    ];
    of_code(&problem, Code::NoUsableIds, &reasons);
    for value in ["n/a", "123"] {
        assert!(!problem.what.contains(value), "{problem} shows a value");
    }
}

#[test]
fn truncated_and_damaged_parquet_never_panics() {
    let disk = Disk::new();
    let mobiles: Vec<String> = (0..300).map(mobile).collect();
    let batch = RecordBatch::try_from_iter([
        ("mobile", Arc::new(StringArray::from(mobiles)) as _),
        ("age", Arc::new(Int64Array::from_iter_values(0..300)) as _),
        (
            "spend",
            Arc::new(Float64Array::from_iter_values((0..300).map(f64::from))) as _,
        ),
    ]);
    let whole = std::fs::read(disk.parquet("whole.parquet", &batch.unwrap())).unwrap();
    let ids = [("mobile", "e164(+86)")];
    for length in [4, 8, 100, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        let path = disk.file("cut.parquet", &whole[..length]);
        of_code(
            &registered(&path, &ids).unwrap_err(),
            Code::FileMalformed,
            &["Parquet"],
        );
    }
    // The footer is where the reader asserts things instead of checking them.
    let footer = whole.len() - 900;
    let places = (4..footer)
        .step_by(97)
        .chain((footer..whole.len()).step_by(5));
    for place in places {
        let mut damaged = whole.clone();
        damaged[place] ^= [0x55u8, 0x01, 0x80, 0xff][place % 4];
        let path = disk.file("damaged.parquet", &damaged);
        if let Err(problem) = registered(&path, &ids) {
            assert!(
                matches!(
                    problem.code,
                    Code::FileMalformed | Code::ColumnMissing | Code::NoUsableIds
                ),
                "{problem}"
            );
        }
    }
}

#[test]
fn a_floating_point_id_column_is_refused_before_digits_are_lost() {
    let disk = Disk::new();
    let batch = RecordBatch::try_from_iter([(
        "mobile",
        Arc::new(Float64Array::from(vec![13_800_138_000.0])) as _,
    )]);
    let path = disk.parquet("customers.parquet", &batch.unwrap());
    let problem = registered(&path, &[("mobile", "e164(+86)")]).unwrap_err();
    of_code(&problem, Code::FileMalformed, &["mobile", "Float64"]);
}

#[test]
fn a_file_that_changed_since_registration_is_refused_everywhere() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "mobile,tier\n13800138000,gold\n13800138001,gold\n",
    );
    let (dataset, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let policy = policy("consent = \"not-needed\"", ID);
    assert!(open_unapproved(&dataset, &policy).is_ok());
    disk.file(
        "customers.csv",
        "mobile,tier\n13800138000,gold\n13800138002,gold\n",
    );
    let survey_problem = survey(&dataset, Some(&policy), &spill()).unwrap_err();
    of_code(
        &survey_problem,
        Code::DataChanged,
        &["customers.csv changed"],
    );
    let open_problem = open_unapproved(&dataset, &policy).unwrap_err();
    of_code(&open_problem, Code::DataChanged, &["changed"]);
    std::fs::remove_file(&path).unwrap();
    of_code(
        &open_unapproved(&dataset, &policy).unwrap_err(),
        Code::FileUnreadable,
        &[],
    );
}

#[test]
fn a_file_written_to_while_it_is_open_ends_the_job() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "mobile,tier\n13800138000,gold\n13800138001,gold\n",
    );
    let policy = policy("consent = \"not-needed\"", ID);
    let asked = Asked::new(&path, &policy, "SELECT COUNT(*) AS n FROM {J}", &[]);
    std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"13800138002,gold\n"))
        .unwrap();
    of_code(
        &asked.prepare().err().unwrap(),
        Code::DataChanged,
        &["changed"],
    );
}

#[test]
fn a_dataset_whose_columns_were_altered_in_the_store_is_refused() {
    let disk = Disk::new();
    let path = disk.file("customers.csv", "mobile,age\n13800138000,33\n");
    let (mut dataset, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    dataset.columns[1].storage = Storage::Text;
    let policy = policy("consent = \"not-needed\"", ID);
    of_code(
        &open_unapproved(&dataset, &policy).unwrap_err(),
        Code::DataChanged,
        &[],
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_registering_panic(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        text in "[a-c,;\"\r\n\t0-9.é-]{0,80}",
    ) {
        let disk = Disk::new();
        for bytes in [bytes, [b"mobile,x\n".to_vec(), text.clone().into_bytes()].concat(), text.into_bytes()] {
            let path = disk.file("customers.csv", &bytes);
            if let Ok((dataset, report)) = registered(&path, &[("mobile", "raw")]) {
                let counted: u64 = report.ids[0].rejected_rows.values().sum();
                proptest::prop_assert_eq!(counted + report.ids[0].usable_rows, dataset.manifest.rows);
            }
        }
    }
}
