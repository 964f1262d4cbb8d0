//! `entente node`: runs this organisation's node.

use crate::cli::Context;
use crate::failure::Failure;
use crate::service::{self, Stop};
use clap::Args;

/// Run this organisation's node until Ctrl-C or SIGTERM.
#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    stop: Stop,
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let home = context.home.clone();
        service::run(context, "node", &self.stop, |shutdown, ready| async move {
            entente_node::app::run(&home, shutdown, ready).await
        })
    }
}
