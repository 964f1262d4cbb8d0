//! The client of one's own node, over the socket in its home that only its owner can open.

use crate::failure::Failure;
use entente_wire::leakage::Statement;
use entente_wire::local::{
    CatalogEntry, ColumnExplanation, DatasetReport, InboxItem, InviteLine, JobCheck, JobView,
    Partner, PolicyReport, Status,
};
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::local::v1 as rpc;
use entente_wire::sign::Record;
use hyper_util::rt::TokioIo;
use rpc::local_client::LocalClient;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Streaming};

/// The socket's name in a home folder.
const SOCKET: &str = "node.sock";
/// A local socket answers at once or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Everything but reading a dataset, and joining, which waits for a partner: no answer by then is a defect.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Registering reads and hashes a whole file: an hour and a half at 200 MB/s is a terabyte.
const DATA_TIMEOUT: Duration = Duration::from_secs(90 * 60);
/// Inbox and catalogue grow with what partners send, each document bounded by wire's limits.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A connection to the running node.
#[derive(Clone)]
pub(crate) struct LocalNode {
    client: LocalClient<Channel>,
    home: PathBuf,
}

/// What a result is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultForm {
    /// As it was released.
    Csv,
    /// A copy in which columns have the dataset's types.
    Parquet,
}

impl ResultForm {
    /// By the name of the file to write: `.parquet` is Parquet, anything else CSV.
    pub(crate) fn of(path: &Path) -> Self {
        let ending = path.extension();
        match ending.is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
            true => Self::Parquet,
            false => Self::Csv,
        }
    }
}

/// Runs a client's work on a small runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    // A thread beside this one: connections go on and end while this one waits for a process.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|fault| {
            Problem::here(
                Code::Defect,
                format!("the command cannot start: {fault}"),
                "check this machine's limits on open files and threads",
            )
        })?
        .block_on(work)
}

/// As the coordinator and the node also check: no answer names the home it came from.
fn not_running(home: &Path, why: &str) -> Problem {
    Problem::here(
        Code::NodeNotRunning,
        format!("no node answers in {} ({why})", home.display()),
        "start it with `entente node`, or name its home with --home",
    )
}

fn explain_socket(fault: &io::Error) -> &'static str {
    match fault.kind() {
        io::ErrorKind::NotFound => "there is no socket",
        io::ErrorKind::ConnectionRefused => "the socket is left over from a node that stopped",
        io::ErrorKind::PermissionDenied => "the socket belongs to another user",
        _ => "the socket does not open",
    }
}

/// The document an answer carries.
fn document<T: DeserializeOwned>(answer: Response<rpc::Document>) -> Result<T, Problem> {
    serde_json::from_slice(&answer.into_inner().json).map_err(|fault| {
        Problem::here(
            Code::VersionDiffers,
            format!("the node's answer does not parse: {fault}"),
            "run the command and the node from the same version of entente",
        )
    })
}

/// A request that ends by itself.
fn timed<T>(message: T, timeout: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    request
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*) -> $answer:ty = $message:expr, $timeout:expr;)*) => {
        impl LocalNode {
            $(
                $(#[$doc])*
                pub(crate) async fn $name(&mut self, $($arg: $kind),*) -> Result<$answer, Problem> {
                    let answer = self.client.$name(timed($message, $timeout)).await;
                    document(answer.map_err(|status| self.problem(&status))?)
                }
            )*
        }
    };
}

calls! {
    /// The node at a glance.
    status() -> Status = rpc::Empty {}, CALL_TIMEOUT;
    /// A new invite.
    invite(org: String, expires_s: u64) -> InviteLine = rpc::InviteRequest { org, expires_s }, CALL_TIMEOUT;
    /// Links to the partner that made the invite.
    join(invite: String) -> Partner = rpc::JoinInvite { invite }, CALL_TIMEOUT;
    /// Linked partners.
    partners() -> Vec<Partner> = rpc::Empty {}, CALL_TIMEOUT;
    /// A newer registry of one's own people.
    put_registry(record: Record) -> entente_wire::people::Registry = entente_wire::rpc::record::v1::Record::from(record), CALL_TIMEOUT;
    /// Registers a file as a dataset.
    data_add(dataset: String, path: String, ids: Vec<String>) -> DatasetReport = rpc::DataAddRequest { dataset, path, ids }, DATA_TIMEOUT;
    /// Registered datasets.
    data_list() -> Vec<DatasetReport> = rpc::Empty {}, CALL_TIMEOUT;
    /// Checks a policy against its dataset.
    policy_check(dataset: String, toml: String) -> PolicyReport = rpc::PolicyText { dataset, toml }, DATA_TIMEOUT;
    /// Publishes a policy.
    policy_publish(dataset: String, toml: String) -> PolicyReport = rpc::PolicyText { dataset, toml }, DATA_TIMEOUT;
    /// What a partner may do with a column.
    policy_explain(dataset: String, column: String, to: String) -> ColumnExplanation = rpc::ExplainRequest { dataset, column, to }, CALL_TIMEOUT;
    /// What is published.
    catalog() -> Vec<CatalogEntry> = rpc::Empty {}, CALL_TIMEOUT;
    /// Whether a job can be submitted.
    job_check(yaml: String) -> JobCheck = rpc::JobText { yaml }, CALL_TIMEOUT;
    /// Who would learn what.
    job_preview(yaml: String) -> Statement = rpc::JobText { yaml }, CALL_TIMEOUT;
    /// Sends a job to all parties.
    job_submit(yaml: String) -> JobView = rpc::JobText { yaml }, CALL_TIMEOUT;
    /// All jobs.
    jobs() -> Vec<JobView> = rpc::Empty {}, CALL_TIMEOUT;
    /// Takes a job back.
    job_cancel(job: String) -> JobView = rpc::JobRef { job }, CALL_TIMEOUT;
    /// Jobs that wait for us.
    inbox() -> Vec<InboxItem> = rpc::Empty {}, CALL_TIMEOUT;
    /// Hands in a signed decision.
    decide(body: Vec<u8>, signature: Vec<u8>) -> JobView = rpc::Decision { body, signature }, CALL_TIMEOUT;
}

impl LocalNode {
    /// Connects to the node whose home this is.
    pub(crate) async fn connect(home: &Path) -> Result<Self, Problem> {
        let socket = home.join(SOCKET);
        // Asked once here, for an error that says why; the channel opens its own.
        UnixStream::connect(&socket)
            .await
            .map_err(|fault| not_running(home, explain_socket(&fault)))?;
        let connector = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        // The URI names no host: the connector ignores it.
        let channel = Endpoint::from_static("http://node.sock")
            .connect_timeout(CONNECT_TIMEOUT)
            .connect_with_connector(connector)
            .await
            .map_err(|_| not_running(home, "the socket does not speak this protocol"))?;
        let client = LocalClient::new(channel)
            .max_decoding_message_size(DOCUMENT_BYTES_MAX)
            .max_encoding_message_size(DOCUMENT_BYTES_MAX);
        let home = home.to_owned();
        Ok(Self { client, home })
    }

    /// A refusal by the node, or its silence.
    fn problem(&self, status: &tonic::Status) -> Problem {
        match status.code() {
            tonic::Code::Unavailable if status.details().is_empty() => {
                not_running(&self.home, "it stopped answering")
            }
            _ => Problem::from_status(status),
        }
    }

    /// Every change of a job, until it ends.
    pub(crate) async fn job_watch(&mut self, job: String) -> Result<JobChanges, Problem> {
        let answer = self.client.job_watch(rpc::JobRef { job }).await;
        let changes = answer.map_err(|status| self.problem(&status))?.into_inner();
        let node = self.clone();
        Ok(JobChanges { changes, node })
    }

    /// The result, piece by piece into `sink`.
    pub(crate) async fn job_result(
        &mut self,
        job: String,
        form: ResultForm,
        mut sink: impl FnMut(&[u8]) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let job = rpc::JobRef { job };
        let answer = match form {
            ResultForm::Csv => self.client.job_result(job).await,
            ResultForm::Parquet => self.client.job_result_parquet(job).await,
        };
        let mut chunks = answer.map_err(|status| self.problem(&status))?.into_inner();
        loop {
            let next = chunks.message().await;
            match next.map_err(|status| self.problem(&status))? {
                Some(chunk) => sink(&chunk.bytes)?,
                None => return Ok(()),
            }
        }
    }
}

/// A job's changes as they come.
pub(crate) struct JobChanges {
    changes: Streaming<rpc::Document>,
    node: LocalNode,
}

impl JobChanges {
    /// The next change; `None` once the job has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<JobView>, Problem> {
        let next = self.changes.message().await;
        match next.map_err(|status| self.node.problem(&status))? {
            Some(change) => document(Response::new(change)).map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_ends_in_parquet_means_parquet() {
        for (name, form) in [
            ("a/result.parquet", ResultForm::Parquet),
            ("RESULT.PARQUET", ResultForm::Parquet),
            ("result.csv", ResultForm::Csv),
            ("result.parquet.csv", ResultForm::Csv),
            ("parquet", ResultForm::Csv),
            (".parquet", ResultForm::Csv),
        ] {
            assert_eq!(ResultForm::of(Path::new(name)), form, "{name}");
        }
    }
}
