//! What all members fixed before the round, and the one name that binds it: who takes part, who reads, what is added, and how many must be
//! honest and present.
//!
//! **Overflow is refused here, at preview.** A column is accepted only if as many vectors as the roster has members, each at its limit and each
//! with as much noise as a share can bring, keep every sum inside a signed 64-bit word. No later step can wrap.

use super::degree::{Degree, Sizes};
use super::fault::{Refusal, RoundFault};
use super::noise::DENOMINATOR_MAX;
use super::roster;
use crate::hash;
use crate::release::Scale;
use crate::session_id::SessionId;

/// Most members of a round: what the planned rounds have.
pub const MEMBERS_MAX: usize = 1_000;
/// Fewest members: between two, the sum tells each the other's vector.
pub const MEMBERS_MIN: usize = 3;
/// Most cells of a vector.
pub const CELLS_MAX: usize = 10_000_000;
/// Most columns: each has a range of its own, and their number only bounds the terms.
pub const COLUMNS_MAX: usize = 1 << 16;
/// Most bytes of an organisation's name.
pub const NAME_BYTES_MAX: usize = 255;

/// Version of messages, hashes and order.
pub const VERSION: u32 = 3;

/// A member's place in the roster. Public: it also tells at which point its shares are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member(pub u16);

impl Member {
    /// As an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An organisation and the Ed25519 key that all others pinned for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Its public identity key.
    pub identity: [u8; 32],
}

/// Cells that share a range, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// How many.
    pub cells: u32,
    /// Most that one member may put into a cell, either sign.
    pub magnitude_max: u64,
    /// Scale of the noise that the members' shares add up to, if any.
    pub noise: Option<Scale>,
}

/// What is fixed before the round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The job's hash `H`.
    pub job: [u8; 32],
    /// Number of the round; the caller never uses one twice with a job.
    pub round: u64,
    /// Who takes part, in ascending order of names.
    pub roster: Vec<Organisation>,
    /// Who reads the sum.
    pub recipient: Member,
    /// What is added.
    pub columns: Vec<Column>,
    /// Fewest contributions that may be opened.
    pub min_parties: u16,
    /// Most members that may collude with each other and the coordinator. The recipient counts as one of them if it colludes.
    pub colluders: u16,
}

/// A [`Proposal`] that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    proposal: Proposal,
    cells: usize,
    degree: Degree,
    sid: SessionId,
}

impl Terms {
    /// Checks everything that can be known before a round.
    pub fn new(proposal: Proposal) -> Result<Self, RoundFault> {
        roster::check(&proposal.roster)?;
        let members = proposal.roster.len();
        range("the recipient", 0, members - 1, proposal.recipient.index())?;
        // Two members that do not collude: with one alone, the others' sum tells its vector.
        let colluders = usize::from(proposal.colluders);
        range("the number of colluders", 0, members - 2, colluders)?;
        let quorum = quorum(members, colluders);
        range("the quorum", 2, members, quorum)?;
        let least = (colluders + 2).max(MEMBERS_MIN);
        let min_parties = usize::from(proposal.min_parties);
        range("the number of parties", least, members, min_parties)?;
        range(
            "the number of columns",
            1,
            COLUMNS_MAX,
            proposal.columns.len(),
        )?;
        let cells: u64 = proposal
            .columns
            .iter()
            .map(|column| u64::from(column.cells))
            .sum();
        range(
            "the number of cells",
            1,
            CELLS_MAX,
            usize::try_from(cells).unwrap_or(usize::MAX),
        )?;
        let (sid, cells) = (name(&proposal), cells as usize);
        let sizes = Sizes {
            members,
            colluders,
            quorum,
            cohort_min: quorum.max(min_parties),
        };
        let terms = Self {
            cells,
            degree: Degree::new(sizes),
            sid,
            proposal,
        };
        terms.check_overflow()?;
        Ok(terms)
    }

    fn check_overflow(&self) -> Result<(), RoundFault> {
        for (place, column) in self.proposal.columns.iter().enumerate() {
            let mut largest = u128::from(column.magnitude_max);
            if let Some(scale) = column.noise {
                let (_, denominator) = scale.fraction();
                let denominator = usize::try_from(denominator).unwrap_or(usize::MAX);
                range(
                    "a noise scale's denominator",
                    1,
                    DENOMINATOR_MAX as usize,
                    denominator,
                )?;
                // A bound too large for 128 bits becomes their greatest number, and is refused.
                largest = largest.saturating_add(self.noise_share_max(scale) as u128);
            }
            let sum = largest.saturating_mul(self.members() as u128);
            let bits = u128::BITS - sum.leading_zeros();
            if bits > 63 {
                return Err(Refusal::Overflow {
                    column: place,
                    bits,
                }
                .into());
            }
        }
        Ok(())
    }

    /// A magnitude that no member's share of the noise exceeds, except with probability 2^−λ₀ in the whole round: a share is the
    /// difference of two variables that a geometric one exceeds, so the bound of the full noise holds for it.
    pub(super) fn noise_share_max(&self, scale: Scale) -> f64 {
        scale.bound((self.cells * self.members()) as u64)
    }

    /// The name of this round, which every hash, key and signature takes: it binds `H`, round, roster, recipient and all else here.
    pub fn sid(&self) -> &SessionId {
        &self.sid
    }

    /// Members of the roster.
    pub fn members(&self) -> usize {
        self.proposal.roster.len()
    }

    /// All of them.
    pub fn everyone(&self) -> impl Iterator<Item = Member> + use<> {
        (0..self.members() as u16).map(Member)
    }

    /// What was proposed.
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Who reads.
    pub fn recipient(&self) -> Member {
        self.proposal.recipient
    }

    /// Most colluders.
    pub fn colluders(&self) -> usize {
        usize::from(self.proposal.colluders)
    }

    /// Cells of a vector.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.proposal.columns
    }

    /// Signatures that make a survivor set the only one: twice as many exceed members and colluders together, so two sets with that many
    /// would have an honest member among the signers of both, and an honest member signs one.
    pub fn quorum(&self) -> usize {
        quorum(self.members(), self.colluders())
    }

    /// Fewest contributions that are opened.
    pub fn survivors_min(&self) -> usize {
        self.quorum().max(usize::from(self.proposal.min_parties))
    }

    /// Fewest honest members whose vectors are in an opened sum together: survivors, less colluders, less those whom a coordinator can cut off from
    /// the others by naming all of their neighbours as vanished, so that they survive in name only. An honest recipient is one of them: as it knows its own
    /// vector, from its view one fewer is hidden.
    pub fn honest_min(&self) -> usize {
        self.survivors_min() - self.colluders() - self.degree.isolable
    }

    /// How many members' shares of the noise are of full strength together: one fewer than [`Self::honest_min`], as the recipient knows its own share and need not be one of
    /// the colluders. Never zero: two honest members stay together in every graph.
    pub fn noise_parties(&self) -> usize {
        self.survivors_min() - (self.colluders() + 1) - self.degree.isolable
    }

    /// Members that may be missing, from the start or from any later step on.
    pub fn dropouts_max(&self) -> usize {
        self.members() - self.survivors_min()
    }

    /// How many neighbours a member has and how many shares open a secret: fixed by the sizes here, so the leakage statement can tell it.
    pub fn degree(&self) -> Degree {
        self.degree
    }

    /// The identity key pinned for a member of the roster.
    pub(super) fn identity(&self, member: Member) -> Option<&[u8; 32]> {
        let organisation = self.proposal.roster.get(member.index())?;
        Some(&organisation.identity)
    }

    /// Bytes of a set of members.
    pub(super) fn set_bytes(&self) -> usize {
        self.members().div_ceil(8)
    }
}

const fn quorum(members: usize, colluders: usize) -> usize {
    (members + colluders) / 2 + 1
}

pub(super) fn range(
    what: &'static str,
    min: usize,
    max: usize,
    got: usize,
) -> Result<(), RoundFault> {
    if (min..=max).contains(&got) {
        return Ok(());
    }
    let [min, max, got] = [min, max, got].map(|number| number as u64);
    Err(Refusal::OutOfRange {
        what,
        min,
        max,
        got,
    }
    .into())
}

/// Every part comes with its length or has a fixed one, so two proposals never hash the same bytes.
fn name(proposal: &Proposal) -> SessionId {
    let job = SessionId::new(proposal.job);
    let roster: Vec<&[u8]> = proposal
        .roster
        .iter()
        .flat_map(|organisation| [organisation.name.as_bytes(), &organisation.identity[..]])
        .collect();
    let roster = hash::digest("entente/1/aggregate/roster", &job, &roster);
    let columns: Vec<u8> = proposal
        .columns
        .iter()
        .flat_map(|column| {
            let noise = column.noise.map_or([0; 3], Scale::words);
            let numbers = [u64::from(column.cells), column.magnitude_max]
                .into_iter()
                .chain(noise);
            numbers.flat_map(u64::to_le_bytes).collect::<Vec<u8>>()
        })
        .collect();
    let [recipient, min_parties, colluders] = [
        proposal.recipient.0,
        proposal.min_parties,
        proposal.colluders,
    ]
    .map(u16::to_le_bytes);
    let (version, round) = (VERSION.to_le_bytes(), proposal.round.to_le_bytes());
    SessionId::new(hash::digest(
        "entente/1/aggregate/round",
        &job,
        &[
            &version,
            &round,
            &roster,
            &recipient,
            &min_parties,
            &colluders,
            &columns,
        ],
    ))
}
