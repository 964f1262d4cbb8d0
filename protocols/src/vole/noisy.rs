//! The base VOLE (protocols.md §3; Gilboa's multiplication): a few entries from 128 oblivious transfers.
//!
//! S chooses the bits of Δ. For bit i, R has two streams r_0 and r_1 and sends u_i = r_0 ⊕ r_1 ⊕ a; S ends with q_i = r_0 ⊕ Δ_i·a
//! whichever stream it holds. Weighted with x^i, R's c = Σ x^i·r_0 and S's b = Σ x^i·q_i satisfy c = b ⊕ a·Δ.
//!
//! In malicious mode R proves that all 128 corrections hide the same a: inconsistent ones would let it guess bits of Δ. S sends random
//! χ; R answers x = Σ χ_j·a_j and z = Σ χ_j·c_j over all entries, of which the last is random and never used again, so x and z show
//! nothing of the others; S compares z with y ⊕ Δ·x.

use crate::block::Block;
use crate::channel::{Channel, Kind};
use crate::fault::{Fault, Misbehaviour};
use crate::field::{self, inner_product, powers};
use crate::ot::base;
use crate::prg::Prg;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;

const CORRECTIONS: Kind = Kind::new(0x0301, "base VOLE corrections");
const CHALLENGE: Kind = Kind::new(0x0302, "base VOLE challenge");
const RESPONSE: Kind = Kind::new(0x0303, "base VOLE response");

/// R: entries c for the given a. In malicious mode the last of `a` must be random and not be used for anything else.
pub(super) fn receive(
    channel: &mut Channel,
    sid: &SessionId,
    security: Security,
    a: &[Block],
    rng: &mut impl CryptoRng,
) -> Result<Vec<Block>, Fault> {
    let pairs = base::send(channel, sid, base::TRANSFERS, rng)?;
    let mut corrections = Vec::with_capacity(pairs.len() * a.len());
    let mut c = vec![Block::ZERO; a.len()];
    for pair in pairs.iter().rev() {
        let [zero, one] = pair.map(|key| Prg::new(key).blocks(a.len()));
        corrections.extend(
            zero.iter()
                .zip(&one)
                .zip(a)
                .map(|((zero, one), a)| *zero ^ *one ^ *a),
        );
        double_and_add(&mut c, &zero);
    }
    channel.send_all(CORRECTIONS, &corrections)?;
    if security.is_malicious() {
        let challenge: Vec<Block> = channel.receive_part(CHALLENGE, 1)?;
        let weights = powers(challenge[0], a.len());
        channel.send_part(
            RESPONSE,
            &[inner_product(&weights, a), inner_product(&weights, &c)],
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
) -> Result<Vec<Block>, Fault> {
    let bits: Vec<bool> = (0..base::TRANSFERS)
        .map(|i| delta.expose().0 >> i & 1 == 1)
        .collect();
    let keys = base::receive(channel, sid, &bits, rng)?;
    let corrections: Vec<Block> = channel.receive_all(CORRECTIONS, base::TRANSFERS * entries)?;
    let mut b = vec![Block::ZERO; entries];
    let order = keys.iter().zip(&bits).rev();
    for ((key, bit), corrections) in order.zip(corrections.chunks_exact(entries)) {
        let mut q = Prg::new(*key).blocks(entries);
        q.iter_mut()
            .zip(corrections)
            .for_each(|(q, correction)| *q ^= correction.masked(*bit));
        double_and_add(&mut b, &q);
    }
    if security.is_malicious() {
        check(channel, delta, &b, rng)?;
    }
    Ok(b)
}

fn check(
    channel: &mut Channel,
    delta: &Secret<Block>,
    b: &[Block],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    let challenge = Block::from_bytes(bytes);
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
