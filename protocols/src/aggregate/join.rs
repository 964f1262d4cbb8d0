//! A member's first two steps: its keys of the round, then shares of its secrets for its neighbours.
//!
//! A member takes each step once, by value, and begins a round once: [`PersistedRound`]. What it keeps between steps is not to be written down: a member that
//! restarts has left the round, and that is safe, as nobody can make it answer for the round again.

use super::contribute::Dealt;
use super::fault::{Misdeed, Refusal, RoundFault};
use super::keys::{PublicKey, RoundKey, Shared, check_commitment, commitment};
use super::messages::{CheckBox, Dealing, Introduction, Introductions, SharesBox};
use super::seal::{Content, Label, seal};
use super::shamir::{self, Halves};
use super::sign::{Identity, Purpose, sign};
use super::{Cohort, Member, Terms, noise};
use crate::block::Block;
use crate::secret::Secret;
use crate::session_id::SessionId;
use crate::shuffle::shuffle;
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who a member is, in which round.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) terms: Arc<Terms>,
    pub(super) me: Member,
}

/// The two secrets that are shared: the seed of the self-mask and that of the mask key.
pub(super) struct Secrets {
    pub(super) self_mask: Secret<Halves>,
    pub(super) mask_key: Secret<Halves>,
}

/// A member that has introduced itself.
pub struct Introduced {
    seat: Seat,
    secrets: Secrets,
    mask_key: RoundKey,
    sealing_key: RoundKey,
    /// At the recipient: the authenticator's key, which everybody is to have.
    pub(super) check_key: Option<Secret<Block>>,
    /// This member's share; no words if no column has noise.
    noise: Secret<Vec<u64>>,
    introduction: Introduction,
}

/// A round that is on disk as begun: without one, and each only once, no introduction leaves.
pub struct PersistedRound(SessionId);

impl PersistedRound {
    /// The caller says: a journal that survives a crash of this machine has an entry for this job and round, synced, and had none before. **Job and round are its key**,
    /// the round's name ([`Terms::sid`]) its value: the same two are refused a second time whatever else in the proposal differs, as two rosters or recipients for one
    /// round would be two rounds over the same data for one in the budget. The entry stays, and counts, whether or not the round is ever opened.
    ///
    /// **Saying so without having done it lets a restart begin the round again, and vote again**: a coordinator gets a quorum for two survivor sets
    /// from it, and sees one member's vector.
    pub fn begun(terms: &Terms) -> Self {
        Self(*terms.sid())
    }
}

/// Draws this round's keys and this member's share of the noise, once it is on disk that it begins.
pub fn introduce(
    terms: &Arc<Terms>,
    me: Member,
    persisted: PersistedRound,
    identity: &dyn Identity,
    rng: &mut impl CryptoRng,
) -> Result<(Introduced, Introduction), RoundFault> {
    let max = terms.members() as u64 - 1;
    if u64::from(me.0) > max {
        return Err(Refusal::OutOfRange {
            what: "this member",
            min: 0,
            max,
            got: me.0.into(),
        }
        .into());
    }
    if persisted.0 != *terms.sid() {
        return Err(Refusal::OtherRound.into());
    }
    let secrets = Secrets {
        self_mask: Secret::new(seed(rng)),
        mask_key: Secret::new(seed(rng)),
    };
    let mask_key = RoundKey::of_seed(terms.sid(), me, &secrets.mask_key);
    let sealing_key = RoundKey::draw(rng);
    let check_key = (me == terms.recipient()).then(|| Secret::new(Block::random(rng)));
    let check_commitment = check_key
        .as_ref()
        .map(|key| check_commitment(terms.sid(), me, key));
    let mut introduction = Introduction {
        member: me,
        mask_key: *mask_key.public().as_bytes(),
        sealing_key: *sealing_key.public().as_bytes(),
        commitment: commitment(terms.sid(), me, &secrets.self_mask),
        check_commitment,
        signature: [0; 64],
    };
    introduction.signature = sign(
        identity,
        Purpose::Introduction,
        terms.sid(),
        me,
        &introduction.signed(),
    );
    let seat = Seat {
        terms: Arc::clone(terms),
        me,
    };
    let introduced = Introduced {
        seat,
        secrets,
        mask_key,
        sealing_key,
        check_key,
        noise: noise::draw(terms, rng)?,
        introduction: introduction.clone(),
    };
    Ok((introduced, introduction))
}

fn seed(rng: &mut impl CryptoRng) -> Halves {
    std::array::from_fn(|_| Block::random(rng))
}

impl Introduced {
    /// Picks neighbours and seals to each a share of either secret. The cohort has to have as many members as a sum needs, this one and the recipient
    /// among them, and all introductions have to be theirs.
    pub fn deal(
        self,
        introductions: &Introductions,
        rng: &mut impl CryptoRng,
    ) -> Result<(Dealt, Dealing), RoundFault> {
        let Self {
            seat,
            secrets,
            mask_key,
            sealing_key,
            check_key,
            noise,
            introduction,
        } = self;
        let (terms, me) = (Arc::clone(&seat.terms), seat.me);
        let cohort = Cohort::new(&terms, introductions, &introduction)?;
        cohort.get(terms.recipient())?;
        let picks = pick(&cohort, &seat, rng);
        let mut lines = Lines::new(sealing_key);
        for pick in &picks {
            lines.connect(&cohort, *pick)?;
        }
        let (own_shares, shares) = deal_shares(&seat, &cohort, &lines, &picks, &secrets, rng)?;
        let check_keys = deal_check_keys(&seat, &cohort, &mut lines, check_key.as_ref())?;
        let dealing = Dealing {
            member: me,
            shares,
            check_keys,
        };
        let dealt = Dealt {
            seat,
            cohort,
            picks,
            own_shares,
            self_mask: secrets.self_mask,
            mask_key,
            lines,
            check_key,
            noise,
        };
        Ok((dealt, dealing))
    }
}

/// Everybody else, or as many as the degree says, uniformly, by this member's generator alone; ascending.
fn pick(cohort: &Cohort, seat: &Seat, rng: &mut impl CryptoRng) -> Vec<Member> {
    let mut others: Vec<Member> = cohort
        .members()
        .filter(|member| *member != seat.me)
        .collect();
    if let Some(picks) = seat.terms.degree().picks {
        shuffle(&mut others, rng);
        others.truncate(picks);
        others.sort_unstable();
    }
    others
}

/// This member's sealing key, and those that it has talked to.
pub(super) struct Lines {
    key: RoundKey,
    lines: BTreeMap<Member, Line>,
}

/// What a member shares with another.
pub(super) struct Line {
    /// What boxes between the two are sealed with.
    pub(super) shared: Shared,
    /// Its mask key.
    pub(super) mask_key: PublicKey,
}

impl Lines {
    fn new(key: RoundKey) -> Self {
        Self {
            key,
            lines: BTreeMap::new(),
        }
    }

    /// The line to `other`, made the first time.
    pub(super) fn connect(&mut self, cohort: &Cohort, other: Member) -> Result<&Line, RoundFault> {
        if !self.lines.contains_key(&other) {
            let [mask_key, sealing_key] = *cohort.keys(other)?;
            self.lines.insert(
                other,
                Line {
                    shared: self.key.shared(&sealing_key),
                    mask_key,
                },
            );
        }
        self.get(other)
    }

    /// The line to a member that has been connected to.
    pub(super) fn get(&self, other: Member) -> Result<&Line, RoundFault> {
        let missing = Misdeed::Missing {
            what: "the introduction",
            member: other,
        };
        self.lines
            .get(&other)
            .ok_or(RoundFault::Coordinator(missing))
    }
}

/// This member's own shares, and the boxes with those of its neighbours.
fn deal_shares(
    seat: &Seat,
    cohort: &Cohort,
    lines: &Lines,
    picks: &[Member],
    secrets: &Secrets,
    rng: &mut impl CryptoRng,
) -> Result<(Secrets, Vec<(Member, SharesBox)>), RoundFault> {
    let holders: Vec<Member> = picks.iter().copied().chain([seat.me]).collect();
    let threshold = seat.terms.degree().threshold;
    let mut of_self_mask = shamir::share(&secrets.self_mask, threshold, &holders, rng);
    let mut of_mask_key = shamir::share(&secrets.mask_key, threshold, &holders, rng);
    let own = [&mut of_self_mask, &mut of_mask_key].map(|shares| shares.pop());
    let [self_mask, mask_key] = own.map(|share| share.expect("this member is the last holder"));
    let boxes = picks
        .iter()
        .zip(of_self_mask.iter().zip(&of_mask_key))
        .map(|(pick, shares)| {
            let label = Label {
                content: Content::Shares,
                from: seat.me,
                to: *pick,
            };
            let blocks = [shares.0, shares.1].map(|share| share.expose().map(Block::to_bytes));
            let content = Secret::new(blocks);
            let content = content.expose().as_flattened().as_flattened();
            let sealed = seal(cohort, label, &lines.get(*pick)?.shared, content);
            Ok((
                *pick,
                sealed.try_into().expect("two shares and the overhead"),
            ))
        });
    let boxes = boxes.collect::<Result<_, RoundFault>>()?;
    Ok((
        Secrets {
            self_mask,
            mask_key,
        },
        boxes,
    ))
}

/// At the recipient: a box of the authenticator's key for everybody else. At the others nothing.
fn deal_check_keys(
    seat: &Seat,
    cohort: &Cohort,
    lines: &mut Lines,
    key: Option<&Secret<Block>>,
) -> Result<Vec<(Member, CheckBox)>, RoundFault> {
    let Some(key) = key else {
        return Ok(vec![]);
    };
    let mut boxes = Vec::new();
    for to in cohort.members().filter(|member| *member != seat.me) {
        let label = Label {
            content: Content::CheckKey,
            from: seat.me,
            to,
        };
        let line = lines.connect(cohort, to)?;
        let content = Secret::new(key.expose().to_bytes());
        let sealed = seal(cohort, label, &line.shared, content.expose());
        boxes.push((to, sealed.try_into().expect("a key and the overhead")));
    }
    Ok(boxes)
}
