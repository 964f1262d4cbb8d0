//! The oracle: one plain SQL join by DataFusion over both tables in the clear, for all worlds of a batch at once (`world` is one
//! more part of the join and of every group).
//!
//! What the language says and SQL does not is written out in that SQL: rows without consent do not enter; a number is rounded to its
//! scale, half away from zero, then clipped; SUM over no value is 0; groups below the smallest are not shown; rows that ORDER BY
//! does not tell apart stand in the order of the domains. Sums are DataFusion's exact decimals; the other statistics are asked both as
//! exact sums and as DataFusion's own functions in floating point, for [`super::cells`] to compare.

use super::question::{Number, Question, Shows};
use super::tables::Cap;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use datafusion::execution::context::{SessionConfig, SessionContext};
use entente_wire::decimal;
use tokio::runtime::Runtime;

/// Holds every clipped number; two of them multiplied fit the 38 digits that decimals have.
const NUMBER_DIGITS: u8 = 19;

/// What the oracle says of one output in one group.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    Key(Option<String>),
    /// A count, or a sum in units of its scale.
    Whole(i128),
    /// Of n values: exact sums in units of the scales, and what the engine's own function gives in floating point.
    One {
        n: i128,
        sum: i128,
        squares: i128,
        engine: Option<f64>,
    },
    /// Of n pairs.
    Two {
        n: i128,
        sums: [i128; 2],
        product: i128,
        squares: [i128; 2],
        engine: Option<f64>,
    },
}

/// Both tables of all worlds of a batch.
pub(super) struct Clear {
    session: SessionContext,
    runtime: Runtime,
}

impl Clear {
    pub(super) fn new(customers: RecordBatch, users: RecordBatch) -> Self {
        let mut config = SessionConfig::new().with_target_partitions(1);
        // Literals are what they say.
        config.options_mut().sql_parser.parse_float_as_decimal = true;
        let session = SessionContext::new_with_config(config);
        for (name, batch) in [("customers", customers), ("users", users)] {
            session.register_batch(name, batch).expect("a new name");
        }
        let runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            session,
            runtime: { runtime }.build().expect("a runtime"),
        }
    }

    /// The groups that are shown, by world and in the order of the answer, LIMIT aside.
    pub(super) fn answers(
        &self,
        question: &Question,
        least: u64,
        worlds: usize,
    ) -> Vec<Vec<Vec<Fact>>> {
        let sql = sql(question, least);
        let batches = self.runtime.block_on(async {
            let frame = self.session.sql(&sql).await?;
            frame.collect().await
        });
        let batches = batches
            .unwrap_or_else(|error| panic!("the oracle cannot read its question: {error}\n{sql}"));
        let mut answers = vec![Vec::new(); worlds];
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let world = named(batch, "world").as_primitive::<Int32Type>().value(row);
                let outputs = question.outputs.iter().enumerate();
                let facts = outputs.map(|(place, output)| fact(batch, row, place, &output.shows));
                answers[world as usize].push(facts.collect());
            }
        }
        answers
    }
}

/// A number as the language adds it up, as a decimal of its scale.
fn fixed(number: &Number) -> String {
    let Number {
        sql,
        cap: Cap { clip, scale },
        ..
    } = number;
    let [low, high] = clip.map(|bound| {
        format!(
            "CAST({} AS DECIMAL(38, {scale}))",
            decimal::render(bound, *scale)
        )
    });
    let rounded = format!("CAST(({sql}) AS DECIMAL(38, {scale}))");
    format!(
        "CAST(CASE WHEN {rounded} < {low} THEN {low} WHEN {rounded} > {high} THEN {high} ELSE {rounded} END \
         AS DECIMAL({NUMBER_DIGITS}, {scale}))"
    )
}

/// The join, with what is grouped by (`k` as text, `o` as it is) and aggregated (`x`, of two `y` too) of each id.
fn joined(question: &Question) -> String {
    let mut columns = vec!["b.world AS world".to_owned()];
    for (place, key) in question.keys.iter().enumerate() {
        let sql = &key.sql;
        columns.push(format!(
            "CAST(({sql}) AS VARCHAR) AS k{place}, ({sql}) AS o{place}"
        ));
    }
    for (place, output) in question.outputs.iter().enumerate() {
        match (&output.shows, output.shows.numbers()) {
            (Shows::Count(sql), _) => columns.push(format!("({sql}) AS x{place}")),
            (_, [x]) => columns.push(format!("{} AS x{place}", fixed(x))),
            (_, [y, x]) => columns.push(format!(
                "{} AS y{place}, {} AS x{place}",
                fixed(y),
                fixed(x)
            )),
            _ => {}
        }
    }
    let mut conditions = vec!["b.consent".to_owned(), "p.consent".to_owned()];
    let own = question.on.iter().chain(&question.filters);
    conditions.extend(own.map(|condition| format!("({condition})")));
    format!(
        "SELECT {} FROM customers b JOIN users p ON b.world = p.world AND b.mobile = p.mobile WHERE {}",
        columns.join(", "),
        conditions.join(" AND ")
    )
}

/// What is computed of each group for an output.
fn aggregates(place: usize, shows: &Shows) -> Option<String> {
    let (x, y) = (format!("x{place}"), format!("y{place}"));
    let function = shows.function();
    Some(match shows {
        Shows::Key(_) => return None,
        Shows::CountAll => format!("COUNT(*) AS v{place}"),
        Shows::Count(_) => format!("COUNT({x}) AS v{place}"),
        Shows::Sum(_) => format!("COALESCE(SUM({x}), 0) AS v{place}"),
        Shows::Avg(_) | Shows::VarSamp(_) | Shows::StddevSamp(_) => format!(
            "COUNT({x}) AS n{place}, SUM({x}) AS s{place}, SUM({x} * {x}) AS q{place}, {function}(CAST({x} AS DOUBLE)) AS f{place}"
        ),
        Shows::Corr(_) | Shows::RegrSlope(_) | Shows::RegrIntercept(_) => format!(
            "COUNT(*) AS n{place}, SUM({y}) AS t{place}, SUM({x}) AS s{place}, SUM({y} * {x}) AS p{place}, SUM({y} * {y}) AS r{place}, \
             SUM({x} * {x}) AS q{place}, {function}(CAST({y} AS DOUBLE), CAST({x} AS DOUBLE)) AS f{place}"
        ),
    })
}

fn sql(question: &Question, least: u64) -> String {
    let mut keys = vec!["world".to_owned()];
    keys.extend(
        (0..question.keys.len()).flat_map(|place| [format!("k{place}"), format!("o{place}")]),
    );
    let keys = keys.join(", ");
    let outputs = question.outputs.iter().enumerate();
    let aggregates = outputs.filter_map(|(place, output)| aggregates(place, &output.shows));
    let aggregates: String = aggregates
        .map(|aggregate| format!(", {aggregate}"))
        .collect();
    let order: Vec<String> = order(question)
        .into_iter()
        .map(|key| format!(", {key}"))
        .collect();
    format!(
        "SELECT * FROM (SELECT {keys}{aggregates} FROM ({}) AS joined GROUP BY {keys} HAVING COUNT(*) >= {least}) AS grouped \
         ORDER BY world{}",
        joined(question),
        order.concat()
    )
}

/// As PostgreSQL orders, then as the domains stand.
fn order(question: &Question) -> Vec<String> {
    let own = question.order.iter().map(|(place, descending)| {
        let column = match question.outputs[*place].shows {
            Shows::Key(key) => format!("o{key}"),
            _ => format!("v{place}"),
        };
        let ending = if *descending {
            "DESC NULLS FIRST"
        } else {
            "ASC NULLS LAST"
        };
        format!("{column} {ending}")
    });
    let ranks = question.keys_by_table().into_iter().map(|place| {
        let values = question.keys[place].domain.iter().enumerate();
        let ranks: String = values
            .map(|(rank, value)| format!(" WHEN '{}' THEN {rank}", value.replace('\'', "''")))
            .collect();
        format!("CASE k{place}{ranks} ELSE 1000000 END")
    });
    own.chain(ranks).collect()
}

fn named<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    batch.column_by_name(name).expect("the oracle asked for it")
}

/// A whole number, or the units of a decimal; no value adds 0.
fn whole(array: &ArrayRef, row: usize) -> i128 {
    if array.is_null(row) {
        return 0;
    }
    match array.data_type() {
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value(row),
        _ => array.as_primitive::<Int64Type>().value(row).into(),
    }
}

fn fact(batch: &RecordBatch, row: usize, place: usize, shows: &Shows) -> Fact {
    let number = |letter: char| whole(named(batch, &format!("{letter}{place}")), row);
    let engine = || {
        let array = named(batch, &format!("f{place}")).as_primitive::<Float64Type>();
        array.is_valid(row).then(|| array.value(row))
    };
    match shows {
        Shows::Key(key) => {
            let array = named(batch, &format!("k{key}"));
            let texts = datafusion::arrow::compute::cast(array, &DataType::Utf8).expect("text");
            let texts = texts.as_string::<i32>();
            Fact::Key(texts.is_valid(row).then(|| texts.value(row).to_owned()))
        }
        Shows::CountAll | Shows::Count(_) | Shows::Sum(_) => Fact::Whole(number('v')),
        Shows::Avg(_) | Shows::VarSamp(_) | Shows::StddevSamp(_) => Fact::One {
            n: number('n'),
            sum: number('s'),
            squares: number('q'),
            engine: engine(),
        },
        Shows::Corr(_) | Shows::RegrSlope(_) | Shows::RegrIntercept(_) => Fact::Two {
            n: number('n'),
            sums: [number('t'), number('s')],
            product: number('p'),
            squares: [number('r'), number('q')],
            engine: engine(),
        },
    }
}
