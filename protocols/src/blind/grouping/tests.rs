use super::*;
use crate::adversary::{Case as Manipulation, Ends, Tampering, both, honest, record, tampered};
use crate::blind::ots::{BOTH, prepared_at_receiver, prepared_at_sender};
use crate::block::Block;
use crate::channel::{Channel, HEADER_BYTES, Totals};
use crate::fault::{Culprit, Fault, Misbehaviour};
use crate::ot::Transfers;
use crate::prg::Prg;
use rand_core::Rng;

const SID: SessionId = SessionId::new([5; 32]);

/// Random bins of both parties, and what their table is.
struct Case<W> {
    groups: (usize, usize),
    layout: Layout,
    codes: Vec<u32>,
    masked_codes: Vec<u32>,
    masks: Vec<u32>,
    receiver_words: Vec<W>,
    sender_words: Vec<W>,
    table: Vec<W>,
}

impl<W: Word> Case<W> {
    /// Bins of which two in five match and have moments of any size; the others share a row of zeros.
    fn new(seed: u128, groups: (usize, usize), bits: &[u32], bins: usize) -> Self {
        let mut rng = Prg::new(Block(seed));
        let mut case = Self {
            groups,
            layout: Layout::new(bits.to_vec()),
            codes: vec![],
            masked_codes: vec![],
            masks: vec![],
            receiver_words: vec![],
            sender_words: vec![],
            table: vec![W::ZERO; groups.0 * groups.1 * bits.len()],
        };
        for _ in 0..bins {
            let [g, h, s, other] = [groups.0, groups.1, groups.1, groups.1]
                .map(|groups| rng.next_u32() % groups as u32);
            let matches = rng.next_u32() % 5 < 2;
            case.codes.push(g);
            case.masks.push(s);
            case.masked_codes.push(if matches { h ^ s } else { other });
            for moment in 0..bits.len() {
                let [value, share] = [(); 2].map(|()| W::from_u128(Block::random(&mut rng).0));
                let value = value.masked(matches);
                case.receiver_words.push(share);
                case.sender_words.push(value.wrapping_sub(share));
                let cell = g as usize * groups.1 + h as usize;
                let place = &mut case.table[cell * bits.len() + moment];
                *place = place.wrapping_add(value);
            }
        }
        case
    }

    fn grouping(&self, number: usize) -> Grouping {
        let sid = SID.part("case", number as u64);
        Grouping::new(&sid, self.groups.0, self.groups.1, &self.layout)
    }

    /// The part of a word of the table that counts.
    fn cut(&self, place: usize, word: W) -> u128 {
        let bits = self.layout.bits()[place % self.layout.words()];
        word.to_u128() & (u128::MAX >> (128 - bits))
    }

    fn assert_adds_up(&self, shares: [&[W]; 2]) {
        for (place, expected) in self.table.iter().enumerate() {
            let got = shares[0][place].wrapping_add(shares[1][place]);
            let (got, expected) = (self.cut(place, got), self.cut(place, *expected));
            assert_eq!(got, expected, "word {place} of {:?}", self.groups);
        }
    }
}

type Tables<W> = Result<Vec<Vec<W>>, Fault>;

/// What all cases say.
fn tally<W: Word>(transfers: Transfers, cases: &[Case<W>]) -> Tally {
    let mut tally = Tally::new(transfers);
    for case in cases {
        case.grouping(0).count(&mut tally, case.codes.len());
    }
    tally
}

/// R's shares of all cases' tables, one grouping each, in one session.
fn receive<W: Word>(channel: &mut Channel, transfers: Transfers, cases: &[Case<W>]) -> Tables<W> {
    let rng = &mut Prg::new(Block(1));
    let mut ots = prepared_at_receiver(&tally(transfers, cases), channel, &SID, rng)?;
    let run = |(number, case): (usize, &Case<W>)| {
        let mut grouping = case.grouping(number);
        let mut table = vec![W::ZERO; grouping.table_words()];
        let bins = ReceiverBins {
            codes: &case.codes,
            masked_codes: &case.masked_codes,
            words: &case.receiver_words,
        };
        let before = both_ways(&channel.totals());
        grouping.receive(channel, &mut ots, bins, &mut table, rng)?;
        let sent = both_ways(&channel.totals()) - before;
        let expected = tally(transfers, std::slice::from_ref(case)).bytes();
        assert_eq!(sent, expected, "{:?}", case.groups);
        Ok(table)
    };
    cases.iter().enumerate().map(run).collect()
}

/// S's shares.
fn send<W: Word>(channel: &mut Channel, transfers: Transfers, cases: &[Case<W>]) -> Tables<W> {
    let rng = &mut Prg::new(Block(2));
    let mut ots = prepared_at_sender(&tally(transfers, cases), channel, &SID, rng)?;
    let run = |(number, case): (usize, &Case<W>)| {
        let mut grouping = case.grouping(number);
        let mut table = vec![W::ZERO; grouping.table_words()];
        let bins = SenderBins {
            masks: &case.masks,
            words: &case.sender_words,
        };
        grouping.send(channel, &mut ots, bins, &mut table, rng)?;
        Ok(table)
    };
    cases.iter().enumerate().map(run).collect()
}

fn both_ways(totals: &Totals) -> u64 {
    totals.sent_bytes + totals.received_bytes
}

/// R is on the left.
fn run<W: Word>(ends: Ends, transfers: Transfers, cases: &[Case<W>]) -> [Tables<W>; 2] {
    let (receiver, sender, _) = both(
        ends,
        |channel| receive(channel, transfers, cases),
        |channel| send(channel, transfers, cases),
    );
    [receiver, sender]
}

fn honestly<W: Word>(transfers: Transfers, cases: &[Case<W>]) -> [Vec<Vec<W>>; 2] {
    run(honest(), transfers, cases).map(|tables| tables.expect("honest"))
}

/// Both ways, the cases' tables come out.
fn all_add_up<W: Word>(cases: &[Case<W>]) {
    for transfers in BOTH {
        let [receiver, sender] = honestly(transfers, cases);
        for (case, shares) in cases.iter().zip(receiver.iter().zip(&sender)) {
            case.assert_adds_up([shares.0, shares.1]);
        }
    }
}

fn every_shape<W: Word>(all_bits: &[&[u32]]) {
    let mut cases = vec![];
    for groups in [1, 2, 3, 8]
        .into_iter()
        .flat_map(|r| [1, 2, 8].map(|s| (r, s)))
    {
        for bits in all_bits {
            cases.extend([0, 1, 300].map(|bins| Case::<W>::new(7, groups, bits, bins)));
        }
    }
    all_add_up(&cases);
}

#[test]
fn shares_of_64_bits_add_up_to_the_table() {
    every_shape::<u64>(&[&[24, 46], &[17], &[64, 1, 8]]);
}

#[test]
fn shares_of_128_bits_add_up_to_the_table() {
    every_shape::<u128>(&[&[24, 127], &[24, 65, 46]]);
}

#[test]
fn many_pieces_and_large_tables_add_up() {
    let cases = [
        Case::<u64>::new(1, (3, 4), &[24, 46], 9_000),
        Case::new(2, (64, 16), &[24, 46, 46], 1_500),
        // Two frames a bin.
        Case::new(3, (1, 4096), &[64, 64, 64, 64], 12),
        Case::new(4, (700, 1), &[24], 700),
    ];
    all_add_up(&cases);
}

#[test]
fn a_grouping_goes_on_from_call_to_call() {
    let cases = [100, 37].map(|bins| Case::<u64>::new(bins as u128, (3, 4), &[24, 46], bins));
    let all = &tally(Transfers::Silent, &cases);
    let (receiver, sender, _) = both(
        honest(),
        |channel| {
            let rng = &mut Prg::new(Block(1));
            let mut ots = prepared_at_receiver(all, channel, &SID, rng)?;
            let mut grouping = cases[0].grouping(0);
            let mut table = vec![0; grouping.table_words()];
            for case in &cases {
                let bins = ReceiverBins {
                    codes: &case.codes,
                    masked_codes: &case.masked_codes,
                    words: &case.receiver_words,
                };
                grouping.receive(channel, &mut ots, bins, &mut table, rng)?;
            }
            Ok::<_, Fault>(table)
        },
        |channel| {
            let rng = &mut Prg::new(Block(2));
            let mut ots = prepared_at_sender(all, channel, &SID, rng)?;
            let mut grouping = cases[0].grouping(0);
            let mut table = vec![0; grouping.table_words()];
            for case in &cases {
                let bins = SenderBins {
                    masks: &case.masks,
                    words: &case.sender_words,
                };
                grouping.send(channel, &mut ots, bins, &mut table, rng)?;
            }
            Ok::<_, Fault>(table)
        },
    );
    let (receiver, sender) = (receiver.expect("honest"), sender.expect("honest"));
    let tables = cases[0].table.iter().zip(&cases[1].table);
    for (place, (one, other)) in tables.enumerate() {
        let got = cases[0].cut(place, receiver[place].wrapping_add(sender[place]));
        assert_eq!(got, cases[0].cut(place, one.wrapping_add(*other)));
    }
}

#[test]
fn one_partys_share_of_every_cell_is_uniform() {
    // Of a table of zeros that every party shares as zeros: what its share is comes from the transfers alone.
    const CALLS: usize = 400;
    for groups in [(8, 1), (1, 8), (3, 4)] {
        let cases: Vec<Case<u64>> = (0..CALLS)
            .map(|seed| {
                let mut case = Case::new(seed as u128, groups, &[24, 46], 1);
                case.receiver_words.fill(0);
                case.sender_words.fill(0);
                case
            })
            .collect();
        let runs = BOTH.map(|transfers| honestly(transfers, &cases));
        for shares in runs.into_iter().flatten() {
            for place in 0..cases[0].table.len() {
                for bit in 0..cases[0].layout.bits()[place % 2] {
                    let ones = shares.iter().filter(|share| (share[place] >> bit) & 1 == 1);
                    let ones = ones.count();
                    // Six standard deviations of the binomial distribution.
                    let usual = CALLS / 2 - 60..=CALLS / 2 + 60;
                    assert!(
                        usual.contains(&ones),
                        "{ones} ones in word {place}, bit {bit}"
                    );
                }
            }
        }
    }
}

#[test]
fn portable_twins_give_the_same_shares() {
    let cases = [Case::<u64>::new(1, (3, 8), &[24, 46], 200)];
    let shares = honestly(Transfers::Silent, &cases);
    let portable =
        crate::simd::without_special_instructions(|| honestly(Transfers::Silent, &cases));
    assert_eq!(shares, portable);
}

#[test]
fn lengths_are_those_of_the_public_sizes() {
    let lengths = |seed| {
        let cases = [Case::<u64>::new(seed, (3, 4), &[24, 46], 700)];
        let (frames, _) = record(|ends| run(ends, Transfers::Silent, &cases));
        frames.map(|frames| frames.iter().map(Vec::len).collect::<Vec<_>>())
    };
    assert_eq!(lengths(1), lengths(2));
}

#[test]
fn a_frame_of_another_length_blames_its_sender() {
    let cases = [Case::<u64>::new(1, (3, 4), &[24, 46], 60)];
    let (frames, _) = record(|ends| run(ends, Transfers::Silent, &cases));
    for (side, kind) in [FROM_RECEIVER, FROM_SENDER].into_iter().enumerate() {
        let is_kind = |frame: &Vec<u8>| frame[..2] == kind.number().to_le_bytes();
        let frame = frames[side].iter().position(is_kind).expect("a frame");
        for tampering in [Tampering::Cut, Tampering::Extend] {
            let case = Manipulation {
                side,
                frame,
                kind: kind.number(),
                tampering,
                deft: true,
            };
            let mut ended = run(tampered(&case, &frames), Transfers::Silent, &cases).into_iter();
            let victim = ended
                .nth(1 - side)
                .expect("two parties")
                .expect_err("a fault");
            assert_eq!(victim.culprit(), Culprit::Peer);
            let wrong_length = Misbehaviour::Length {
                message: kind.name(),
                expected: frames[side][frame].len() - HEADER_BYTES,
                got: match case.tampering {
                    Tampering::Cut => frames[side][frame].len() - HEADER_BYTES - 1,
                    _ => frames[side][frame].len() - HEADER_BYTES + 1,
                },
            };
            assert_eq!(victim, wrong_length.into());
        }
    }
}
