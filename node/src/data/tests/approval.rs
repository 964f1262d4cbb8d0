//! No dataset opens without a proof that every party approved exactly this policy over exactly this schema.

use super::*;
use entente_wire::rehearsal::Stage;

const NOW_UNIX_S: u64 = 1_790_000_000;

fn staged(dataset: &Dataset, policy: &Policy) -> (Stage, Plan, Job) {
    let published = published(dataset, policy);
    let job = job(&format!("SELECT COUNT(*) AS n FROM {JOIN}"), &[]);
    let plan = planned(&published, &job);
    let stage = Stage::default()
        .with_org("north-bank", &[("mei", "compliance")])
        .with_org("river-pay", &[("otto", "compliance")]);
    let stage = published.0.into_iter().fold(stage, Stage::with_publication);
    (stage, plan, job)
}

#[test]
fn an_approval_opens_the_dataset_it_was_given_for_and_no_other_policy_or_columns() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "mobile,age\n13800138000,33\n13800138001,44\n",
    );
    let (dataset, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let approved = policy("consent = \"not-needed\"", &format!("{ID}[columns.age]"));
    let (stage, plan, job) = staged(&dataset, &approved);
    let submission = stage.submission(&job, &org("north-bank"), &plan).unwrap();
    let proof = stage.verified(&submission, NOW_UNIX_S).unwrap();

    assert!(open_dataset(&proof, &dataset, &approved).is_ok());

    let wider = policy(
        "consent = \"not-needed\"",
        &format!("{ID}[columns.age]\nmay = {{ filter = [\"river-pay\"] }}"),
    );
    let problem = open_dataset(&proof, &dataset, &wider).unwrap_err();
    of_code(&problem, Code::JobDiffers, &["another policy"]);

    let path = disk.file(
        "customers.csv",
        "mobile,age\n13800138000,33\n13800138001,n/a\n",
    );
    let (retyped, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    let problem = open_dataset(&proof, &retyped, &approved).unwrap_err();
    of_code(&problem, Code::JobDiffers, &["other columns"]);
    let problem = open_dataset(&proof, &dataset, &approved).unwrap_err();
    of_code(&problem, Code::DataChanged, &["changed"]);
}
