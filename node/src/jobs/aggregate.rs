//! An aggregation in the words of the protocol library: who takes part, what is added up, how large it can get, and what a round costs.

use super::view::View;
use entente_protocols::aggregate::{
    self, Column, Member, Organisation, Proposal, Refusal, RoundFault, TAG_WORDS, Terms,
};
use entente_protocols::release::Scale;
use entente_wire::decimal;
use entente_wire::leakage::Cost;
use entente_wire::names::OrgName;
use entente_wire::people::Pins;
use entente_wire::plan::{Aggregation, Moment, MomentKind, SideColumn};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::seal::{AggregateTerms, JobHash, Protocol};

/// Words that one core of a small cloud machine puts under one mask in a microsecond.
const MASKED_WORDS_PER_MICROSECOND: u64 = 1_000;
/// What the keys, signatures and boxes of one member take at each other member.
const MEMBER_MICROSECONDS: u64 = 400;
/// Bytes of keys, signatures and boxes that travel for each two members.
const PAIR_BYTES: u64 = 512;
/// Vectors that the recipient's node holds at its most: its own with the copies that are sent, the sum as it comes and as it is opened,
/// and the masks that are taken off it.
const VECTORS_HELD: u64 = 9;
/// What a round needs however small it is.
const BASE_MEMORY_MIB: u64 = 16;

/// Which round of which job.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoundName {
    pub(super) job: JobHash,
    pub(super) number: u64,
}

/// The terms of one round: everything in them follows from the plan, the publications and the keys that this node pinned.
pub(super) fn terms(
    plan: &Aggregation,
    publications: &[&Publication],
    view: &View,
    round: RoundName,
) -> Result<Terms, Problem> {
    let roster = plan.sides.iter().map(|side| organisation(&side.org, view));
    let roster: Vec<Organisation> = roster.collect::<Result<_, _>>()?;
    let recipient = plan
        .sides
        .iter()
        .position(|side| Some(&side.org) == plan.recipient());
    let recipient = recipient.ok_or_else(|| defect("nobody of the parties reads the table"))?;
    let ids = publications
        .iter()
        .map(|publication| publication.ids_rounded);
    let ids_max = ids.max().unwrap_or(0);
    let columns = plan.table.moments.iter().enumerate();
    let columns = columns.map(|(place, moment)| column(plan, (place, moment), ids_max));
    let proposal = Proposal {
        job: round.job.0.0,
        round: round.number,
        roster,
        recipient: member(recipient)?,
        columns: columns.collect::<Result<_, _>>()?,
        // With two honest parties in every sum.
        min_parties: small(plan.min_parties.max(plan.colluders + 2).into())?,
        colluders: small(plan.colluders.into())?,
    };
    Terms::new(proposal).map_err(|fault| refused(&fault, plan, ids_max))
}

fn organisation(org: &OrgName, view: &View) -> Result<Organisation, Problem> {
    let registry = view.registry(org).ok_or_else(|| {
        let what = format!(
            "{org} is not linked with this node, so it cannot know whose numbers are added up"
        );
        Problem::here(
            Code::PartnerUnknown,
            what,
            format!("link it first: `entente invite {org}`"),
        )
    })?;
    Ok(Organisation {
        name: org.to_string(),
        identity: registry.node_key.as_bytes(),
    })
}

/// A place in the roster.
pub(super) fn member(place: usize) -> Result<Member, Problem> {
    small(place as u64).map(Member)
}

fn small(number: u64) -> Result<u16, Problem> {
    u16::try_from(number).map_err(|_| defect("a round has more members than fit"))
}

/// A moment's column. A cell holds at most what as many ids as any party publishes can add up to.
fn column(
    plan: &Aggregation,
    (place, moment): (usize, &Moment),
    ids_max: u64,
) -> Result<Column, Problem> {
    let largest = moment.cap.0.checked_mul(ids_max.into());
    let largest = largest.and_then(|largest| u64::try_from(largest).ok());
    let noise = match plan.table.epsilon {
        None => None,
        Some(_) => Some(scale(plan, place).ok_or_else(|| too_large(plan, moment, ids_max))?),
    };
    Ok(Column {
        cells: u32::try_from(plan.cells())
            .map_err(|_| defect("a table has more cells than fit"))?,
        magnitude_max: largest.ok_or_else(|| too_large(plan, moment, ids_max))?,
        noise,
    })
}

fn scale(plan: &Aggregation, moment: usize) -> Option<Scale> {
    let scale = plan.table.noise(moment)?;
    Scale::new(scale.numerator, scale.denominator)
}

/// The plan's protocol with its parameters, and what a round costs.
pub(super) fn agreed(
    plan: &Aggregation,
    publications: &[&Publication],
    view: &View,
) -> Result<(Protocol, Cost), Problem> {
    // Parameters hang on sizes alone, so any round's will do.
    let round = RoundName {
        job: JobHash(entente_wire::canonical::Digest([0; 32])),
        number: 1,
    };
    let terms = terms(plan, publications, view, round)?;
    let degree = terms.degree();
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let recipient = plan.recipient().cloned();
    let sealed = AggregateTerms {
        version: aggregate::VERSION,
        recipient: recipient.ok_or_else(|| defect("nobody reads the table"))?,
        words: number(terms.cells()),
        tag_words: number(TAG_WORDS),
        survivors_min: number(terms.survivors_min()),
        colluders: plan.colluders,
        quorum: number(terms.quorum()),
        picks: degree.picks.map(number),
        threshold: number(degree.threshold),
        isolable: number(degree.isolable),
    };
    let cost = cost(&terms);
    Ok((Protocol::Aggregate(sealed), cost))
}

/// Bytes of all words and about those of all keys and boxes; seconds of one node with its masks, and of the recipient, which takes off one
/// mask of each party that stays and those with all neighbours of each that vanishes.
fn cost(terms: &Terms) -> Cost {
    let (members, words) = (terms.members() as u64, (terms.cells() + TAG_WORDS) as u64);
    let neighbours = terms
        .degree()
        .picks
        .map_or(members - 1, |picks| 2 * picks as u64);
    let vanished = members - terms.survivors_min() as u64;
    let streams = neighbours + members + vanished * neighbours;
    let masked = words.saturating_mul(streams);
    let microseconds = masked / MASKED_WORDS_PER_MICROSECOND + members * MEMBER_MICROSECONDS;
    let vectors = words.saturating_mul(8);
    Cost {
        bytes: vectors
            .saturating_mul(members + 1)
            .saturating_add(members * members * PAIR_BYTES),
        seconds: microseconds.div_ceil(1_000_000),
        memory_mib: BASE_MEMORY_MIB + vectors.saturating_mul(VECTORS_HELD).div_ceil(1 << 20),
        link: None,
    }
}

/// The standard error of the noise of so many parties in each moment of a cell; `None` where the table is exact.
pub(super) fn standard_errors(
    plan: &Aggregation,
    terms: &Terms,
    survivors: usize,
) -> Option<Vec<f64>> {
    plan.table.epsilon?;
    // Shares of as many parties as the noise counts on make up the whole; variances add up.
    let whole = (survivors as f64 / terms.noise_parties() as f64).sqrt();
    let errors = (0..plan.table.moments.len())
        .map(|moment| whole * scale(plan, moment).map_or(0.0, Scale::standard_error));
    Some(errors.collect())
}

fn refused(fault: &RoundFault, plan: &Aggregation, ids_max: u64) -> Problem {
    match fault {
        RoundFault::Refused(Refusal::Overflow { column, .. }) => {
            match plan.table.moments.get(*column) {
                Some(moment) => too_large(plan, moment, ids_max),
                None => defect("a sum that is not in the plan is too large"),
            }
        }
        RoundFault::Refused(Refusal::Roster) => Problem::here(
            Code::RegistryRefused,
            "two of the parties have the same node key, so they are not two",
            "ask both which of them made the key; one has to make another and be linked again",
        ),
        fault => {
            let what = format!("the parties and sizes do not fit the protocol: {fault}");
            Problem::here(Code::Defect, what, "report this with the job file")
        }
    }
}

/// A sum that as many parties as there are could drive out of 64 bits.
fn too_large(plan: &Aggregation, moment: &Moment, ids_max: u64) -> Problem {
    let parties = plan.sides.len();
    let measure = |place: usize| plan.sides.first().and_then(|side| side.measures.get(place));
    let (what, scale) = match &moment.what {
        MomentKind::One {
            column: SideColumn::Value { place },
            ..
        } => ("the sum of", measure(*place)),
        MomentKind::One {
            column: SideColumn::Square { place },
            ..
        } => ("the sum of squares of", measure(*place)),
        MomentKind::One {
            column: SideColumn::Product { places: [place, _] },
            ..
        } => ("a sum of products of", measure(*place)),
        _ => ("the number of ids of", None),
    };
    let name = scale.map_or("the table", |measure| measure.sql.0.as_str());
    let cap = scale.map_or_else(
        || moment.cap.to_string(),
        |measure| {
            let [low, high] = measure
                .clip
                .map(|bound| decimal::render(bound, measure.scale));
            format!("{low} … {high} with {} decimals", measure.scale)
        },
    );
    let noise = plan.table.epsilon.map_or("", |_| ", with their noise,");
    Problem::request(
        Code::JobFile,
        format!(
            "{what} {name} could wrap: {parties} parties with up to {ids_max} ids each, capped to {cap},{noise} do not fit 64 bits"
        ),
        "lower the cap, keep fewer decimals, or leave out variances, which add up squares; with noise, a larger `epsilon` helps too",
    )
}

fn defect(what: &str) -> Problem {
    Problem::here(Code::Defect, what, "report this with the node's log")
}
