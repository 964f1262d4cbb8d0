//! Rounds of secure aggregation, as far as they need somebody in the middle (specification §10; messages in `coordinator.proto`).
//!
//! ```text
//! gathering      all parties come, or enough of them until the wait is over         → begin
//! introducing    each introduces itself                                             → introductions, all to all
//! dealing        each deals sealed boxes                                            → delivery, to each its own
//! contributing   each signs and uploads its vector, a few at a time                 → survivors: whose vectors are in the sum
//! voting         each votes for these survivors                                     → votes, as soon as there is a quorum
//! unmasking      each sends the recipient a sealed box                              → unmaskings and the sum, to the recipient
//! opening        the recipient says that it has opened the sum                      → end, to all
//! ```
//!
//! Every stage has a deadline ([`RoundWaits`]). A member that goes, is late, or sends what does not belong there is out at once, and the round goes on
//! as long as enough are left to end it well and the recipient is among them; otherwise all that are left are told why, and begin again by themselves.
//! A vector is in the sum whole or not at all, and its member is named a survivor if and only if it is.
//!
//! One task holds each round ([`host`]), around a pure core ([`round`], [`phase`], [`gathering`]). A job has one gathering at most, and one round that
//! runs: a round needs its recipient, and a recipient that joins the next one has left the last.
//!
//! **Who learns what.** The coordinator: who takes part, when, and who vanishes at which step; who is whose neighbour; sizes and times. Never a vector, a sum or a
//! share: vectors arrive under masks, shares in boxes sealed between members. It need not be believed either. What it changes, hides or invents
//! members find by signatures and the recipient by the sum's authenticator; it can end any round, and favour who gets to take part. A member learns from
//! it who else takes part and who vanished, as the protocol has it.

mod dealing;
mod departure;
mod down;
mod facts;
mod gathering;
mod host;
mod phase;
#[cfg(test)]
pub(crate) mod rehearsal;
mod round;
mod seat;
mod table;
#[cfg(test)]
mod tests;
mod upload;

pub(crate) use facts::{RoundFacts, Senseless};

use crate::limits::{ROUND_JOINS_AHEAD, ROUND_NUMBER_MAX, ROUND_REPLIES_AHEAD, RoundWaits};
use crate::members::Members;
use crate::service::Watches;
use departure::too_many_joins;
use down::Down;
use entente_certs::Peer;
use entente_wire::names::OrgName;
use entente_wire::problem::{Code, Problem};
use entente_wire::rpc::coordinator::v1::{RoundDown, RoundUp};
use entente_wire::seal::JobHash;
use host::{Host, Invitation};
use seat::Joining;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use table::{Entries, Table};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::{Status, Streaming};

/// Where members come to take part. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rounds {
    table: Table,
    waits: RoundWaits,
    watches: Watches,
    members: Members,
}

/// Who comes, and to what.
pub(crate) struct Comer {
    pub(crate) peer: Peer,
    pub(crate) org: OrgName,
    pub(crate) job: JobHash,
    pub(crate) facts: Arc<RoundFacts>,
    pub(crate) round_min: u64,
}

/// What one member is sent, put into messages one by one as the connection takes them.
pub(crate) struct Replies(mpsc::Receiver<Down>);

impl Stream for Replies {
    type Item = Result<RoundDown, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.0.poll_recv(cx);
        next.map(|down| down.map(|down| Ok(down.message())))
    }
}

impl Rounds {
    pub(crate) fn new(waits: RoundWaits, watches: Watches, members: Members) -> Self {
        Self {
            table: Table::default(),
            waits,
            watches,
            members,
        }
    }

    /// A member takes part in its job's gathering, which begins if there is none.
    pub(crate) fn join(&self, comer: Comer, steps: Streaming<RoundUp>) -> Result<Replies, Problem> {
        let Comer {
            peer,
            org,
            job,
            facts,
            round_min,
        } = comer;
        let place = facts
            .place(&org)
            .ok_or_else(|| not_for(&org, "it takes no part in it"))?;
        if round_min > ROUND_NUMBER_MAX {
            return Err(number_too_large(&org));
        }
        let (replies, stream) = mpsc::channel(ROUND_REPLIES_AHEAD);
        let begun = {
            let mut entries = self.table.lock();
            entries.check(&org, job)?;
            let (joins, begun) = self.joins_of(&mut entries, job, facts)?;
            let permit = joins.try_reserve().map_err(|_| too_many_joins())?;
            let (ticket, replaced) = self.table.seat(&mut entries, &org, job);
            permit.send(Joining {
                place,
                round_min,
                peer,
                ticket,
                replaced,
                steps,
                replies,
            });
            begun
        };
        if let Some(host) = begun {
            tokio::spawn(host.run());
        }
        Ok(Replies(stream))
    }

    /// Where joins of this job go, and a host that is to be started if it is new.
    fn joins_of(
        &self,
        entries: &mut Entries,
        job: JobHash,
        facts: Arc<RoundFacts>,
    ) -> Result<(mpsc::Sender<Joining>, Option<Host>), Problem> {
        if let Some(joins) = entries.gathering(job) {
            return Ok((joins.clone(), None));
        }
        let (sender, joins) = mpsc::channel(ROUND_JOINS_AHEAD);
        let room = self.table.room(entries, job, sender.clone())?;
        let host = Host::new(Invitation {
            job,
            facts,
            room,
            joins,
            waits: self.waits,
            watches: self.watches.clone(),
            members: self.members.clone(),
        });
        Ok((sender, Some(host)))
    }
}

/// A job of which no round can be made, or none by this caller.
pub(crate) fn not_for(org: &OrgName, why: &str) -> Problem {
    Problem::partner(
        org,
        Code::CoordinatorRefused,
        format!("{org} cannot join a round of this job: {why}"),
        "compare the versions of node and coordinator; if they are equal, report this as a defect",
    )
}

fn number_too_large(org: &OrgName) -> Problem {
    not_for(
        org,
        "it has begun as many rounds of the job as a node begins",
    )
}
