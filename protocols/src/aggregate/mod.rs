//! Secure aggregation: three to a thousand organisations add up their vectors, and one of them sees the sum and nothing else.
//!
//! Specification §10; Bonawitz et al., "Practical secure aggregation for privacy-preserving machine learning" (CCS'17, BIK+17), its version with consistency
//! checks; Bell et al., "Secure single-server aggregation with (poly)logarithmic overhead" (CCS'20, BBGLR20), for the graph of few neighbours. One step is a function of a member's
//! state and what it received; what it sends goes through a coordinator that forwards boxes and adds words modulo 2^64, and knows no key.
//!
//! ```text
//! member → all         introduction   two public keys of the round and a commitment to b, the recipient's also to the key of the authenticator; signed by the pinned identity
//! member → neighbours  dealing        Shamir shares of its mask key's seed and of its self-mask's seed b, sealed
//! recipient → all      dealing        the key of the authenticator, sealed
//! member → coordinator contribution   vector + noise + self-mask ± a mask for each neighbour, and the authenticator, masked likewise
//! member → all         vote           signed: these are the survivors; on disk before it leaves
//! member → recipient   unmasking      with a quorum of equal votes: of each survivor a share of b, of each vanished a share of its mask key, sealed
//! coordinator → recipient  opening    the sum of masked words; the recipient takes the masks away and checks the authenticator
//! ```
//!
//! With N members and c colluders the **quorum** is ⌊(N + c)/2⌋ + 1: two quorums have an honest member in common, which votes once, so a round opens at most one survivor
//! set. A complete graph up to [`COMPLETE_MEMBERS_MAX`] members, with the quorum as threshold; above, each member picks its own neighbours, and their
//! number and the threshold follow from exact bounds on what can fail ([`Degree`]). Contributions and votes sign one [`View`]: the cohort, who dealt, and to whom; and everybody looks at
//! all introductions' and all survivors' signatures. All that is agreed is in the round's name, which every key, box, hash and signature takes
//! ([`Terms::sid`]). Overflow is proven impossible by [`Terms::new`], or refused.
//!
//! **Who learns what.** The recipient: the sum over the survivors with the noise of all of them in it, who they are, and nothing of any one vector but what follows from that. The coordinator, and
//! every member: who took part and who vanished when, and who is whose neighbour. This holds against a coordinator and up to c members, the recipient
//! among them or not, that deviate as they like and see each other's secrets, provided they were chosen before neighbours were picked; they then learn the sum over the honest
//! survivors, or over a part of them with at least [`Terms::honest_min`] members: in a graph of few neighbours, some ([`Degree::isolable`]) can be made to survive in name only.
//! All of it but for 2^−λ₀ a class of failure **and round**: who runs many rounds has to budget them, and counts those begun, not those opened. It rests on: Diffie and Hellman's gap problem on Curve25519 with BLAKE3 as a random oracle, AES, AES-256-GCM, Ed25519; and on
//! members that keep their promises to persist a survivor set before voting ([`PersistedSurvivors`]), and a round before beginning it, once ([`PersistedRound`]).
//!
//! **A coordinator alone** that changes a word of the sum, leaves out, doubles or mixes contributions, shows different introductions, dealings or survivors, replays another
//! round, invents members, or asks for both shares of a member is refused, or found by the authenticator but for 2^−64 (`mask`); so is a box that it hides, and a recipient that gives members different keys of the authenticator. **Not prevented:**
//! * A coordinator that colludes with a member knows the authenticator's key and can change the sum. It still learns no more than above: whether the sum opens does not depend on it.
//! * A contributor can send any vector within the columns' ranges, and can leave at any step. Its own node refuses what is outside of the ranges; a changed node can send that too, and so move the
//!   sum by any amount modulo 2^64. It learns nothing by that.
//! * A contributor that leaves out its noise: [`Terms::noise_parties`] counts honest members only, and one fewer, as the recipient knows its own share whether it colludes or not; so the noise is
//!   still of full strength.
//! * Anybody can end a round: the coordinator by not forwarding, a member by a box that does not open, a wrong authenticator, or shares that do not fit (one wrong share of a secret does not where
//!   the recipient has more than enough others). Faults name who can have done it. A
//!   message that does not bear its sender's signature, or deals to the wrong members, costs that member only, if the coordinator looks at it on arrival: [`messages::Introduction::check`],
//!   [`messages::Dealing::check`], [`messages::Contribution::check`], [`messages::Vote::check`].
//! * The recipient can lie about the sum to others, and the survivors' number is fixed by whom the coordinator lets take part, at least [`Terms::survivors_min`].
//! * Someone who takes part in many rounds, or chooses who does, learns differences of sums: the journal's budgets, of rounds begun, and the noise are for that.
//! * Small cells: thresholds apply after opening, as policy. The recipient's node sees the sum.
//!
//! Nothing branches on, or reads memory at, a secret: masks and shares go through constant-time kernels, places and signs are public. Noise takes longer for some numbers: how
//! long until the introduction leaves can tell a coordinator nearby a little about this member's own share of it where there are few cells; a node can send it at a fixed time (`noise`).
//!
//! ```
//! use entente_protocols::aggregate::{introduce, messages::*, *};
//! use entente_protocols::{block::Block, prg::Prg};
//! use ring::signature::{Ed25519KeyPair, KeyPair};
//! use std::sync::Arc;
//!
//! struct Key(Ed25519KeyPair);
//! impl Identity for Key {
//!     fn sign(&self, message: &[u8]) -> Signature {
//!         self.0.sign(message).as_ref().try_into().expect("64 bytes")
//!     }
//! }
//! let keys = [1, 2, 3].map(|seed| Key(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("32 bytes")));
//! let vectors = [[10, -4], [20, 5], [12, 6]];
//! let mut rngs = [1, 2, 3].map(|seed| Prg::new(Block(seed)));
//!
//! // Fixed beforehand, and in H: who takes part, who reads, what is added.
//! let organisation = |(key, name): (&Key, &str)| Organisation {
//!     name: name.into(), identity: key.0.public_key().as_ref().try_into().expect("32 bytes"),
//! };
//! let roster = keys.iter().zip(["bank", "grocer", "platform"]).map(organisation).collect();
//! let columns = vec![Column { cells: 2, magnitude_max: 1_000, noise: None }];
//! let proposal = Proposal { job: [9; 32], round: 1, roster, recipient: Member(0), columns, min_parties: 3, colluders: 1 };
//! let terms = Arc::new(Terms::new(proposal)?);
//!
//! // Each member introduces itself; the coordinator shows everybody all introductions.
//! let introduced = (0..3).map(|i| {
//!     let persisted = PersistedRound::begun(&terms); // after fsync
//!     introduce(&terms, Member(i as u16), persisted, &keys[i], &mut rngs[i])
//! });
//! let (states, introductions): (Vec<_>, Vec<_>) = introduced.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
//! let introductions = Introductions(introductions);
//!
//! // Each deals; the coordinator forwards boxes.
//! let dealt = states.into_iter().zip(&mut rngs).map(|(state, rng)| state.deal(&introductions, rng));
//! let (states, dealings): (Vec<_>, Vec<_>) = dealt.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
//! let picks = dealings.iter().map(|dealing| (dealing.member, dealing.picks(&terms)));
//! let sharing = Sharing::new(&terms, picks);
//! let to = |member: Member| Delivery {
//!     sharing: sharing.clone(),
//!     shares: dealings.iter().flat_map(|dealing| {
//!         dealing.shares.iter().filter(move |(to, _)| *to == member).map(|(_, sealed)| (dealing.member, *sealed))
//!     }).collect(),
//!     check_key: dealings[0].check_keys.iter().find(|(to, _)| *to == member).map(|(_, sealed)| *sealed),
//! };
//!
//! // Each contributes; the coordinator adds the words.
//! let mut words = vec![0u64; 2 + TAG_WORDS];
//! let (mut contributed, mut signatures) = (vec![], vec![]);
//! for (i, state) in states.into_iter().enumerate() {
//!     let (state, contribution) = state.contribute(&to(Member(i as u16)), &vectors[i], &keys[i])?;
//!     words.iter_mut().zip(&contribution.words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
//!     contributed.push(state);
//!     signatures.push((contribution.member, contribution.signature));
//! }
//!
//! // Each writes down who survived, then votes; with a quorum of votes it gives its shares.
//! let (mut agreed, mut votes) = (vec![], vec![]);
//! for (i, state) in contributed.into_iter().enumerate() {
//!     let of_others = signatures.iter().filter(|(member, _)| member.index() != i).copied().collect();
//!     let survivors = Survivors { survivors: MemberSet::new(&terms, terms.everyone()), signatures: of_others };
//!     let (state, record) = state.agree(&survivors)?;
//!     let persisted = PersistedSurvivors::written(record); // after fsync
//!     votes.push((Member(i as u16), state.vote(&persisted, &keys[i])?.signature));
//!     agreed.push((state, persisted));
//! }
//! let (votes, mut unmaskings, mut recipient) = (Votes(votes), vec![], None);
//! for (state, persisted) in agreed {
//!     match state.release(&persisted, &votes)? {
//!         (_, Some(unmasking)) => unmaskings.push((unmasking.member, unmasking.sealed)),
//!         (state, None) => recipient = Some(state),
//!     }
//! }
//!
//! // The recipient opens.
//! let sum = recipient.expect("the bank").open(Opening { words, unmaskings })?;
//! assert_eq!((sum.cells, sum.survivors.len()), (vec![42, 7], 3));
//! # Ok::<(), RoundFault>(())
//! ```

mod agree;
mod arrival;
mod cohort;
mod contribute;
mod degree;
mod fault;
mod join;
mod keys;
mod mask;
pub mod messages;
mod noise;
mod recipient;
mod roster;
mod seal;
mod shamir;
mod sign;
mod terms;

pub use agree::{Agreed, Contributed, PersistedSurvivors, SurvivorRecord};
pub use arrival::View;
use cohort::Cohort;
pub use contribute::Dealt;
pub use degree::{COMPLETE_MEMBERS_MAX, Degree, Sizes};
pub use fault::{Misdeed, Refusal, RoundFault};
pub use join::{Introduced, PersistedRound, introduce};
#[doc(hidden)]
pub use mask::add_mask_stream;
pub use recipient::{Released, Sum};
pub use sign::{Identity, Signature};
pub use terms::*;

/// Words behind the cells that carry the sum's authenticator.
pub const TAG_WORDS: usize = 64;

#[cfg(test)]
mod tests;
