//! How the common ids are found: the one place where operator and `protect` become a [`Matching`], and where lists meet the
//! protocol's limit.
//!
//! A reveal, and a table that is computed from one, run by VOLE-PSI unless the author asks for ECDH-PSI. The count alone runs by
//! ECDH-PSI: under VOLE-PSI the receiver sees which of its ids match (protocols.md §5).

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
            (security, Some(ProtocolChoice::Vole) | None) => Some(Matching::Vole {
                security: security.unwrap_or(SecurityChoice::SemiHonest),
            }),
        },
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
        matching = refusals.version(
            at,
            "the count alone cannot run by VOLE-PSI (`protocol: vole`), whose receiver sees which ids match and not only how many",
            "leave `protocol` out: it runs by ECDH-PSI; the fast count is the blind join, not available in this version",
        );
    }
    if security == Some(SecurityChoice::Malicious) {
        matching = refusals.version(
            at,
            "the count alone runs by ECDH-PSI, which is secure against semi-honest parties only, not with `security: malicious`",
            "write `security: semi-honest`, or select rows, a.*, if the reader may learn which of its ids are common",
        );
    }
    matching
}

/// Refuses lists that the matching cannot take.
pub(super) fn sizes(
    matching: Matching,
    operator: &Operator,
    scope: &Scope<'_>,
    refusals: &mut Refusals,
) {
    let most = matching.ids_max();
    let (name, todo) = match (matching, operator) {
        (Matching::Ecdh, Operator::Overlap { .. }) => (
            "ECDH-PSI, by which the count alone runs,",
            "ask about a dataset with fewer ids; the count of larger ones needs the blind join, not available in this version",
        ),
        (Matching::Ecdh, _) => (
            "ECDH-PSI",
            "leave `protocol: ecdh` out: VOLE-PSI runs in buckets",
        ),
        (Matching::Vole { .. }, _) => ("VOLE-PSI", "ask about a dataset with fewer ids"),
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
