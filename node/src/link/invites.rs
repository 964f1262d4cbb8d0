//! The inviting side: making an invite, and redeeming it when a stranger's node presents the token.

use super::{Link, unnamed};
use crate::config::Address;
use crate::ledger::{Fact, Invite as MadeInvite, Pin};
use entente_certs::{Expected, Invite, InviteToken, Peer, connect_proven};
use entente_wire::canonical::Digest;
use entente_wire::limits::WIRE_VERSION;
use entente_wire::local::InviteLine;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::peer::v1::JoinRequest;
use entente_wire::sign::Record;
use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Shortest and longest life of an invite: time to hand the line over; not so long that it lies about.
const EXPIRES_S: std::ops::RangeInclusive<u64> = 60..=30 * 24 * 3600;
/// Joins refused within [`REFUSALS_WITHIN`] before all are turned away for a while. A token has 128 bits, so this is not about
/// guessing: it bounds what a stranger can make the ledger look up.
const REFUSALS_MAX: usize = 20;
const REFUSALS_WITHIN: Duration = Duration::from_secs(60);

/// When joins were refused lately, oldest first.
#[derive(Debug, Default)]
pub(super) struct Refusals(VecDeque<SystemTime>);

impl Refusals {
    fn check(&mut self, now: SystemTime) -> Result<(), Problem> {
        let is_old = |at: &SystemTime| match now.duration_since(*at) {
            Ok(ago) => ago >= REFUSALS_WITHIN,
            // The clock was set back.
            Err(_) => true,
        };
        while self.0.front().is_some_and(is_old) {
            self.0.pop_front();
        }
        if self.0.len() < REFUSALS_MAX {
            return Ok(());
        }
        let what = "too many joins were refused here within a minute";
        Err(Problem::here(
            Code::InviteRefused,
            what,
            "try again in a minute",
        ))
    }

    fn count(&mut self, now: SystemTime) {
        self.0.push_back(now);
    }
}

/// A stranger that was let in.
pub(super) struct Joined {
    pub(super) pin: Pin,
    /// What it gets in return.
    pub(super) own_registry: Record,
}

impl Link {
    /// Makes an invite for `org`: one line, to be handed over by hand. Only the token's digest is kept.
    pub(crate) fn invite(&self, org: &OrgName, expires_s: u64) -> Result<InviteLine, Problem> {
        if !EXPIRES_S.contains(&expires_s) {
            let what = format!("an invite cannot live for {expires_s} s");
            let todo = "choose one minute to 30 days, for example --expires 24h";
            return Err(Problem::request(Code::Argument, what, todo));
        }
        if *org == self.setting.own {
            let what = format!("{org} is this organisation itself");
            return Err(Problem::request(
                Code::Argument,
                what,
                "invite another organisation",
            ));
        }
        let address = self.setting.advertised.clone()?;
        let expires_unix_s = self.now_unix_s().saturating_add(expires_s);
        let token = InviteToken::generate();
        let made = MadeInvite {
            token_hash: Digest(token.digest()),
            org: org.clone(),
            expires_unix_s,
        };
        let expires = UNIX_EPOCH + Duration::from_secs(expires_unix_s);
        let (own, root) = (self.setting.own.as_str(), self.setting.party.root());
        let invite = Invite::new(own, address.as_str(), root, token, expires)
            .map_err(|error| Problem::here(Code::Home, error.to_string(), "correct org.toml"))?;
        self.record(Fact::InviteMade(made))?;
        Ok(InviteLine {
            invite: invite.encode(),
            org: org.clone(),
            expires_unix_s,
        })
    }

    /// Redeems an invite: everything is checked before the token is used up, and the token before anything is pinned.
    pub(super) fn redeem(&self, peer: &Peer, request: JoinRequest) -> Result<Joined, Problem> {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        refusals.check(now)?;
        let joined = self.redeem_once(peer, request);
        if let Err(problem) = &joined {
            refusals.count(now);
            tracing::warn!(code = %problem.code, caller = %peer, "a join was refused: {}", problem.what);
        }
        joined
    }

    fn redeem_once(&self, peer: &Peer, request: JoinRequest) -> Result<Joined, Problem> {
        let org: OrgName = peer.org().parse().map_err(|_| unnamed())?;
        if request.version != WIRE_VERSION {
            let theirs = request.version;
            let what = format!("{org}'s node speaks version {theirs}, this one {WIRE_VERSION}");
            let todo = "upgrade the older of the two nodes";
            return Err(Problem::partner(&org, Code::VersionDiffers, what, todo));
        }
        let token_hash = self.check_token(&org, &request.token)?;
        let address: Address = request.address.parse().map_err(|what: String| {
            let todo = "set advertise in org.toml to where partners reach the node";
            Problem::partner(&org, Code::Argument, what, todo)
        })?;
        let registry = self.their_registry(peer, &org, request.registry)?;
        let own_registry = self.own_registry()?;
        self.record(Fact::InviteUsed {
            token_hash,
            by: org.clone(),
        })?;
        let pin = self.pin(peer, &org, &address, &registry)?;
        Ok(Joined { pin, own_registry })
    }

    fn check_token(&self, org: &OrgName, token: &[u8]) -> Result<Digest, Problem> {
        let refuse = |what: String| {
            let todo = "ask the inviting side for a new invite";
            Err(Problem::here(Code::InviteRefused, what, todo))
        };
        let token = InviteToken::from_bytes(token).map(|token| Digest(token.digest()));
        let state = match &token {
            Some(hash) => self.setting.ledger.invite(hash)?,
            None => None,
        };
        let (Some(token_hash), Some(state)) = (token, state) else {
            return refuse("the invite is not known here".to_owned());
        };
        if state.used_by.is_some() {
            return refuse("the invite was used already".to_owned());
        }
        if self.now_unix_s() >= state.invite.expires_unix_s {
            return refuse("the invite has expired".to_owned());
        }
        if state.invite.org != *org {
            // Not for whom: the caller may have found the line.
            return refuse(format!("the invite is not for {org}"));
        }
        Ok(token_hash)
    }

    /// Whether this node can reach a partner that has just joined, at the address it gave.
    pub(super) async fn probe(&self, pin: &Pin, peer: &Peer) -> Option<Problem> {
        let expected = Expected {
            org: peer.org().to_owned(),
            root: peer.root(),
        };
        let (party, probe) = (&self.setting.party, self.setting.waits.probe);
        let reached = connect_proven(party, &pin.address, &expected, probe).await;
        let error = reached.err()?;
        let mut problem = super::reach::unreached(&pin.org, &error);
        problem.todo = format!(
            "open the port to {}, or set advertise in org.toml to where it is reached, and restart the node",
            self.setting.own
        );
        tracing::warn!(partner = %pin.org, code = %problem.code, "linked, but: {}", problem.what);
        Some(problem)
    }
}
