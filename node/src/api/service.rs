//! The calls, one by one.

use super::Api;
use crate::jobs::{Jobs, ResultAt};
use crate::policy;
use entente_wire::local::{JobView, PolicyReport};
use entente_wire::names::{ColumnName, DatasetName, NameError, OrgName};
use entente_wire::policy::{IdKind, Policy};
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::local::v1::local_server::Local;
use entente_wire::rpc::local::v1::{
    Chunk, DataAddRequest, Decision, Document, Empty, ExplainRequest, InviteRequest, JobRef,
    JobText, JoinInvite, PolicyText,
};
use entente_wire::rpc::record::v1::Record as WireRecord;
use entente_wire::sign::Record;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

/// A piece of a result file on its way to the command.
const CHUNK_BYTES: usize = 64 * 1024;

type Answer = Result<Response<Document>, Status>;

#[tonic::async_trait]
impl Local for Api {
    type JobWatchStream = BoxStream<'static, Result<Document, Status>>;
    type JobResultStream = BoxStream<'static, Result<Chunk, Status>>;
    type JobResultParquetStream = BoxStream<'static, Result<Chunk, Status>>;

    async fn status(&self, _: Request<Empty>) -> Answer {
        let status = self.status.clone();
        answer(self.aside(move |_| status()).await)
    }

    async fn invite(&self, request: Request<InviteRequest>) -> Answer {
        let InviteRequest { org, expires_s } = request.into_inner();
        let link = self.link.clone();
        answer(
            self.aside(move |_| link.invite(&named::<OrgName>(&org)?, expires_s))
                .await,
        )
    }

    async fn join(&self, request: Request<JoinInvite>) -> Answer {
        answer(self.link.join(request.into_inner().invite.trim()).await)
    }

    async fn partners(&self, _: Request<Empty>) -> Answer {
        let link = self.link.clone();
        answer(self.aside(move |_| link.partners()).await)
    }

    async fn put_registry(&self, request: Request<WireRecord>) -> Answer {
        let record = request.into_inner();
        answer(self.aside(move |jobs| put_registry(jobs, record)).await)
    }

    async fn data_add(&self, request: Request<DataAddRequest>) -> Answer {
        let request = request.into_inner();
        answer(self.aside(move |jobs| data_add(jobs, &request)).await)
    }

    async fn data_list(&self, _: Request<Empty>) -> Answer {
        answer(self.aside(Jobs::datasets).await)
    }

    async fn policy_check(&self, request: Request<PolicyText>) -> Answer {
        let text = request.into_inner();
        answer(self.aside(move |jobs| Ok(checked(jobs, &text)?.1)).await)
    }

    async fn policy_publish(&self, request: Request<PolicyText>) -> Answer {
        let text = request.into_inner();
        answer(self.aside(move |jobs| publish(jobs, &text)).await)
    }

    async fn policy_explain(&self, request: Request<ExplainRequest>) -> Answer {
        let request = request.into_inner();
        let explained = self.aside(move |jobs| {
            let policy = jobs.published_policy(&named(&request.dataset)?)?;
            Ok(policy::explain(
                &policy,
                &ColumnName(request.column),
                &named(&request.to)?,
            ))
        });
        answer(explained.await)
    }

    async fn catalog(&self, _: Request<Empty>) -> Answer {
        answer(self.aside(Jobs::catalog).await)
    }

    async fn job_check(&self, request: Request<JobText>) -> Answer {
        let yaml = request.into_inner().yaml;
        answer(self.aside(move |jobs| Ok(jobs.check(&yaml))).await)
    }

    async fn job_preview(&self, request: Request<JobText>) -> Answer {
        let yaml = request.into_inner().yaml;
        let link = self.link_of(&yaml).await?;
        answer(self.aside(move |jobs| jobs.preview(&yaml, link)).await)
    }

    async fn job_submit(&self, request: Request<JobText>) -> Answer {
        let yaml = request.into_inner().yaml;
        let link = self.link_of(&yaml).await?;
        answer(self.aside(move |jobs| jobs.submit(&yaml, link)).await)
    }

    async fn jobs(&self, _: Request<Empty>) -> Answer {
        answer(self.aside(|jobs| Ok(jobs.list())).await)
    }

    async fn job_watch(
        &self,
        request: Request<JobRef>,
    ) -> Result<Response<Self::JobWatchStream>, Status> {
        let job = request.into_inner().job;
        let watcher = self.aside(move |jobs| jobs.subscribe(&job)).await?;
        let documents = views(watcher)
            .map(|view| document(&view))
            .take_until(Box::pin(self.stopped()));
        Ok(Response::new(documents.boxed()))
    }

    async fn job_result(
        &self,
        request: Request<JobRef>,
    ) -> Result<Response<Self::JobResultStream>, Status> {
        let job = request.into_inner().job;
        let result = self
            .aside(move |jobs| open_result(&jobs.result(&job)?))
            .await?;
        Ok(Response::new(chunks(result)))
    }

    async fn job_result_parquet(
        &self,
        request: Request<JobRef>,
    ) -> Result<Response<Self::JobResultParquetStream>, Status> {
        let job = request.into_inner().job;
        let copy = self.aside(move |jobs| jobs.result_as_parquet(&job)).await?;
        Ok(Response::new(chunks(copy)))
    }

    async fn job_cancel(&self, request: Request<JobRef>) -> Answer {
        let job = request.into_inner().job;
        answer(self.aside(move |jobs| jobs.cancel(&job)).await)
    }

    async fn inbox(&self, _: Request<Empty>) -> Answer {
        answer(self.aside(|jobs| Ok(jobs.inbox())).await)
    }

    async fn decide(&self, request: Request<Decision>) -> Answer {
        let Decision { body, signature } = request.into_inner();
        answer(self.aside(move |jobs| jobs.decide(&body, &signature)).await)
    }
}

fn answer<T: Serialize>(answer: Result<T, Problem>) -> Answer {
    document(&answer?).map(Response::new)
}

fn document<T: Serialize>(answer: &T) -> Result<Document, Status> {
    let json = serde_json::to_vec(answer).map_err(|error| {
        let what = format!("an answer cannot be written as JSON: {error}");
        Problem::here(Code::Defect, what, "report this with the node's log")
    })?;
    Ok(Document { json })
}

fn named<T: std::str::FromStr<Err = NameError>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: NameError| {
        Problem::request(
            Code::Argument,
            error.to_string(),
            "give the name as it was published",
        )
    })
}

fn put_registry(
    jobs: &Jobs,
    record: WireRecord,
) -> Result<entente_wire::people::Registry, Problem> {
    let record = Record::try_from(record).map_err(|error| {
        let what = format!("the registry cannot be read: {error}");
        Problem::request(
            Code::RegistryRefused,
            what,
            "use `entente people` in this node's home",
        )
    })?;
    jobs.put_registry(record)
}

fn data_add(
    jobs: &Jobs,
    request: &DataAddRequest,
) -> Result<entente_wire::local::DatasetReport, Problem> {
    let ids: Result<Vec<_>, Problem> = request.ids.iter().map(|id| id_column(id)).collect();
    jobs.add_dataset(&named(&request.dataset)?, Path::new(&request.path), &ids?)
}

/// `mobile=e164(+86)`. A column name may hold an equals sign, an id kind cannot.
fn id_column(text: &str) -> Result<(ColumnName, IdKind), Problem> {
    let todo = "name id columns as COLUMN=KIND, with the kinds e164(+CC), email, cn-id and raw";
    let refused = |why: &str| {
        let shown: String = text.chars().take(80).collect();
        Problem::request(
            Code::Argument,
            format!("\"{shown}\" names no id column: {why}"),
            todo,
        )
    };
    let (column, kind) = text
        .rsplit_once('=')
        .ok_or_else(|| refused("there is no ="))?;
    let kind = kind
        .parse::<IdKind>()
        .map_err(|error| refused(&error.to_string()))?;
    Ok((ColumnName(column.to_owned()), kind))
}

/// A policy's text, and what a check of it finds. Mistakes in the text stand in the report like all others.
fn checked(jobs: &Jobs, text: &PolicyText) -> Result<(Option<Policy>, PolicyReport), Problem> {
    let name: DatasetName = named(&text.dataset)?;
    let dataset = jobs.dataset(&name)?;
    match Policy::from_toml(&text.toml) {
        Ok(policy) => {
            let report = policy::check(&policy, &dataset, jobs.spill())?;
            Ok((Some(policy), report))
        }
        Err(problem) => {
            let report = PolicyReport {
                dataset: name,
                problems: vec![problem],
                notes: Vec::new(),
                publication: None,
            };
            Ok((None, report))
        }
    }
}

fn publish(jobs: &Jobs, text: &PolicyText) -> Result<PolicyReport, Problem> {
    let (policy, mut report) = checked(jobs, text)?;
    if let Some(policy) = policy.filter(|_| report.problems.is_empty()) {
        report.publication = Some(jobs.publish(policy)?);
    }
    Ok(report)
}

/// A job's views: the present one, then each change, the last of a final state.
fn views(watcher: watch::Receiver<JobView>) -> impl Stream<Item = JobView> + Send {
    stream::unfold((watcher, None), |(mut watcher, ended)| async move {
        match ended {
            Some(true) => return None,
            Some(false) => watcher.changed().await.ok()?,
            None => {}
        }
        let view = watcher.borrow_and_update().clone();
        let ended = view.state.is_final();
        Some((view, (watcher, Some(ended))))
    })
}

fn open_result(result: &ResultAt) -> Result<File, Problem> {
    File::open(&result.path).map_err(|error| {
        let what = format!(
            "the result file {} cannot be read: {error}",
            result.path.display()
        );
        Problem::here(
            Code::FileUnreadable,
            what,
            "restore it from a backup, or submit the job again",
        )
    })
}

/// The file in pieces, read only as fast as they are taken.
fn chunks(file: File) -> BoxStream<'static, Result<Chunk, Status>> {
    let read = |mut file: File| {
        let mut bytes = vec![0; CHUNK_BYTES];
        let count = file.read(&mut bytes)?;
        bytes.truncate(count);
        Ok::<_, std::io::Error>((bytes, file))
    };
    let pieces = stream::try_unfold(file, move |file| async move {
        let done = tokio::task::spawn_blocking(move || read(file)).await;
        let broken = || {
            let what = "the result file cannot be read to its end";
            Status::from(Problem::here(Code::FileUnreadable, what, "check the disk"))
        };
        let (bytes, file) = done.map_err(|_| broken())?.map_err(|_| broken())?;
        Ok((!bytes.is_empty()).then_some((Chunk { bytes }, file)))
    });
    pieces.boxed()
}
