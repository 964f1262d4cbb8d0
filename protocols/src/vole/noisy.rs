//! The base VOLE (protocols.md §3; Gilboa's multiplication): a few entries from 128 oblivious transfers.
//!
//! S chooses the bits of Δ. For bit i, R has two streams r_0 and r_1 and sends u_i = r_0 ⊕ r_1 ⊕ a; S ends with q_i = r_0 ⊕ Δ_i·a
//! whichever stream it holds. Weighted with x^i, R's c = Σ x^i·r_0 and S's b = Σ x^i·q_i satisfy c = b ⊕ a·Δ.
//!
//! In malicious mode R proves that all 128 corrections hide the same a: inconsistent ones would let it guess bits of Δ. S sends random
//! χ; R answers x = Σ χ^j·a_j and z = Σ χ^j·c_j over all entries, of which the last is random and never used again, so x and z show
//! nothing of the others; S compares z with y ⊕ Δ·x. A cheating R passes only if it guessed, before it saw χ, the value of a linear
//! function of Δ: with probability 2^-r it then knows r bits of Δ, and otherwise the run ends.

use crate::block::Block;
use crate::channel::{Channel, Kind, vector_bytes};
use crate::fault::{Fault, Misbehaviour};
use crate::field::{self, inner_product, powers};
use crate::ot::base;
use crate::prg::Prg;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;

pub(super) const CORRECTIONS: Kind = Kind::new(0x0301, "base VOLE corrections");
pub(super) const CHALLENGE: Kind = Kind::new(0x0302, "base VOLE challenge");
pub(super) const RESPONSE: Kind = Kind::new(0x0303, "base VOLE response");

/// Bytes of `entries` entries, both directions.
pub(super) fn bytes(entries: usize, security: Security) -> u64 {
    let check = match security {
        Security::Malicious => vector_bytes(1, 16) + vector_bytes(2, 16),
        Security::SemiHonest => 0,
    };
    base::bytes(base::TRANSFERS) + vector_bytes(base::TRANSFERS * entries, 16) + check
}

/// R: entries c for the given a. In malicious mode the last of `a` must be random and not be used for anything else.
pub(super) fn receive(
    channel: &mut Channel,
    sid: &SessionId,
    security: Security,
    a: &[Block],
    rng: &mut impl CryptoRng,
) -> Result<Secret<Vec<Block>>, Fault> {
    let pairs = base::send(channel, sid, base::TRANSFERS, rng)?;
    let mut corrections = Vec::with_capacity(base::TRANSFERS * a.len());
    let mut c = Secret::new(vec![Block::ZERO; a.len()]);
    let [mut zero, mut one] = [super::secret_blocks(a.len()), super::secret_blocks(a.len())];
    for pair in pairs.expose().iter().rev() {
        Prg::new(pair[0]).fill_blocks(zero.expose_mut());
        Prg::new(pair[1]).fill_blocks(one.expose_mut());
        let streams = zero.expose().iter().zip(one.expose());
        corrections.extend(streams.zip(a).map(|((zero, one), a)| *zero ^ *one ^ *a));
        double_and_add(c.expose_mut(), zero.expose());
    }
    channel.send_all(CORRECTIONS, &corrections)?;
    if security.is_malicious() {
        let challenge: Vec<Block> = channel.receive_part(CHALLENGE, 1)?;
        let weights = powers(challenge[0], a.len());
        channel.send_part(
            RESPONSE,
            &[
                inner_product(&weights, a),
                inner_product(&weights, c.expose()),
            ],
        )?;
    }
    Ok(c)
}

/// S: entries b for its Δ.
pub(super) fn send(
    channel: &mut Channel,
    sid: &SessionId,
    security: Security,
    delta: &Secret<Block>,
    entries: usize,
    rng: &mut impl CryptoRng,
) -> Result<Secret<Box<[Block]>>, Fault> {
    let bits = (0..base::TRANSFERS).map(|i| (delta.expose().0 >> i) & 1 == 1);
    let bits: Secret<Vec<bool>> = Secret::new(bits.collect());
    let keys = base::receive(channel, sid, bits.expose(), rng)?;
    let corrections: Vec<Block> = channel.receive_all(CORRECTIONS, base::TRANSFERS * entries)?;
    let [mut b, mut q] = [super::secret_blocks(entries), super::secret_blocks(entries)];
    let order = keys.expose().iter().zip(bits.expose()).rev();
    for ((key, bit), corrections) in order.zip(corrections.chunks_exact(entries)) {
        Prg::new(*key).fill_blocks(q.expose_mut());
        for (q, correction) in q.expose_mut().iter_mut().zip(corrections) {
            *q ^= correction.masked(*bit);
        }
        double_and_add(b.expose_mut(), q.expose());
    }
    if security.is_malicious() {
        check(channel, delta, b.expose(), rng)?;
    }
    Ok(b)
}

fn check(
    channel: &mut Channel,
    delta: &Secret<Block>,
    b: &[Block],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let challenge = Block::random(rng);
    channel.send_part(CHALLENGE, &[challenge])?;
    let response: Vec<Block> = channel.receive_part(RESPONSE, 2)?;
    let y = inner_product(&powers(challenge, b.len()), b);
    if Secret::new(response[1]) != Secret::new(y ^ field::multiply(*delta.expose(), response[0])) {
        return Err(Misbehaviour::CheckFailed {
            check: "the base VOLE",
        }
        .into());
    }
    Ok(())
}

/// `sum[i] = sum[i]·x ^ addend[i]`: one step of Horner's rule in the bits of Δ.
fn double_and_add(sum: &mut [Block], addend: &[Block]) {
    for (sum, addend) in sum.iter_mut().zip(addend) {
        let carry = Block(0x87).masked(sum.0 >> 127 == 1);
        *sum = Block(sum.0 << 1) ^ carry ^ *addend;
    }
}
