//! A member's two X25519 keys of one round (RFC 7748), and what pairs of members derive from them.
//!
//! The **mask** key pairs up to the streams that hide contributions. Its secret comes from a seed which is shared among the neighbours, so that the recipient
//! can make it again if its owner vanishes. The **sealing** key pairs up to the keys of sealed boxes and is never shared: were both one,
//! giving up the masks of a vanished member would give up what was sealed to it.
//!
//! A public key is taken only in its one canonical form, and never of low order: with such a one the derived secret would be zero.

use super::Member;
use super::shamir::Halves;
use crate::block::Block;
use crate::fault::Malformed;
use crate::hash;
use crate::secret::Secret;
use crate::session_id::SessionId;
use curve25519_dalek::montgomery::MontgomeryPoint;
use rand_core::CryptoRng;

/// Bytes of a public key.
pub(super) const PUBLIC_BYTES: usize = 32;

/// The canonical encodings of the points of low order, on the curve and its twist: 0, 1, two of order 8, and −1.
const LOW_ORDER: [[u8; PUBLIC_BYTES]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    {
        let mut minus_one = PRIME;
        minus_one[0] -= 1;
        minus_one
    },
];

/// 2^255 − 19.
const PRIME: [u8; PUBLIC_BYTES] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// A public key in its one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PublicKey([u8; PUBLIC_BYTES]);

impl PublicKey {
    /// Refuses what is not below the prime, and points of low order.
    pub(super) fn new(bytes: [u8; PUBLIC_BYTES]) -> Result<Self, Malformed> {
        if bytes.iter().rev().ge(PRIME.iter().rev()) {
            return Err(Malformed::NotCanonical {
                what: "an X25519 public key",
            });
        }
        if LOW_ORDER.contains(&bytes) {
            return Err(Malformed::Forbidden {
                what: "an X25519 public key of low order",
            });
        }
        Ok(Self(bytes))
    }

    /// Its bytes.
    pub(super) const fn as_bytes(&self) -> &[u8; PUBLIC_BYTES] {
        &self.0
    }
}

/// The secret of a public key.
pub(super) struct RoundKey {
    scalar: Secret<[u8; 32]>,
    public: PublicKey,
}

/// What two members' keys give both of them, before it is bound to a purpose.
pub(super) type Shared = Secret<[u8; 32]>;

impl RoundKey {
    /// A fresh key.
    pub(super) fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut scalar = Secret::new([0; 32]);
        rng.fill_bytes(scalar.expose_mut());
        Self::of(scalar)
    }

    /// The mask key that a member's seed gives in this round.
    pub(super) fn of_seed(sid: &SessionId, member: Member, seed: &Secret<Halves>) -> Self {
        Self::of(Secret::new(of_seed(
            "entente/1/aggregate/mask-key",
            sid,
            member,
            seed,
        )))
    }

    fn of(scalar: Secret<[u8; 32]>) -> Self {
        let public = MontgomeryPoint::mul_base_clamped(*scalar.expose());
        Self {
            scalar,
            public: PublicKey(public.to_bytes()),
        }
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Never zero, as the other key is not of low order.
    pub(super) fn shared(&self, other: &PublicKey) -> Shared {
        Secret::new(
            MontgomeryPoint(other.0)
                .mul_clamped(*self.scalar.expose())
                .to_bytes(),
        )
    }

    /// The seed of the stream that this member and the other add and take away. Both names and keys are in it, the lower member's first.
    pub(super) fn mask_seed(
        &self,
        sid: &SessionId,
        own: Member,
        other: Member,
        key: &PublicKey,
    ) -> Secret<Block> {
        let ((low, low_key), (high, high_key)) = match own < other {
            true => ((own, &self.public), (other, key)),
            false => ((other, key), (own, &self.public)),
        };
        let shared = self.shared(key);
        let names = [low, high].map(|member| member.0.to_le_bytes());
        let parts: [&[u8]; 5] = [
            shared.expose(),
            &names[0],
            low_key.as_bytes(),
            &names[1],
            high_key.as_bytes(),
        ];
        Secret::new(first_half(&hash::digest(
            "entente/1/aggregate/pair-mask",
            sid,
            &parts,
        )))
    }
}

/// The seed of the stream with which a member hides its contribution from everybody until it is a survivor.
pub(super) fn self_mask_seed(
    sid: &SessionId,
    member: Member,
    seed: &Secret<Halves>,
) -> Secret<Block> {
    Secret::new(first_half(&of_seed(
        "entente/1/aggregate/self-mask",
        sid,
        member,
        seed,
    )))
}

/// What a member says of its self-mask's seed beforehand: it hides a uniform seed and fits no other.
pub(super) fn commitment(sid: &SessionId, member: Member, seed: &Secret<Halves>) -> [u8; 32] {
    of_seed(
        "entente/1/aggregate/self-mask-commitment",
        sid,
        member,
        seed,
    )
}

/// What the recipient says of the authenticator's key beforehand, to everybody alike: with different keys at different members, the sum's authenticator
/// would tell a linear equation in one member's vector.
pub(super) fn check_commitment(
    sid: &SessionId,
    recipient: Member,
    key: &Secret<Block>,
) -> [u8; 32] {
    hash::digest(
        "entente/1/aggregate/check-key-commitment",
        sid,
        &[&recipient.0.to_le_bytes(), &key.expose().to_bytes()],
    )
}

fn of_seed(
    purpose: &'static str,
    sid: &SessionId,
    member: Member,
    seed: &Secret<Halves>,
) -> [u8; 32] {
    let [first, second] = seed.expose().map(Block::to_bytes);
    hash::digest(purpose, sid, &[&member.0.to_le_bytes(), &first, &second])
}

fn first_half(digest: &[u8; 32]) -> Block {
    let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    Block::from_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    #[test]
    fn points_of_low_order_would_give_zero_and_are_refused() {
        for bytes in LOW_ORDER {
            assert_eq!(
                MontgomeryPoint(bytes).mul_clamped([0x55; 32]).to_bytes(),
                [0; 32]
            );
            assert!(matches!(
                PublicKey::new(bytes),
                Err(Malformed::Forbidden { .. })
            ));
        }
    }

    #[test]
    fn a_key_has_one_form() {
        let mut above = PRIME;
        above[0] += 9;
        let mut high_bit = [9; 32];
        high_bit[31] |= 0x80;
        for bytes in [PRIME, above, high_bit, [0xff; 32]] {
            assert!(matches!(
                PublicKey::new(bytes),
                Err(Malformed::NotCanonical { .. })
            ));
        }
    }

    /// RFC 7748 §5.2, the first vector.
    #[test]
    fn the_shared_secret_is_that_of_the_rfc() {
        let bytes = |text: &str| -> [u8; 32] {
            hex::decode(text)
                .expect("hexadecimal")
                .try_into()
                .expect("32 bytes")
        };
        let scalar = bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
        let other = bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
        let expected = bytes("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
        let other = PublicKey::new(other).expect("canonical");
        assert_eq!(
            *RoundKey::of(Secret::new(scalar)).shared(&other).expose(),
            expected
        );
    }

    #[test]
    fn both_of_a_pair_have_the_same_seed_and_no_other_pair_has() {
        let sid = SessionId::new([1; 32]);
        let [a, b, c] = [1, 2, 3].map(|seed| RoundKey::draw(&mut Prg::new(Block(seed))));
        let seed = |own: &RoundKey, member, other: &RoundKey, name| {
            *own.mask_seed(&sid, Member(member), Member(name), other.public())
                .expose()
        };
        assert_eq!(seed(&a, 4, &b, 7), seed(&b, 7, &a, 4));
        assert_ne!(seed(&a, 4, &b, 7), seed(&a, 4, &c, 7));
        assert_ne!(seed(&a, 4, &b, 7), seed(&a, 4, &b, 8));
    }
}
