//! A printed cell against what the oracle knows of it.
//!
//! Counts, sums and keys have one right text. A statistic does too: the exact quotient (or root of one) of the oracle's exact sums,
//! rounded once, half away from zero, to the decimals of its column. It is not computed here but checked: a printed number p in units
//! of 10^-d is the rounding of a/b if 2·|p·b − a·10^d| < b, or if both are equal and p is the further from zero; and of the root r of a/b
//! if (2|p| − 1)²·b ≤ 4·a·10^2d < (2|p| + 1)²·b, all in whole numbers.
//!
//! That these are the right quotients, DataFusion's own function says, in floating point. With u = 2^-53, n values and the condition
//! number κ = √(Σx²/S) of S = Σ(x − x̄)², the updating algorithm that it runs has a relative error of at most a small multiple of n·κ·u
//! in S (Chan, Golub and LeVeque 1983), and of n·κ_x·κ_y·u·√(S_x·S_y) absolutely in the sum of products about the means; numbers that are no
//! binary fractions add 2·κ·u. Where n·κ²·u reaches 1, as for two nearly equal numbers of 12 digits, its answer says nothing. With [`ROUNDINGS`] for the multiple and κ² for κ_x·κ_y: the tolerances below.

use super::clear::Fact;
use super::question::{Number, Question, Shows};
use num_bigint::BigInt;

/// Half a unit in the last place of a double.
const U: f64 = f64::EPSILON / 2.0;
/// What a few operations for each value, and a few more at the end, make of n·κ·u.
const ROUNDINGS: f64 = 64.0;
/// Decimals of AVG, STDDEV and CORR beyond those of what they are of, as the product documents.
const MORE_DECIMALS: u8 = 8;

/// A statistic in the units of its column: a quotient, or the root of its magnitude with its sign.
struct Exact {
    over: BigInt,
    under: BigInt,
    root: bool,
    /// The column's unit, as a power of ten, and how far the engine's floating point may be off.
    scale: i32,
    tolerance: f64,
}

/// What stands in the cell if it is right, given what is printed; else why it is wrong.
pub(super) fn expected(
    fact: &Fact,
    shows: &Shows,
    printed: &str,
    decimals: Option<u8>,
) -> Result<Option<String>, String> {
    let scales: Vec<u8> = shows
        .numbers()
        .iter()
        .map(|number| number.cap.scale)
        .collect();
    let (exact, engine) = match fact {
        Fact::Key(text) => return Ok(text.clone()),
        Fact::Whole(units) => {
            let scale = scales.first().copied().unwrap_or(0);
            return Ok(Some(fixed(*units, scale, scale)));
        }
        Fact::One {
            n,
            sum,
            squares,
            engine,
        } => (of_one(shows, *n, *sum, *squares, scales[0]), engine),
        Fact::Two {
            n,
            sums,
            product,
            squares,
            engine,
        } => (
            of_two(shows, *n, *sums, *product, *squares, [scales[0], scales[1]]),
            engine,
        ),
    };
    let Some(exact) = exact else {
        return Ok(None);
    };
    exact.agrees_with(*engine)?;
    let decimals = decimals.ok_or("a statistic's column has no decimals")?;
    right_decimals(shows, decimals)?;
    let units = units_of(printed, decimals)
        .ok_or_else(|| format!("{printed:?} is no number of {decimals} decimals"))?;
    if !exact.rounds_to(&units, decimals) {
        let Exact {
            over,
            under,
            root,
            scale,
            ..
        } = exact;
        return Err(format!(
            "{printed} is not {over}/{under} (root: {root}) in units of 10^-{scale}, rounded to {decimals} decimals"
        ));
    }
    let keep = match shows {
        Shows::VarSamp(_) => 2 * scales[0],
        Shows::Corr(_) | Shows::RegrSlope(_) => 0,
        _ => scales[0],
    };
    let units = i128::try_from(units).map_err(|_| "more than 38 digits".to_owned())?;
    Ok(Some(fixed(units, decimals, keep.min(decimals))))
}

/// `None` is NULL.
fn of_one(shows: &Shows, n: i128, sum: i128, squares: i128, scale: u8) -> Option<Exact> {
    let [count, total, square] = [n, sum, squares].map(BigInt::from);
    let unit = 10_f64.powi(-i32::from(scale));
    let rms = (near(&square) / n as f64).sqrt() * unit;
    if matches!(shows, Shows::Avg(_)) {
        return (n > 0).then(|| Exact {
            over: total,
            under: count,
            root: false,
            scale: scale.into(),
            tolerance: ROUNDINGS * n as f64 * U * rms,
        });
    }
    let over = &count * &square - &total * &total;
    let root = matches!(shows, Shows::StddevSamp(_));
    (n > 1).then(|| {
        let variance = near(&over) / (n * (n - 1)) as f64 * unit * unit;
        // n·κ·u·variance with κ·variance = rms·deviation, n/(n − 1) aside; the squares of the errors for where nothing varies.
        let by = ROUNDINGS * n as f64 * U;
        let of_variance = by * rms * variance.sqrt() + (by * rms).powi(2);
        let tolerance = match (root, variance > 0.0) {
            (false, _) => of_variance,
            (true, true) => (of_variance / variance.sqrt()).min(of_variance.sqrt()),
            (true, false) => of_variance.sqrt(),
        };
        Exact {
            over,
            under: &count * (&count - 1),
            root,
            scale: if root {
                scale.into()
            } else {
                2 * i32::from(scale)
            },
            tolerance,
        }
    })
}

fn of_two(
    shows: &Shows,
    n: i128,
    sums: [i128; 2],
    product: i128,
    squares: [i128; 2],
    scales: [u8; 2],
) -> Option<Exact> {
    let (count, [y, x], [yy, xx]) = (
        BigInt::from(n),
        sums.map(BigInt::from),
        squares.map(BigInt::from),
    );
    let spread = |squares: &BigInt, sum: &BigInt| &count * squares - sum * sum;
    let (y_spread, x_spread) = (spread(&yy, &y), spread(&xx, &x));
    let covariance = &count * BigInt::from(product) - &y * &x;
    let zero = BigInt::ZERO;
    if x_spread <= zero || (matches!(shows, Shows::Corr(_)) && y_spread <= zero) {
        return None;
    }
    let units = scales.map(|scale| 10_f64.powi(-i32::from(scale)));
    let condition =
        |squares: &BigInt, spread: &BigInt| near(&count) * near(squares) / near(spread).max(1.0);
    let worst = condition(&yy, &y_spread).max(condition(&xx, &x_spread));
    let by = ROUNDINGS * n as f64 * U * worst;
    // Not one digit is left: the engine may say anything, NULL too.
    let by = if by < 1.0 { by } else { f64::INFINITY };
    let rms = |squares: &BigInt, unit: f64| (near(squares) / n as f64).sqrt() * unit;
    let steepest = (near(&y_spread).max(1.0) / near(&x_spread)).sqrt() * units[0] / units[1];
    let [y_scale, x_scale] = scales.map(i32::from);
    Some(match shows {
        Shows::Corr(_) => Exact {
            over: &covariance * BigInt::from(covariance.magnitude().clone()),
            under: x_spread * y_spread,
            root: true,
            scale: 0,
            tolerance: by,
        },
        Shows::RegrSlope(_) => Exact {
            over: covariance,
            under: x_spread,
            root: false,
            scale: y_scale - x_scale,
            tolerance: by * steepest,
        },
        _ => Exact {
            over: &y * &x_spread - &covariance * &x,
            under: &count * &x_spread,
            root: false,
            scale: y_scale,
            tolerance: by * (steepest * rms(&xx, units[1]) + rms(&yy, units[0])),
        },
    })
}

impl Exact {
    /// Whether the engine's floating point is near.
    fn agrees_with(&self, engine: Option<f64>) -> Result<(), String> {
        let quotient = near(&self.over) / near(&self.under);
        let units = match self.root {
            true => quotient.signum() * quotient.abs().sqrt(),
            false => quotient,
        };
        let exact = units * 10_f64.powi(-self.scale);
        if self.tolerance.is_infinite() {
            return Ok(());
        }
        let engine =
            engine.ok_or_else(|| format!("DataFusion says NULL where {exact} is right"))?;
        // Conversions of the exact value to floating point are a few u of itself.
        let tolerance = self.tolerance + 8.0 * U * exact.abs();
        match (engine - exact).abs() <= tolerance {
            true => Ok(()),
            false => Err(format!(
                "DataFusion says {engine}, its exact sums say {exact}; tolerance {tolerance}"
            )),
        }
    }

    /// Whether `units` of 10^-`decimals` are this, rounded half away from zero.
    fn rounds_to(&self, units: &BigInt, decimals: u8) -> bool {
        let shift = i32::from(decimals) - self.scale;
        let power = BigInt::from(10).pow(shift.unsigned_abs() * if self.root { 2 } else { 1 });
        let (over, under) = match shift >= 0 {
            true => (&self.over * power, self.under.clone()),
            false => (self.over.clone(), &self.under * power),
        };
        let same_sign = *units == BigInt::ZERO || (*units > BigInt::ZERO) == (over > BigInt::ZERO);
        let (p, a) = (
            BigInt::from(units.magnitude().clone()),
            BigInt::from(over.magnitude().clone()),
        );
        // From ½ below, included, to ½ above, not: halves go away from zero.
        let (low, high) = (&p * 2 - 1, &p * 2 + 1);
        let within = match self.root {
            true => {
                (p == BigInt::ZERO || &low * &low * &under <= &a * 4)
                    && &a * 4 < &high * &high * &under
            }
            false => &low * &under <= &a * 2 && &a * 2 < &high * &under,
        };
        same_sign && within
    }
}

/// Decimals as documented; fewer only where numbers of 38 digits could not hold them.
fn right_decimals(shows: &Shows, decimals: u8) -> Result<(), String> {
    let digits = |number: &Number| {
        let most = number
            .cap
            .clip
            .map(i64::unsigned_abs)
            .into_iter()
            .max()
            .unwrap_or(0);
        let digits = most.checked_ilog10().map_or(1, |log| log as u8 + 1);
        let whole = (most / 10_u64.pow(number.cap.scale.into())).checked_ilog10();
        (digits, whole.map_or(1, |log| log as u8 + 1))
    };
    let scale = shows.numbers()[0].cap.scale;
    let (documented, may_be_fewer) = match shows {
        Shows::VarSamp(x) => (2 * scale + MORE_DECIMALS, digits(x).0 > 9),
        Shows::Corr(_) => (MORE_DECIMALS, false),
        Shows::RegrSlope([y, x]) => (
            scale + MORE_DECIMALS + digits(x).1,
            digits(y).0 + digits(x).1 > 14,
        ),
        Shows::RegrIntercept([y, x]) => (scale + MORE_DECIMALS, digits(y).0 + digits(x).0 > 14),
        _ => (scale + MORE_DECIMALS, false),
    };
    match decimals == documented || (may_be_fewer && decimals < documented) {
        true => Ok(()),
        false => Err(format!(
            "{} has {decimals} decimals and not {documented}",
            shows.function()
        )),
    }
}

fn near(number: &BigInt) -> f64 {
    number.to_string().parse().expect("digits")
}

/// A printed number in units of 10^-`decimals`.
fn units_of(text: &str, decimals: u8) -> Option<BigInt> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = usize::from(decimals).checked_sub(fraction.len())?;
    format!("{whole}{fraction}{}", "0".repeat(missing))
        .parse()
        .ok()
}

/// A number with at least `keep` of its decimals, and no zeros behind those.
fn fixed(units: i128, decimals: u8, keep: u8) -> String {
    let digits = format!(
        "{:0>width$}",
        units.unsigned_abs(),
        width = usize::from(decimals) + 1
    );
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let kept = fraction.trim_end_matches('0').len().max(keep.into());
    let sign = if units < 0 { "-" } else { "" };
    let point = if kept > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{}", &fraction[..kept])
}

/// A line of the result file as its fields; `None` is NULL.
pub(super) fn fields(line: &str) -> Vec<Option<String>> {
    let mut fields = Vec::new();
    let (mut field, mut quoted, mut was_quoted) = (String::new(), false, false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ',' if !quoted => {
                fields.push((was_quoted || !field.is_empty()).then(|| std::mem::take(&mut field)));
                was_quoted = false;
            }
            other => field.push(other),
        }
    }
    fields.push((was_quoted || !field.is_empty()).then_some(field));
    fields
}

/// The file's first line.
pub(super) fn heading(question: &Question) -> String {
    let names: Vec<&str> = question
        .outputs
        .iter()
        .map(|output| output.name.as_str())
        .collect();
    names.join(",")
}
