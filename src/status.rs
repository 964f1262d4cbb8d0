//! `entente status`: the running node at a glance.

use crate::cli::Context;
use crate::failure::Failure;
use crate::link::partners_text;
use crate::local_node::{LocalNode, block_on};
use clap::Args;
use entente_wire::local::Status;
use entente_wire::problem::{Code, Problem, Side};
use std::time::{Duration, Instant};

/// How often a node that is starting is asked again.
const WAIT_POLL: Duration = Duration::from_millis(50);

/// The running node at a glance.
#[derive(Args)]
pub(crate) struct Show {
    /// Wait until the node runs and has reached its coordinator, at most this long.
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "30s",
          value_parser = crate::duration::parse)]
    wait: Option<Duration>,
}

impl Show {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        block_on(async {
            let status = match self.wait {
                None => read(context).await?,
                Some(longest) => wait(context, longest).await?,
            };
            context.screen.show(&status, text);
            Ok(())
        })
    }
}

async fn read(context: &Context) -> Result<Status, Problem> {
    LocalNode::connect(&context.home).await?.status().await
}

/// Asks until the node is there and connected; its last excuse otherwise.
async fn wait(context: &Context, longest: Duration) -> Result<Status, Problem> {
    let end = Instant::now() + longest;
    loop {
        let excuse = match read(context).await {
            Ok(status) if status.coordinator_connected => return Ok(status),
            Ok(_) => Problem::new(
                Code::CoordinatorUnreachable,
                Side::Coordinator,
                format!(
                    "the node has not reached its coordinator within {} s",
                    longest.as_secs()
                ),
                "see the node's log; check the address in org.toml and that the coordinator admitted this organisation",
            ),
            Err(problem) => problem,
        };
        if Instant::now() > end {
            return Err(excuse);
        }
        tokio::time::sleep(WAIT_POLL).await;
    }
}

fn text(status: &Status) -> String {
    let coordinator = if status.coordinator_connected {
        "connected"
    } else {
        "not connected"
    };
    format!(
        "{} listens on {}; coordinator: {coordinator}\nroot fingerprint: {}\n{}",
        status.org,
        status.listen,
        status.root_fingerprint,
        partners_text(&status.partners)
    )
}
