//! Organisations, ports and chains for the adversary tests.
#![expect(
    clippy::unwrap_used,
    reason = "a failed unwrap fails the test that uses the bench"
)]

use crate::identity::Label;
use crate::node_certificate::NodeCertificate;
use crate::root::{key_pair, node_params};
use crate::tls::{Incoming, TlsLimits, TlsParty, incoming};
use crate::{Expected, OrgRoot, PrivateKey};
use rcgen::{CertificateParams, Issuer};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;

/// No test waits longer than this for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// An organisation with one node.
pub(crate) struct Org {
    pub(crate) root: OrgRoot,
    pub(crate) party: TlsParty,
}

pub(crate) fn org(name: &str) -> Org {
    let root = OrgRoot::create(name, SystemTime::now()).unwrap();
    let node = root.issue("node-1", &[], SystemTime::now()).unwrap();
    let party = TlsParty::new(&node);
    Org { root, party }
}

impl Org {
    pub(crate) fn expected(&self) -> Expected {
        Expected {
            org: self.root.org().to_owned(),
            root: self.root.fingerprint(),
        }
    }

    /// A node certificate made by the rules, then changed, then signed by this root.
    pub(crate) fn forged(&self, change: impl FnOnce(&mut CertificateParams)) -> NodeCertificate {
        let mut node = self.root.issue("node-1", &[], SystemTime::now()).unwrap();
        let mut params = self.params("node-1");
        change(&mut params);
        let key = PrivateKey::generate();
        node.certificate = self.root.sign(&params, &key).unwrap();
        node.key = key;
        node
    }

    /// A certificate for another node, signed with the key of one that is no authority.
    pub(crate) fn signed_by(&self, node: &NodeCertificate) -> NodeCertificate {
        let mut below = self.root.issue("node-2", &[], SystemTime::now()).unwrap();
        let issuer = Issuer::new(self.params("node-1"), key_pair(&node.key).unwrap());
        let key = key_pair(&below.key).unwrap();
        let certificate = self.params("node-2").signed_by(&key, &issuer).unwrap();
        below.certificate = certificate.into();
        below
    }

    fn params(&self, node: &str) -> CertificateParams {
        let org = Label::new(self.root.org()).unwrap();
        let mut params = node_params(&org, &Label::new(node).unwrap(), &[]).unwrap();
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = rcgen::date_time_ymd(1970, 1, 1) + since_1970.unwrap();
        params.not_before = now - DAY;
        params.not_after = now + DAY;
        params
    }
}

/// A port on loopback with short limits.
pub(crate) async fn port(party: &TlsParty, limits: &TlsLimits) -> (SocketAddr, Incoming) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, incoming(listener, party, limits))
}

/// Polls the port until it gives a connection; panics after [`DEADLINE`].
pub(crate) async fn next(port: &mut Incoming) -> crate::TlsIo {
    let next = tokio::time::timeout(DEADLINE, port.next()).await;
    next.expect("in time").expect("open").expect("no error")
}
