//! What running a node and running a coordinator have in common: logs, the line that says "ready", and an orderly end.

use crate::cli::Context;
use crate::failure::Failure;
use clap::Args;
use entente_wire::problem::{Code, Problem};
use serde::Serialize;
use std::io::{IsTerminal, Read};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// What the log says by default.
const LOG_DEFAULT: &str = "info";
/// How long background work may take to end after the service returned; what matters is on disk by then.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How a service is told to stop, beside signals.
#[derive(Args)]
pub(crate) struct Stop {
    /// Stop when standard input closes: whoever started this holds the other end, so it never outlives them.
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

/// What a service prints once its port is open, with `--json`.
#[derive(Serialize)]
struct Ready {
    ready: &'static str,
    listen: SocketAddr,
}

/// Resolves when the service should stop.
pub(crate) type Told = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs a service until it ends by itself or is told to stop. `serve` gets the future that resolves when it should stop,
/// and the sender of the address it listens on.
pub(crate) fn run<S, F>(
    context: &Context,
    name: &'static str,
    stop: &Stop,
    serve: S,
) -> Result<(), Failure>
where
    S: FnOnce(Told, oneshot::Sender<SocketAddr>) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    start_log();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|fault| {
            Problem::here(
                Code::Defect,
                format!("the {name} cannot start: {fault}"),
                "check this machine's limits on open files and threads",
            )
        })?;
    let outcome = runtime.block_on(async {
        let (stop_sender, stop_receiver) = oneshot::channel();
        let (ready_sender, ready_receiver) = oneshot::channel();
        let until_stdin_closes = stop.until_stdin_closes;
        tokio::spawn(async move {
            told_to_stop(until_stdin_closes).await;
            let _ = stop_sender.send(());
        });
        let screen = context.screen;
        tokio::spawn(async move {
            let Ok(listen) = ready_receiver.await else {
                return;
            };
            screen.show(
                &Ready {
                    ready: name,
                    listen,
                },
                |_| format!("the {name} listens on {listen}; stop it with Ctrl-C"),
            );
        });
        let told: Told = Box::pin(async {
            // The sender lives until a signal came.
            let _ = stop_receiver.await;
        });
        serve(told, ready_sender).await
    });
    runtime.shutdown_timeout(DRAIN_TIMEOUT);
    outcome.map_err(Failure::from)
}

/// Logs go to standard error; ENTENTE_LOG filters them.
fn start_log() {
    let filter =
        EnvFilter::try_from_env("ENTENTE_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    // A second service in one process keeps the first one's log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Work that Ctrl-C and SIGTERM end early: what it holds is dropped, processes that it started are stopped.
pub(crate) async fn interruptible<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        // First, so that the signals are caught before any work begins.
        biased;
        () = told_to_stop(false) => Err(Failure::Interrupted),
        outcome = work => outcome,
    }
}

/// Resolves at Ctrl-C, at SIGTERM, or when standard input closes.
async fn told_to_stop(until_stdin_closes: bool) {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let orphaned = async {
        if !until_stdin_closes || stdin_closed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = terminated => {}
        () = interrupted => {}
        () = orphaned => {}
    }
}

/// Resolves when standard input closes. Reads on a thread of its own: a read that is still waiting must not hold up the
/// runtime's end.
fn stdin_closed() -> oneshot::Receiver<()> {
    let (closed, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut sink = [0; 256];
        while matches!(std::io::stdin().read(&mut sink), Ok(bytes) if bytes > 0) {}
        let _ = closed.send(());
    });
    receiver
}
