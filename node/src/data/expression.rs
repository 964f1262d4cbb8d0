//! A plan's SQL expressions, evaluated by DataFusion over batches of this node's own rows.
//!
//! The planner's text is exact already: whole numbers are computed in DECIMAL(38, 0), so nothing wraps. Here number literals
//! are read as decimals too. Division of decimals keeps four more digits than the dividend and cuts the rest, as Arrow does.
//! What an evaluation says when it fails is replaced by our own words: DataFusion's messages quote values.

use super::fault::defect;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SessionConfig, SessionContext};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::physical_plan::PhysicalExpr;
use entente_wire::names::ColumnName;
use entente_wire::plan::SqlText;
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeSet;
use std::sync::Arc;

const COALESCE: &str = "coalesce";

/// Reads and compiles expressions. One a local query.
pub(crate) struct Engine {
    pub(super) session: SessionContext,
}

/// An expression ready for batches of one schema.
pub(crate) struct Compiled {
    expression: Arc<dyn PhysicalExpr>,
    /// What it is, for messages: `WHERE`, `the group key tier`.
    what: String,
}

impl Engine {
    pub(crate) fn new() -> Self {
        let mut config = SessionConfig::new().with_target_partitions(1);
        config.options_mut().sql_parser.parse_float_as_decimal = true;
        Self {
            session: SessionContext::new_with_config(config),
        }
    }

    /// The text as an expression over `schema`.
    pub(super) fn parse(
        &self,
        sql: &SqlText,
        schema: &SchemaRef,
        what: &str,
    ) -> Result<Expr, Problem> {
        let columns = columns_of(schema)?;
        let parsed = self.session.parse_sql_expr(&sql.0, &columns);
        parsed
            .and_then(without_coalesce)
            .map_err(|error| unfit(what, &error))
    }

    /// The columns that the text uses.
    pub(crate) fn columns(
        &self,
        sql: &SqlText,
        schema: &SchemaRef,
        what: &str,
    ) -> Result<BTreeSet<ColumnName>, Problem> {
        let expression = self.parse(sql, schema, what)?;
        let used = expression.column_refs().into_iter();
        Ok(used.map(|column| ColumnName(column.name.clone())).collect())
    }

    /// The text, ready for batches of `schema`.
    pub(crate) fn compile(
        &self,
        sql: &SqlText,
        schema: &SchemaRef,
        what: &str,
    ) -> Result<Compiled, Problem> {
        let expression = self.parse(sql, schema, what)?;
        self.compile_parsed(expression, schema, what)
    }

    /// An expression, ready for batches of `schema`.
    pub(super) fn compile_parsed(
        &self,
        expression: Expr,
        schema: &SchemaRef,
        what: &str,
    ) -> Result<Compiled, Problem> {
        let expression = self
            .session
            .create_physical_expr(expression, &columns_of(schema)?)
            .map_err(|error| unfit(what, &error))?;
        Ok(Compiled {
            expression,
            what: what.to_owned(),
        })
    }
}

impl Compiled {
    /// The value for each row.
    pub(crate) fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, Problem> {
        self.expression
            .evaluate(batch)
            .and_then(|value| value.into_array(batch.num_rows()))
            .map_err(|error| failed(&self.what, &error))
    }
}

/// COALESCE as the CASE that it is: DataFusion's optimiser writes it so, and what has not passed there cannot be evaluated.
fn without_coalesce(expression: Expr) -> Result<Expr, DataFusionError> {
    let context = SimplifyContext::builder().build();
    let rewritten = expression.transform_up(|part| match part {
        Expr::ScalarFunction(call) if call.func.name() == COALESCE => {
            Ok(match call.func.simplify(call.args, &context)? {
                ExprSimplifyResult::Simplified(case) => Transformed::yes(case),
                ExprSimplifyResult::Original(args) => {
                    let call = ScalarFunction::new_udf(call.func, args);
                    Transformed::no(Expr::ScalarFunction(call))
                }
            })
        }
        part => Ok(Transformed::no(part)),
    })?;
    Ok(rewritten.data)
}

fn columns_of(schema: &SchemaRef) -> Result<DFSchema, Problem> {
    DFSchema::try_from(Arc::clone(schema)).map_err(|_| defect("a schema holds a name twice"))
}

/// The text cannot be read over these columns: the file's types are not what was published, or the planner and this engine
/// disagree. The message is DataFusion's planning message, which holds names and types only, never rows.
fn unfit(what: &str, error: &DataFusionError) -> Problem {
    let message = error.strip_backtrace();
    Problem::here(
        Code::Question,
        format!("{what} cannot be computed over this dataset's columns: {message}"),
        "publish the dataset's policy again, or change the question",
    )
}

/// A value in some row cannot be computed.
pub(super) fn failed(what: &str, error: &DataFusionError) -> Problem {
    let why = match error.find_root() {
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::DivideByZero => "a division by zero",
            ArrowError::ArithmeticOverflow(_) => "a number too large for 38 digits",
            ArrowError::CastError(_) | ArrowError::ParseError(_) => {
                "a value that cannot be converted to the type asked for"
            }
            _ => "a value that cannot be computed with",
        },
        DataFusionError::ResourcesExhausted(_) => "more data than memory",
        _ => "a value that cannot be computed with",
    };
    Problem::here(
        Code::ValueOutside,
        format!("{what} met {why}"),
        "exclude such rows in WHERE, or guard the expression with CASE or NULLIF",
    )
}
