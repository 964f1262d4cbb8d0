//! `entente init`: makes an organisation's keys, which never leave, and its node's home folder.

use crate::cli::Context;
use crate::failure::Failure;
use clap::Args;
use entente_wire::names::OrgName;
use serde::Serialize;
use std::path::Path;

/// Make an organisation's root key, its node's keys and the home folder. Nothing that exists is overwritten.
#[derive(Args)]
pub(crate) struct Init {
    /// The organisation: a DNS label in lower case.
    #[arg(long, value_name = "NAME")]
    org: OrgName,
    /// The one port partners reach.
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:7443")]
    listen: String,
    /// Where partners reach it, if that is not the address it listens on.
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// The coordinator, as its `init` printed it.
    #[arg(long, value_name = "HOST:PORT#FINGERPRINT")]
    coordinator: Option<String>,
}

/// What was made.
#[derive(Serialize)]
pub(crate) struct Made {
    /// Whose.
    pub(crate) org: OrgName,
    /// What the coordinator admits and partners pin.
    pub(crate) root_fingerprint: String,
    /// Where.
    home: String,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let made = make(
            &context.home,
            &self.org,
            &self.listen,
            self.advertise.as_deref(),
            self.coordinator.as_deref(),
        )?;
        let words = format!(
            "{} has its keys in {}/keys; back that folder up, it never leaves this machine by itself.\n\
             Above is its root fingerprint.\n\
             next: have the coordinator's host run `entente coordinator admit {} --fingerprint …`,\n\
             \x20     then `entente people add NAME --role ROLE --key FILE.pub` and `entente node`",
            made.org, made.home, made.org
        );
        let fingerprint = made.root_fingerprint.clone();
        context.screen.value(&made, fingerprint, words);
        Ok(())
    }
}

/// Makes keys and home folder.
pub(crate) fn make(
    home: &Path,
    org: &OrgName,
    listen: &str,
    advertise: Option<&str>,
    coordinator: Option<&str>,
) -> Result<Made, Failure> {
    let settings = entente_node::home::Settings {
        org: org.clone(),
        listen: listen.to_owned(),
        advertise: advertise.map(str::to_owned),
        coordinator: coordinator.map(str::to_owned),
    };
    let fingerprint = entente_node::home::init(home, &settings, std::time::SystemTime::now())?;
    Ok(Made {
        org: org.clone(),
        root_fingerprint: fingerprint.to_string(),
        home: home.display().to_string(),
    })
}
