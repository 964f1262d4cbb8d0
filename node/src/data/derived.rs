//! Event tables collapsed in the question: aggregates over all rows of one id, for ids whose rows all consent.
//!
//! The inner WHERE and the aggregates' arguments are computed on all cores; DataFusion does the grouping in file order, by the
//! first row of each row's id. Four bytes a row hold those. SUM adds in 256 bits and its result is checked to fit 38 digits: narrower sums
//! would wrap without a word. An id none of whose rows pass the inner WHERE is not in the collapsed table.

use super::expression::{Compiled, Engine, failed};
use super::fault::defect;
use super::file::{self, Chunk, Form, Reading};
use super::local_query::{Pass, typed_schema};
use super::one_row::{NO_ROW, Reduction};
use super::open::OpenDataset;
use super::values::typed;
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{
    concat_batches, filter_record_batch, sort_to_indices, take_record_batch,
};
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef, UInt32Type};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use entente_wire::names::ColumnName;
use entente_wire::plan::{Derived, Side};
use entente_wire::problem::Problem;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

/// Batches that wait between reading and grouping.
const BATCHES_IN_FLIGHT: usize = 4;
/// The grouping column; file columns are not in the same batch.
const SLOT: &str = "slot";
/// Digits of a sum; the most that a decimal column has.
const SUM_DIGITS: u8 = 38;

/// What the collapsed table is made of.
pub(super) struct Source<'a> {
    pub(super) open: &'a OpenDataset,
    pub(super) side: &'a Side,
    pub(super) reduction: &'a Reduction,
}

/// One row an id, with the question's names for its columns.
pub(super) struct Collapsed {
    pub(super) table: RecordBatch,
    /// The first row of each one's id, ascending.
    pub(super) rows: Vec<u32>,
}

/// One aggregate: what it adds up, computed here, and how DataFusion adds it up.
struct Aggregate {
    name: ColumnName,
    argument: Compiled,
    sum: bool,
    function: AggregateFunction,
}

impl Source<'_> {
    /// Reads the file once and collapses it.
    pub(super) fn collapse(
        &self,
        engine: &Engine,
        derived: &Derived,
        pass: &mut Pass<'_>,
    ) -> Result<Collapsed, Problem> {
        let dataset = &self.open.dataset;
        let whole = typed_schema(dataset);
        let mut needed = BTreeSet::from([self.side.id.clone()]);
        let inner = derived.columns.iter().map(|column| &column.sql);
        for sql in inner.chain(&derived.filter) {
            needed.extend(engine.columns(sql, &whole, "the subquery")?);
        }
        let places = dataset.places(&needed.iter().collect());
        let reading = Reading::of(&self.open.file, dataset, &places, Form::Typed);
        let schema = reading.schema();
        let filter = derived.filter.as_ref();
        let filter = filter
            .map(|sql| engine.compile(sql, &schema, "WHERE of the subquery"))
            .transpose()?;
        let inner = Inner {
            filter,
            aggregates: aggregates(engine, derived, &schema)?,
            first_rows: self.reduction.first_rows()?,
        };
        let empty = inner.arguments(0, &RecordBatch::new_empty(schema))?;
        let (mut sender, receiver) = sync_channel(BATCHES_IN_FLIGHT);
        let grouping = Grouping::new(&empty, &inner.aggregates, receiver);
        let grouped = std::thread::scope(|scope| {
            let worker = scope.spawn(|| grouping.run(engine));
            let work = |_: &_, chunk: &Chunk| inner.arguments(chunk.first_row, &chunk.batch);
            file::sweep(&reading, &mut sender, work, |sender, done, rows| {
                pass.read(rows)?;
                // A closed channel means that grouping failed; its own problem follows.
                let _closed = done.into_iter().try_for_each(|batch| sender.send(batch));
                Ok(())
            })?;
            drop(sender);
            let grouped = worker.join();
            grouped.map_err(|_| defect("grouping ended without an answer"))?
        })?;
        in_order(&grouped, &inner.aggregates)
    }
}

/// What is computed of every row before rows are grouped.
struct Inner {
    filter: Option<Compiled>,
    aggregates: Vec<Aggregate>,
    /// By row, the first row of its id, or [`NO_ROW`].
    first_rows: Vec<u32>,
}

impl Inner {
    /// The rows of consenting ids that pass the inner WHERE: the first row of the id and each aggregate's argument.
    fn arguments(&self, first_row: u32, batch: &RecordBatch) -> Result<RecordBatch, Problem> {
        let begin = first_row as usize;
        let first_rows = self.first_rows.get(begin..begin + batch.num_rows());
        let first_rows = first_rows.ok_or_else(|| defect("a file grew while it was read"))?;
        let first_rows = first_rows
            .iter()
            .map(|row| Some(*row).filter(|row| *row != NO_ROW));
        let slots: UInt32Array = first_rows.collect();
        let consenting = datafusion::arrow::compute::is_not_null(&slots)
            .map_err(|_| defect("slots cannot be told from nulls"))?;
        let misfit = |_| defect("a mask has another length than its rows");
        let mut batch = filter_record_batch(batch, &consenting).map_err(misfit)?;
        let slots: ArrayRef = Arc::new(slots);
        let mut slots = datafusion::arrow::compute::filter(&slots, &consenting).map_err(misfit)?;
        if let Some(filter) = &self.filter {
            let passes = filter.evaluate(&batch)?;
            let passes = passes
                .as_boolean_opt()
                .ok_or_else(|| defect("a condition is not true or false"))?;
            batch = filter_record_batch(&batch, passes).map_err(misfit)?;
            slots = datafusion::arrow::compute::filter(&slots, passes).map_err(misfit)?;
        }
        let mut columns = vec![(SLOT.to_owned(), slots, false)];
        for (place, aggregate) in self.aggregates.iter().enumerate() {
            let array = aggregate.argument.evaluate(&batch)?;
            columns.push((argument_name(place), aggregate.widened(array)?, true));
        }
        RecordBatch::try_from_iter_with_nullable(columns)
            .map_err(|_| defect("arguments of aggregates do not fit together"))
    }
}

/// In the order of the ids' first rows, under the question's names.
fn in_order(grouped: &RecordBatch, aggregates: &[Aggregate]) -> Result<Collapsed, Problem> {
    let slots = grouped
        .column_by_name(SLOT)
        .ok_or_else(|| defect("the grouped table has no slots"))?;
    let sorted = sort_to_indices(slots, None, None)
        .and_then(|order| take_record_batch(grouped, &order))
        .map_err(|_| defect("the grouped table cannot be ordered"))?;
    let mut columns = Vec::with_capacity(aggregates.len());
    for (place, aggregate) in aggregates.iter().enumerate() {
        let array = sorted
            .column_by_name(&result_name(place))
            .ok_or_else(|| defect("the grouped table lacks a column"))?;
        columns.push((&aggregate.name.0, aggregate.narrowed(array)?, true));
    }
    let slots = sorted
        .column_by_name(SLOT)
        .and_then(|array| array.as_primitive_opt::<UInt32Type>());
    let slots = slots.ok_or_else(|| defect("the grouped table has no slots"))?;
    let rows = slots.values().to_vec();
    let table = match columns.is_empty() {
        // A subquery that selects its id alone: rows without columns.
        true => sorted.project(&[0]),
        false => RecordBatch::try_from_iter_with_nullable(columns),
    };
    let table = table.map_err(|_| defect("the collapsed table does not fit together"))?;
    Ok(Collapsed { table, rows })
}

fn argument_name(place: usize) -> String {
    format!("argument_{place}")
}

fn result_name(place: usize) -> String {
    format!("result_{place}")
}

fn aggregates(
    engine: &Engine,
    derived: &Derived,
    schema: &SchemaRef,
) -> Result<Vec<Aggregate>, Problem> {
    let aggregate = |column: &entente_wire::plan::NamedExpression| {
        let what = format!("{} of the subquery", column.name);
        let parsed = engine.parse(&column.sql, schema, &what)?.unalias();
        let Expr::AggregateFunction(function) = parsed else {
            return Err(defect("a collapsed column is not an aggregate"));
        };
        let argument = match function.params.args.as_slice() {
            [argument] if !argument.column_refs().is_empty() => argument.clone(),
            // COUNT(*) counts rows, whatever stands for the star.
            _ => lit(1i64),
        };
        Ok(Aggregate {
            name: column.name.clone(),
            argument: engine.compile_parsed(argument, schema, &what)?,
            sum: function.func.name() == "sum",
            function,
        })
    };
    derived.columns.iter().map(aggregate).collect()
}

impl Aggregate {
    /// A sum's argument in 256 bits.
    fn widened(&self, array: ArrayRef) -> Result<ArrayRef, Problem> {
        match array.data_type() {
            DataType::Decimal128(_, scale) if self.sum => {
                let wide = DataType::Decimal256(SUM_DIGITS, *scale);
                typed::exactly(&array, &wide).map_err(|_| self.too_large())
            }
            _ => Ok(array),
        }
    }

    /// A sum in 38 digits again.
    fn narrowed(&self, array: &ArrayRef) -> Result<ArrayRef, Problem> {
        match array.data_type() {
            DataType::Decimal256(_, scale) if self.sum => {
                let narrow = DataType::Decimal128(SUM_DIGITS, *scale);
                typed::exactly(array, &narrow).map_err(|_| self.too_large())
            }
            _ => Ok(Arc::clone(array)),
        }
    }

    fn too_large(&self) -> Problem {
        Problem::here(
            entente_wire::problem::Code::ValueOutside,
            format!("a sum for {} has more than {SUM_DIGITS} digits", self.name),
            "exclude such rows in the subquery's WHERE",
        )
    }
}

/// The grouping by slot, run by DataFusion on a thread of its own.
struct Grouping {
    rows: Arc<Rows>,
    aggregates: Vec<Expr>,
}

impl Grouping {
    fn new(empty: &RecordBatch, aggregates: &[Aggregate], receiver: Receiver<RecordBatch>) -> Self {
        let aggregates = aggregates.iter().enumerate().map(|(place, aggregate)| {
            let function = AggregateFunction {
                func: Arc::clone(&aggregate.function.func),
                params: AggregateFunctionParams {
                    args: vec![ident(argument_name(place))],
                    ..aggregate.function.params.clone()
                },
            };
            Expr::AggregateFunction(function).alias(result_name(place))
        });
        Self {
            aggregates: aggregates.collect(),
            rows: Arc::new(Rows {
                schema: empty.schema(),
                receiver: Mutex::new(Some(receiver)),
            }),
        }
    }

    fn run(self, engine: &Engine) -> Result<RecordBatch, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|_| defect("a thread cannot be started"))?;
        let grouped = runtime.block_on(self.group(engine));
        grouped.map_err(|error| failed("the subquery", &error))
    }

    async fn group(self, engine: &Engine) -> Result<RecordBatch, DataFusionError> {
        let schema = Arc::clone(&self.rows.schema);
        let table = StreamingTable::try_new(schema, vec![self.rows])?;
        let frame = engine.session.read_table(Arc::new(table))?;
        let grouped = frame.aggregate(vec![ident(SLOT)], self.aggregates)?;
        let schema: Schema = grouped.schema().as_arrow().clone();
        let batches = grouped.collect().await?;
        let schema = batches
            .first()
            .map_or(Arc::new(schema), RecordBatch::schema);
        Ok(concat_batches(&schema, &batches)?)
    }
}

/// Batches on their way to the grouping, handed over once.
#[derive(Debug)]
struct Rows {
    schema: SchemaRef,
    receiver: Mutex<Option<Receiver<RecordBatch>>>,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let receiver = self.receiver.lock().ok().and_then(|mut once| once.take());
        let batches = receiver.into_iter().flatten().map(Ok);
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            futures::stream::iter(batches),
        ))
    }
}
