//! What a cell's sums give: counts, averages, variances, correlation and regression as exact quotients, and how far noise may have
//! moved each.
//!
//! Sums are whole numbers in units of 10^-scale of what is added up. Nothing is rounded here; a statistic that has no value, as
//! over no row, or that noise has left without one, such as an average over a count of 0 or a variance below 0, is `None`: NULL.
//!
//! Bars of error are first-order (the delta method): Var f ≈ Σ (∂f/∂moment)²·Var(noise of moment), with noise that is independent
//! from moment to moment, taken at the released values.

use super::fault::defect;
use super::quotient::{Quotient, near};
use entente_wire::plan::{Joint, MeasureAt, MomentKind, TableValue};
use entente_wire::problem::Problem;
use num_bigint::BigInt;

/// A statistic, exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exact {
    Whole(i128),
    Quotient(Quotient),
    /// The square root of a quotient, with its sign.
    Root(Quotient),
}

impl Exact {
    /// In units of 10^-`decimals`, half away from zero; `None` beyond 38 digits. `scale` is that of the statistic's own units.
    pub(super) fn rounded(&self, scale: i32, decimals: u8) -> Option<i128> {
        let shift = i32::from(decimals) - scale;
        match self {
            Self::Whole(number) => {
                Quotient::new((*number).into(), 1.into()).and_then(|whole| whole.rounded(shift))
            }
            Self::Quotient(quotient) => quotient.rounded(shift),
            Self::Root(quotient) => quotient.root_rounded(shift),
        }
    }
}

/// The released sums of one cell.
#[derive(Clone, Copy)]
pub(super) struct Sums<'a> {
    joint: &'a Joint,
    words: &'a [i128],
}

/// How fast a statistic moves with each of its moments; one can stand there twice.
type Slopes = Vec<(MomentKind, f64)>;

/// Sums of two variables over the ids of a cell, and what regression is made of: n·Σyx − Σy·Σx, n·Σx² − (Σx)², n·Σy² − (Σy)².
struct Pair {
    n: BigInt,
    y: BigInt,
    x: BigInt,
    covariance: BigInt,
    x_variance: BigInt,
}

impl<'a> Sums<'a> {
    /// `words` by moment.
    pub(super) fn new(joint: &'a Joint, words: &'a [i128]) -> Result<Self, Problem> {
        match words.len() == joint.moments.len() {
            true => Ok(Self { joint, words }),
            false => Err(defect("a released cell has other moments than the plan")),
        }
    }

    /// A moment's place, if readers see it.
    fn place(&self, what: &MomentKind) -> Result<usize, Problem> {
        let place = self.joint.moment(what);
        let opened = place.filter(|place| {
            let moment = self.joint.moments.get(*place);
            moment.is_some_and(|moment| moment.opened)
        });
        opened.ok_or_else(|| defect("a column needs a moment that is not released"))
    }

    fn word(&self, what: &MomentKind) -> Result<i128, Problem> {
        let word = self.words.get(self.place(what)?).copied();
        word.ok_or_else(|| defect("a released cell has too few moments"))
    }

    fn big(&self, what: &MomentKind) -> Result<BigInt, Problem> {
        self.word(what).map(BigInt::from)
    }

    /// What stands in a column; group keys are not made of sums.
    pub(super) fn exact(&self, what: &TableValue) -> Result<Option<Exact>, Problem> {
        let at = |side, place| MeasureAt { side, place };
        let count = |kind| {
            let count = self.word(&kind)?;
            Ok((count >= 0).then_some(Exact::Whole(count)))
        };
        match *what {
            TableValue::Group { .. } => Err(defect("a group key is no sum")),
            TableValue::CountAll => count(MomentKind::Ids),
            TableValue::Count { side, place } => count(at(side, place).present()),
            TableValue::Sum { side, place } => self
                .word(&at(side, place).value())
                .map(Exact::Whole)
                .map(Some),
            TableValue::Avg { side, place } => {
                let x = at(side, place);
                let average = Quotient::new(self.big(&x.value())?, self.big(&x.present())?);
                Ok(average.map(Exact::Quotient))
            }
            TableValue::VarSamp { side, place } => {
                Ok(self.variance(at(side, place))?.map(Exact::Quotient))
            }
            TableValue::StddevSamp { side, place } => {
                Ok(self.variance(at(side, place))?.map(Exact::Root))
            }
            TableValue::Corr { y, x } => Ok(self.correlation(y, x)?.map(Exact::Root)),
            TableValue::RegrSlope { y, x } => {
                let pair = self.pair(y, x)?;
                let slope = pair.and_then(|pair| Quotient::new(pair.covariance, pair.x_variance));
                Ok(slope.map(Exact::Quotient))
            }
            TableValue::RegrIntercept { y, x } => {
                let intercept = self.pair(y, x)?.and_then(|pair| {
                    let over = &pair.y * &pair.x_variance - &pair.covariance * &pair.x;
                    Quotient::new(over, pair.n * pair.x_variance)
                });
                Ok(intercept.map(Exact::Quotient))
            }
        }
    }

    /// (n·Σx² − (Σx)²) / (n·(n − 1)).
    fn variance(&self, x: MeasureAt) -> Result<Option<Quotient>, Problem> {
        let n = self.big(&x.present())?;
        let over = self.spread(&n, x)?;
        let above = n > BigInt::from(1) && over >= BigInt::ZERO;
        Ok(above.then(|| Quotient::new(over, &n * (&n - 1))).flatten())
    }

    /// n·Σx² − (Σx)².
    fn spread(&self, n: &BigInt, x: MeasureAt) -> Result<BigInt, Problem> {
        let sum = self.big(&x.value())?;
        Ok(n * self.big(&x.square())? - &sum * &sum)
    }

    /// `None` where x does not vary, or noise says so.
    fn pair(&self, y: MeasureAt, x: MeasureAt) -> Result<Option<Pair>, Problem> {
        let n = self.big(&MomentKind::Ids)?;
        let (sum_y, sum_x) = (self.big(&y.value())?, self.big(&x.value())?);
        let pair = Pair {
            covariance: &n * self.big(&y.product(x))? - &sum_y * &sum_x,
            x_variance: self.spread(&n, x)?,
            n,
            y: sum_y,
            x: sum_x,
        };
        let varies = pair.n > BigInt::ZERO && pair.x_variance > BigInt::ZERO;
        Ok(varies.then_some(pair))
    }

    /// r·|r|, whose root is r.
    fn correlation(&self, y: MeasureAt, x: MeasureAt) -> Result<Option<Quotient>, Problem> {
        let Some(pair) = self.pair(y, x)? else {
            return Ok(None);
        };
        let y_variance = self.spread(&pair.n, y)?;
        if y_variance <= BigInt::ZERO {
            return Ok(None);
        }
        let magnitude = BigInt::from(pair.covariance.magnitude().clone());
        let under = pair.x_variance * y_variance;
        Ok(Quotient::new(pair.covariance * magnitude, under))
    }

    /// The standard error of what stands in a column, in the statistic's own units; `None` where it is NULL. `errors`: of the noise,
    /// by moment.
    pub(super) fn error(&self, what: &TableValue, errors: &[f64]) -> Result<Option<f64>, Problem> {
        if self.exact(what)?.is_none() {
            return Ok(None);
        }
        let slopes = self.slopes(what)?;
        // A moment can stand for two sums, which then move together.
        let mut by_moment = vec![0.0; self.words.len()];
        for (kind, slope) in slopes {
            by_moment[self.place(&kind)?] += slope;
        }
        if errors.len() != by_moment.len() {
            return Err(defect("noise has other moments than the plan"));
        }
        let moved = by_moment.iter().zip(errors);
        Ok(Some(
            moved
                .map(|(slope, error)| (slope * error).powi(2))
                .sum::<f64>()
                .sqrt(),
        ))
    }

    /// How fast a statistic that is not NULL moves with each of its moments.
    fn slopes(&self, what: &TableValue) -> Result<Slopes, Problem> {
        let at = |side, place| MeasureAt { side, place };
        Ok(match *what {
            TableValue::Group { .. } => Vec::new(),
            TableValue::CountAll => vec![(MomentKind::Ids, 1.0)],
            TableValue::Count { side, place } => vec![(at(side, place).present(), 1.0)],
            TableValue::Sum { side, place } => vec![(at(side, place).value(), 1.0)],
            TableValue::Avg { side, place } => {
                let x = at(side, place);
                let n = near(&self.big(&x.present())?);
                let average = near(&self.big(&x.value())?) / n;
                vec![(x.value(), 1.0 / n), (x.present(), -average / n)]
            }
            TableValue::VarSamp { side, place } => self.variance_slopes(at(side, place))?,
            TableValue::StddevSamp { side, place } => {
                let x = at(side, place);
                let variance = self.variance(x)?.map_or(0.0, |variance| variance.near());
                let slopes = self.variance_slopes(x)?.into_iter();
                slopes
                    .map(|(kind, slope)| (kind, slope / (2.0 * variance.sqrt())))
                    .collect()
            }
            TableValue::Corr { y, x } => self.correlation_slopes(y, x)?,
            TableValue::RegrSlope { y, x } => self.regression_slopes(y, x)?.0,
            TableValue::RegrIntercept { y, x } => self.regression_slopes(y, x)?.1,
        })
    }

    fn variance_slopes(&self, x: MeasureAt) -> Result<Slopes, Problem> {
        let n = near(&self.big(&x.present())?);
        let sum = near(&self.big(&x.value())?);
        let variance = self.variance(x)?.map_or(0.0, |variance| variance.near());
        let average = sum / n;
        Ok(vec![
            (x.square(), 1.0 / (n - 1.0)),
            (x.value(), -2.0 * average / (n - 1.0)),
            (x.present(), (average * average - variance) / (n - 1.0)),
        ])
    }

    /// Of n·Σyx − Σy·Σx, divided by `by`.
    fn covariance_slopes(&self, y: MeasureAt, x: MeasureAt, by: f64) -> Result<Slopes, Problem> {
        let number = |kind: &MomentKind| Ok::<_, Problem>(near(&self.big(kind)?));
        Ok(vec![
            (y.product(x), number(&MomentKind::Ids)? / by),
            (MomentKind::Ids, number(&y.product(x))? / by),
            (y.value(), -number(&x.value())? / by),
            (x.value(), -number(&y.value())? / by),
        ])
    }

    /// dr = r·(dA/A − dB/2B − dC/2C) with r = A/√(B·C); written so that A may be 0.
    fn correlation_slopes(&self, y: MeasureAt, x: MeasureAt) -> Result<Slopes, Problem> {
        let n = self.big(&MomentKind::Ids)?;
        let (x_variance, y_variance) = (near(&self.spread(&n, x)?), near(&self.spread(&n, y)?));
        let root = x_variance.sqrt() * y_variance.sqrt();
        let squared = self
            .correlation(y, x)?
            .map_or(0.0, |squared| squared.near());
        let r = squared.signum() * squared.abs().sqrt();
        let mut slopes = self.covariance_slopes(y, x, root)?;
        for (of, variance) in [(x, x_variance), (y, y_variance)] {
            let spread = self.covariance_slopes(of, of, variance)?.into_iter();
            slopes.extend(spread.map(|(kind, slope)| (kind, -r / 2.0 * slope)));
        }
        Ok(slopes)
    }

    /// Of the slope b = A/B and of the intercept (Σy − b·Σx)/n.
    fn regression_slopes(&self, y: MeasureAt, x: MeasureAt) -> Result<(Slopes, Slopes), Problem> {
        let Some(pair) = self.pair(y, x)? else {
            return Err(defect("a regression without a value has no error"));
        };
        let (n, sum_y, sum_x) = (near(&pair.n), near(&pair.y), near(&pair.x));
        let x_variance = near(&pair.x_variance);
        let b = near(&pair.covariance) / x_variance;
        let mut slope = self.covariance_slopes(y, x, x_variance)?;
        let spread = self.covariance_slopes(x, x, x_variance)?.into_iter();
        slope.extend(spread.map(|(kind, part)| (kind, -b * part)));
        let mut intercept: Slopes = slope
            .iter()
            .map(|(kind, part)| (kind.clone(), -sum_x / n * part))
            .collect();
        intercept.extend([
            (y.value(), 1.0 / n),
            (x.value(), -b / n),
            (MomentKind::Ids, -(sum_y - b * sum_x) / (n * n)),
        ]);
        Ok((slope, intercept))
    }
}
