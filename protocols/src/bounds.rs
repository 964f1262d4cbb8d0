//! Statistical accounting (protocols.md §4, §5, §7, §9): every size that a failure probability hangs on, from λ and the job.
//!
//! λ = 40 bits hold for the whole job. About eight classes of failure share it, so each class gets λ₀ = 43 bits plus log2 of the
//! number of its instances over all buckets, bins and chunks. Both parties compute these numbers and must get the same ones, so
//! the logarithms come from `libm`, which gives the same bits on every machine.

use libm::{ceil, exp2, floor, log2, pow, round, sqrt};
use std::f64::consts::LN_2;

/// Bits of statistical security of each class of failure before its instances are counted.
pub const LAMBDA_0: f64 = 43.0;

/// Most ids that one bucket is planned for; the number of buckets is the power of two that gets the larger side below it.
pub const BUCKET_IDS_MAX: u64 = 1 << 20;

/// Sets are padded to at least this many ids: the OKVS and cuckoo bounds are measured from here on.
pub const SET_IDS_MIN: u64 = 1 << 12;

/// Keys a bin of an OKVS is planned for, so that the bin stays in the L2 cache.
const BIN_KEYS: f64 = 32_768.0;

/// The largest job that is planned: 2^31 ids a side. Larger ones would need wider indices.
pub const JOB_IDS_MAX: u64 = 1 << 31;

/// Capacity under which the heaviest of 2^(bits − λ₀) loads of this mean stays, except with probability 2^−λ₀
/// (Bernstein's bound for sums of independent indicators): ⌈μ + √(2μc) + 2c/3⌉, c = bits·ln 2.
pub fn padded(mean: f64, bits: f64) -> u64 {
    let c = bits * LN_2;
    ceil(mean + sqrt(2.0 * mean * c) + 2.0 * c / 3.0) as u64
}

/// Number of buckets for a job whose larger side has `ids`: a power of two.
pub fn buckets(ids: u64) -> u64 {
    ids.div_ceil(BUCKET_IDS_MAX).next_power_of_two()
}

/// Size to which each of `buckets` buckets of a side with `ids` is padded.
pub fn bucket_ids(ids: u64, buckets: u64) -> u64 {
    let ids = ids.max(SET_IDS_MIN);
    if buckets == 1 {
        return ids;
    }
    padded(ids as f64 / buckets as f64, LAMBDA_0 + log2(buckets as f64)).max(SET_IDS_MIN)
}

/// Bytes of a PSI tag in semi-honest mode: two different ids in one bucket, of both parties or of S, have equal tags anywhere in
/// the job with probability at most 2^−λ₀ (protocols.md §5). Malicious mode uses 16.
pub fn tag_bytes(ids_receiver: u64, ids_sender: u64, buckets: u64) -> usize {
    let (receiver, sender) = (ids_receiver as f64, ids_sender as f64);
    // Pairs of an id of R with one of S decide unless S has over twice as many: then its own pairs do, of which an equal one
    // would end the run.
    let pairs_log2 = log2(buckets as f64) + log2(sender) + log2(receiver.max(sender / 2.0));
    (ceil((LAMBDA_0 + pairs_log2) / 8.0) as usize).min(16)
}

/// Shape of an OKVS over a given number of keys (RR22, with the constants of protocols.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OkvsShape {
    /// Keys it is made for.
    pub keys: u64,
    /// Bins, each an OKVS of its own.
    pub bins: u32,
    /// Most keys a bin can hold.
    pub capacity: u32,
    /// Sparse columns a bin.
    pub sparse: u32,
    /// Dense columns a bin.
    pub dense: u32,
}

impl OkvsShape {
    /// The shape for `keys` keys in each of `buckets` buckets.
    pub fn new(keys: u64, buckets: u64) -> Self {
        let bins = round(keys as f64 / BIN_KEYS).max(1.0);
        let bits = LAMBDA_0 + log2(bins * buckets as f64);
        let capacity = if bins > 1.0 {
            padded(keys as f64 / bins, bits)
        } else {
            keys
        };
        let (expansion, dense) = expansion_and_dense(capacity as f64, bits);
        let sparse = floor(expansion * capacity as f64);
        Self {
            keys,
            bins: bins as u32,
            capacity: capacity as u32,
            sparse: sparse as u32,
            dense,
        }
    }

    /// Values of one bin.
    pub fn bin_width(&self) -> usize {
        self.sparse as usize + self.dense as usize
    }

    /// Values in all: the length of the encoded vector.
    pub fn width(&self) -> usize {
        self.bins as usize * self.bin_width()
    }
}

/// Expansion e and dense columns g of one bin of weight-3 rows.
fn expansion_and_dense(keys: f64, bits: f64) -> (f64, u32) {
    let w = log2(3.0);
    let slope =
        exp2(0.555 * log2(keys) + 0.093 * pow(w, 3.0) - 1.01 * pow(w, 2.0) + 2.925 * w - 0.133);
    let expansion = (bits + 9.2 + 1.223 * slope) / slope;
    (expansion, floor(bits / log2(expansion * keys)) as u32)
}

/// Bins of the cuckoo table for a bucket of `ids` (protocols.md §7.1). No placement exists with probability at most 2^−λ₀ over up to 2^17
/// buckets, far more than a job has: a test adds up the bound.
pub fn cuckoo_bins(ids: u64) -> u64 {
    let factor = if ids >= 1 << 14 { 1.30 } else { 1.33 };
    ceil(factor * ids as f64) as u64
}

/// Bits of an equality test over `bins` bins in each of `buckets` buckets (protocols.md §7.3).
pub fn equality_bits(bins: u64, buckets: u64) -> u32 {
    ceil(LAMBDA_0 + log2(bins as f64 * buckets as f64)) as u32
}

/// Noise places with which a linear test over bits sees nothing, to 2^-128. With one noise place in each of t parts, a test has the bias
/// Π(1 − 2·dᵢ), dᵢ the lesser of its weight in a part and what is left of the part, relative to it: a part that a test covers whole adds a
/// constant and hides nothing. With `distance` their mean, that is at most (1 − 2d)^t. For silent oblivious transfer, under dual LPN and
/// the code's estimated distance, which is that of tests that can be found: words nearer to zero exist in every code of rate 1/2 (0.11 by Gilbert and Varshamov).
pub fn noise_over_bits(distance: f64) -> usize {
    ceil(128.0 / -log2(1.0 - 2.0 * distance)) as usize
}

/// log2 of the calls of an ideal permutation that tell `answers` under one Δ of 127 unknown bits from random blocks with certainty, by
/// the bound 2pq/2^127 (Even and Mansour; [`crate::hash::CorrelationHash::hash_once`]): what is left of κ where many answers hang on one Δ.
pub fn even_mansour_bits(answers: f64) -> f64 {
    126.0 - log2(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Line = (u64, u64, u64, u32, u32, u32, u32, u32, usize, usize);

    /// The table of protocols.md §9: ids a side, buckets, m, ℓ, bins and dense of P, bins and dense of one of the three OKVS
    /// of hints, slots of P, tag bytes.
    const TABLE: [Line; 6] = [
        (1 << 12, 1, 5_448, 56, 1, 3, 1, 3, 5_431, 9),
        (1 << 16, 1, 85_197, 60, 2, 2, 2, 2, 85_858, 10),
        (1 << 18, 1, 340_788, 62, 8, 2, 8, 3, 344_080, 10),
        (1 << 20, 1, 1_363_149, 64, 32, 3, 32, 3, 1_378_944, 11),
        (10_000_000, 16, 820_826, 67, 19, 3, 19, 3, 832_409, 11),
        (100_000_000, 128, 1_025_222, 70, 24, 3, 24, 3, 1_043_280, 12),
    ];

    #[test]
    fn sizes_are_those_of_the_specification() {
        for (ids, beta, m, equality, p_bins, p_dense, h_bins, h_dense, width, tag) in TABLE {
            assert_eq!(buckets(ids), beta, "buckets of {ids}");
            let bucket = bucket_ids(ids, beta);
            assert_eq!(cuckoo_bins(bucket), m, "cuckoo bins of {ids}");
            assert_eq!(equality_bits(m, beta), equality, "equality bits of {ids}");
            let p = OkvsShape::new(bucket, beta);
            assert_eq!(
                (p.bins, p.dense, p.width()),
                (p_bins, p_dense, width),
                "P of {ids}"
            );
            let hints = OkvsShape::new(bucket, 3 * beta);
            assert_eq!(
                (hints.bins, hints.dense),
                (h_bins, h_dense),
                "hints of {ids}"
            );
            assert_eq!(tag_bytes(bucket, bucket, beta), tag, "tag bytes of {ids}");
        }
    }

    #[test]
    fn bank_and_platform_fit() {
        let beta = buckets(1_200_000_000);
        assert_eq!(beta, 2_048);
        let bank = bucket_ids(330_000_000, beta);
        let platform = bucket_ids(1_200_000_000, beta);
        assert_eq!(cuckoo_bins(bank), 214_021);
        assert_eq!(OkvsShape::new(bank, beta).width(), 218_110);
        assert_eq!(tag_bytes(bank, platform, beta), 12);
    }

    /// log2 of C(n, k).
    fn choose_log2(n: f64, k: f64) -> f64 {
        (libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0)) / LN_2
    }

    /// log2 of a bound on the expected number of sets of `k` ids that lie on `k` − 1 of `m` bins (without one there is a placement,
    /// by Hall's theorem): each id on some three of them; or, in a smallest such set, each of its bins hit twice, by the saddle point
    /// of (e^x − 1 − x)^(k−1) for 3k independent hits.
    fn crowded_sets_log2(n: f64, m: f64, k: f64) -> f64 {
        let sets = choose_log2(n, k) + choose_log2(m, k - 1.0);
        let anyhow = k * (choose_log2(k - 1.0, 3.0) - choose_log2(m, 3.0));
        let (mut low, mut high) = (1e-6, 60.0);
        for _ in 0..60 {
            let x = (low + high) / 2.0;
            let hits = x * libm::expm1(x) / (libm::expm1(x) - x);
            match hits < 3.0 * k / (k - 1.0) {
                true => low = x,
                false => high = x,
            }
        }
        let twice = (k - 1.0) * log2(libm::expm1(low) - low) - 3.0 * k * log2(low * m)
            + libm::lgamma(3.0 * k + 1.0) / LN_2
            // Three distinct bins an id, not three independent ones.
            + k * (2.0 * log2(m) - log2(m - 1.0) - log2(m - 2.0));
        sets + anyhow.min(twice)
    }

    #[test]
    fn a_cuckoo_table_has_a_placement() {
        for ids in [SET_IDS_MIN, 10_000, 1 << 14, 164_627, 1 << 20, 1 << 24] {
            let (n, m) = (ids as f64, cuckoo_bins(ids) as f64);
            let (mut k, mut expected) = (4.0, 0.0);
            while k <= n {
                let next = libm::fmax(k + 1.0, floor(k * 1.01));
                expected += (next - k) * exp2(crowded_sets_log2(n, m, k));
                k = next;
            }
            // Up to 2^17 buckets in a job.
            assert!(
                log2(expected) <= -LAMBDA_0 - 17.0,
                "{ids}: {}",
                log2(expected)
            );
        }
    }

    #[test]
    fn tags_of_a_large_sender_differ_among_themselves() {
        for (receiver, sender) in [(1 << 12, 1 << 24), (1 << 24, 1 << 12), (1 << 12, 1 << 12)] {
            let bits = 8.0 * tag_bytes(receiver, sender, 1) as f64;
            let across = log2(receiver as f64) + log2(sender as f64);
            let within = 2.0 * log2(sender as f64) - 1.0;
            assert!(
                bits - across.max(within) >= LAMBDA_0,
                "{receiver} and {sender}"
            );
        }
    }

    /// Up to the largest bucket that a run takes, whose job may have any number of them.
    #[test]
    fn rows_and_columns_fit_16_bits_at_every_size() {
        let mut keys = SET_IDS_MIN;
        while keys <= 3 << 24 {
            for buckets in [1, 1 << 11] {
                let shape = OkvsShape::new(keys, buckets);
                assert!(shape.capacity < 1 << 16 && shape.sparse < 1 << 16 && shape.bins < 1 << 16);
                assert!(u64::from(shape.capacity) * u64::from(shape.bins) >= keys);
            }
            keys += keys / 97;
        }
    }

    #[test]
    fn silent_transfers_have_twice_the_noise_of_the_estimated_distance() {
        use crate::ot::silent::NOISE;
        assert_eq!(noise_over_bits(0.25), 128);
        // What protocols.md asks for, and down to which distance it is enough.
        assert_eq!(NOISE, 256);
        assert!(noise_over_bits(0.147) <= NOISE && noise_over_bits(0.146) > NOISE);
        // The bias itself, in bits, of two sorts of parts with these weights: never above that of equal ones of their mean.
        let folded = |d: f64| d.min(1.0 - d);
        let bias = |weights: [f64; 2]| {
            let part = |d: f64| NOISE as f64 / 2.0 * log2((1.0 - 2.0 * d).abs());
            weights.map(part).iter().sum::<f64>()
        };
        for weights in [
            [0.25, 0.25],
            [0.05, 0.45],
            [0.95, 0.45],
            [0.0, 1.0],
            [0.7, 1.0],
        ] {
            let mean = weights.map(folded).iter().sum::<f64>() / 2.0;
            let equal = NOISE as f64 * log2(1.0 - 2.0 * mean);
            assert!(bias(weights) <= equal + 1e-9, "{weights:?}");
        }
        assert_eq!(bias([0.0, 1.0]), 0.0, "whole parts hide nothing");
        // What Gaussian elimination finds for the smallest chunk: a word whose bits are set at half of what is left to choose.
        let outputs = 4_096.0;
        let found = (outputs - NOISE as f64) / (4.0 * outputs);
        assert!(noise_over_bits(found) <= NOISE);
    }

    /// Of one bucket of the largest table: a word of every cell under every bin's unknown leaf is more than is ever asked for.
    #[test]
    fn answers_under_one_delta_leave_more_than_ninety_bits() {
        use crate::blind::TABLE_WORDS_MAX;
        let bins = cuckoo_bins(bucket_ids(1 << 20, 1)) as f64;
        assert!(even_mansour_bits(bins * TABLE_WORDS_MAX as f64) > 90.0);
        // Eight by eight groups with two words: a hundred transfers a bin, eight answers of trees, eighty blocks.
        assert!(even_mansour_bits(bins * 188.0) > 98.0);
    }

    /// Union bounds, recomputed the other way round: from the chosen size back to the probability, for every pair of list
    /// sizes from 2^10 to the largest job, and for the bank and the platform.
    #[test]
    fn every_bound_holds_over_the_whole_job() {
        let sizes: Vec<u64> = (10..=31).map(|exponent| 1 << exponent).collect();
        let pairs = sizes.iter().flat_map(|r| sizes.iter().map(|s| (*r, *s)));
        let named = [(330_000_000, 1_200_000_000), (1_200_000_000, 330_000_000)];
        for (receiver, sender) in pairs.chain(named) {
            let beta = buckets(receiver.max(sender));
            let [of_receiver, of_sender] = [receiver, sender].map(|ids| {
                let bucket = bucket_ids(ids, beta);
                assert!(bucket * beta >= ids && bucket >= SET_IDS_MIN);
                assert_bucket_holds(ids, bucket, beta);
                bucket
            });
            let tags = 8.0 * tag_bytes(of_receiver, of_sender, beta) as f64;
            let across = log2(of_receiver as f64) + log2(of_sender as f64);
            let within = 2.0 * log2(of_sender as f64) - 1.0;
            assert!(
                tags - log2(beta as f64) - across.max(within) >= LAMBDA_0,
                "tag collision at {receiver} and {sender}"
            );
            assert_okvs_holds(of_receiver, beta);
            assert_okvs_holds(of_sender, 3 * beta);
            let m = cuckoo_bins(of_receiver);
            assert!(f64::from(equality_bits(m, beta)) - log2(m as f64 * beta as f64) >= LAMBDA_0);
        }
    }

    /// Bernstein's bound of an overfull bucket, over all buckets.
    #[track_caller]
    fn assert_bucket_holds(ids: u64, bucket: u64, beta: u64) {
        if beta == 1 {
            return;
        }
        let mean = ids as f64 / beta as f64;
        let excess = bucket as f64 - mean;
        let bits = excess * excess / (2.0 * (mean + excess / 3.0)) / LN_2;
        assert!(
            bits >= LAMBDA_0 + log2(beta as f64),
            "a bucket of {ids} ids overflows with 2^-{bits}"
        );
    }

    /// Bins hold their keys, over all bins and buckets, and the dense columns what is left of λ₀.
    #[track_caller]
    fn assert_okvs_holds(keys: u64, beta: u64) {
        let shape = OkvsShape::new(keys, beta);
        let (bins, capacity) = (f64::from(shape.bins), f64::from(shape.capacity));
        assert!(
            shape.capacity < 1 << 16 && shape.sparse < 1 << 16 && bins * capacity >= keys as f64
        );
        let needed = LAMBDA_0 + log2(bins * beta as f64);
        if shape.bins > 1 {
            let mean = keys as f64 / bins;
            let excess = capacity - mean;
            let bits = excess * excess / (2.0 * (mean + excess / 3.0)) / LN_2;
            assert!(
                bits >= needed,
                "a bin for {keys} keys overflows with 2^-{bits}"
            );
        }
        let (slope_bits, dense) = expansion_and_dense(capacity, needed);
        assert_eq!(shape.dense, dense);
        // RR22's linear fit: λ = slope·e − (9.2 + 1.223·slope), from the expansion back to the bits it gives.
        let w = log2(3.0);
        let slope = exp2(
            0.555 * log2(capacity) + 0.093 * pow(w, 3.0) - 1.01 * pow(w, 2.0) + 2.925 * w - 0.133,
        );
        let bits = slope * slope_bits - (9.2 + 1.223 * slope);
        assert!(
            bits + 1e-6 >= needed,
            "an OKVS of {keys} keys fails with 2^-{bits}"
        );
    }
}
