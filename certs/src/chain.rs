//! What makes a certificate chain a proof of who somebody is.
//!
//! A chain is exactly two certificates: the node's and its organisation's self-signed root (RFC 5280 profile, Ed25519 by
//! RFC 8410). The path is validated by rustls-webpki with the presented root as the only trust anchor; around it stand
//! the rules that are ours: sizes, the shape of the root, names, and short lives. That the root is the *expected* one is for
//! the caller to compare.

use crate::fingerprint::{ED25519_SPKI_PREFIX, RootFingerprint};
use crate::identity::{Identity, Label};
use crate::tls::provider;
use ring::signature::{ED25519, UnparsedPublicKey};
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Version};

/// Largest certificate. Real ones are under 1 KiB; a node certificate with 32 long names stays below.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Longest life of a node certificate, begin to end. Short lives stand in for revocation lists.
pub(crate) const NODE_LIFETIME_MAX: Duration = Duration::from_secs(32 * 24 * 3600);

/// Why a certificate chain proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// Not exactly two certificates.
    #[error(
        "the chain has {got} certificates; it must be a node certificate and its organisation's root"
    )]
    Length {
        /// How many came.
        got: usize,
    },
    /// A certificate is larger than any real one.
    #[error("a certificate has {got} bytes; at most {CERTIFICATE_BYTES_MAX} are allowed")]
    TooLarge {
        /// Its size.
        got: usize,
    },
    /// Not an X.509 certificate.
    #[error("the {which} certificate does not parse")]
    Malformed {
        /// `root` or `node`.
        which: &'static str,
    },
    /// The second certificate is not an organisation's root.
    #[error("the root certificate is not an organisation's root: {why}")]
    NotARoot {
        /// Which rule it breaks.
        why: &'static str,
    },
    /// The first certificate is not a node's.
    #[error("the node certificate is not a node's: {why}")]
    NotANode {
        /// Which rule it breaks.
        why: &'static str,
    },
    /// Outside its time of validity, by the clock of whoever checks.
    #[error(
        "the {which} certificate is {how} by this machine's clock; compare the clocks of both sides, then renew it"
    )]
    Time {
        /// `root` or `node`.
        which: &'static str,
        /// `expired` or `not valid yet`.
        how: &'static str,
    },
    /// The path from the node certificate to the root does not hold.
    #[error("the node certificate does not follow from the root: {why}")]
    Path {
        /// What the path validation said.
        why: String,
    },
    /// Root and node certificate name different organisations.
    #[error("the root is {root}'s, but the node certificate names {node}")]
    OrganisationsDiffer {
        /// As the root says.
        root: String,
        /// As the node certificate says.
        node: String,
    },
}

/// As what the owner of the chain acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acting {
    Server,
    Client,
}

/// What a valid chain says.
#[derive(Clone, Debug)]
pub(crate) struct Proven {
    pub(crate) org: Label,
    pub(crate) node: Label,
    pub(crate) root: RootFingerprint,
    pub(crate) root_key: [u8; 32],
    /// When the node certificate ends.
    pub(crate) until: SystemTime,
}

/// The root of a chain, judged by itself.
pub(crate) struct Root {
    pub(crate) org: Label,
    pub(crate) key: [u8; 32],
}

/// The two certificates of a chain, in the order of TLS: node, root.
pub(crate) fn split<'a>(
    chain: &'a [CertificateDer<'a>],
) -> Result<(&'a CertificateDer<'a>, &'a CertificateDer<'a>), ChainError> {
    let [node, root] = chain else {
        return Err(ChainError::Length { got: chain.len() });
    };
    for certificate in [node, root] {
        let got = certificate.len();
        if got > CERTIFICATE_BYTES_MAX {
            return Err(ChainError::TooLarge { got });
        }
    }
    Ok((node, root))
}

/// Judges a whole chain at a moment.
pub(crate) fn prove(
    chain: &[CertificateDer<'_>],
    acting: Acting,
    now: UnixTime,
) -> Result<Proven, ChainError> {
    let (node_der, root_der) = split(chain)?;
    let root = read_root(root_der, now)?;
    validate_path(node_der, root_der, acting, now)?;
    let (org, node, until) = read_node(node_der)?;
    if org != root.org {
        return Err(ChainError::OrganisationsDiffer {
            root: root.org.to_string(),
            node: org.to_string(),
        });
    }
    Ok(Proven {
        org,
        node,
        root: RootFingerprint::of_root_key(&root.key),
        root_key: root.key,
        until,
    })
}

/// Judges a root: version 3, Ed25519, self-signed, a CA for end entities only, named for one organisation, valid now.
pub(crate) fn read_root(der: &CertificateDer<'_>, now: UnixTime) -> Result<Root, ChainError> {
    let not_a_root = |why| ChainError::NotARoot { why };
    let certificate = parse(der, "root")?;
    let key = ed25519_key(&certificate).ok_or(not_a_root("its key is not Ed25519"))?;
    if certificate.issuer().as_raw() != certificate.subject().as_raw() {
        return Err(not_a_root("another certificate issued it"));
    }
    let constraints = certificate.basic_constraints().ok().flatten();
    if !constraints.is_some_and(|c| c.value.ca && c.value.path_len_constraint == Some(0)) {
        return Err(not_a_root("it may not sign exactly node certificates"));
    }
    let usage = certificate.key_usage().ok().flatten();
    if !usage.is_some_and(|u| u.value.key_cert_sign()) {
        return Err(not_a_root("it may not sign certificates"));
    }
    if certificate.signature_algorithm != certificate.tbs_certificate.signature {
        return Err(not_a_root("it states two signature algorithms"));
    }
    let signed = certificate.tbs_certificate.as_ref();
    UnparsedPublicKey::new(&ED25519, key)
        .verify(signed, &certificate.signature_value.data)
        .map_err(|_| not_a_root("its signature is not its own"))?;
    let Some(Identity::Organisation(org)) = identity(&certificate) else {
        return Err(not_a_root("it does not name exactly one organisation"));
    };
    let (from, to) = validity(&certificate).ok_or(ChainError::Malformed { which: "root" })?;
    let how = match now.as_secs() {
        now if now < from => "not valid yet",
        now if now > to => "expired",
        _ => return Ok(Root { org, key }),
    };
    Err(ChainError::Time { which: "root", how })
}

/// What only a node certificate says, once its path holds.
fn read_node(der: &CertificateDer<'_>) -> Result<(Label, Label, SystemTime), ChainError> {
    let not_a_node = |why| ChainError::NotANode { why };
    let certificate = parse(der, "node")?;
    ed25519_key(&certificate).ok_or(not_a_node("its key is not Ed25519"))?;
    let Some(Identity::Node(org, node)) = identity(&certificate) else {
        return Err(not_a_node("it does not name exactly one node"));
    };
    let (from, to) = validity(&certificate).ok_or(ChainError::Malformed { which: "node" })?;
    if to.saturating_sub(from) > NODE_LIFETIME_MAX.as_secs() {
        return Err(not_a_node("it lives longer than 32 days"));
    }
    Ok((org, node, SystemTime::UNIX_EPOCH + Duration::from_secs(to)))
}

/// rustls-webpki's path validation: signature, validity, usages, critical extensions, "an authority is not an end entity".
fn validate_path(
    node: &CertificateDer<'_>,
    root: &CertificateDer<'_>,
    acting: Acting,
    now: UnixTime,
) -> Result<(), ChainError> {
    let mut anchor = RootCertStore::empty();
    anchor
        .add(root.clone().into_owned())
        .map_err(|_| ChainError::Malformed { which: "root" })?;
    let judged = match acting {
        Acting::Server => ParsedCertificate::try_from(node).and_then(|node| {
            let algorithms = provider().signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&node, &anchor, &[], now, algorithms)
        }),
        Acting::Client => WebPkiClientVerifier::builder_with_provider(Arc::new(anchor), provider())
            .build()
            .map_err(|source| ChainError::Path {
                why: source.to_string(),
            })?
            .verify_client_cert(node, &[], now)
            .map(drop),
    };
    judged.map_err(path_error)
}

fn path_error(error: rustls::Error) -> ChainError {
    use rustls::CertificateError as Bad;
    let which = "node";
    match error {
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            let how = "expired";
            ChainError::Time { which, how }
        }
        rustls::Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            let how = "not valid yet";
            ChainError::Time { which, how }
        }
        rustls::Error::InvalidCertificate(Bad::BadEncoding) => ChainError::Malformed { which },
        other => ChainError::Path {
            why: other.to_string(),
        },
    }
}

fn parse<'a>(
    der: &'a CertificateDer<'_>,
    which: &'static str,
) -> Result<X509Certificate<'a>, ChainError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) if certificate.version() == X509Version::V3 => Ok(certificate),
        _ => Err(ChainError::Malformed { which }),
    }
}

/// The only URI among the names, if it is one of ours.
fn identity(certificate: &X509Certificate<'_>) -> Option<Identity> {
    let names = certificate.subject_alternative_name().ok()??;
    let mut uris = names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
    let uri = uris.next()?;
    match uris.next() {
        None => Identity::parse(uri).ok(),
        Some(_) => None,
    }
}

fn ed25519_key(certificate: &X509Certificate<'_>) -> Option<[u8; 32]> {
    let spki = certificate.public_key().raw;
    spki.strip_prefix(&ED25519_SPKI_PREFIX)?.try_into().ok()
}

/// The Ed25519 key that a certificate is for.
pub(crate) fn key_of(der: &CertificateDer<'_>) -> Option<[u8; 32]> {
    parse(der, "node").ok().as_ref().and_then(ed25519_key)
}

fn validity(certificate: &X509Certificate<'_>) -> Option<(u64, u64)> {
    let validity = certificate.validity();
    let from = u64::try_from(validity.not_before.timestamp()).ok()?;
    let to = u64::try_from(validity.not_after.timestamp()).ok()?;
    Some((from, to))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use crate::OrgRoot;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    const NOW: u64 = 1_800_000_000;

    static CHAIN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        let root = OrgRoot::create("north-bank", now).unwrap();
        let node = root.issue("node-1", &["localhost".to_owned()], now);
        let chain = node.unwrap().chain();
        chain.into_iter().map(|der| der.to_vec()).collect()
    });

    fn judge(chain: &[Vec<u8>], acting: Acting) -> Result<Proven, ChainError> {
        let chain: Vec<CertificateDer<'_>> =
            chain.iter().map(|der| der.as_slice().into()).collect();
        prove(
            &chain,
            acting,
            UnixTime::since_unix_epoch(Duration::from_secs(NOW)),
        )
    }

    #[test]
    fn a_chain_says_who_it_is() {
        for acting in [Acting::Client, Acting::Server] {
            let proven = judge(&CHAIN, acting).unwrap();
            assert_eq!(proven.org.as_str(), "north-bank");
            assert_eq!(proven.node.as_str(), "node-1");
        }
    }

    #[test]
    fn a_chain_with_any_byte_changed_cut_or_added_proves_nothing() {
        for which in 0..CHAIN.len() {
            for place in 0..CHAIN[which].len() {
                for changed in [1, 0x80, 0xff] {
                    let mut chain = CHAIN.clone();
                    chain[which][place] ^= changed;
                    let judged = judge(&chain, Acting::Client);
                    assert!(
                        judged.is_err(),
                        "certificate {which}, byte {place}, {changed:#x}"
                    );
                }
                let mut chain = CHAIN.clone();
                chain[which].truncate(place);
                assert!(judge(&chain, Acting::Server).is_err(), "cut at {place}");
            }
            let mut chain = CHAIN.clone();
            chain[which].push(0);
            assert!(judge(&chain, Acting::Server).is_err(), "a byte more");
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_nearly_a_certificate_are_refused_without_a_panic(
            which in 0..2_usize,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut chain = CHAIN.clone();
            for (place, byte) in changes {
                let place = place.index(chain[which].len());
                chain[which][place] = byte;
            }
            let judged = judge(&chain, Acting::Client);
            prop_assert!(judged.is_err() || chain == *CHAIN);
        }
    }
}
