//! Known answers under `vectors/blind/`: whole buckets of the smallest size, whose megabytes of frames are told by their hash.

use super::*;
use crate::adversary::Scripted;
use crate::blind::{correlated, equality, equality_tables, grouping, hints, products};
use crate::channel::HEADER_BYTES;
use crate::oprf;
use crate::ot::silent;
use crate::vectors::{self, BadCase, Change, Role, Run as Recorded, Told, each_way};
use serde_json::{Value, json};

/// A bucket, by its name, groups, moments and how its transfers are made.
struct Whole(&'static str, [u32; 2], Vec<Moment>, Transfers);

/// Columns and rows of both sides.
const COLUMNS: usize = 2;
const NUMBERS: [std::ops::Range<u64>; 2] = [0..12, 5..20];

fn both_columns(receiver_bits: u32) -> What {
    What::Both {
        receiver: 1,
        sender: 0,
        receiver_bits,
    }
}

/// One with every step, the same with silent transfers, and one of a single cell with sums of more than 64 bits.
fn buckets() -> [Whole; 3] {
    let every = vec![
        moment(What::Ids, 24),
        moment(What::Sender(0), 40),
        moment(What::Receiver(0), 36),
        moment(both_columns(11), 52),
        // Three words of a hint, which travel in planes of two and of one.
        moment(What::Sender(1), 30),
    ];
    let wide = vec![moment(What::Ids, 24), moment(What::Sender(1), 100)];
    [
        Whole("every_step", [3, 4], every.clone(), Transfers::Fast),
        Whole("wide_sum", [1, 1], wide, Transfers::Fast),
        Whole("silent", [3, 4], every, Transfers::Silent),
    ]
}

impl Whole {
    fn setup(&self) -> Setup {
        let [r, s] = self.1;
        setup(Table::new(r, s, self.2.clone()).expect("fits")).with_transfers(self.3)
    }

    fn rows(&self, role: Role) -> Bucket {
        let side = role as usize;
        let ids: Vec<Id> = NUMBERS[side].clone().map(id).collect();
        rows(&ids, self.1[side], COLUMNS, 1_000, 50 + side as u64)
    }
}

fn told_rows(bucket: &Bucket) -> Value {
    let ids = bucket.ids.iter().map(|id| hex::encode(id.as_bytes()));
    json!({ "ids": ids.collect::<Vec<_>>(), "codes": bucket.codes, "columns": bucket.columns })
}

fn told_moment(moment: &Moment) -> Value {
    let what = match moment.what {
        What::Ids => json!("ids"),
        What::Receiver(column) => json!({ "receiver_column": column }),
        What::Sender(column) => json!({ "sender_column": column }),
        What::Both {
            receiver,
            sender,
            receiver_bits,
        } => {
            json!({ "receiver_column": receiver, "sender_column": sender, "receiver_bits": receiver_bits })
        }
    };
    json!({ "sum_of": what, "bits": moment.bits })
}

impl Recorded for Whole {
    const FOLDER: &str = "blind";

    fn name(&self) -> &'static str {
        self.0
    }

    fn inputs(&self) -> Value {
        let setup = self.setup();
        json!({
            "sid": hex::encode(SID.as_bytes()),
            "padded_sizes": [setup.sizes().receiver(), setup.sizes().sender()],
            "buckets": 1,
            "groups": self.1,
            "transfers": match self.3 {
                Transfers::Fast => "fast",
                Transfers::Silent => "silent",
            },
            "moments": self.2.iter().map(told_moment).collect::<Vec<_>>(),
            "receiver": told_rows(&self.rows(Role::Receiver)),
            "sender": told_rows(&self.rows(Role::Sender)),
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        })
    }

    fn told(&self) -> Told {
        Told::Whole
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let (setup, rows) = (self.setup(), self.rows(role));
        let shares = match role {
            Role::Receiver => {
                let rng = &mut Prg::new(Block(2));
                receiver::run(channel, SID, &setup, &rows, rng)?
            }
            Role::Sender => sender::run(channel, SID, &setup, &rows, &mut Prg::new(Block(1)))?,
        };
        Ok(shares.iter().map(u128::to_string).collect())
    }
}

/// The agreement that the peer of `role` sends if it means something else.
fn other_agreement(role: Role, sid: SessionId, setup: &Setup) -> Change {
    let rng = &mut Prg::new(Block(1));
    let (transport, said) = Scripted::recorded(&[]);
    let (channel, rows) = (
        &mut Channel::new(Box::new(transport)),
        Bucket {
            ids: vec![],
            codes: vec![],
            columns: vec![vec![]; COLUMNS],
        },
    );
    let alone = match role {
        Role::Receiver => sender::run(channel, sid, setup, &rows, rng),
        Role::Sender => receiver::run(channel, sid, setup, &rows, rng),
    };
    assert!(matches!(alone, Err(Fault::Transport(_))), "nobody answers");
    let said = said.lock().expect("one thread");
    Change::Put(0, said[0][HEADER_BYTES..].to_vec())
}

/// What either role refuses of an agreement.
fn agreements(role: Role) -> [BadCase; 6] {
    let [every, wide, silent] = buckets();
    let (own, other) = (
        every.setup(),
        match role {
            Role::Receiver => Role::Sender,
            Role::Sender => Role::Receiver,
        },
    );
    let sized = |receiver, sender, buckets| {
        let sizes = PaddedSizes::new(receiver, sender).expect("in range");
        Setup::new(sizes, buckets, every.setup().table().clone()).expect("fits")
    };
    let larger = match role {
        Role::Receiver => sized(0, 5_000, 1),
        Role::Sender => sized(5_000, 0, 1),
    };
    let names = match role {
        Role::Receiver => [
            "agreement_of_another_session",
            "agreement_of_another_table",
            "agreement_of_another_size",
            "agreement_of_another_number_of_buckets",
            "agreement_of_silent_transfers",
            "agreement_of_the_same_role",
        ],
        Role::Sender => [
            "agreement_of_another_session_at_sender",
            "agreement_of_another_table_at_sender",
            "agreement_of_another_size_at_sender",
            "agreement_of_another_number_of_buckets_at_sender",
            "agreement_of_silent_transfers_at_sender",
            "agreement_of_the_same_role_at_sender",
        ],
    };
    let changes = [
        other_agreement(role, SessionId::new([8; 32]), &own),
        other_agreement(role, SID, &wide.setup()),
        other_agreement(role, SID, &larger),
        other_agreement(role, SID, &sized(0, 0, 2)),
        other_agreement(role, SID, &silent.setup()),
        other_agreement(other, SID, &own),
    ];
    let mut changes = names.into_iter().zip(changes);
    std::array::from_fn(|_| {
        let (name, change) = changes.next().expect("six");
        (name, role, (AGREEMENT.kind, 0), change)
    })
}

/// Every message of the blind join and its OPRF, in every way; those of the transfers and the VOLE have vectors of their own.
fn cases() -> Vec<BadCase> {
    use Role::{Receiver, Sender};
    let at_receiver = [
        each_way!("agreement", Receiver, (AGREEMENT.kind, 0)),
        each_way!("bin_seed", Receiver, (hints::BIN_SEED, 0)),
        each_way!("hint_seed", Receiver, (hints::HINT_SEED, 0)),
        each_way!("hints", Receiver, (hints::HINTS, 0)),
        each_way!("hints_last_plane", Receiver, (hints::HINTS, 1)),
        each_way!("differences", Receiver, (equality::DIFFERENCES, 0)),
        each_way!("tables", Receiver, (equality::TABLES, 0)),
        each_way!("correlated_words", Receiver, (correlated::WORDS, 0)),
        each_way!("product_words", Receiver, (products::WORDS, 0)),
        each_way!("sender_vectors", Receiver, (grouping::FROM_SENDER, 0)),
        each_way!("closing", Receiver, (AT_CLOSING.kind, 0)),
    ];
    let at_sender = [
        each_way!("agreement_at_sender", Sender, (AGREEMENT.kind, 0)),
        each_way!("bin_seed_at_sender", Sender, (hints::BIN_SEED, 0)),
        each_way!("oprf_seed", Sender, (oprf::SEED, 0)),
        each_way!("oprf_masked_vector", Sender, (oprf::MASKED, 0)),
        each_way!("correlated_words_at_sender", Sender, (correlated::WORDS, 0)),
        each_way!("receiver_vectors", Sender, (grouping::FROM_RECEIVER, 0)),
        each_way!("closing_at_sender", Sender, (AT_CLOSING.kind, 0)),
    ];
    let flipped = |name, role, message| (name, role, (message, 0), Change::Flip(0, vec![1]));
    let mut cases: Vec<BadCase> = at_receiver.into_iter().chain(at_sender).flatten().collect();
    cases.extend(agreements(Receiver));
    cases.extend(agreements(Sender));
    cases.extend([
        flipped("closing_flipped", Receiver, AT_CLOSING.kind),
        flipped("closing_flipped_at_sender", Sender, AT_CLOSING.kind),
        flipped("hint_flipped", Receiver, hints::HINTS),
        flipped("table_flipped", Receiver, equality::TABLES),
        flipped("sender_vector_flipped", Receiver, grouping::FROM_SENDER),
        flipped("receiver_vector_flipped", Sender, grouping::FROM_RECEIVER),
        flipped("oprf_masked_vector_flipped", Sender, oprf::MASKED),
    ]);
    cases
}

/// The messages that only a bucket with silent transfers has, in every way.
fn silent_cases() -> Vec<BadCase> {
    use Role::{Receiver, Sender};
    let each = [
        each_way!("silent_tree_sums", Receiver, (silent::TREE_SUMS, 0)),
        each_way!("silent_choices", Sender, (silent::CHOICES, 0)),
        each_way!("silent_tree_sums_at_sender", Sender, (silent::TREE_SUMS, 0)),
        each_way!("silent_choices_at_receiver", Receiver, (silent::CHOICES, 0)),
    ];
    let mut cases: Vec<BadCase> = each.into_iter().flatten().collect();
    let tables = (equality_tables::TABLES, 0);
    cases.extend(each_way!("tables_of_eight", Receiver, tables));
    let flipped = |name, role, message| (name, role, (message, 0), Change::Flip(0, vec![1]));
    cases.extend([
        flipped("silent_tree_sum_flipped", Receiver, silent::TREE_SUMS),
        flipped("silent_choice_flipped", Sender, silent::CHOICES),
        flipped("table_of_eight_flipped", Receiver, tables.0),
    ]);
    cases
}

#[test]
fn both_roles_repeat_the_recorded_buckets() {
    vectors::assert_good(&buckets());
}

#[test]
fn bad_messages_end_in_their_fault() {
    vectors::assert_bad(&buckets(), &[cases(), silent_cases()]);
}

#[test]
fn recorded_shares_open_to_the_plain_table() {
    for bucket in buckets() {
        let vector = vectors::read("blind", bucket.0);
        let shares = ["receiver_output", "sender_output"].map(|side| {
            let shares = vector[side].as_array().expect("a list").iter();
            let shares =
                shares.map(|share| vectors::text(share).parse::<u128>().expect("a number"));
            shares.collect::<Vec<_>>()
        });
        let setup = bucket.setup();
        let [r, s] = [Role::Receiver, Role::Sender].map(|role| bucket.rows(role));
        let table = plain(setup.table(), &r, &s);
        assert!(table.iter().any(|word| *word != 0), "{}", bucket.0);
        assert_eq!(opened(setup.table(), [&shares[0], &shares[1]]), table);
    }
}

/// Run by hand after a deliberate change of the protocol; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_vectors() {
    vectors::rewrite(&buckets(), &[cases(), vec![], silent_cases()]);
}
