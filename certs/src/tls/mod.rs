//! The one TLS set-up of all ports: TLS 1.3 only (RFC 8446), both sides prove themselves, X25519MLKEM768 first
//! (draft-ietf-tls-ecdhe-mlkem), Ed25519 certificates only, ALPN `h2`.
//!
//! There are no tickets, no resumption and no early data: a resumed session would skip the check of the client's
//! certificate. tonic's own TLS is not used, because it leaves TLS 1.2 on and has no deadline for a handshake.
//!
//! A server takes any well-formed chain of an Entente organisation and says in the [`crate::Peer`] which one it was; who
//! may call what is decided per call by comparing roots with pins, because "join" has to be open to strangers. A client
//! pins the root it expects in the handshake itself.

mod acceptor;
mod connector;
mod gate;
mod party;
mod verifier;

#[cfg(test)]
mod adversary;

pub use acceptor::{Incoming, TlsIo, TlsLimits, incoming};
pub use connector::{ConnectError, Connection, connect, connect_proven};
pub use party::TlsParty;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use std::sync::{Arc, LazyLock};

/// What both sides speak inside TLS: HTTP/2, for gRPC.
const ALPN: &[u8] = b"h2";
/// The label under which a connection's binding is exported (RFC 8446 §7.5).
const BINDING_LABEL: &[u8] = b"EXPORTER-entente-1-binding";

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
            aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
            aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![
            aws_lc_rs::kx_group::X25519MLKEM768,
            aws_lc_rs::kx_group::X25519,
        ],
        ..aws_lc_rs::default_provider()
    })
});

/// The cryptography of all handshakes.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    PROVIDER.clone()
}
