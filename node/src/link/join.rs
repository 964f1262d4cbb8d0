//! The joining side: an operator pastes an invite.

use super::{Link, shown};
use crate::config::Address;
use crate::ledger::Pin;
use crate::session::{heard, refused};
use entente_certs::{Connection, Expected, Invite, InviteError, connect_proven};
use entente_wire::canonical;
use entente_wire::limits::{RPC_MESSAGE_BYTES_MAX, WIRE_VERSION};
use entente_wire::local;
use entente_wire::names::{NameError, OrgName};
use entente_wire::people::Pins;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::peer_client::PeerClient;
use entente_wire::rpc::peer::v1::{JoinReply, JoinRequest};
use tokio::time::timeout;

impl Link {
    /// Links with whoever made the invite. What is pinned is the invite's root, proven by the connection.
    pub(crate) async fn join(&self, line: &str) -> Result<local::Partner, Problem> {
        let invite: Invite = line
            .parse()
            .map_err(|error: InviteError| unusable(&error))?;
        invite.check(self.now()).map_err(|error| unusable(&error))?;
        let org: OrgName = invite
            .org()
            .parse()
            .map_err(|error: NameError| unusable(&error))?;
        let address: Address = invite
            .address()
            .parse()
            .map_err(|error: String| unusable(&error))?;
        // Before anything is used up: without it the partner could not call back.
        let own_address = self.setting.advertised.clone()?;
        let (root, asked) = (invite.root(), org.clone());
        self.aside(move |link| link.may_link(&asked, root)).await?;

        let expected = Expected {
            org: org.as_str().to_owned(),
            root,
        };
        let (party, waits) = (&self.setting.party, &self.setting.waits);
        let connection = connect_proven(party, address.as_str(), &expected, waits.connect)
            .await
            .map_err(|error| super::reach::unreached(&org, &error))?;
        let reply = self
            .present(&connection, &org, &invite, own_address)
            .await?;
        let reverse_problem = self.reverse(&org, &reply.reverse_problem);
        let pin = self.pin_inviter(connection, org, address, reply).await?;
        let partner = pin.org.clone();
        let registry_version = self
            .aside(move |link| {
                let registries = link.setting.ledger.pins()?;
                Ok(registries
                    .registry(&partner)
                    .map_or(0, |registry| registry.version))
            })
            .await?;
        Ok(shown(&pin, registry_version, reverse_problem))
    }

    /// Hands over the token and this organisation's registry.
    async fn present(
        &self,
        connection: &Connection,
        org: &OrgName,
        invite: &Invite,
        own_address: Address,
    ) -> Result<JoinReply, Problem> {
        let request = JoinRequest {
            version: WIRE_VERSION,
            token: invite.token().as_bytes().to_vec(),
            address: own_address.into(),
            registry: Some(self.aside(Self::own_registry).await?.into()),
        };
        let mut client = PeerClient::new(connection.channel.clone())
            .max_decoding_message_size(RPC_MESSAGE_BYTES_MAX);
        let within = self.setting.waits.call;
        let answered = timeout(within, client.join(request)).await;
        let Ok(reply) = answered else {
            let what = format!("{org}'s node did not answer within {} s", within.as_secs());
            let todo = format!("ask {org} for a new invite and try again");
            return Err(Problem::partner(org, Code::PartnerSilent, what, todo));
        };
        let reply = reply.map_err(|status| refused(&self.setting.own, org, &status, "linking"))?;
        Ok(reply.into_inner())
    }

    async fn pin_inviter(
        &self,
        connection: Connection,
        org: OrgName,
        address: Address,
        reply: JoinReply,
    ) -> Result<Pin, Problem> {
        let peer = connection.peer;
        self.aside(move |link| {
            let registry = link.their_registry(&peer, &org, reply.registry)?;
            link.pin(&peer, &org, &address, &registry)
        })
        .await
    }

    /// Why the inviter could not reach this node, as it looks from here.
    fn reverse(&self, org: &OrgName, said: &[u8]) -> Option<Problem> {
        if said.is_empty() {
            return None;
        }
        let problem: Option<Problem> = canonical::from_bytes(said).ok();
        Some(problem.map_or_else(
            || {
                let what = format!("{org}'s node could not reach this one and did not say why");
                Problem::here(
                    Code::PartnerUnreachable,
                    what,
                    "check advertise in org.toml",
                )
            },
            |problem| heard(&self.setting.own, org, problem),
        ))
    }
}

fn unusable(error: &impl std::fmt::Display) -> Problem {
    let todo = "paste the whole line, or ask the inviting side for a new one";
    Problem::request(Code::InviteRefused, error.to_string(), todo)
}
