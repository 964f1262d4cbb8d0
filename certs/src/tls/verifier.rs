//! What a handshake checks of the other side: the chain rules of [`crate::chain`], proof that the other side holds the
//! node key, and, where this side dials, that the root is the pinned one.

use super::provider;
use crate::chain::{self, Acting, ChainError};
use crate::fingerprint::RootFingerprint;
use crate::peer::{Expected, NotExpected};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, PeerMisbehaved,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;

/// Why the other side's chain was refused; travels through rustls and is found again by [`refusal`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    NotExpected(#[from] NotExpected),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
    }
}

/// The refusal inside a handshake's error, if that was the reason.
pub(crate) fn refusal(error: &Error) -> Option<&Refusal> {
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            inner.downcast_ref::<Refusal>()
        }
        _ => None,
    }
}

/// The dialling side's check: the chain is good and is the pinned organisation's.
#[derive(Debug)]
pub(crate) struct PinnedServer(pub(crate) Expected);

impl PinnedServer {
    fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Refusal> {
        // The pin first, so that "another root" is said before anything is said about that root's chain.
        let (_, root) = chain::split(chain)?;
        if let Some(key) = chain::key_of(root) {
            let got = RootFingerprint::of_root_key(&key);
            self.0.check_parts(&self.0.org, got)?;
        }
        let proven = chain::prove(chain, Acting::Server, now)?;
        Ok(self.0.check_parts(proven.org.as_str(), proven.root)?)
    }
}

impl ServerCertVerifier for PinnedServer {
    /// The address is not compared with the certificate: the pin says more than a name that DNS could turn elsewhere.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(&whole(end_entity, others), now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// The listening side's check: the chain is good, whoever's it is.
#[derive(Debug)]
pub(crate) struct AnyOrganisation;

impl ClientCertVerifier for AnyOrganisation {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        chain::prove(&whole(end_entity, others), Acting::Client, now).map_err(Refusal::from)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// Borrowed certificates, so a chain of any length costs nothing before its length is checked.
fn whole<'a>(
    end_entity: &'a CertificateDer<'_>,
    others: &'a [CertificateDer<'_>],
) -> Vec<CertificateDer<'a>> {
    std::iter::once(end_entity)
        .chain(others)
        .map(|certificate| CertificateDer::from(certificate.as_ref()))
        .collect()
}

fn verify_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if signature.scheme != SignatureScheme::ED25519 {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    let algorithms = provider().signature_verification_algorithms;
    verify_tls13_signature(message, certificate, signature, &algorithms)
}

/// Never reached: TLS 1.2 is not among the versions, nor compiled in.
fn tls12() -> Error {
    Error::General("TLS 1.2 is off".to_owned())
}
