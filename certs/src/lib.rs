//! Who an organisation is: its root, node certificates, partner pins, invites and the one TLS set-up.
//!
//! An organisation is an Ed25519 key, its **root** ([`OrgRoot`]). The root signs short-lived **node certificates**
//! ([`NodeCertificate`]) whose subject alternative name says `entente://ORG/NODE`. Partners know a root by its
//! fingerprint ([`RootFingerprint`]), which travels in an **invite** ([`Invite`]) and is pinned by the partner's own
//! operators; it never comes from the coordinator. There are no certificate authorities besides the two roots.
//!
//! All ports of all programs use one TLS set-up ([`tls`]): TLS 1.3 only, both sides prove themselves, X25519MLKEM768
//! first, no resumption of any kind. What a handshake proved is a [`Peer`], which cannot be made in any other way.
//!
//! Who learns what: whoever sits between sees the two addresses, the sizes and the times. Certificates travel
//! encrypted; whoever connects to a port learns the organisation, node name and root behind it.
#![forbid(unsafe_code)]

mod chain;
mod fingerprint;
mod identity;
mod invite;
mod key_files;
mod node_certificate;
mod peer;
mod pem;
mod root;
pub mod tls;
mod words;

pub use chain::ChainError;
pub use fingerprint::{FingerprintError, RootFingerprint};
pub use identity::IdentityError;
pub use invite::{Invite, InviteError, InviteToken};
pub use key_files::{KeyFileError, PrivateKey};
pub use node_certificate::{NODE_CERTIFICATE_LIFETIME, NodeCertificate, RenewError};
pub use peer::{Expected, NotExpected, Peer};
pub use root::{IssueError, OrgRoot};
pub use tls::{
    ConnectError, Connection, Incoming, TlsIo, TlsLimits, TlsParty, connect, connect_proven,
    incoming,
};

/// The name in every coordinator's certificates. A node that dials its coordinator expects this name together with the
/// root fingerprint that its operators wrote down; no organisation may take it.
pub const COORDINATOR: &str = "coordinator";

#[cfg(test)]
mod test_bench;
