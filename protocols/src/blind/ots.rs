//! The oblivious transfers of a bucket, in both directions: each party is the sender of one half and the receiver of the other.
//!
//! Set up once a bucket, in a fixed order: first the transfers that R receives, then those that S receives. The two halves have
//! nothing in common but the channel; each numbers its own transfers, so the tweaks of its hash never repeat.

use super::tally::{Chooser, Tally};
use crate::channel::Channel;
use crate::fault::Fault;
use crate::ot::extension::{self, Receiver, Sender};
use crate::ot::{Transfers, silent};
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use std::sync::Arc;
#[cfg(test)]
use {
    crate::adversary::{both, honest},
    crate::block::Block,
    crate::prg::Prg,
};

/// How a bucket's transfers are made, with what that needs.
#[derive(Clone)]
pub enum Way {
    /// [`Transfers::Fast`].
    Fast,
    /// [`Transfers::Silent`], with the sizes that both parties know.
    Silent(Arc<silent::Setup>),
}

impl Way {
    /// So, for about as many transfers as a tally of all steps says.
    pub fn new(tally: &Tally) -> Self {
        let [to_receiver, to_sender] = tally.taken();
        match tally.transfers() {
            Transfers::Fast => Self::Fast,
            Transfers::Silent => {
                let setup = silent::Setup::new(to_receiver.max(to_sender));
                Self::Silent(Arc::new(setup))
            }
        }
    }

    /// Which it is.
    pub fn transfers(&self) -> Transfers {
        match self {
            Self::Fast => Transfers::Fast,
            Self::Silent(_) => Transfers::Silent,
        }
    }

    /// Bytes of the set-up and of what is said when the transfers of each of `tallies` are prepared, one after the other, both directions.
    pub fn bytes<'a>(&self, tallies: impl Iterator<Item = &'a Tally> + Clone) -> u64 {
        let Self::Silent(setup) = self else {
            return 2 * extension::set_up_bytes(SECURITY);
        };
        let of = |chooser: Chooser| {
            let mut account = silent::Account::new(setup);
            let taken = tallies.clone().map(|tally| tally.taken()[chooser as usize]);
            taken.for_each(|transfers| account.prepare_and_use(transfers));
            account.bytes()
        };
        of(Chooser::Receiver) + of(Chooser::Sender)
    }

    fn receiver(
        &self,
        channel: &mut Channel,
        sid: &SessionId,
        rng: &mut impl CryptoRng,
    ) -> Result<Receiver, Fault> {
        match self {
            Self::Fast => Receiver::set_up(channel, sid, SECURITY, rng),
            Self::Silent(setup) => Receiver::set_up_silent(channel, sid, setup, rng),
        }
    }

    fn sender(
        &self,
        channel: &mut Channel,
        sid: &SessionId,
        rng: &mut impl CryptoRng,
    ) -> Result<Sender, Fault> {
        match self {
            Self::Fast => Sender::set_up(channel, sid, SECURITY, rng),
            Self::Silent(setup) => Sender::set_up_silent(channel, sid, setup, rng),
        }
    }
}

/// One party's ends of both directions.
pub struct Ots {
    /// Its keys are pairs: the peer chooses.
    pub sender: Sender,
    /// Its keys are the ones that this party chose.
    pub receiver: Receiver,
    /// In which of the two directions this party chooses.
    chooser: Chooser,
}

impl Ots {
    /// R's part of the set-up.
    pub fn set_up_at_receiver(
        way: &Way,
        channel: &mut Channel,
        sid: &SessionId,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let [to_receiver, to_sender] = names(sid);
        let receiver = way.receiver(channel, &to_receiver, rng)?;
        let sender = way.sender(channel, &to_sender, rng)?;
        let chooser = Chooser::Receiver;
        Ok(Self {
            sender,
            receiver,
            chooser,
        })
    }

    /// S's part of the set-up.
    pub fn set_up_at_sender(
        way: &Way,
        channel: &mut Channel,
        sid: &SessionId,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let [to_receiver, to_sender] = names(sid);
        let sender = way.sender(channel, &to_receiver, rng)?;
        let receiver = way.receiver(channel, &to_sender, rng)?;
        let chooser = Chooser::Sender;
        Ok(Self {
            sender,
            receiver,
            chooser,
        })
    }

    /// Prepares the transfers of the steps that follow, where their way needs it. Steps have several calls under way at once, in both directions, and in none
    /// of them may more be said than choices: so this is done before, where neither party has anything else to say.
    pub fn prepare(
        &mut self,
        channel: &mut Channel,
        tally: &Tally,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let [to_receiver, to_sender] = tally.taken();
        match self.chooser {
            Chooser::Receiver => {
                self.receiver.prepare(channel, to_receiver, rng)?;
                self.sender.prepare(channel, to_sender, rng)
            }
            Chooser::Sender => {
                self.sender.prepare(channel, to_receiver, rng)?;
                self.receiver.prepare(channel, to_sender, rng)
            }
        }
    }
}

/// The blind join is semi-honest, whatever the rest of a job is.
const SECURITY: Security = Security::SemiHonest;

/// The transfers that R receives, and those that S receives.
fn names(sid: &SessionId) -> [SessionId; 2] {
    [0, 1].map(|direction| sid.part("blind join transfers", direction))
}

/// Both ways in which tests run every step.
#[cfg(test)]
pub(crate) const BOTH: [Transfers; 2] = [Transfers::Fast, Transfers::Silent];

/// For tests: R's part of a set-up after which what `tally` says is prepared.
#[cfg(test)]
pub(crate) fn prepared_at_receiver(
    tally: &Tally,
    channel: &mut Channel,
    sid: &SessionId,
    rng: &mut Prg,
) -> Result<Ots, Fault> {
    let mut ots = Ots::set_up_at_receiver(&Way::new(tally), channel, sid, rng)?;
    ots.prepare(channel, tally, rng)?;
    Ok(ots)
}

/// For tests: S's part of the same.
#[cfg(test)]
pub(crate) fn prepared_at_sender(
    tally: &Tally,
    channel: &mut Channel,
    sid: &SessionId,
    rng: &mut Prg,
) -> Result<Ots, Fault> {
    let mut ots = Ots::set_up_at_sender(&Way::new(tally), channel, sid, rng)?;
    ots.prepare(channel, tally, rng)?;
    Ok(ots)
}

/// For tests of the steps: runs both parties after a set-up by which what `tally` says is prepared, and asserts that the step took so many bytes.
#[cfg(test)]
pub(super) fn both_with_ots<R, S: Send>(
    tally: &Tally,
    receive: impl FnOnce(&mut Channel, &mut Ots, &mut Prg) -> R,
    send: impl FnOnce(&mut Channel, &mut Ots, &mut Prg) -> S + Send,
) -> (R, S) {
    let at_sender = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(2));
        let mut ots = prepared_at_sender(tally, channel, &SID, rng).expect("honest");
        send(channel, &mut ots, rng)
    };
    let at_receiver = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(1));
        let mut ots = prepared_at_receiver(tally, channel, &SID, rng).expect("honest");
        receive(channel, &mut ots, rng)
    };
    let (received, sent, totals) = both(honest(), at_receiver, at_sender);
    let travelled = totals[0].sent_bytes + totals[0].received_bytes;
    let set_up = Way::new(tally).bytes(std::iter::once(tally));
    assert_eq!(travelled, set_up + tally.bytes(), "{:?}", tally.transfers());
    (received, sent)
}

/// For tests of the steps: every frame of `kinds` that R hears, cut, extended or of another kind, ends R's part in a fault of the peer.
#[cfg(test)]
pub(super) fn refuses_other_frames<R, S: Send>(
    tally: &Tally,
    kinds: &[crate::channel::Kind],
    receive: impl Fn(&mut Channel, &mut Ots, &mut Prg) -> Result<R, Fault>,
    send: impl FnOnce(&mut Channel, &mut Ots, &mut Prg) -> Result<S, Fault> + Send,
) {
    use crate::adversary::{Scripted, record};
    let at_receiver = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(1));
        let mut ots = prepared_at_receiver(tally, channel, &SID, rng)?;
        receive(channel, &mut ots, rng)
    };
    let at_sender = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(2));
        let mut ots = prepared_at_sender(tally, channel, &SID, rng)?;
        send(channel, &mut ots, rng)
    };
    let (frames, _) = record(|ends| both(ends, at_receiver, at_sender));
    let mut seen = std::collections::BTreeSet::new();
    for place in 0..frames[1].len() {
        let number = u16::from_le_bytes([frames[1][place][0], frames[1][place][1]]);
        if !kinds.iter().any(|kind| kind.number() == number) {
            continue;
        }
        seen.insert(number);
        let changes: [fn(&mut Vec<u8>); 3] = [
            |frame| frame.truncate(frame.len() - 1),
            |frame| frame.push(0),
            |frame| frame[0] ^= 0x80,
        ];
        for change in changes {
            let mut lines = frames[1].clone();
            change(&mut lines[place]);
            let stated = (lines[place].len() - crate::channel::HEADER_BYTES) as u32;
            lines[place][6..10].copy_from_slice(&stated.to_le_bytes());
            let (transport, _) = Scripted::recorded(&lines);
            let fault = at_receiver(&mut Channel::new(Box::new(transport))).err();
            let culprit = fault.map(|fault| fault.culprit());
            assert_eq!(culprit, Some(crate::fault::Culprit::Peer), "{number:#06x}");
        }
    }
    assert_eq!(seen.len(), kinds.len(), "R hears all of them");
}

#[cfg(test)]
const SID: SessionId = SessionId::new([5; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_party_chooses_in_one_direction_and_offers_in_the_other() {
        for transfers in BOTH {
            let mut tally = Tally::new(transfers);
            tally.call(Chooser::Receiver, 3);
            tally.call(Chooser::Sender, 3);
            let choices = [true, false, true];
            let (at_receiver, at_sender) = both_with_ots(
                &tally,
                |channel, ots, rng| {
                    let chosen = ots.receiver.extend(channel, &choices, rng)?;
                    let pairs = ots.sender.extend(channel, 3, rng)?;
                    Ok::<_, Fault>((chosen.expose().clone(), pairs.expose().clone()))
                },
                |channel, ots, rng| {
                    let pairs = ots.sender.extend(channel, 3, rng)?;
                    let chosen = ots.receiver.extend(channel, &choices, rng)?;
                    Ok::<_, Fault>((chosen.expose().clone(), pairs.expose().clone()))
                },
            );
            let (at_receiver, at_sender) =
                (at_receiver.expect("honest"), at_sender.expect("honest"));
            for (chosen, pairs) in [
                (&at_receiver.0, &at_sender.1),
                (&at_sender.0, &at_receiver.1),
            ] {
                for (i, choice) in choices.iter().enumerate() {
                    assert_eq!(chosen[i], pairs[i][usize::from(*choice)]);
                }
            }
            assert_ne!(at_receiver.0, at_sender.0);
        }
    }
}
