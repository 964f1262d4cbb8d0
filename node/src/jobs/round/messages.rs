//! The coordinator's messages in the protocol's types, and back. The coordinator is believed in nothing: what it sends is decoded by the
//! protocol's own rules, with the places that it names.

use super::out_of_order;
use entente_protocols::aggregate::messages::{
    CheckBox, Dealing, Delivery, Introduction, Introductions, MemberSet, Opening, RoundMessage,
    SharesBox, Sharing, Survivors, Unmasking, Vote, Votes,
};
use entente_protocols::aggregate::{Member, Misdeed, RoundFault, Signature, TAG_WORDS, Terms};
use entente_protocols::fault::Malformed;
use entente_wire::problem::Problem;
use entente_wire::rpc::coordinator::v1::{
    RoundBox, RoundBoxes, RoundDealing, RoundDelivery, RoundUp, round_up::Step,
};

/// Most bytes of one sealed box of unmasking shares: a share for each of a thousand members.
const BOX_BYTES_MAX: usize = 64 * 1024;

/// What this node answers.
pub(crate) enum Answer {
    /// One message.
    Step(Box<RoundUp>),
    /// A signature, and words behind it.
    Contribution { signature: Vec<u8>, words: Vec<u64> },
    /// Nothing: more is to come.
    Nothing,
    /// The table is written; the coordinator may be told once the journal says so.
    Opened,
}

fn step(step: Step) -> Answer {
    Answer::Step(Box::new(RoundUp { step: Some(step) }))
}

pub(super) fn introduction(introduction: &Introduction) -> Answer {
    step(Step::Introduction(introduction.encode()))
}

pub(super) fn dealing(dealing: &Dealing) -> Answer {
    let shares = dealing.shares.iter().map(|(to, sealed)| a_box(*to, sealed));
    let check_keys = dealing
        .check_keys
        .iter()
        .map(|(to, sealed)| a_box(*to, sealed));
    step(Step::Dealing(RoundDealing {
        shares: shares.collect(),
        check_keys: check_keys.collect(),
    }))
}

pub(super) fn vote(vote: &Vote) -> Answer {
    step(Step::Vote(vote.signature.to_vec()))
}

pub(super) fn unmasking(unmasking: Unmasking) -> Answer {
    step(Step::Unmasking(unmasking.sealed))
}

fn a_box(member: Member, content: &[u8]) -> RoundBox {
    RoundBox {
        member: u32::from(member.0),
        content: content.to_vec(),
    }
}

/// A coordinator that arranges what members sent as it must not.
fn malformed(message: &'static str, why: Malformed) -> RoundFault {
    RoundFault::Coordinator(Misdeed::Malformed { message, why })
}

/// What members sent and the coordinator only carries: it does not look into it.
fn spoilt(member: Member, message: &'static str, why: Malformed) -> RoundFault {
    let what = Misdeed::Malformed { message, why };
    RoundFault::MemberOrCoordinator { member, what }
}

const LIST: Malformed = Malformed::NotCanonical {
    what: "a list of members",
};

fn member(number: u32, message: &'static str, terms: &Terms) -> Result<Member, RoundFault> {
    let place = u16::try_from(number).ok();
    let place = place.filter(|place| usize::from(*place) < terms.members());
    place.map(Member).ok_or_else(|| {
        malformed(
            message,
            Malformed::OutOfRange {
                field: "a member",
                max: terms.members() as u64 - 1,
                got: number.into(),
            },
        )
    })
}

/// What belongs to members, ascending.
fn list<T>(
    boxes: Vec<RoundBox>,
    message: &'static str,
    terms: &Terms,
    read: impl Fn(Member, Vec<u8>) -> Result<T, Malformed>,
) -> Result<Vec<(Member, T)>, RoundFault> {
    let mut list: Vec<(Member, T)> = Vec::with_capacity(boxes.len().min(terms.members()));
    for RoundBox {
        member: number,
        content,
    } in boxes
    {
        let member = member(number, message, terms)?;
        let ascends = list.last().is_none_or(|(last, _)| *last < member);
        if !ascends {
            return Err(malformed(message, LIST));
        }
        let item = read(member, content).map_err(|why| spoilt(member, message, why))?;
        list.push((member, item));
    }
    Ok(list)
}

pub(super) fn introductions(boxes: RoundBoxes, terms: &Terms) -> Result<Introductions, RoundFault> {
    let name = Introductions::KIND.name();
    let read = |member: Member, bytes: Vec<u8>| {
        let one = Introduction::decode(&bytes, terms)?;
        let what = "an introduction";
        let is_its_own = one.member == member;
        is_its_own
            .then_some(one)
            .ok_or(Malformed::NotCanonical { what })
    };
    let list = list(boxes.boxes, name, terms, read)?;
    Ok(Introductions(
        list.into_iter().map(|(_, one)| one).collect(),
    ))
}

pub(super) fn delivery(delivery: RoundDelivery, terms: &Terms) -> Result<Delivery, RoundFault> {
    let name = Delivery::KIND.name();
    let mut picks: Vec<(Member, MemberSet)> = Vec::new();
    for of_one in delivery.picks {
        let sharer = member(of_one.member, name, terms)?;
        let ascends = picks.last().is_none_or(|(last, _)| *last < sharer);
        if !ascends {
            return Err(malformed(name, LIST));
        }
        let of_one = of_one
            .picks
            .iter()
            .map(|number| member(*number, name, terms));
        let of_one: Vec<Member> = of_one.collect::<Result<_, _>>()?;
        picks.push((sharer, MemberSet::new(terms, of_one)));
    }
    let what = "a box of shares";
    let shares = list(delivery.shares, name, terms, |_, bytes| {
        SharesBox::try_from(bytes).map_err(|_| Malformed::NotCanonical { what })
    })?;
    let check_key = match delivery.check_key.as_slice() {
        [] => None,
        sealed => Some(CheckBox::try_from(sealed).map_err(|_| {
            let what = "a box of the check key";
            spoilt(terms.recipient(), name, Malformed::NotCanonical { what })
        })?),
    };
    Ok(Delivery {
        sharing: Sharing::new(terms, picks),
        shares,
        check_key,
    })
}

fn signatures(
    boxes: RoundBoxes,
    message: &'static str,
    terms: &Terms,
) -> Result<Vec<(Member, Signature)>, RoundFault> {
    let what = "a signature";
    list(boxes.boxes, message, terms, |_, bytes| {
        Signature::try_from(bytes).map_err(|_| Malformed::NotCanonical { what })
    })
}

/// The coordinator names everybody alike, `me` among them, whose own signature is left out here.
pub(super) fn survivors(
    boxes: RoundBoxes,
    me: Member,
    terms: &Terms,
) -> Result<Survivors, RoundFault> {
    let mut signatures = signatures(boxes, Survivors::KIND.name(), terms)?;
    let survivors = MemberSet::new(terms, signatures.iter().map(|(member, _)| *member));
    signatures.retain(|(member, _)| *member != me);
    Ok(Survivors {
        survivors,
        signatures,
    })
}

pub(super) fn votes(boxes: RoundBoxes, terms: &Terms) -> Result<Votes, RoundFault> {
    signatures(boxes, Votes::KIND.name(), terms).map(Votes)
}

/// Words of a vector with its authenticator.
pub(super) fn words(terms: &Terms) -> usize {
    terms.cells() + TAG_WORDS
}

/// What has come of the opening.
#[derive(Default)]
pub(super) struct Reception {
    boxes: Vec<RoundBox>,
    words: Vec<u64>,
}

impl Reception {
    pub(super) fn take_boxes(&mut self, boxes: RoundBoxes, members: usize) -> Result<(), Problem> {
        let fits = |one: &RoundBox| one.content.len() <= BOX_BYTES_MAX;
        let is_due = self.words.is_empty()
            && self.boxes.len() + boxes.boxes.len() < members
            && boxes.boxes.iter().all(fits);
        if !is_due {
            return Err(out_of_order(
                "sent more boxes of shares than there are members",
            ));
        }
        self.boxes.extend(boxes.boxes);
        Ok(())
    }

    /// Whether the sum is complete.
    pub(super) fn take_words(&mut self, bytes: &[u8], due: usize) -> Result<bool, Problem> {
        let (words, rest) = bytes.as_chunks::<8>();
        let is_whole = rest.is_empty() && !words.is_empty();
        if !is_whole || self.words.len() + words.len() > due {
            return Err(out_of_order(
                "sent a sum of another length than the table's",
            ));
        }
        if self.words.is_empty() {
            self.words.reserve_exact(due);
        }
        self.words
            .extend(words.iter().map(|word| u64::from_le_bytes(*word)));
        Ok(self.words.len() == due)
    }

    pub(super) fn opening(self, terms: &Terms) -> Result<Opening, RoundFault> {
        let unmaskings = list(self.boxes, Opening::KIND.name(), terms, |_, sealed| {
            Ok(sealed)
        })?;
        Ok(Opening {
            words: self.words,
            unmaskings,
        })
    }
}
