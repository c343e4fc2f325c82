//! Cuts an expression into words, numbers, texts and signs, each with its place.

use super::error::FilterError;
use super::expression::Operator;
use std::ops::Range;

/// What stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    Operator(Operator),
    Number(f64),
    /// A column, a keyword, or a text without quotes.
    Word(String),
    /// A text in quotes, or a list as it is shown: `[128, 64]`.
    Text(String),
    End,
}

/// The longest first, so that `<=` is not `<`.
const OPERATORS: [(&str, Operator); 7] = [
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Below),
    (">", Operator::Above),
];

/// All tokens, the last of them `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        }
        let (token, bytes) = next(text, at, letter)?;
        tokens.push((token, at..at + bytes));
        at += bytes;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

/// The token at byte `at`, which `first` begins, and its length.
fn next(text: &str, at: usize, first: char) -> Result<(Token, usize), FilterError> {
    let rest = &text[at..];
    if let Some((sign, operator)) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((Token::Operator(*operator), sign.len()));
    }
    match first {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        '"' | '\'' => enclosed(text, at, first),
        '[' => list(text, at),
        _ if is_word(first) => Ok(word(rest)),
        _ => Err(meaningless(text, at, first)),
    }
}

/// A sign that no expression has; those of other languages have their words here.
fn meaningless(text: &str, at: usize, first: char) -> FilterError {
    let known = [("&&", "and"), ("||", "or"), ("&", "and"), ("|", "or"), ("!", "not")];
    match known.iter().find(|(sign, _)| text[at..].starts_with(sign)) {
        Some((sign, word)) => {
            let problem = format!("{sign} has no meaning here; did you mean {word}?");
            FilterError::new(text, at..at + sign.len(), problem)
        }
        None => {
            let problem = format!("{first:?} has no meaning here, expected and, or, not");
            FilterError::new(text, at..at + first.len_utf8(), problem)
        }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_.+-/:".contains(letter)
}

fn word(rest: &str) -> (Token, usize) {
    let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
    let word = &rest[..end];
    // `nan` and `inf` parse as numbers too, but stand for words.
    let number =
        word.parse().ok().filter(|_| word.contains(|letter: char| letter.is_ascii_digit()));
    (number.map_or_else(|| Token::Word(word.to_owned()), Token::Number), end)
}

fn enclosed(text: &str, at: usize, quote: char) -> Result<(Token, usize), FilterError> {
    match text[at + 1..].find(quote) {
        Some(end) => Ok((Token::Text(text[at + 1..at + 1 + end].to_owned()), end + 2)),
        None => Err(FilterError::new(text, at..text.len(), "a quote that does not end")),
    }
}

/// A list up to its last bracket, in the form in which values are shown.
fn list(text: &str, at: usize) -> Result<(Token, usize), FilterError> {
    let mut depth = 0_i32;
    for (place, letter) in text[at..].char_indices() {
        depth += i32::from(letter == '[') - i32::from(letter == ']');
        if depth == 0 {
            let bare: String = text[at..=at + place].split_whitespace().collect();
            return Ok((Token::Text(bare.replace(',', ", ")), place + 1));
        }
    }
    Err(FilterError::new(text, at..text.len(), "a list that does not end, expected ]"))
}
