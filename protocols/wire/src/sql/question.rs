//! From tokens to the one shape a question has. sqlparser knows a hundred clauses of many systems; each struct of its syntax
//! tree is taken apart here field by field, without `..`, so that a clause added in a later version cannot slip through unread.

use super::refuse::{At, Refusals};
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query,
    Select, SelectFlavor, SelectItem, SetExpr, Spanned, Statement, TableWithJoins,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Deepest nesting the parser follows, some levels for each of the text's own.
const PARSER_DEPTH_MAX: usize = 40;

/// What SELECT can consist of in this language; everything else has been refused.
pub(super) struct Shape {
    /// Where it begins.
    pub(super) at: At,
    /// SELECT.
    pub(super) projection: Vec<SelectItem>,
    /// FROM.
    pub(super) from: Vec<TableWithJoins>,
    /// WHERE.
    pub(super) filter: Option<Expr>,
    /// GROUP BY.
    pub(super) group_by: Vec<Expr>,
    /// HAVING.
    pub(super) having: Option<Expr>,
    /// ORDER BY.
    pub(super) order_by: Vec<OrderByExpr>,
    /// LIMIT.
    pub(super) limit: Option<Expr>,
}

/// The one SELECT that `tokens` spell.
pub(super) fn parse(tokens: Vec<TokenWithSpan>, refusals: &mut Refusals) -> Option<Shape> {
    begins_with_select(&tokens, refusals)?;
    let mut statements = match statements(tokens) {
        Ok(statements) => statements,
        Err(error) => return not_parsed(&error, refusals),
    };
    let (Some(Statement::Query(query)), true) = (statements.pop(), statements.is_empty()) else {
        return refusals.question(
            At::WHOLE,
            "the question holds more than one statement",
            "ask one SELECT a job",
        );
    };
    shape(*query, refusals)
}

fn statements(tokens: Vec<TokenWithSpan>) -> Result<Vec<Statement>, ParserError> {
    Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .with_tokens_with_locations(tokens)
        .parse_statements()
}

/// Other statements never reach the parser.
fn begins_with_select(tokens: &[TokenWithSpan], refusals: &mut Refusals) -> Option<()> {
    let first = tokens
        .iter()
        .find(|token| !matches!(token.token, Token::Whitespace(_)));
    let Some(TokenWithSpan { token, span }) = first else {
        return refusals.question(
            At::WHOLE,
            "the question is empty",
            "write one SELECT over both parties' tables",
        );
    };
    match token {
        Token::Word(word) if word.keyword == Keyword::SELECT => Some(()),
        Token::Word(word) if word.keyword == Keyword::WITH => refusals.question(
            At::from(*span),
            "WITH is not part of the question language",
            "collapse an event table in FROM: (SELECT id, SUM(x) AS total FROM org.events GROUP BY id) AS e",
        ),
        Token::EOF => refusals.question(At::WHOLE, "the question is empty", "write one SELECT over both parties' tables"),
        _ => refusals.question(
            At::from(*span),
            "a question is one SELECT",
            "begin with SELECT, without parentheses around the whole",
        ),
    }
}

fn not_parsed<T>(error: &ParserError, refusals: &mut Refusals) -> Option<T> {
    match error {
        ParserError::RecursionLimitExceeded => refusals.question(
            At::WHOLE,
            "the question is nested too deeply",
            "write lists with IN, and conditions as one chain of AND",
        ),
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => {
            let (text, at) = place(text);
            refusals.question(
                at,
                format!("this does not parse as PostgreSQL: {text}"),
                "correct the SQL at that place; names with a dash stand in double quotes",
            )
        }
    }
}

/// Splits the parser's `… at Line: 2, Column: 5`.
fn place(text: &str) -> (&str, At) {
    let split = text.rsplit_once(" at Line: ").and_then(|(head, tail)| {
        let (line, column) = tail.split_once(", Column: ")?;
        Some((
            head,
            At::new(line.trim().parse().ok()?, column.trim().parse().ok()?),
        ))
    });
    split.unwrap_or((text, At::WHOLE))
}

/// Takes a query apart; also used for the subquery that collapses an event table.
pub(super) fn shape(query: Query, refusals: &mut Refusals) -> Option<Shape> {
    let at = At::of(&query);
    let Query {
        with,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    let refused = [
        (with.is_some(), "WITH"),
        (fetch.is_some(), "FETCH"),
        (!locks.is_empty() || for_clause.is_some(), "FOR"),
        (settings.is_some(), "SETTINGS"),
        (format_clause.is_some(), "FORMAT"),
        (!pipe_operators.is_empty(), "a pipe operator"),
    ];
    let clear = clauses(at, &refused, refusals);
    let order_by = order_keys(at, order_by, refusals);
    let limit = row_limit(at, limit_clause, refusals);
    let body = match *body {
        SetExpr::Select(select) => body_shape(*select, refusals),
        SetExpr::SetOperation { op, .. } => refusals.question(
            at,
            format!("{op} is not part of the question language"),
            "ask two questions",
        ),
        _ => refusals.question(
            at,
            "a question is one plain SELECT",
            "remove the parentheses or VALUES around it",
        ),
    };
    clear?;
    Some(Shape {
        order_by: order_by?,
        limit: limit?,
        ..body?
    })
}

fn body_shape(select: Select, refusals: &mut Refusals) -> Option<Shape> {
    let at = At::of(&select);
    let Select {
        select_token,
        optimizer_hints,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    let at = At::from(select_token.0.span).or(at);
    let refused = [
        (!optimizer_hints.is_empty(), "an optimizer hint"),
        (!matches!(distinct, None | Some(Distinct::All)), "DISTINCT"),
        (select_modifiers.is_some(), "a modifier of SELECT"),
        (top.is_some(), "TOP"),
        (exclude.is_some(), "EXCLUDE"),
        (into.is_some(), "INTO"),
        (!lateral_views.is_empty(), "LATERAL VIEW"),
        (prewhere.is_some(), "PREWHERE"),
        (!connect_by.is_empty(), "CONNECT BY"),
        (!cluster_by.is_empty(), "CLUSTER BY"),
        (!distribute_by.is_empty(), "DISTRIBUTE BY"),
        (!sort_by.is_empty(), "SORT BY"),
        (!named_window.is_empty(), "WINDOW"),
        (qualify.is_some(), "QUALIFY"),
        (value_table_mode.is_some(), "SELECT AS"),
        (flavor != SelectFlavor::Standard, "FROM before SELECT"),
    ];
    let clear = clauses(at, &refused, refusals);
    let group_by = group_keys(at, group_by, refusals);
    if projection.is_empty() {
        return refusals.question(
            at,
            "the question selects nothing",
            "name what the result shall show",
        );
    }
    clear?;
    Some(Shape {
        at,
        projection,
        from,
        filter: selection,
        group_by: group_by?,
        having,
        order_by: Vec::new(),
        limit: None,
    })
}

/// Refuses each clause that is present.
fn clauses(at: At, refused: &[(bool, &str)], refusals: &mut Refusals) -> Option<()> {
    let mut clear = Some(());
    for (_, clause) in refused.iter().filter(|(present, _)| *present) {
        clear = refusals.question(
            at,
            format!("{clause} is not part of the question language"),
            "A question is SELECT … FROM a JOIN b ON … WHERE … GROUP BY … HAVING COUNT(*) >= k ORDER BY … LIMIT n",
        );
    }
    clear
}

fn group_keys(at: At, group_by: GroupByExpr, refusals: &mut Refusals) -> Option<Vec<Expr>> {
    match group_by {
        GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => Some(keys),
        GroupByExpr::Expressions(..) | GroupByExpr::All(_) => refusals.question(
            at,
            "GROUP BY ALL, ROLLUP, CUBE and TOTALS are not part of the question language",
            "list the keys one by one",
        ),
    }
}

fn order_keys(
    at: At,
    order_by: Option<OrderBy>,
    refusals: &mut Refusals,
) -> Option<Vec<OrderByExpr>> {
    let Some(OrderBy { kind, interpolate }) = order_by else {
        return Some(Vec::new());
    };
    match kind {
        OrderByKind::Expressions(keys) if interpolate.is_none() => Some(keys),
        OrderByKind::Expressions(_) | OrderByKind::All(_) => refusals.question(
            at,
            "ORDER BY ALL and INTERPOLATE are not part of the question language",
            "list the output columns one by one",
        ),
    }
}

fn row_limit(at: At, clause: Option<LimitClause>, refusals: &mut Refusals) -> Option<Option<Expr>> {
    match clause {
        None => Some(None),
        Some(LimitClause::LimitOffset {
            limit,
            offset: None,
            limit_by,
        }) if limit_by.is_empty() => Some(limit),
        Some(clause) => refusals.question(
            At::of(&clause).or(at),
            "OFFSET and LIMIT BY are not part of the question language",
            "write LIMIT n",
        ),
    }
}

/// A name as the language reads it: unquoted ASCII letters fold to lower case, quoted ones stand as they are.
pub(super) fn folded(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_ascii_lowercase(),
    }
}

/// Where a token-less piece of syntax begins, or `fallback`.
pub(super) fn at(syntax: &impl Spanned, fallback: At) -> At {
    At::of(syntax).or(fallback)
}
