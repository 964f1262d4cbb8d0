//! The oblivious transfers of a bucket, in both directions: each party is the sender of one half and the receiver of the other.
//!
//! Set up once a bucket, in a fixed order: first the transfers that R receives, then those that S receives. The two halves have
//! nothing in common but the channel; each numbers its own transfers, so the tweaks of its hash never repeat.

use crate::channel::Channel;
use crate::fault::Fault;
use crate::ot::extension::{self, Receiver, Sender};
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
#[cfg(test)]
use {
    crate::adversary::{both, honest},
    crate::block::Block,
    crate::prg::Prg,
};

/// One party's ends of both directions.
pub struct Ots {
    /// Its keys are pairs: the peer chooses.
    pub sender: Sender,
    /// Its keys are the ones that this party chose.
    pub receiver: Receiver,
}

impl Ots {
    /// R's part of the set-up.
    pub fn set_up_at_receiver(
        channel: &mut Channel,
        sid: &SessionId,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let [to_receiver, to_sender] = names(sid);
        let receiver = Receiver::set_up(channel, &to_receiver, SECURITY, rng)?;
        let sender = Sender::set_up(channel, &to_sender, SECURITY, rng)?;
        Ok(Self { sender, receiver })
    }

    /// S's part of the set-up.
    pub fn set_up_at_sender(
        channel: &mut Channel,
        sid: &SessionId,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let [to_receiver, to_sender] = names(sid);
        let sender = Sender::set_up(channel, &to_receiver, SECURITY, rng)?;
        let receiver = Receiver::set_up(channel, &to_sender, SECURITY, rng)?;
        Ok(Self { sender, receiver })
    }
}

/// Bytes of the set-up, both directions.
pub fn bytes() -> u64 {
    2 * extension::set_up_bytes(SECURITY)
}

/// The blind join is semi-honest, whatever the rest of a job is.
const SECURITY: Security = Security::SemiHonest;

/// The transfers that R receives, and those that S receives.
fn names(sid: &SessionId) -> [SessionId; 2] {
    [0, 1].map(|direction| sid.part("blind join transfers", direction))
}

/// For tests of the steps: runs both parties after a set-up. Returns also the bytes that the step took, both directions.
#[cfg(test)]
pub(super) fn both_with_ots<R, S: Send>(
    receive: impl FnOnce(&mut Channel, &mut Ots, &mut Prg) -> R,
    send: impl FnOnce(&mut Channel, &mut Ots, &mut Prg) -> S + Send,
) -> (R, S, u64) {
    let at_sender = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(2));
        let mut ots = Ots::set_up_at_sender(channel, &SID, rng).expect("honest");
        send(channel, &mut ots, rng)
    };
    let at_receiver = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(1));
        let mut ots = Ots::set_up_at_receiver(channel, &SID, rng).expect("honest");
        receive(channel, &mut ots, rng)
    };
    let (received, sent, totals) = both(honest(), at_receiver, at_sender);
    let travelled = totals[0].sent_bytes + totals[0].received_bytes;
    (received, sent, travelled - bytes())
}

/// For tests of the steps: every frame of `kinds` that R hears, cut, extended or of another kind, ends R's part in a fault of the peer.
#[cfg(test)]
pub(super) fn refuses_other_frames<R, S: Send>(
    kinds: &[crate::channel::Kind],
    receive: impl Fn(&mut Channel, &mut Ots, &mut Prg) -> Result<R, Fault>,
    send: impl FnOnce(&mut Channel, &mut Ots, &mut Prg) -> Result<S, Fault> + Send,
) {
    use crate::adversary::{Scripted, record};
    let at_receiver = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(1));
        let mut ots = Ots::set_up_at_receiver(channel, &SID, rng)?;
        receive(channel, &mut ots, rng)
    };
    let at_sender = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(2));
        let mut ots = Ots::set_up_at_sender(channel, &SID, rng)?;
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
        let choices = [true, false, true];
        let receive = |channel: &mut Channel| {
            let rng = &mut Prg::new(Block(1));
            let mut ots = Ots::set_up_at_receiver(channel, &SID, rng)?;
            assert_eq!(
                channel.totals().sent_bytes + channel.totals().received_bytes,
                bytes()
            );
            let chosen = ots.receiver.extend(channel, &choices, rng)?;
            let pairs = ots.sender.extend(channel, 3, rng)?;
            Ok::<_, Fault>((chosen.expose().clone(), pairs.expose().clone()))
        };
        let send = |channel: &mut Channel| {
            let rng = &mut Prg::new(Block(2));
            let mut ots = Ots::set_up_at_sender(channel, &SID, rng)?;
            let pairs = ots.sender.extend(channel, 3, rng)?;
            let chosen = ots.receiver.extend(channel, &choices, rng)?;
            Ok::<_, Fault>((chosen.expose().clone(), pairs.expose().clone()))
        };
        let (at_receiver, at_sender, _) = both(honest(), receive, send);
        let (at_receiver, at_sender) = (at_receiver.expect("honest"), at_sender.expect("honest"));
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
