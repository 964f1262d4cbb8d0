//! The planner's published questions, each run here over a small file: what is planned can be computed.

use super::*;
use entente_wire::plan::{Operator, Side};
use entente_wire::publication::{ColumnType, Schema};
use serde::Deserialize;

#[derive(Deserialize)]
struct CatalogFile {
    publication: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    org: OrgName,
    ids_rounded: u64,
    schema: BTreeMap<ColumnName, ColumnType>,
    policy: String,
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    ask: String,
    asker: Option<OrgName>,
    results_to: Option<BTreeSet<OrgName>>,
    min_group: Option<u64>,
    #[serde(default)]
    domains: BTreeMap<ColumnName, Vec<String>>,
    #[serde(default)]
    measures: BTreeMap<ColumnName, Measure>,
}

fn vectors<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocols/vectors/sql/");
    let text = std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    toml::from_str(&text).unwrap()
}

fn catalog() -> Published {
    let file: CatalogFile = vectors("catalog.toml");
    let publications = file.publication.into_iter().map(|entry| Publication {
        org: entry.org,
        version: 1,
        policy: Policy::from_toml(&entry.policy).unwrap(),
        schema: Schema(entry.schema),
        ids_rounded: entry.ids_rounded,
    });
    Published(publications.collect())
}

/// A file with the published columns: six people, one with nothing but an id, and the last twice.
fn file_of(publication: &Publication, disk: &Disk) -> PathBuf {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let value = |name: &ColumnName, kind: &ColumnType, row: usize| {
        let column = &publication.policy.columns[name];
        if let Some(id) = &column.id {
            let person = row.min(5);
            return match id {
                IdKind::Email => format!("someone-{person}@example.com"),
                IdKind::E164 { .. } => format!("+86138001380{person:02}"),
                _ => format!("id-{person}"),
            };
        }
        if row == 2 && column.nullable {
            return String::new();
        }
        let of_domain = column
            .domain
            .as_ref()
            .map(|domain| domain[row % domain.len()].clone());
        match kind {
            _ if row >= 5 && of_domain.is_none() => "same".to_owned(),
            ColumnType::Text => of_domain.unwrap_or_else(|| format!("text {row}")),
            ColumnType::Integer => format!("{}", row * 11),
            ColumnType::Decimal => format!("{row}.25"),
            ColumnType::Boolean => "true".to_owned(),
            ColumnType::Date => format!("2025-03-0{}", row + 1),
            ColumnType::Timestamp => format!("2025-03-0{} 10:00:00", row + 1),
        }
        .replace(
            "same",
            match kind {
                ColumnType::Text => "same",
                ColumnType::Integer => "5",
                ColumnType::Decimal => "5.5",
                ColumnType::Boolean => "true",
                ColumnType::Date => "2025-05-05",
                ColumnType::Timestamp => "2025-05-05 10:00:00",
            },
        )
    };
    let schema = &publication.schema.0;
    let mut text = schema
        .keys()
        .map(|name| quoted(&name.0))
        .collect::<Vec<_>>()
        .join(",")
        + "\n";
    for row in 0..7 {
        let row = schema
            .iter()
            .map(|(name, kind)| quoted(&value(name, kind, row)));
        text += &(row.collect::<Vec<_>>().join(",") + "\n");
    }
    disk.file("file.csv", text)
}

fn opened(publication: &Publication, disk: &Disk) -> OpenDataset {
    let policy = &publication.policy;
    let ids: Vec<_> = policy
        .columns
        .iter()
        .filter_map(|(name, column)| Some((name.clone(), column.id.clone()?)))
        .collect();
    let path = file_of(publication, disk);
    let (dataset, _) = register(&policy.dataset, &path, &ids, &spill()).unwrap();
    assert_eq!(
        dataset.schema(policy),
        publication.schema,
        "{}",
        policy.dataset
    );
    open_unapproved(&dataset, policy).unwrap()
}

/// `{J}` is the plain join, `{text*n}` repeats a text, as the vectors say.
fn expanded(ask: &str) -> String {
    let mut out = String::new();
    let mut rest = ask;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').unwrap();
        out.push_str(before);
        match inside.rsplit_once('*') {
            Some((text, times)) => out.push_str(&text.repeat(times.parse().unwrap())),
            None => {
                out += "FROM \"north-bank\".customers AS b JOIN \"river-pay\".users AS p ON b.mobile = p.mobile"
            }
        }
        rest = after;
    }
    out + rest
}

fn ranges(values: &[String]) -> Vec<String> {
    let last = match values {
        [one] => one
            .strip_prefix("{1..")
            .and_then(|rest| rest.strip_suffix('}')),
        _ => None,
    };
    match last {
        Some(last) => (1..=last.parse::<u32>().unwrap())
            .map(|n| n.to_string())
            .collect(),
        None => values.to_vec(),
    }
}

fn job_of(case: &Case) -> Job {
    let mut job = job(&expanded(&case.ask), &[]);
    job.protect.min_group = case.min_group;
    job.results_to = case.results_to.clone().unwrap_or(job.results_to);
    job.measures = case.measures.clone();
    let domains = case.domains.iter();
    job.domains = domains
        .map(|(name, values)| (name.clone(), ranges(values)))
        .collect();
    job
}

/// The blind join's values lie by bucket, all others by place.
fn lies_as_it_is_read(plan: &Plan, side: &Side, prepared: &Prepared) {
    let joint = matches!(plan.operator, Operator::Joint(_));
    let asks = !side.groups.is_empty() || !side.measures.is_empty();
    let spilled = joint && asks && prepared.counts().eligible_ids > 0;
    assert_eq!(prepared.values.by_place().is_err(), spilled);
    let rows = prepared.joint_rows(1, 0, &[]).unwrap();
    assert_eq!(rows.ids.len() as u64, prepared.ids());
}

#[test]
fn every_accepted_question_can_be_computed_at_both_parties() {
    let catalog = catalog();
    let cases: Cases = vectors("accepted.toml");
    let (mut ran, mut outside) = (0, 0);
    for case in &cases.case {
        let asker = case.asker.clone().unwrap_or_else(|| org("north-bank"));
        let plan = plan(&job_of(case), &asker, &catalog);
        let plan = plan.unwrap_or_else(|problems| panic!("{}: {problems:?}", case.name));
        for side in &plan.sides {
            let disk = Disk::new();
            let publication = catalog.publication(&side.org, &side.dataset).unwrap();
            let open = opened(publication, &disk);
            match prepare(&open, &plan, &side.org, [3; 32], &spill(), &mut |_, _| {
                Ok(())
            }) {
                Ok(prepared) => {
                    assert!(prepared.ids() <= 6, "{}", case.name);
                    lies_as_it_is_read(&plan, side, &prepared);
                }
                // Values that the made-up file has and a case's own domain has not.
                Err(problem) => {
                    assert_eq!(problem.code, Code::ValueOutside, "{}: {problem}", case.name);
                    outside += 1;
                }
            }
            ran += 1;
        }
    }
    assert!(
        ran > 40 && outside * 10 < ran,
        "{ran} ran, {outside} outside"
    );
}

#[test]
fn coalesce_gives_the_first_value_that_is_there() {
    let disk = Disk::new();
    let rows = format!(
        "mobile,tier,a,b\n{},gold,,5\n{},,2,9\n{},,,\n",
        mobile(1),
        mobile(2),
        mobile(3)
    );
    let path = disk.file("customers.csv", rows);
    let columns = format!(
        "{ID}[columns.tier]\nnullable = true\n[columns.a]\nnullable = true\n[columns.b]\nnullable = true"
    );
    let policy = policy("consent = \"not-needed\"", &columns);
    let ask = "SELECT CASE WHEN COALESCE(b.tier, 'none') = 'none' THEN 'no' ELSE 'yes' END AS known, COUNT(*) AS n, \
               SUM(COALESCE(b.a, b.b, 100)) AS s FROM {J} WHERE COALESCE(b.a, 0) < 3 GROUP BY known";
    let asked = Asked::new(&path, &policy, ask, &[("s", [0, 1_000], 0)]);
    assert_eq!(asked.lines_of_all(), ["known,n,s", "no,2,102", "yes,1,5"]);
}

#[test]
fn numbers_are_ordered_as_numbers_and_as_text_where_the_question_casts_them() {
    let disk = Disk::new();
    let rows = format!(
        "mobile,branch\n{},9\n{},10\n{},-1\n",
        mobile(1),
        mobile(2),
        mobile(3)
    );
    let path = disk.file("customers.csv", rows);
    let (dataset, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let policy = policy("consent = \"not-needed\"", &format!("{ID}[columns.branch]"));
    for (key, expected) in [
        ("b.branch", ["-1", "9", "10"]),
        ("CAST(b.branch AS TEXT)", ["-1", "10", "9"]),
    ] {
        let ask = format!("SELECT {key} AS k, COUNT(*) AS n FROM {JOIN} GROUP BY {key} ORDER BY k");
        let mut job = job(&ask, &[]);
        job.protect.protocol = Some(ProtocolChoice::Vole);
        let domain = ["9", "10", "-1"].map(str::to_owned);
        job.domains.insert(column("k"), domain.to_vec());
        let asked = Asked {
            plan: planned(&published(&dataset, &policy), &job),
            open: open_unapproved(&dataset, &policy).unwrap(),
        };
        let expected = expected.map(|value| format!("{value},1"));
        assert_eq!(asked.lines_of_all()[1..], expected, "{key}");
    }
}
