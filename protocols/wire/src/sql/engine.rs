//! The last check: every canonical text in the plan is read once more the way the query engine at the owner's node reads it
//! (generic dialect, its own limit on nesting), so that a plan that was approved does not fail there.

use super::refuse::{At, Refusals};
use crate::plan::{Side, SqlText};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// Nesting that a text may have: the engine allows 50 and puts the text into a query of its own.
const ENGINE_DEPTH_MAX: usize = 40;

/// Refuses a plan that the engine could not read.
pub(super) fn reads(sides: &[Side], refusals: &mut Refusals) -> Option<()> {
    let all_read = sides.iter().flat_map(texts).all(|text| reads_one(&text.0));
    if all_read {
        return Some(());
    }
    refusals.question(
        At::WHOLE,
        "an expression is nested too deeply for the query engine",
        "write lists with IN, and many alternatives as one CASE",
    )
}

/// Every canonical text of one side.
fn texts(side: &Side) -> impl Iterator<Item = &SqlText> {
    let derived = side.derived.iter().flat_map(|derived| {
        derived
            .filter
            .iter()
            .chain(derived.columns.iter().map(|column| &column.sql))
    });
    let groups = side.groups.iter().map(|group| &group.sql);
    let measures = side.measures.iter().map(|measure| &measure.sql);
    derived
        .chain(side.filter.iter())
        .chain(groups)
        .chain(measures)
}

fn reads_one(text: &str) -> bool {
    let dialect = GenericDialect {};
    let parser = Parser::new(&dialect)
        .with_recursion_limit(ENGINE_DEPTH_MAX)
        .try_with_sql(text);
    parser.is_ok_and(|mut parser| {
        parser.parse_expr().is_ok() && parser.peek_token().token == Token::EOF
    })
}
