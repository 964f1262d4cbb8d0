//! How the common ids are found: the one place where operator and `protect` become a [`Matching`], and where lists meet the
//! protocol's limit.
//!
//! Aggregates run by the blind join, in which nobody learns which ids are common. A reveal runs by VOLE-PSI unless the author asks
//! for ECDH-PSI; so does a table that its reader computes from the ids that it learns, where the author insists on that. The count
//! alone can run by ECDH-PSI as well, but not by VOLE-PSI, whose receiver sees which of its ids match (protocols.md §5).

use super::refuse::{At, Refusals};
use super::scope::Scope;
use crate::job::{Protect, ProtocolChoice, SecurityChoice};
use crate::plan::{Matching, Operator};

/// The matching of `operator`; `at` is where the question begins.
pub(super) fn matching(
    operator: &Operator,
    protect: &Protect,
    at: At,
    refusals: &mut Refusals,
) -> Option<Matching> {
    let Protect {
        security, protocol, ..
    } = protect;
    match operator {
        Operator::Joint(_) => blind(*security, refusals),
        Operator::Overlap { .. } => count(*security, *protocol, at, refusals),
        Operator::Reveal { .. } | Operator::Table { .. } => match (security, protocol) {
            // The job's own rules refuse this earlier, with the place in the file.
            (Some(SecurityChoice::Malicious), Some(ProtocolChoice::Ecdh)) => refusals.job(
                "`security: malicious` cannot stand with `protocol: ecdh`",
                "leave `protocol` out",
            ),
            (_, Some(ProtocolChoice::Ecdh)) if operator.is_mutual() => refusals.version(
                at,
                "`results_to` names both parties; under ECDH-PSI (`protocol: ecdh`) exactly one reads in this version",
                "leave `protocol` out: VOLE-PSI can tell both; or name one party and ask twice",
            ),
            (_, Some(ProtocolChoice::Ecdh)) => Some(Matching::Ecdh),
            (_, Some(ProtocolChoice::Blind)) => refusals.question(
                at,
                "the blind join computes aggregates and shows no rows (`protocol: blind`)",
                "leave `protocol` out: rows are revealed by VOLE-PSI; or ask for aggregates",
            ),
            (security, Some(ProtocolChoice::Vole) | None) => Some(Matching::Vole {
                security: security.unwrap_or(SecurityChoice::SemiHonest),
            }),
        },
    }
}

/// It hides who matched from parties that follow it, and has no mode against others (protocols.md §7).
fn blind(security: Option<SecurityChoice>, refusals: &mut Refusals) -> Option<Matching> {
    match security {
        None | Some(SecurityChoice::SemiHonest) => Some(Matching::Blind),
        Some(SecurityChoice::Malicious) => refusals.job(
            "aggregates run by the blind join, which is secure against semi-honest parties only, not with `security: malicious`",
            "leave `security` out; `protocol: vole` can run with it, if the reader may learn which of its ids are common",
        ),
    }
}

fn count(
    security: Option<SecurityChoice>,
    protocol: Option<ProtocolChoice>,
    at: At,
    refusals: &mut Refusals,
) -> Option<Matching> {
    let mut matching = Some(Matching::Ecdh);
    if protocol == Some(ProtocolChoice::Vole) {
        matching = refusals.question(
            at,
            "the count alone cannot run by VOLE-PSI (`protocol: vole`), whose receiver sees which ids match and not only how many",
            "leave `protocol` out: it runs by the blind join",
        );
    }
    if security == Some(SecurityChoice::Malicious) {
        matching = refusals.question(
            at,
            "the count alone runs by protocols that are secure against semi-honest parties only, not with `security: malicious`",
            "leave `security` out, or select rows, a.*, if the reader may learn which of its ids are common",
        );
    }
    matching
}

/// Refuses lists that the matching cannot take.
pub(super) fn sizes(matching: Matching, scope: &Scope<'_>, refusals: &mut Refusals) {
    let most = matching.ids_max();
    let (name, todo) = match matching {
        Matching::Ecdh => (
            "ECDH-PSI",
            "leave `protocol: ecdh` out: the other protocols run in buckets",
        ),
        Matching::Vole { .. } => ("VOLE-PSI", "ask about a dataset with fewer ids"),
        Matching::Blind => ("the blind join", "ask about a dataset with fewer ids"),
    };
    for table in &scope.tables {
        let ids = table.publication.ids_rounded;
        if ids > most {
            let (org, dataset) = (&table.org, &table.dataset);
            let _: Option<()> = refusals.version(
                table.at,
                format!("{org} publishes {ids} ids in {dataset}; {name} matches at most {most} a side in this version"),
                todo,
            );
        }
    }
}
