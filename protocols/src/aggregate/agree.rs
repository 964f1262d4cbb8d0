//! A member's last two steps: it votes for one set of survivors, and with a quorum of equal votes gives one share of each member it holds shares of.
//!
//! **Why one set.** A coordinator that shows different sets would be given the self-mask's shares of a member by some and its mask key's by others, and so its
//! vector. An honest member votes once in a round, and twice the quorum exceeds all members and the colluders: two sets cannot both get one. The vote is in the
//! caller's journal before it leaves, so a restart does not make it two: [`PersistedSurvivors`].

use super::arrival::{View, check_signature};
use super::contribute::{enough, must_have};
use super::fault::{Misdeed, Refusal, RoundFault};
use super::join::{Lines, Seat, Secrets};
use super::messages::{MemberSet, SHARE_BYTES, Sharing, Survivors, Unmasking, Vote, Votes};
use super::recipient::Released;
use super::seal::{Content, Label, seal};
use super::shamir::Halves;
use super::sign::{Identity, Purpose, sign};
use super::{Cohort, Member};
use crate::block::Block;
use crate::secret::Secret;
use std::collections::BTreeMap;

/// A member that has contributed.
pub struct Contributed {
    pub(super) seat: Seat,
    pub(super) cohort: Cohort,
    pub(super) sharing: Sharing,
    pub(super) view: View,
    pub(super) held: BTreeMap<Member, Secrets>,
    pub(super) lines: Lines,
    pub(super) check_key: Secret<Block>,
}

/// The one survivor set that a member agrees to, for its journal. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurvivorRecord {
    /// The round.
    pub round: [u8; 32],
    /// Hash of the cohort, and of who dealt to whom, as it was shown to it.
    pub view: View,
    /// Who survived.
    pub survivors: MemberSet,
}

impl SurvivorRecord {
    /// As it stands in the journal.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = [
            &self.round[..],
            self.view.as_bytes(),
            self.survivors.as_bytes(),
        ];
        parts.concat()
    }

    /// What a vote signs besides round and member.
    fn signed(&self) -> [&[u8]; 2] {
        [self.view.as_bytes(), self.survivors.as_bytes()]
    }
}

/// A survivor set that is on disk: without one, no vote and no share leaves.
pub struct PersistedSurvivors(SurvivorRecord);

impl PersistedSurvivors {
    /// The caller says: these bytes ([`SurvivorRecord::to_bytes`]) are in a journal that survives a crash of this machine, synced; and no
    /// record of this round was there before. **Saying so without having done it lets a restart vote for a second set, and a coordinator
    /// that shows two sees one member's vector.**
    pub fn written(record: SurvivorRecord) -> Self {
        Self(record)
    }
}

impl Contributed {
    /// Checks the survivor set: large enough, this member and the recipient in it, all of them sharers, and of each
    /// a signature that it contributed seeing this cohort and this sharing. What comes back goes to the journal first.
    pub fn agree(self, survivors: &Survivors) -> Result<(Agreed, SurvivorRecord), RoundFault> {
        let Survivors {
            survivors,
            signatures,
        } = survivors;
        let (terms, me) = (&self.seat.terms, self.seat.me);
        if let Some(member) = survivors.beyond(self.sharing.sharers()) {
            let out_of_place = Misdeed::OutOfPlace {
                what: "survival",
                member,
            };
            return Err(RoundFault::Coordinator(out_of_place));
        }
        if !survivors.contains(me) {
            return Err(RoundFault::Coordinator(Misdeed::OwnMissing {
                what: "the contribution",
            }));
        }
        must_have(survivors, terms.recipient(), "the contribution")?;
        enough("contributions", terms.survivors_min(), survivors.count())?;
        self.check_signatures(survivors, signatures)?;
        let record = SurvivorRecord {
            round: *terms.sid().as_bytes(),
            view: self.view,
            survivors: survivors.clone(),
        };
        Ok((
            Agreed {
                contributed: self,
                record: record.clone(),
            },
            record,
        ))
    }

    /// A survivor is a member that contributed seeing what this member sees, not a name: noise and the bounds on the graph count those
    /// that are honest.
    fn check_signatures(
        &self,
        survivors: &MemberSet,
        signatures: &[(Member, [u8; 64])],
    ) -> Result<(), RoundFault> {
        let (terms, view) = (&self.seat.terms, [&self.view.as_bytes()[..]]);
        let mut came = signatures.iter();
        let due = survivors.iter().filter(|member| *member != self.seat.me);
        for owner in due {
            let (member, signature) = came.next().ok_or_else(|| missing(owner))?;
            if *member != owner {
                return Err(missing(owner));
            }
            check_signature(terms, Purpose::Contribution, owner, &view, signature)?;
        }
        match came.next() {
            None => Ok(()),
            Some((member, _)) => {
                let out_of_place = Misdeed::OutOfPlace {
                    what: "a contribution's signature",
                    member: *member,
                };
                Err(RoundFault::Coordinator(out_of_place))
            }
        }
    }
}

fn missing(member: Member) -> RoundFault {
    RoundFault::Coordinator(Misdeed::Missing {
        what: "the contribution's signature",
        member,
    })
}

/// A member that knows for which survivors it votes.
pub struct Agreed {
    contributed: Contributed,
    record: SurvivorRecord,
}

impl Agreed {
    /// The vote, once the set is on disk.
    pub fn vote(
        &self,
        persisted: &PersistedSurvivors,
        identity: &dyn Identity,
    ) -> Result<Vote, RoundFault> {
        self.check(persisted)?;
        let Seat { terms, me } = &self.contributed.seat;
        let signature = sign(
            identity,
            Purpose::Survivors,
            terms.sid(),
            *me,
            &self.record.signed(),
        );
        Ok(Vote {
            member: *me,
            signature,
        })
    }

    fn check(&self, persisted: &PersistedSurvivors) -> Result<(), RoundFault> {
        match persisted.0 == self.record {
            true => Ok(()),
            false => Err(Refusal::OtherSurvivors.into()),
        }
    }

    /// With a quorum of votes for the same set: of each survivor the share of its self-mask, of each that vanished the share of its mask
    /// key, never both of one, sealed to the recipient. The recipient keeps its own.
    pub fn release(
        self,
        persisted: &PersistedSurvivors,
        votes: &Votes,
    ) -> Result<(Released, Option<Unmasking>), RoundFault> {
        self.check(persisted)?;
        self.check_votes(votes)?;
        let Self {
            contributed,
            record,
        } = self;
        let Contributed {
            seat,
            cohort,
            held,
            mut lines,
            check_key,
            sharing,
            ..
        } = contributed;
        let given: Vec<(Member, Secret<Halves>)> = held
            .into_iter()
            .map(|(owner, shares)| {
                // Who survived is public.
                let share = match record.survivors.contains(owner) {
                    true => shares.self_mask,
                    false => shares.mask_key,
                };
                (owner, share)
            })
            .collect();
        let (me, to) = (seat.me, seat.terms.recipient());
        let (given, unmasking) = match me == to {
            true => (given, None),
            false => {
                let label = Label {
                    content: Content::Unmasking,
                    from: me,
                    to,
                };
                let line = lines.connect(&cohort, to)?;
                let sealed = seal(&cohort, label, &line.shared, encode_shares(&given).expose());
                (vec![], Some(Unmasking { member: me, sealed }))
            }
        };
        Ok((
            Released {
                seat,
                cohort,
                sharing,
                record,
                lines,
                check_key,
                given,
            },
            unmasking,
        ))
    }

    /// A quorum at least, all of them survivors', for this set.
    fn check_votes(&self, Votes(votes): &Votes) -> Result<(), RoundFault> {
        let terms = &self.contributed.seat.terms;
        enough("votes", terms.quorum(), votes.len())?;
        if !votes.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(RoundFault::Coordinator(Misdeed::NotAscending {
                what: "the votes",
            }));
        }
        for (member, signature) in votes {
            if !self.record.survivors.contains(*member) {
                let out_of_place = Misdeed::OutOfPlace {
                    what: "a vote",
                    member: *member,
                };
                return Err(RoundFault::Coordinator(out_of_place));
            }
            let signed = self.record.signed();
            check_signature(terms, Purpose::Survivors, *member, &signed, signature)?;
        }
        Ok(())
    }
}

/// One share of each owner, ascending.
fn encode_shares(given: &[(Member, Secret<Halves>)]) -> Secret<Vec<u8>> {
    // All of it at once: a vector that grows leaves shares behind in freed memory.
    let mut bytes = Secret::new(Vec::with_capacity(SHARE_BYTES * given.len()));
    for (owner, share) in given {
        bytes.expose_mut().extend(owner.0.to_le_bytes());
        for block in share.expose() {
            bytes.expose_mut().extend(block.to_bytes());
        }
    }
    bytes
}
