use super::*;
use crate::adversary::{Case, Ends, Tampering, both, honest, record, tampered};
use crate::blind::ots::{BOTH, prepared_at_receiver, prepared_at_sender};
use crate::fault::{Culprit, Misbehaviour};
use crate::ot::Transfers;
use crate::prg::Prg;
use crate::session_id::SessionId;

const SID: SessionId = SessionId::new([5; 32]);

/// Both parties' shares of the products, for several widths in one session, against the numbers themselves.
fn products_are_right<W: Word>(cases: &[(Widths, Vec<i128>)]) {
    BOTH.iter()
        .for_each(|transfers| products_are_right_by::<W>(*transfers, cases));
}

fn products_are_right_by<W: Word>(transfers: Transfers, cases: &[(Widths, Vec<i128>)]) {
    let mut all = Tally::new(transfers);
    for (widths, factors) in cases {
        count(&mut all, factors.len(), *widths);
    }
    let all = &all;
    let word = |case: usize, place: usize, party: u128| -> W {
        let seed = Block(((case as u128) << 64) | ((place as u128) << 8) | party);
        W::from_u128(Block::random(&mut Prg::new(seed)).0)
    };
    let words = |case: usize, party: u128| -> Vec<W> {
        (0..cases[case].1.len())
            .map(|place| word(case, place, party))
            .collect()
    };
    let receive = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(1));
        let mut ots = prepared_at_receiver(all, channel, &SID, rng)?;
        let run = |(case, (widths, factors)): (usize, &(Widths, Vec<i128>))| {
            let before = channel.totals();
            let words = words(case, 1);
            let shares = receive(channel, &mut ots.receiver, *widths, factors, &words, rng)?;
            let after = channel.totals();
            let mut tally = Tally::new(transfers);
            count(&mut tally, factors.len(), *widths);
            assert_eq!(
                tally.bytes(),
                after.sent_bytes - before.sent_bytes + after.received_bytes - before.received_bytes
            );
            Ok(shares)
        };
        cases
            .iter()
            .enumerate()
            .map(run)
            .collect::<Result<Vec<_>, Fault>>()
    };
    let send = |channel: &mut Channel| {
        let rng = &mut Prg::new(Block(2));
        let mut ots = prepared_at_sender(all, channel, &SID, rng)?;
        let run = |(case, (widths, _)): (usize, &(Widths, Vec<i128>))| {
            send(channel, &mut ots.sender, *widths, &words(case, 2), rng)
        };
        cases
            .iter()
            .enumerate()
            .map(run)
            .collect::<Result<Vec<_>, Fault>>()
    };
    let (receiver, sender, _) = both(honest(), receive, send);
    let (receiver, sender) = (receiver.expect("honest"), sender.expect("honest"));
    for (case, (widths, factors)) in cases.iter().enumerate() {
        let mask = u128::MAX >> (128 - widths.moment_bits);
        for (place, factor) in factors.iter().enumerate() {
            let shared = word(case, place, 1).wrapping_add(word(case, place, 2));
            let expected = shared.to_u128().wrapping_mul(factor.cast_unsigned());
            let got = receiver[case][place].wrapping_add(sender[case][place]);
            assert_eq!(
                got.to_u128() & mask,
                expected & mask,
                "{factor} times {shared:?} with {widths:?}"
            );
            let own = receiver[case][place].to_u128();
            assert_ne!(own & mask, expected & mask, "a share is not the product");
        }
    }
}

fn widths(factor_bits: u32, moment_bits: u32) -> Widths {
    Widths {
        factor_bits,
        moment_bits,
    }
}

/// Zero, one, minus one and both ends of what `bits` bits hold.
fn extremes(bits: u32) -> Vec<i128> {
    let lowest = i128::MIN >> (128 - bits);
    let mut all = vec![0, -1, lowest];
    if bits > 1 {
        all.extend([1, lowest + 1, !lowest, !lowest - 1]);
    }
    all
}

#[test]
fn shares_add_up_to_the_products() {
    let cases = |list: &[(u32, u32)]| -> Vec<(Widths, Vec<i128>)> {
        let list = list.iter();
        list.map(|(factor, moment)| (widths(*factor, *moment), extremes(*factor)))
            .collect()
    };
    let narrow = [
        (32, 46),
        (32, 64),
        (1, 46),
        (2, 46),
        (46, 46),
        (64, 64),
        (64, 46),
        (63, 41),
    ];
    products_are_right::<u64>(&cases(&narrow));
    products_are_right::<u128>(&cases(&[
        (32, 127),
        (127, 127),
        (128, 128),
        (64, 65),
        (90, 46),
    ]));
}

#[test]
fn many_pieces_and_no_product_at_all_are_right() {
    let factors = |count: i128| (0..count).map(|i| 37 * i - 50_000).collect();
    let cases = [0, 1, 2048, 2049, 13_000].map(|count| (widths(20, 60), factors(count)));
    products_are_right::<u64>(&cases);
}

#[test]
fn words_of_another_length_blame_their_sender() {
    let widths = widths(8, 46);
    let words = vec![1_u64; 9];
    let tally = &mut Tally::new(Transfers::Silent);
    count(tally, words.len(), widths);
    let all = &*tally;
    let session = |ends: Ends| {
        let receive = |channel: &mut Channel| {
            let rng = &mut Prg::new(Block(1));
            let mut ots = prepared_at_receiver(all, channel, &SID, rng)?;
            receive(channel, &mut ots.receiver, widths, &[-3; 9], &words, rng)
        };
        let send = |channel: &mut Channel| {
            let rng = &mut Prg::new(Block(2));
            let mut ots = prepared_at_sender(all, channel, &SID, rng)?;
            send(channel, &mut ots.sender, widths, &words, rng)
        };
        let (receiver, sender, _) = both(ends, receive, send);
        (receiver, sender)
    };
    let (frames, _) = record(session);
    let is_words = |frame: &Vec<u8>| frame[..2] == WORDS.number().to_le_bytes();
    for tampering in [Tampering::Cut, Tampering::Extend] {
        let case = Case {
            side: 1,
            frame: frames[1].iter().position(is_words).expect("a frame"),
            kind: WORDS.number(),
            tampering,
            deft: true,
        };
        let fault = session(tampered(&case, &frames))
            .0
            .expect_err("another length");
        assert!(matches!(
            fault,
            Fault::Misbehaved(Misbehaviour::Length { .. })
        ));
    }
}

#[test]
fn a_factor_of_more_bits_than_agreed_is_refused() {
    for (factor, bits) in [
        (0, 1),
        (-1, 1),
        (1, 2),
        (-2, 2),
        (127, 8),
        (-128, 8),
        (128, 9),
    ] {
        assert_eq!(check(widths(bits, 60), &[0, factor]), Ok(()));
        let Some(fewer) = bits.checked_sub(1).filter(|fewer| *fewer > 0) else {
            continue;
        };
        let fault = check(widths(fewer, 60), &[0, factor]).expect_err("too many bits");
        assert_eq!(fault.culprit(), Culprit::Us);
    }
    assert_eq!(check(widths(128, 128), &[i128::MIN, i128::MAX]), Ok(()));
}
