//! From characters to tokens, under limits. What cannot stand in any question is refused here, before the parser sees it: so
//! the parser's exotic branches (other systems' types, brackets, dollar quotes, hints) are never reached, and what approvers
//! read is what is parsed (no invisible characters, no comment that could hide a clause from the parser but not from a person).

use super::refuse::{At, Refusals, shown};
use crate::limits::QUESTION_BYTES_MAX;
use crate::printable::is_unprintable;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word};

/// Most tokens in one question, blanks not counted: bounds every chain of operators. Real questions have about a hundred.
const TOKENS_MAX: usize = 2_000;
/// Deepest nesting of parentheses, CASE and signs: keeps the parser's stack small. Real questions need four or five.
const NESTING_MAX: usize = 16;
/// The parser reads the arguments of a call several times over, trying one grammar after another: each level of nested calls
/// multiplies its work, at worst by this.
const CALL_FACTOR: u64 = 4;
/// Most work that leaves to the parser, in tokens read: about a tenth of a second. Real questions need a thousandth of it.
const WORK_MAX: u64 = 1 << 17;
/// Words that lead the parser into other systems' nested types, whose recursion it does not bound. As a column name they have
/// to be quoted.
const WORDS_REFUSED: &[&str] = &[
    "array",
    "lowcardinality",
    "map",
    "nested",
    "nullable",
    "struct",
    "tuple",
];

/// The tokens of `ask`, comments replaced by blanks.
pub(super) fn tokens(ask: &str, refusals: &mut Refusals) -> Option<Vec<TokenWithSpan>> {
    if ask.len() > QUESTION_BYTES_MAX {
        let got = ask.len();
        return refusals.question(
            At::WHOLE,
            format!("the question has {got} bytes; at most {QUESTION_BYTES_MAX} are allowed"),
            "ask several shorter questions",
        );
    }
    characters(ask, refusals)?;
    let dialect = PostgreSqlDialect {};
    let mut tokens = match Tokenizer::new(&dialect, ask).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => {
            return refusals.question(
                At::from(error.location),
                format!("this is not SQL text: {}", error.message),
                "close every quote and comment that you open",
            );
        }
    };
    for token in &mut tokens {
        if matches!(&token.token, Token::Whitespace(_)) {
            token.token = Token::Whitespace(Whitespace::Space);
        }
    }
    let known: Vec<Option<()>> = tokens
        .iter()
        .map(|token| allowed(token, refusals))
        .collect();
    known.into_iter().collect::<Option<Vec<()>>>()?;
    bounded(&tokens, refusals)?;
    Some(tokens)
}

/// Refuses characters that a reader cannot see or that change the order in which text is shown.
fn characters(ask: &str, refusals: &mut Refusals) -> Option<()> {
    let (mut line, mut column) = (1, 0);
    for c in ask.chars() {
        column += 1;
        let visible = !is_unprintable(c) && !invisible(c);
        if !visible && !matches!(c, '\n' | '\r' | '\t') {
            return refusals.question(
                At::new(line, column),
                format!(
                    "U+{:04X} cannot be seen, so approvers could not know what they read",
                    u32::from(c)
                ),
                "remove the character",
            );
        }
        if c == '\n' {
            (line, column) = (line + 1, 0);
        }
    }
    Some(())
}

/// Further zero-width, filler, tag and variation characters.
fn invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0xAD | 0x34F
            | 0x115F
            | 0x1160
            | 0x17B4
            | 0x17B5
            | 0x180B..=0x180F
            | 0x200B..=0x200F
            | 0x2060..=0x206F
            | 0x3164
            | 0xFE00..=0xFE0F
            | 0xFFA0
            | 0xFFF0..=0xFFFB
            | 0xE0000..=0xE0FFF
    )
}

/// Passes the tokens the language is made of and refuses all others.
fn allowed(token: &TokenWithSpan, refusals: &mut Refusals) -> Option<()> {
    let at = At::from(token.span);
    match &token.token {
        Token::Word(word) => self::word(word, at, refusals),
        Token::SingleQuotedString(text) if text.contains(['\n', '\r', '\t']) => refusals.question(
            at,
            "a text literal contains a line break or a tab",
            "compare with a pattern: LIKE with % or _ in that place",
        ),
        Token::SingleQuotedString(_)
        | Token::Number(_, false)
        | Token::Whitespace(_)
        | Token::Comma
        | Token::LParen
        | Token::RParen
        | Token::Period
        | Token::SemiColon
        | Token::DoubleColon
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::LtEq
        | Token::Gt
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::EOF => Some(()),
        other => refusals.question(
            at,
            format!("{} is not part of the question language", shown(&other.to_string())),
            "texts stand in plain single quotes, names in double quotes; operators are + - * / % = <> < <= > >= ::",
        ),
    }
}

fn word(word: &Word, at: At, refusals: &mut Refusals) -> Option<()> {
    if word.quote_style == Some('"') {
        if word.value.is_empty() {
            return refusals.question(
                at,
                "a quoted name is empty",
                "write a name between the quotes",
            );
        }
        return Some(());
    }
    if let Some(c) = word
        .value
        .chars()
        .find(|c| !c.is_alphanumeric() && *c != '_')
    {
        return refusals.question(
            at,
            format!(
                "U+{:04X} ({c}) cannot stand in a name without quotes",
                u32::from(c)
            ),
            "use ASCII quotes, blanks and punctuation; put unusual names in double quotes",
        );
    }
    if WORDS_REFUSED.contains(&word.value.to_ascii_lowercase().as_str()) {
        let name = shown(&word.value);
        let todo = format!("if it is a column's name, write it in double quotes: {name}");
        return refusals.question(
            at,
            format!("{name} is not part of the question language"),
            todo,
        );
    }
    Some(())
}

/// What the parser would have to do, counted token by token.
#[derive(Default)]
struct Load {
    tokens: usize,
    /// Open parentheses; true for those behind a word.
    open: Vec<bool>,
    cases: usize,
    signs: usize,
    work: u64,
}

impl Load {
    /// Counts one token; `behind_word` tells whether the one before it is a word.
    fn count(&mut self, token: &Token, behind_word: bool) {
        let keyword = match token {
            Token::Word(word) => word.keyword,
            _ => Keyword::NoKeyword,
        };
        match token {
            Token::LParen => self.open.push(behind_word),
            Token::RParen => drop(self.open.pop()),
            _ => {}
        }
        self.cases += usize::from(keyword == Keyword::CASE);
        self.cases = self
            .cases
            .saturating_sub(usize::from(keyword == Keyword::END));
        let sign = keyword == Keyword::NOT || matches!(token, Token::Minus | Token::Plus);
        self.signs = if sign { self.signs + 1 } else { 0 };
        self.tokens += 1;
        self.work = self
            .work
            .saturating_add(CALL_FACTOR.saturating_pow(self.calls()));
    }

    fn calls(&self) -> u32 {
        u32::try_from(self.open.iter().filter(|call| **call).count()).unwrap_or(u32::MAX)
    }

    /// What is too much, and what to write instead.
    fn excess(&self) -> Option<(String, &'static str)> {
        if self.open.len() + self.cases + self.signs > NESTING_MAX {
            let what = format!("parentheses, CASE or signs are nested deeper than {NESTING_MAX}");
            return Some((
                what,
                "write lists with IN, and conditions as one chain of AND",
            ));
        }
        if self.work > WORK_MAX {
            return Some((
                "function calls are nested too deeply for their number".to_owned(),
                "nest at most four or five calls",
            ));
        }
        let what = format!("the question has more than {TOKENS_MAX} words and signs");
        (self.tokens > TOKENS_MAX).then_some((what, "ask several shorter questions"))
    }
}

/// Bounds the work of the parser before it begins.
fn bounded(tokens: &[TokenWithSpan], refusals: &mut Refusals) -> Option<()> {
    let mut load = Load::default();
    let mut behind_word = false;
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        load.count(&token.token, behind_word);
        behind_word = matches!(token.token, Token::Word(_));
        if let Some((what, todo)) = load.excess() {
            return refusals.question(At::from(token.span), what, todo);
        }
    }
    Some(())
}
