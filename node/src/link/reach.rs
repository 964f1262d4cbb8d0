//! Dialling a pinned partner, and saying why it was not reached.

use super::Link;
use crate::session::{Calls, Line, Partner, outgoing_queue, refused};
use entente_certs::{ConnectError, Expected, RootFingerprint, connect};
use entente_wire::limits::RPC_MESSAGE_BYTES_MAX;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem, Side};
use entente_wire::rpc::peer::v1::peer_client::PeerClient;
use futures::StreamExt;
use std::future::Future;
use std::pin::Pin;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

impl Calls for Link {
    fn call<'a>(
        &'a self,
        partner: &'a OrgName,
    ) -> Pin<Box<dyn Future<Output = Result<Line, Problem>> + Send + 'a>> {
        Box::pin(self.open_session(partner))
    }
}

impl Link {
    async fn open_session(&self, org: &OrgName) -> Result<Line, Problem> {
        let (mut client, partner) = self.client(org).await?;
        let (outgoing, frames) = outgoing_queue();
        let call = client.session(ReceiverStream::new(frames));
        let Ok(answered) = timeout(self.setting.waits.call, call).await else {
            let what = format!("{org}'s node took the connection but does not answer");
            let todo = format!("ask {org} to look at its node's log");
            return Err(Problem::partner(org, Code::PartnerSilent, what, todo));
        };
        let own = self.setting.own.clone();
        let replies = answered.map_err(|status| refused(&own, org, &status, "the call"))?;
        Ok(Line::new(
            own,
            partner,
            outgoing,
            replies.into_inner().boxed(),
        ))
    }

    /// A connection to a partner's node, its root proven.
    pub(super) async fn client(
        &self,
        org: &OrgName,
    ) -> Result<(PeerClient<Channel>, Partner), Problem> {
        let asked = org.clone();
        let (pin, partner) = self.aside(move |link| link.pinned(&asked)).await?;
        let expected = Expected {
            org: org.as_str().to_owned(),
            root: RootFingerprint::from_bytes(pin.root_fingerprint.0),
        };
        let (party, waits) = (&self.setting.party, &self.setting.waits);
        let channel = connect(party, &pin.address, &expected, waits.connect)
            .await
            .map_err(|error| unreached(org, &error))?;
        let client = PeerClient::new(channel)
            .max_decoding_message_size(RPC_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(RPC_MESSAGE_BYTES_MAX);
        Ok((client, partner))
    }
}

/// Why a partner was not reached, on whose side, and what to do.
pub(super) fn unreached(org: &OrgName, error: &ConnectError) -> Problem {
    let (code, side, todo) = advice(error, Side::Partner { org: org.clone() });
    let what = format!("{org}'s node was not reached: {error}");
    let todo = todo.replace("WHO", org.as_str());
    Problem::new(code, side, what, todo)
}

/// The same for the coordinator.
pub(crate) fn no_coordinator(error: &ConnectError) -> Problem {
    let (code, side, todo) = advice(error, Side::Coordinator);
    let code = match code {
        Code::PartnerUnreachable => Code::CoordinatorUnreachable,
        code => code,
    };
    let what = format!("the coordinator was not reached: {error}");
    Problem::new(
        code,
        side,
        what,
        todo.replace("WHO", "the coordinator's host"),
    )
}

fn advice(error: &ConnectError, there: Side) -> (Code, Side, &'static str) {
    let unreachable = Code::PartnerUnreachable;
    match error {
        ConnectError::Address { .. } => (
            unreachable,
            Side::Network,
            "check the address with WHO, and this machine's name resolution",
        ),
        ConnectError::Refused { .. } | ConnectError::Closed { .. } | ConnectError::Http { .. } => (
            unreachable,
            there,
            "ask WHO whether it is running and listens at that port",
        ),
        ConnectError::Network { .. } | ConnectError::Timeout { .. } => (
            unreachable,
            Side::Network,
            "check the firewalls on the way; ask WHO whether it is running",
        ),
        ConnectError::NotEntente { .. } => (
            unreachable,
            there,
            "check the port with WHO; something else answers there",
        ),
        ConnectError::WrongRoot { .. } | ConnectError::WrongOrg { .. } => (
            Code::PartnerNotProven,
            there,
            "do not go on; ask WHO by telephone whether it has made new keys",
        ),
        ConnectError::NotProven { .. } => (
            Code::PartnerNotProven,
            there,
            "compare the clocks of both sides; ask WHO to look at its certificates",
        ),
        ConnectError::RefusedUs { .. } => (
            Code::PartnerNotProven,
            Side::Here,
            "compare the clocks of both sides; look at keys/node.crt",
        ),
        _ => (unreachable, there, "ask WHO to look at its log"),
    }
}
