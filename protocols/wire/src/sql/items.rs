//! The items of SELECT, taken apart: expressions, aliases and `a.*`, nothing else.

use super::question::{Shape, folded};
use super::refuse::{At, Refusals};
use sqlparser::ast::{
    Expr, ObjectNamePart, SelectItem, SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

/// One SELECT item, its alias folded.
pub(super) struct Item {
    /// Where.
    pub(super) at: At,
    /// What.
    pub(super) what: Selected,
    /// AS.
    pub(super) alias: Option<String>,
}

/// What a SELECT item is.
pub(super) enum Selected {
    /// `a.*`, by the qualifier.
    Star(String),
    /// Anything else.
    Expression(Box<Expr>),
}

/// The items of SELECT, with everything about them that is not a name or an expression refused.
pub(super) fn items(shape: &Shape, refusals: &mut Refusals) -> Vec<Option<Item>> {
    shape
        .projection
        .iter()
        .map(|item| one_item(item, shape.at, refusals))
        .collect()
}

fn one_item(item: &SelectItem, fallback: At, refusals: &mut Refusals) -> Option<Item> {
    let at = At::of(item).or(fallback);
    let (what, alias) = match item {
        SelectItem::UnnamedExpr(expr) => (Selected::Expression(Box::new(expr.clone())), None),
        SelectItem::ExprWithAlias { expr, alias } => (
            Selected::Expression(Box::new(expr.clone())),
            Some(folded(alias)),
        ),
        SelectItem::QualifiedWildcard(kind, options) if item_is_plain(options) => {
            let name = match kind {
                SelectItemQualifiedWildcardKind::ObjectName(name) => single(&name.0),
                SelectItemQualifiedWildcardKind::Expr(_) => None,
            };
            let Some(name) = name else {
                return refusals.question(
                    at,
                    "* stands behind something other than a table's alias",
                    "write a.*",
                );
            };
            (Selected::Star(name), None)
        }
        SelectItem::Wildcard(_) => {
            return refusals.question(
                at,
                "SELECT * would hand out both parties' rows",
                "select each reader's own rows, a.* or a.*, b.*, or aggregates such as COUNT(*)",
            );
        }
        SelectItem::QualifiedWildcard(..) | SelectItem::ExprWithAliases { .. } => {
            return refusals.question(at, "EXCEPT, REPLACE, RENAME and lists of aliases are not part of the question language", "list the columns one by one");
        }
    };
    Some(Item { at, what, alias })
}

fn item_is_plain(options: &WildcardAdditionalOptions) -> bool {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none()
}

/// The folded name, if an object name has exactly one plain part.
fn single(parts: &[ObjectNamePart]) -> Option<String> {
    match parts {
        [part] => part.as_ident().map(folded),
        _ => None,
    }
}
