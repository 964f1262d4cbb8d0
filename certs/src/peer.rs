//! Whom a handshake proved to be at the other end, and whom this side expected there.

use crate::chain::Proven;
use crate::fingerprint::RootFingerprint;
use crate::words;
use std::fmt;

/// Who is at the other end of one connection. Only a finished handshake makes one; in a tonic server it stands in every
/// request's extensions.
#[derive(Clone)]
pub struct Peer {
    proven: Proven,
    binding: [u8; 32],
}

impl Peer {
    pub(crate) fn new(proven: Proven, binding: [u8; 32]) -> Self {
        Self { proven, binding }
    }

    /// The organisation's name, as its root and its node certificate say. A name alone proves nothing: compare
    /// [`Self::root`] with the pin.
    pub fn org(&self) -> &str {
        self.proven.org.as_str()
    }

    /// The node's name within its organisation.
    pub fn node(&self) -> &str {
        self.proven.node.as_str()
    }

    /// The fingerprint of the organisation's root: what pins are compared with.
    pub fn root(&self) -> RootFingerprint {
        self.proven.root
    }

    /// The organisation's root key, Ed25519: verifies its registry.
    pub fn root_key(&self) -> [u8; 32] {
        self.proven.root_key
    }

    /// Four words that are the same at both ends of this very connection, and differ if somebody sits between
    /// (module `words` says how strongly). People compare them by telephone when they link.
    pub fn words(&self) -> String {
        words::of_binding(&self.binding)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} (root {})", self.org(), self.node(), self.root())
    }
}
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whom this side expects at the other end: a pin. It comes from this side's own operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The organisation's name.
    pub org: String,
    /// The fingerprint of its root.
    pub root: RootFingerprint,
}

/// Somebody else is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExpected {
    /// Another root: another organisation, whatever it calls itself.
    #[error("the root is {got}, but the pinned one is {expected}")]
    Root {
        /// As pinned.
        expected: RootFingerprint,
        /// As presented.
        got: RootFingerprint,
    },
    /// The pinned root, but it calls itself something else.
    #[error("the organisation calls itself {got}, but the pin is for {expected}")]
    Org {
        /// As pinned.
        expected: String,
        /// As presented.
        got: String,
    },
}

impl Expected {
    /// Compares a proven peer with the pin.
    pub fn check(&self, peer: &Peer) -> Result<(), NotExpected> {
        self.check_parts(peer.org(), peer.root())
    }

    pub(crate) fn check_parts(&self, org: &str, root: RootFingerprint) -> Result<(), NotExpected> {
        if root != self.root {
            let expected = self.root;
            return Err(NotExpected::Root {
                expected,
                got: root,
            });
        }
        if org != self.org {
            return Err(NotExpected::Org {
                expected: self.org.clone(),
                got: org.to_owned(),
            });
        }
        Ok(())
    }
}
