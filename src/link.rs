//! `entente invite`, `join` and `partners`: one line out of band links two organisations, and four words tell both operators
//! that nobody stands between them.

use crate::cli::Context;
use crate::duration;
use crate::failure::Failure;
use crate::local_node::{LocalNode, block_on};
use crate::screen::table;
use clap::Args;
use entente_wire::local::Partner;
use entente_wire::names::OrgName;
use std::time::Duration;

/// Make the one line with which a partner links to this node, once.
#[derive(Args)]
pub(crate) struct Invite {
    /// The partner.
    org: OrgName,
    /// How long the line can be used.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::parse)]
    expires: Duration,
}

/// Link to the partner that made an invite.
#[derive(Args)]
pub(crate) struct Join {
    /// The line: entente-inv1:…
    invite: String,
}

impl Invite {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        block_on(async {
            let mut node = LocalNode::connect(&context.home).await?;
            let line = node
                .invite(self.org.to_string(), self.expires.as_secs())
                .await?;
            let words = format!(
                "for {} alone, once, until {}; send it over a channel that you trust.\n\
                 next: at {}, `entente join …`; then compare the four words with `entente partners`",
                line.org,
                duration::moment(line.expires_unix_s),
                line.org
            );
            context.screen.value(&line, &line.invite, words);
            Ok(())
        })
    }
}

impl Join {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        block_on(async {
            let mut node = LocalNode::connect(&context.home).await?;
            let partner = node.join(self.invite).await?;
            context.screen.show(&partner, |partner| {
                format!(
                    "linked with {} at {}\ncheck words: {}\n\
                     next: read the words to {}'s operator over the phone; they see theirs with `entente partners`.\n\
                     \x20     Different words mean that somebody stands between you",
                    partner.org, partner.address, partner.words, partner.org
                )
            });
            Ok(())
        })
    }
}

/// Lists the linked partners.
pub(crate) fn partners(context: &Context) -> Result<(), Failure> {
    block_on(async {
        let mut node = LocalNode::connect(&context.home).await?;
        let partners = node.partners().await?;
        context
            .screen
            .show(&partners, |partners| partners_text(partners));
        Ok(())
    })
}

/// The partners as a table.
pub(crate) fn partners_text(partners: &[Partner]) -> String {
    if partners.is_empty() {
        return "no partners yet; link one with `entente invite` or `entente join`".to_owned();
    }
    let rows = partners
        .iter()
        .map(|partner| {
            vec![
                partner.org.to_string(),
                partner.address.clone(),
                partner.words.clone(),
                partner.root_fingerprint.clone(),
            ]
        })
        .collect();
    table(
        &["partner", "address", "check words", "root fingerprint"],
        &[],
        rows,
    )
}
