//! What files may look like, and what a registration makes of them.

use super::*;
use datafusion::arrow::array::*;
use datafusion::arrow::datatypes::Int32Type;
use std::sync::Arc;

fn storages(dataset: &Dataset) -> Vec<(&str, &Storage)> {
    let columns = dataset.columns.iter();
    columns
        .map(|column| (column.name.0.as_str(), &column.storage))
        .collect()
}

#[test]
fn quotes_newlines_crlf_and_other_delimiters_are_read() {
    let disk = Disk::new();
    let rows = [
        "mobile,note\n\"13800138000\",\"says \"\"hi\"\", then\nleaves\"\n13800138001,5\" pipe\n",
        "mobile,note\r\n\"13800138000\",\"says \"\"hi\"\", then\nleaves\"\r\n13800138001,5\" pipe\r\n",
        "mobile;note\n13800138000;\"says \"\"hi\"\", then\nleaves\"\n13800138001;5\" pipe",
        "mobile\tnote\n13800138000\t\"says \"\"hi\"\", then\nleaves\"\n13800138001\t5\" pipe\n",
    ];
    for text in rows {
        let path = disk.file("customers.csv", text);
        let (dataset, report) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
        assert_eq!(
            (report.rows, report.ids[0].distinct_ids),
            (2, 2),
            "{text:?}"
        );
        let policy = policy(
            "consent = \"not-needed\"",
            "[columns.mobile]\nid = \"e164(+86)\"\n[columns.note]",
        );
        let open = open_unapproved(&dataset, &policy).unwrap();
        let out = disk.path("out.csv");
        let shown = Shown {
            columns: &[column("note")],
            star: false,
            display: &Default::default(),
        };
        write_rows(&open, &set(&[0, 1]), shown, &out).unwrap();
        let written = std::fs::read_to_string(out).unwrap();
        assert_eq!(
            written,
            "note\n\"says \"\"hi\"\", then\nleaves\"\n\"5\"\" pipe\"\n"
        );
    }
}

#[test]
fn types_come_from_all_rows_and_ids_are_text() {
    let disk = Disk::new();
    let mut text = String::from("mobile,code,amount,age,active,day,seen,mixed\n");
    for person in 0..20_000 {
        let mobile = mobile(person);
        text +=
            &format!("{mobile},00{person},1.5,{person},true,2026-01-05,2026-01-05 10:00:00,7\n");
    }
    text += "13900000000,1,2.125,,FALSE,,,seven\n";
    let path = disk.file("customers.csv", text);
    let (dataset, report) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let decimal = Storage::Decimal {
        precision: 4,
        scale: 3,
    };
    assert_eq!(
        storages(&dataset),
        [
            ("mobile", &Storage::Text),
            ("code", &Storage::Text),
            ("amount", &decimal),
            ("age", &Storage::Integer),
            ("active", &Storage::Boolean),
            ("day", &Storage::Date),
            ("seen", &Storage::Timestamp),
            ("mixed", &Storage::Text),
        ]
    );
    assert_eq!(report.rows, 20_001);
    assert_eq!(dataset.columns[3].nulls, 1);
    assert_eq!(dataset.columns[7].not_numbers, 1);
}

#[test]
fn one_number_in_many_forms_is_one_id_and_bad_ones_are_counted() {
    let disk = Disk::new();
    let text = "mobile\n+86 138 0013 8000\n0086-13800138000\n１３８００１３８０００\n13800138000\n\nN/A\n138\n13800138001\n\"\"\n";
    let path = disk.file("customers.csv", text);
    let (dataset, report) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let id = &report.ids[0];
    assert_eq!((id.usable_rows, id.distinct_ids), (5, 2));
    let rejected: u64 = id.rejected_rows.values().sum();
    assert_eq!(rejected + id.usable_rows, report.rows);
    assert_eq!(report.version, dataset.manifest.digest());
    assert_eq!(id.eligible_ids, None, "only a policy tells");
}

#[test]
fn parquet_and_csv_of_the_same_values_have_the_same_types_and_ids() {
    let disk = Disk::new();
    let batch = RecordBatch::try_from_iter([
        (
            "mobile",
            Arc::new(Int64Array::from(vec![
                Some(13_800_138_000),
                None,
                Some(13_800_138_001),
            ])) as ArrayRef,
        ),
        (
            "spend",
            Arc::new(Float64Array::from(vec![Some(1.005), Some(20.5), None])),
        ),
        ("rate", Arc::new(Float32Array::from(vec![0.1, 0.25, 0.5]))),
        (
            "tier",
            Arc::new(DictionaryArray::<Int32Type>::from_iter([
                "gold", "gold", "basic",
            ])),
        ),
        ("age", Arc::new(Int16Array::from(vec![33, 44, 55]))),
        (
            "active",
            Arc::new(BooleanArray::from(vec![true, false, true])),
        ),
        (
            "seen",
            Arc::new(
                TimestampNanosecondArray::from(vec![1_767_614_400_000_000_000; 3])
                    .with_timezone("+08:00"),
            ),
        ),
        (
            "day",
            Arc::new(Date64Array::from(vec![1_767_571_200_000; 3])),
        ),
        (
            "nan",
            Arc::new(Float64Array::from(vec![f64::NAN, 1.0, 2.0])),
        ),
        (
            "blob",
            Arc::new(BinaryArray::from_vec(vec![b"x", b"y", b"z"])),
        ),
        ("none", Arc::new(NullArray::new(3))),
    ]);
    let (dataset, report) = {
        let path = disk.parquet("customers.parquet", &batch.unwrap());
        registered(&path, &[("mobile", "e164(+86)")]).unwrap()
    };
    let found = storages(&dataset);
    let decimal = |precision, scale| Storage::Decimal { precision, scale };
    assert_eq!(found[0].1, &Storage::Text);
    assert_eq!(found[1].1, &decimal(5, 3));
    assert_eq!(found[2].1, &decimal(3, 2));
    assert_eq!(found[3].1, &Storage::Text);
    assert_eq!(found[4].1, &Storage::Integer);
    assert_eq!(found[5].1, &Storage::Boolean);
    assert_eq!(found[6].1, &Storage::Timestamp);
    assert_eq!(found[7].1, &Storage::Date);
    assert_eq!(found[8].1, &Storage::Float);
    assert!(matches!(found[9].1, Storage::Unusable { .. }));
    assert_eq!(
        (report.ids[0].usable_rows, report.ids[0].distinct_ids),
        (2, 2)
    );
    assert_eq!(
        report.columns.len(),
        10,
        "the blob is not a column of questions"
    );
    let policy = policy(
        "consent = \"not-needed\"",
        "[columns.mobile]\nid = \"e164(+86)\"\n[columns.spend]\n[columns.rate]\n[columns.tier]\n[columns.age]\n\
         [columns.active]\n[columns.seen]\n[columns.day]",
    );
    let open = open_unapproved(&dataset, &policy).unwrap();
    let out = disk.path("out.csv");
    let columns: Vec<ColumnName> = policy.columns.keys().cloned().collect();
    let shown = Shown {
        columns: &columns,
        star: true,
        display: &Default::default(),
    };
    write_rows(&open, &set(&[0, 2]), shown, &out).unwrap();
    assert_eq!(
        std::fs::read_to_string(out).unwrap(),
        "mobile,spend,rate,tier,age,active,seen,day\n\
         13800138000,1.005,0.10,gold,33,true,2026-01-05T12:00:00Z,2026-01-05\n\
         13800138001,,0.50,basic,55,true,2026-01-05T12:00:00Z,2026-01-05\n"
    );
}

#[test]
fn the_manifest_holds_no_row_no_path_and_no_unpublished_name() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "mobile,salary_band\n13800138000,top-secret\n",
    );
    let (dataset, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let text = String::from_utf8(entente_wire::canonical::to_bytes(&dataset.manifest)).unwrap();
    for hidden in ["13800138000", "salary_band", "top-secret", "customers.csv"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    let again: Manifest = entente_wire::canonical::from_bytes(text.as_bytes()).unwrap();
    assert_eq!(again, dataset.manifest);
    let stored = entente_wire::canonical::to_bytes(&dataset);
    let stored: Dataset = entente_wire::canonical::from_bytes(&stored).unwrap();
    assert_eq!(stored, dataset);
}

#[test]
fn the_same_bytes_give_the_same_version_and_others_another() {
    let disk = Disk::new();
    let ids = [("mobile", "e164(+86)")];
    let one = registered(&disk.file("a.csv", "mobile\n13800138000\n"), &ids)
        .unwrap()
        .0;
    let same = registered(&disk.file("b.csv", "mobile\n13800138000\n"), &ids)
        .unwrap()
        .0;
    let other = registered(&disk.file("c.csv", "mobile\n13800138001\n"), &ids)
        .unwrap()
        .0;
    assert_eq!(one.manifest.digest(), same.manifest.digest());
    assert_ne!(one.manifest.digest(), other.manifest.digest());
}
