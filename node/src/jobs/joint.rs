//! A joint plan in the words of the protocol library: the table's shape, the columns that each side brings for it, what the release
//! is to know, and how far its noise moves a number.

use super::protocol::{Sizes, too_large};
use entente_protocols::blind::{self, What};
use entente_protocols::release::{self, Readers, Scale};
use entente_wire::plan::{Joint, Measure, Moment, MomentKind, Operator, Plan, Side, SideColumn};
use entente_wire::problem::{Code, Problem};
use entente_wire::seal::Transfers;

/// What both roles bring and add up.
pub(super) struct Shape {
    pub(super) table: blind::Table,
    receiver_columns: Vec<SideColumn>,
    sender_columns: Vec<SideColumn>,
}

impl Shape {
    pub(super) fn of(plan: &Plan) -> Result<Self, Problem> {
        let joint = joint(plan)?;
        let (mut receiver_columns, mut sender_columns) = (Vec::new(), Vec::new());
        let receiver_side = receiver_side(plan)?;
        let moment = |moment: &Moment| {
            let what = match &moment.what {
                MomentKind::Ids => What::Ids,
                MomentKind::One { side, column } if *side == receiver_side => {
                    What::Receiver(place(&mut receiver_columns, *column))
                }
                MomentKind::One { column, .. } => What::Sender(place(&mut sender_columns, *column)),
                MomentKind::Both { columns } => {
                    let column = columns[receiver_side];
                    What::Both {
                        receiver: place(&mut receiver_columns, column),
                        sender: place(&mut sender_columns, columns[1 - receiver_side]),
                        receiver_bits: bits(&plan.sides[receiver_side], column)?,
                    }
                }
            };
            let bits = moment.bits.into();
            Ok(blind::Moment { what, bits })
        };
        let moments = joint.moments.iter().map(moment);
        let moments = moments.collect::<Result<_, Problem>>()?;
        let groups = plan.groups();
        let codes = |groups| u32::try_from(groups).unwrap_or(u32::MAX);
        let (of_receiver, of_sender) = (codes(groups.receiver), codes(groups.sender));
        let table = blind::Table::new(of_receiver, of_sender, moments);
        Ok(Self {
            table: table.map_err(|fault| too_large(&fault))?,
            receiver_columns,
            sender_columns,
        })
    }

    /// The columns that a role brings, in the places by which the table names them.
    pub(super) fn columns(&self, receives: bool) -> &[SideColumn] {
        match receives {
            true => &self.receiver_columns,
            false => &self.sender_columns,
        }
    }
}

/// The blind join as the plan wants it, with transfers made so.
pub(super) fn job(plan: &Plan, sizes: Sizes, transfers: Transfers) -> Result<blind::Job, Problem> {
    let table = Shape::of(plan)?.table;
    let job = blind::Job::new(sizes.receiver, sizes.sender, table);
    let job = job.map_err(|fault| too_large(&fault))?;
    Ok(job.with_transfers(match transfers {
        Transfers::Fast => blind::Transfers::Fast,
        Transfers::Silent => blind::Transfers::Silent,
    }))
}

/// What both parties agree on for the release.
pub(super) fn release_terms(plan: &Plan) -> Result<release::Terms, Problem> {
    let joint = joint(plan)?;
    let moments = joint.moments.iter().enumerate();
    let moments = moments.map(|(place, moment)| release::Moment {
        bits: moment.bits.into(),
        opened: moment.opened,
        noise: scale(joint, place),
    });
    let readers = match (reads(plan, joint, true)?, reads(plan, joint, false)?) {
        (true, true) => Readers::Both,
        (true, false) => Readers::Receiver,
        (false, _) => Readers::Sender,
    };
    let cells = usize::try_from(plan.groups().cells()).unwrap_or(usize::MAX);
    release::Terms::new(cells, moments.collect(), joint.min_group, readers)
        .map_err(|fault| too_large(&fault))
}

/// The noise of one party in a moment.
fn scale(joint: &Joint, moment: usize) -> Option<Scale> {
    let scale = joint.noise(moment)?;
    Scale::new(scale.numerator, scale.denominator)
}

/// The standard error of all noise in each moment of a cell; `None` where the table is exact.
pub(super) fn standard_errors(joint: &Joint) -> Option<Vec<f64>> {
    joint.epsilon?;
    // Independent draws: variances add up.
    let parties = (joint.noisy_parties() as f64).sqrt();
    let errors = (0..joint.moments.len()).map(|moment| {
        let error = scale(joint, moment).map(Scale::standard_error);
        parties * error.unwrap_or(0.0)
    });
    Some(errors.collect())
}

pub(super) fn joint(plan: &Plan) -> Result<&Joint, Problem> {
    match &plan.operator {
        Operator::Joint(joint) => Ok(joint),
        _ => Err(defect("a plan without a joint table has no blind join")),
    }
}

fn receiver_side(plan: &Plan) -> Result<usize, Problem> {
    let place = plan.sides.iter().position(|side| side.org == plan.receiver);
    place.ok_or_else(|| defect("the receiver is not a party of the plan"))
}

/// Whether the role's party reads the table.
fn reads(plan: &Plan, joint: &Joint, receiver: bool) -> Result<bool, Problem> {
    let place = receiver_side(plan)?;
    let side = &plan.sides[if receiver { place } else { 1 - place }];
    Ok(joint.readers.contains(&side.org))
}

/// The place of a column among those that a side brings; a new one if it is not there.
fn place(columns: &mut Vec<SideColumn>, column: SideColumn) -> usize {
    match columns.iter().position(|known| *known == column) {
        Some(place) => place,
        None => {
            columns.push(column);
            columns.len() - 1
        }
    }
}

/// Bits of a signed number that holds every value of a column.
fn bits(side: &Side, column: SideColumn) -> Result<u32, Problem> {
    let cap = |place: usize| {
        let measure = side.measures.get(place).map(Measure::cap);
        measure
            .map(u128::from)
            .ok_or_else(|| defect("a column of the blind join names no measure"))
    };
    let largest = match column {
        SideColumn::Value { place } => cap(place)?,
        SideColumn::Present { .. } => 1,
        SideColumn::Square { place } => cap(place)?.pow(2),
        SideColumn::Product { places } => cap(places[0])? * cap(places[1])?,
    };
    // −2^(b−1) ≤ x < 2^(b−1) for |x| ≤ largest.
    Ok(u128::BITS - largest.leading_zeros() + 1)
}

fn defect(what: &str) -> Problem {
    Problem::here(Code::Defect, what, "report this with both nodes' versions")
}
