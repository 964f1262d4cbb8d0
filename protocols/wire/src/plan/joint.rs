//! The joint part of a plan that runs by the blind join (protocols.md §7 and §8): which sums a cell has, how wide each is, and how
//! much noise it carries.
//!
//! A cell is one combination of R's and S's groups. It has the same moments everywhere, and the first is always the number of
//! common ids, by which a cell is shown or suppressed. Everything about a moment is arithmetic modulo 2^`bits`; the planner has
//! proven that neither its sum nor its noise can leave that range.

use super::noise::{Cap, NoiseScale};
use super::{Display, GroupKey, TableColumn, TableValue};
use crate::names::OrgName;
use crate::policy::Epsilon;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Aggregates over common ids that nobody learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joint {
    /// Output columns in the order of SELECT.
    pub columns: Vec<TableColumn>,
    /// What is added up in each cell; [`MomentKind::Ids`] first, no kind twice, and none that no column needs.
    pub moments: Vec<Moment>,
    /// Cells with fewer ids are suppressed: none of their moments is opened.
    pub min_group: u64,
    /// Privacy loss of one run; none where the table is exact.
    pub epsilon: Option<Epsilon>,
    /// Who reads the table: one party or both.
    pub readers: BTreeSet<OrgName>,
    /// How it is displayed.
    pub display: Display,
}

impl Joint {
    /// The place of `what` among the moments. COUNT(x) has none of its own where WHERE leaves no NULL in x: then it is the number
    /// of ids.
    pub fn moment(&self, what: &MomentKind) -> Option<usize> {
        let found = self.moments.iter().position(|moment| moment.what == *what);
        match what {
            MomentKind::One {
                column: SideColumn::Present { .. },
                ..
            } => found.or(Some(0)),
            _ => found,
        }
    }

    /// The scale of the noise that a party adds to a moment of each cell; none where the table is exact or there is no such moment.
    pub fn noise(&self, moment: usize) -> Option<NoiseScale> {
        let (epsilon, moment) = (self.epsilon?, self.moments.get(moment)?);
        NoiseScale::of(moment.cap, self.moments.len(), epsilon)
    }

    /// How many parties add noise: for one reader only its partner, whose noise alone protects against it; for two both.
    pub fn noisy_parties(&self) -> usize {
        match self.epsilon {
            Some(_) => self.readers.len(),
            None => 0,
        }
    }
}

/// A sum over the common ids of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// What is added up.
    pub what: MomentKind,
    /// The sum with its noise is proven to fit a signed number of so many bits; at most [`crate::limits::MOMENT_BITS_MAX`].
    pub bits: u8,
    /// The largest absolute contribution of one id, in units of 10^-scale of what is added up.
    pub cap: Cap,
    /// Whether the readers see it. All do but the number of ids, which may serve the threshold only.
    pub opened: bool,
}

/// What a moment adds up. Sides index [`super::Plan::sides`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum MomentKind {
    /// 1 for each common id.
    Ids,
    /// A column of one side.
    One {
        /// Index into `sides`.
        side: usize,
        /// Which of its columns.
        column: SideColumn,
    },
    /// The product of a column of the first side and one of the second.
    Both {
        /// In the order of `sides`.
        columns: [SideColumn; 2],
    },
}

/// A whole number a row that one party computes alone. Places index that side's `measures`; NULL counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SideColumn {
    /// The measure.
    Value {
        /// Which.
        place: usize,
    },
    /// 1 where the measure has a value.
    Present {
        /// Which.
        place: usize,
    },
    /// The measure times itself.
    Square {
        /// Which.
        place: usize,
    },
    /// One measure times another; the smaller place stands first.
    Product {
        /// Which.
        places: [usize; 2],
    },
}

/// One measure of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureAt {
    /// Index into `sides`.
    pub side: usize,
    /// Index into `measures`.
    pub place: usize,
}

impl MeasureAt {
    /// The sum of its values.
    pub fn value(self) -> MomentKind {
        let column = SideColumn::Value { place: self.place };
        MomentKind::One {
            side: self.side,
            column,
        }
    }

    /// The number of its values.
    pub fn present(self) -> MomentKind {
        let column = SideColumn::Present { place: self.place };
        MomentKind::One {
            side: self.side,
            column,
        }
    }

    /// The sum of its squares.
    pub fn square(self) -> MomentKind {
        let column = SideColumn::Square { place: self.place };
        MomentKind::One {
            side: self.side,
            column,
        }
    }

    /// The sum of its products with `other`: one kind, whichever of the two is asked.
    pub fn product(self, other: Self) -> MomentKind {
        let (first, second) = match (self.side, self.place) <= (other.side, other.place) {
            true => (self, other),
            false => (other, self),
        };
        match first.side == second.side {
            true if first.place == second.place => first.square(),
            true => MomentKind::One {
                side: first.side,
                column: SideColumn::Product {
                    places: [first.place, second.place],
                },
            },
            false => MomentKind::Both {
                columns: [first, second].map(|at| SideColumn::Value { place: at.place }),
            },
        }
    }
}

impl TableValue {
    /// The moments that a column of a [`Joint`] table is computed from:
    ///
    /// | column | moments |
    /// |---|---|
    /// | group key | none |
    /// | COUNT(*) | ids |
    /// | COUNT(x) | values of x |
    /// | SUM(x) | Σx |
    /// | AVG(x) | values of x, Σx |
    /// | VAR_SAMP(x), STDDEV_SAMP(x) | values of x, Σx, Σx² |
    /// | CORR(y, x) | ids, Σy, Σx, Σyx, Σy², Σx² |
    /// | REGR_SLOPE(y, x), REGR_INTERCEPT(y, x) | ids, Σy, Σx, Σyx, Σx² |
    pub fn moments(&self) -> Vec<MomentKind> {
        let at = |side: &usize, place: &usize| MeasureAt {
            side: *side,
            place: *place,
        };
        match self {
            Self::Group { .. } => Vec::new(),
            Self::CountAll => vec![MomentKind::Ids],
            Self::Count { side, place } => vec![at(side, place).present()],
            Self::Sum { side, place } => vec![at(side, place).value()],
            Self::Avg { side, place } => {
                let x = at(side, place);
                vec![x.present(), x.value()]
            }
            Self::VarSamp { side, place } | Self::StddevSamp { side, place } => {
                let x = at(side, place);
                vec![x.present(), x.value(), x.square()]
            }
            Self::Corr { y, x } => {
                let mut moments = regression(*y, *x);
                moments.insert(moments.len() - 1, y.square());
                moments
            }
            Self::RegrSlope { y, x } | Self::RegrIntercept { y, x } => regression(*y, *x),
        }
    }
}

fn regression(y: MeasureAt, x: MeasureAt) -> Vec<MomentKind> {
    vec![
        MomentKind::Ids,
        y.value(),
        x.value(),
        y.product(x),
        x.square(),
    ]
}

/// The cells of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groups {
    /// Combinations of the receiver's group codes; 1 without groups.
    pub receiver: u64,
    /// Combinations of the sender's group codes, padded to a power of two; codes after the last are nobody's.
    pub sender: u64,
}

impl Groups {
    /// Of a receiver and a sender with these keys.
    pub fn of(receiver: &[GroupKey], sender: &[GroupKey]) -> Self {
        Self {
            receiver: codes(receiver),
            sender: codes(sender)
                .checked_next_power_of_two()
                .unwrap_or(u64::MAX),
        }
    }

    /// All cells, padding included.
    pub fn cells(self) -> u64 {
        self.receiver.saturating_mul(self.sender)
    }
}

/// Combinations of one side's group codes.
pub(super) fn codes(keys: &[GroupKey]) -> u64 {
    let sizes = keys
        .iter()
        .map(|key| key.domain.len() as u64 + u64::from(key.nullable));
    sizes.fold(1, u64::saturating_mul)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{from_bytes, to_bytes};
    use crate::plan::Operator;

    #[test]
    fn a_moment_travels_inside_an_operator_with_all_bits_of_its_cap() {
        let moment = |cap| Moment {
            what: MeasureAt { side: 1, place: 2 }.square(),
            bits: 127,
            cap: Cap(cap),
            opened: true,
        };
        let operator = Operator::Joint(Joint {
            columns: Vec::new(),
            moments: vec![moment(1 << 126), moment(u128::MAX), moment(0)],
            min_group: 1,
            epsilon: None,
            readers: BTreeSet::new(),
            display: Display::default(),
        });
        let bytes = to_bytes(&operator);
        assert_eq!(from_bytes::<Operator>(&bytes).expect("own bytes"), operator);
    }

    #[test]
    fn a_product_is_one_kind_whichever_factor_is_asked() {
        let at = |side, place| MeasureAt { side, place };
        for (one, other) in [
            (at(0, 0), at(0, 1)),
            (at(0, 1), at(1, 0)),
            (at(1, 2), at(1, 2)),
        ] {
            assert_eq!(one.product(other), other.product(one));
        }
        assert_eq!(at(1, 2).product(at(1, 2)), at(1, 2).square());
        assert_eq!(
            at(1, 3).product(at(0, 2)),
            MomentKind::Both {
                columns: [
                    SideColumn::Value { place: 2 },
                    SideColumn::Value { place: 3 }
                ]
            }
        );
    }
}
