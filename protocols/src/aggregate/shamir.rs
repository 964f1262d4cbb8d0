//! Shamir's secret sharing over GF(2^128) ("How to share a secret", 1979): any `threshold` shares give the secret, fewer tell nothing about it.
//!
//! A secret has two blocks, shared by polynomials of their own. A member's point is its place in the roster plus one: public, never zero,
//! distinct. Only values are secret, and the field multiplies in time independent of them.

use super::Member;
use crate::block::Block;
use crate::field::{invert, multiply};
use crate::secret::Secret;
use rand_core::CryptoRng;
use zeroize::Zeroize;

/// Blocks of a secret.
pub(super) const BLOCKS: usize = 2;

/// A secret or a share of one.
pub(super) type Halves = [Block; BLOCKS];

fn point(member: Member) -> Block {
    Block(u128::from(member.0) + 1)
}

/// A share of `secret` for each holder, any `threshold` of which give it back.
pub(super) fn share(
    secret: &Secret<Halves>,
    threshold: usize,
    holders: &[Member],
    rng: &mut impl CryptoRng,
) -> Vec<Secret<Halves>> {
    let random = (1..threshold).map(|_| std::array::from_fn(|_| Block::random(rng)));
    let mut coefficients: Vec<Halves> = random.collect();
    let at = |holder: &Member| {
        let point = point(*holder);
        let value = coefficients
            .iter()
            .rfold([Block::ZERO; BLOCKS], |sum, coefficient| {
                std::array::from_fn(|half| multiply(sum[half] ^ coefficient[half], point))
            });
        let secret = secret.expose();
        Secret::new(std::array::from_fn(|half| value[half] ^ secret[half]))
    };
    let shares = holders.iter().map(at).collect();
    coefficients.as_flattened_mut().zeroize();
    shares
}

/// The weights with which the shares of these holders, which are distinct, add up to the secret: Lagrange's at zero.
pub(super) fn weights(holders: &[Member]) -> Vec<Block> {
    let weight = |holder: &Member| {
        let (own, mut over, mut under) = (point(*holder), Block::ONE, Block::ONE);
        for other in holders.iter().filter(|other| *other != holder) {
            over = multiply(over, point(*other));
            under = multiply(under, point(*other) ^ own);
        }
        multiply(over, invert(under))
    };
    holders.iter().map(weight).collect()
}

/// The secret, from as many shares as its threshold and their holders' [`weights`].
pub(super) fn open<'a>(
    shares: impl Iterator<Item = &'a Secret<Halves>>,
    weights: &[Block],
) -> Secret<Halves> {
    let mut secret = Secret::new([Block::ZERO; BLOCKS]);
    for (share, weight) in shares.zip(weights) {
        for (sum, half) in secret.expose_mut().iter_mut().zip(share.expose()) {
            *sum ^= multiply(*half, *weight);
        }
    }
    secret
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    fn opened(shares: &[Secret<Halves>], holders: &[Member]) -> Halves {
        *open(shares.iter(), &weights(holders)).expose()
    }

    proptest! {
        #[test]
        fn any_threshold_of_shares_gives_the_secret(
            words: [u128; 2],
            threshold in 1usize..=12,
            chosen in subsequence((0..40).collect::<Vec<u16>>(), 12),
            seed: u128,
        ) {
            let secret = words.map(Block);
            let everyone: Vec<Member> = (0..40).map(Member).collect();
            let shares = share(&Secret::new(secret), threshold, &everyone, &mut Prg::new(Block(seed)));
            let few: Vec<Member> = chosen.iter().take(threshold).copied().map(Member).collect();
            let of_few: Vec<_> = few.iter().map(|holder| Secret::new(*shares[holder.index()].expose())).collect();
            prop_assert_eq!(opened(&of_few, &few), secret);
            if threshold > 1 {
                let fewer = &few[1..];
                prop_assert_ne!(opened(&of_few[1..], fewer), secret);
            }
        }
    }

    /// With one share less than the threshold, every secret is still as likely as every other: there is a polynomial for it.
    #[test]
    fn fewer_shares_fit_every_secret() {
        let everyone: Vec<Member> = (0..3).map(Member).collect();
        let shares = share(
            &Secret::new([Block(5); 2]),
            3,
            &everyone,
            &mut Prg::new(Block(1)),
        );
        // Shares at points 1 and 2 of a polynomial of degree two, with the value 9 at zero put in: the third share follows.
        let weights = weights(&everyone);
        let known = [&shares[0], &shares[1]]
            .iter()
            .zip(&weights)
            .fold(Block(9), |sum, (share, weight)| {
                sum ^ multiply(share.expose()[0], *weight)
            });
        let third = Secret::new([multiply(known, invert(weights[2])); 2]);
        let fits = [
            Secret::new(*shares[0].expose()),
            Secret::new(*shares[1].expose()),
            third,
        ];
        assert_eq!(opened(&fits, &everyone)[0], Block(9));
    }
}
