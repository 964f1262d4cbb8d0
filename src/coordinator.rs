//! `entente coordinator`: whoever hosts the collaboration makes, fills and runs the blind orchestrator.

use crate::cli::Context;
use crate::failure::Failure;
use crate::service::{self, Stop};
use clap::{Args, Subcommand};
use entente_certs::RootFingerprint;
use entente_wire::names::OrgName;

/// Host a collaboration.
#[derive(Subcommand)]
pub(crate) enum Coordinator {
    /// Make the coordinator's keys and home folder.
    Init(Init),
    /// Let an organisation in, known by its root.
    Admit(Admit),
    /// Run it.
    Run(Run),
}

/// Make the coordinator's keys and home folder. Nothing that exists is overwritten.
#[derive(Args)]
pub(crate) struct Init {
    /// The one port nodes reach.
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:7440")]
    listen: String,
}

/// Let an organisation in; a running coordinator sees it at the next connection.
#[derive(Args)]
pub(crate) struct Admit {
    /// The organisation.
    org: OrgName,
    /// Its root fingerprint, as its `entente init` printed it.
    #[arg(long, value_name = "HEX")]
    fingerprint: RootFingerprint,
}

/// Run the coordinator until Ctrl-C or SIGTERM.
#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    stop: Stop,
}

impl Coordinator {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Init(init) => init.run(context),
            Self::Admit(admit) => admit.run(context),
            Self::Run(run) => run.run(context),
        }
    }
}

impl Init {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let now = std::time::SystemTime::now();
        let summary = entente_coordinator::init(&context.home, &self.listen, now)?;
        let url = format!("{}#{}", self.listen, summary.fingerprint);
        let shown = serde_json::json!({
            "root_fingerprint": summary.fingerprint.to_string(),
            "listen": self.listen,
            "url": url,
        });
        let words = format!(
            "the coordinator's keys are in {}. Nodes name it as above, with the host name they reach it by.\n\
             next: `entente coordinator admit ORG --fingerprint …` for each organisation, then `entente coordinator run`",
            context.home.display()
        );
        context.screen.value(&shown, &url, words);
        Ok(())
    }
}

impl Admit {
    fn run(self, context: &Context) -> Result<(), Failure> {
        entente_coordinator::admit(&context.home, &self.org, self.fingerprint)?;
        let shown = serde_json::json!({
            "admitted": self.org,
            "root_fingerprint": self.fingerprint,
        });
        context
            .screen
            .show(&shown, |_| format!("{} is admitted", self.org));
        Ok(())
    }
}

impl Run {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let home = context.home.clone();
        service::run(
            context,
            "coordinator",
            &self.stop,
            |shutdown, ready| async move { entente_coordinator::run(&home, shutdown, ready).await },
        )
    }
}
