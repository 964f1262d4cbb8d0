//! Organisations, ports and chains for the adversary tests.
#![expect(
    clippy::unwrap_used,
    reason = "a failed unwrap fails the test that uses the bench"
)]

use crate::identity::Label;
use crate::node_certificate::NodeCertificate;
use crate::root::node_params;
use crate::tls::{Incoming, TlsLimits, TlsParty, incoming};
use crate::{Expected, OrgRoot, PrivateKey};
use rcgen::CertificateParams;
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
        let org = Label::new(self.root.org()).unwrap();
        let mut params = node_params(&org, &Label::new("node-1").unwrap(), &[]).unwrap();
        let day = rcgen::date_time_ymd(1970, 1, 1)
            + SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap();
        params.not_before = day - DAY;
        params.not_after = day + DAY;
        change(&mut params);
        let key = PrivateKey::generate();
        node.certificate = self.root.sign(&params, &key).unwrap();
        node.key = key;
        node
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
