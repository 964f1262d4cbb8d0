//! The node's people at the socket.
#![allow(clippy::panic)] // a test that cannot go on says why

mod bench;

use super::Socket;
use bench::{JOB, POLICY, read, refused, serve, submitted};
use entente_wire::local::{
    CatalogEntry, ColumnExplanation, DatasetReport, InviteLine, JobCheck, JobState, JobView,
    PolicyReport,
};
use entente_wire::policy::Verb;
use entente_wire::problem::Code;
use entente_wire::rpc::local::v1::{
    DataAddRequest, Decision, Empty, ExplainRequest, InviteRequest, JobRef, JobText, JoinInvite,
    PolicyText,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tonic::Response;

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_is_registered_checked_published_and_explained() {
    let mut node = serve().await;
    let csv = node.folder.path().join("customers.csv");
    fs::write(&csv, "mobile\n13800000001\n+86 138 0000 0002\nnobody\n").expect("writes");
    let add = DataAddRequest {
        dataset: "customers".to_owned(),
        path: csv.display().to_string(),
        ids: vec!["mobile=e164(+86)".to_owned()],
    };
    let report: DatasetReport = read(node.client.data_add(add).await);
    assert_eq!(
        (
            report.rows,
            report.ids[0].distinct_ids,
            report.published_version
        ),
        (3, 2, None)
    );

    let text = |toml: &str| PolicyText {
        dataset: "customers".to_owned(),
        toml: toml.to_owned(),
    };
    let unknown_column = POLICY.replace("[columns.mobile]", "[columns.phone]");
    let checked: PolicyReport = read(node.client.policy_check(text(&unknown_column)).await);
    assert!(!checked.problems.is_empty());
    let published: PolicyReport = read(node.client.policy_publish(text(&unknown_column)).await);
    assert!(
        published.publication.is_none(),
        "what has problems is not published"
    );
    let not_toml: PolicyReport = read(node.client.policy_check(text("[dataset")).await);
    assert_eq!(not_toml.problems[0].code, Code::PolicyFile);

    let published: PolicyReport = read(node.client.policy_publish(text(POLICY)).await);
    let publication = published.publication.expect("published");
    assert_eq!((publication.version, publication.ids_rounded), (1, 10));
    let again: PolicyReport = read(node.client.policy_publish(text(POLICY)).await);
    assert_eq!(
        again.publication.expect("published").version,
        1,
        "the same again changes nothing"
    );

    let ask = ExplainRequest {
        dataset: "customers".to_owned(),
        column: "mobile".to_owned(),
        to: "river-pay".to_owned(),
    };
    let explained: ColumnExplanation = read(node.client.policy_explain(ask).await);
    assert!(explained.verbs[&Verb::Match].0 && !explained.verbs[&Verb::Reveal].0);
    let catalog: Vec<CatalogEntry> = read(node.client.catalog(Empty {}).await);
    assert_eq!(catalog.len(), 1);
    let listed: Vec<DatasetReport> = read(node.client.data_list(Empty {}).await);
    assert_eq!(
        (listed[0].published_version, listed[0].ids[0].eligible_ids),
        (Some(1), Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_comes_back_as_a_problem_with_its_code() {
    let mut node = serve().await;
    let job = |job: &str| JobRef {
        job: job.to_owned(),
    };
    assert_eq!(
        refused(node.client.job_watch(job("J-12345678")).await).code,
        Code::JobUnknown
    );
    assert_eq!(
        refused(node.client.job_result(job("../../etc")).await).code,
        Code::Argument
    );
    assert_eq!(
        refused(node.client.job_result_parquet(job("J-12345678")).await).code,
        Code::JobUnknown
    );
    assert_eq!(
        refused(node.client.job_cancel(job("J-1")).await).code,
        Code::Argument
    );
    let yaml = |yaml: &str| JobText {
        yaml: yaml.to_owned(),
    };
    assert_eq!(
        refused(node.client.job_submit(yaml("entente: 2")).await).code,
        Code::JobFile
    );
    let check: JobCheck = read(node.client.job_check(yaml(JOB)).await);
    assert!(!check.problems.is_empty() && check.summary.is_none());
    assert!(node.client.job_preview(yaml(JOB)).await.is_err());
    let decision = Decision {
        body: b"no decision".to_vec(),
        signature: Vec::new(),
    };
    assert_eq!(
        refused(node.client.decide(decision).await).code,
        Code::ApprovalRefused
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_mean_nothing_are_refused() {
    let mut node = serve().await;
    let add = |ids: &str| DataAddRequest {
        dataset: "c".to_owned(),
        path: "/nowhere.csv".to_owned(),
        ids: vec![ids.to_owned()],
    };
    assert_eq!(
        refused(node.client.data_add(add("mobile")).await).code,
        Code::Argument
    );
    assert_eq!(
        refused(node.client.data_add(add("mobile=phone")).await).code,
        Code::Argument
    );
    assert_eq!(
        refused(node.client.data_add(add("mobile=email")).await).code,
        Code::FileUnreadable
    );
    let ask = ExplainRequest {
        dataset: "c".to_owned(),
        column: "x".to_owned(),
        to: "river-pay".to_owned(),
    };
    assert_eq!(
        refused(node.client.policy_explain(ask).await).code,
        Code::DatasetUnknown
    );
    let join = JoinInvite {
        invite: "entente-inv1:rubbish".to_owned(),
    };
    assert_eq!(
        refused(node.client.join(join).await).code,
        Code::InviteRefused
    );
    assert_eq!(
        refused(node.client.status(Empty {}).await).code,
        Code::NodeNotRunning
    );
    let bad_name = InviteRequest {
        org: "River Pay".to_owned(),
        expires_s: 3_600,
    };
    assert_eq!(
        refused(node.client.invite(bad_name).await).code,
        Code::Argument
    );
    let invite = InviteRequest {
        org: "river-pay".to_owned(),
        expires_s: 3_600,
    };
    let invite: InviteLine = read(node.client.invite(invite).await);
    assert!(invite.invite.starts_with("entente-inv1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_and_goes_with_the_node() {
    let node = serve().await;
    let mode = fs::metadata(&node.socket)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(node.client);
    node.stop.send(()).expect("serving");
    node.serving
        .await
        .expect("no panic")
        .expect("stops in order");
    assert!(!node.socket.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_the_job() {
    let mut node = serve().await;
    let job = JobRef {
        job: submitted(&mut node).await.id,
    };
    let mut views = node
        .client
        .job_watch(job.clone())
        .await
        .expect("watches")
        .into_inner();
    let first: JobView = read(Ok(Response::new(
        views.message().await.expect("comes").expect("a view"),
    )));
    assert_eq!(first.state, JobState::AwaitingApprovals);
    let _: JobView = read(node.client.job_cancel(job).await);
    let last: JobView = read(Ok(Response::new(
        views.message().await.expect("comes").expect("a view"),
    )));
    assert_eq!(last.state, JobState::Cancelled);
    assert!(views.message().await.expect("ends in order").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_does_not_keep_a_stopping_node() {
    let mut node = serve().await;
    let job = JobRef {
        job: submitted(&mut node).await.id,
    };
    let mut views = node
        .client
        .job_watch(job)
        .await
        .expect("watches")
        .into_inner();
    views.message().await.expect("comes").expect("a view");
    node.stop.send(()).expect("serving");
    while let Ok(Some(_)) = views.message().await {}
    node.serving
        .await
        .expect("no panic")
        .expect("stops in order");
}

#[tokio::test]
async fn a_dead_nodes_socket_is_replaced_and_anything_else_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("node.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("binds"));
    assert!(path.exists(), "a crash leaves the file");
    drop(Socket::bind(&path).expect("replaces it"));
    fs::write(&path, "precious").expect("writes");
    assert_eq!(
        Socket::bind(&path)
            .map(drop)
            .expect_err("not a socket")
            .code,
        Code::Home
    );
    assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
}

#[tokio::test]
async fn a_path_that_is_too_long_says_how_long_it_may_be() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let deep = folder.path().join("x".repeat(90));
    fs::create_dir(&deep).expect("a folder");
    let problem = Socket::bind(&deep.join("node.sock"))
        .map(drop)
        .expect_err("too long");
    assert_eq!(problem.code, Code::Home);
    assert!(problem.what.contains("107") && problem.todo.contains("--home"));
}
