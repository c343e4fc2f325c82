//! Tokens to an expression, by recursive descent of bounded depth. Finds the columns, and
//! refuses comparisons that no row could satisfy.

use super::error::FilterError;
use super::expression::{Expression, Literal, Operator};
use super::token::{Token, tokens};
use crate::progress::END_WORDS;
use crate::ranking;
use crate::sheet::{Kind, Sheet};
use crate::study_file::nearest;
use std::ops::Range;

/// Deeper than anybody types, and shallow enough for any stack.
const DEPTH_MAX: usize = 64;

/// Reads a whole expression over the columns of `sheet`.
pub(super) fn parse(text: &str, sheet: &Sheet) -> Result<Expression, FilterError> {
    let mut parser = Parser { text, sheet, tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = parser.alternatives()?;
    match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.unexpected("and, or, or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    sheet: &'a Sheet,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn place(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    /// The next token; the last one, `End`, is never left behind.
    fn take(&mut self) -> (Token, Range<usize>) {
        let taken = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        taken
    }

    /// Takes the keyword if it comes next.
    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        if found {
            self.take();
        }
        found
    }

    fn error(&self, place: Range<usize>, problem: impl Into<String>) -> FilterError {
        FilterError::new(self.text, place, problem)
    }

    fn unexpected(&self, expected: &str) -> FilterError {
        let place = self.place();
        let found = match self.text.get(place.clone()) {
            None | Some("") => "the expression ends",
            Some(found) => found,
        };
        self.error(place, format!("{found}: expected {expected}"))
    }

    fn alternatives(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.conjunction()?];
        while self.keyword("or") {
            parts.push(self.conjunction()?);
        }
        Ok(Expression::Any(parts))
    }

    fn conjunction(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.term()?];
        while self.keyword("and") {
            parts.push(self.term()?);
        }
        Ok(Expression::All(parts))
    }

    fn term(&mut self) -> Result<Expression, FilterError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(self.place(), format!("nested deeper than {DEPTH_MAX}")));
        }
        self.depth += 1;
        let term = self.term_inside();
        self.depth -= 1;
        term
    }

    fn term_inside(&mut self) -> Result<Expression, FilterError> {
        if self.keyword("not") {
            return Ok(Expression::Not(Box::new(self.term()?)));
        }
        if *self.peek() != Token::Open {
            return self.comparison();
        }
        self.take();
        let inner = self.alternatives()?;
        match self.peek() {
            Token::Close => self.take(),
            _ => return Err(self.unexpected("and, or, or )")),
        };
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Expression, FilterError> {
        let column = self.column()?;
        let &Token::Operator(operator) = self.peek() else {
            return Err(self.unexpected("one of == != < <= > >="));
        };
        self.take();
        let literal = self.literal(column, operator)?;
        Ok(Expression::Compare { column, operator, literal })
    }

    fn column(&mut self) -> Result<usize, FilterError> {
        let name = match self.peek() {
            Token::Word(name) | Token::Text(name) => name.clone(),
            _ => return Err(self.unexpected("a column, as in `accuracy > 0.9`")),
        };
        let (_, place) = self.take();
        self.sheet.require(&name).map_err(|unknown| self.error(place, unknown.to_string()))
    }

    fn literal(&mut self, column: usize, operator: Operator) -> Result<Literal, FilterError> {
        let place = self.place();
        let literal = match self.peek() {
            Token::Number(number) => Literal::Number(*number),
            Token::Word(word) if word.eq_ignore_ascii_case("none") => Literal::Nothing,
            Token::Word(text) | Token::Text(text) => Literal::Text(text.clone()),
            _ => return Err(self.unexpected("a number, a word or a \"text\"")),
        };
        let literal = self.satisfiable(column, operator, literal);
        let literal = literal.map_err(|problem| self.error(place, problem))?;
        self.take();
        Ok(literal)
    }

    /// The literal as a cell of the column would have it, or why no cell can be like that.
    fn satisfiable(
        &self,
        column: usize,
        operator: Operator,
        literal: Literal,
    ) -> Result<Literal, String> {
        let (name, kind) = (&self.sheet.columns[column], self.sheet.kind(column));
        let has_numbers = kind == Kind::Empty || self.sheet.holds_a_number(column);
        match literal {
            _ if operator.is_order() && !has_numbers => {
                Err(format!("{name} has no order, expected == or != before a word"))
            }
            Literal::Text(_) if matches!(kind, Kind::Whole | Kind::Number) => {
                Err(format!("{name} is a number, expected a number to compare it with"))
            }
            Literal::Text(_) | Literal::Nothing if operator.is_order() => {
                Err("has no order, expected a number here, or == or != before it".to_owned())
            }
            Literal::Number(_) if !has_numbers => {
                Err(format!("{name} holds no number, expected a word to compare it with"))
            }
            Literal::Text(word) if name == ranking::END => end(&word).map(Literal::Text),
            literal => Ok(literal),
        }
    }
}

/// How a trial can end, as `word` says it in whatever case.
fn end(word: &str) -> Result<String, String> {
    let known = || END_WORDS.into_iter();
    if let Some(end) = known().find(|end| end.eq_ignore_ascii_case(word)) {
        return Ok(end.to_owned());
    }
    let hint =
        nearest(word, known()).map_or_else(String::new, |end| format!("; did you mean {end}?"));
    Err(format!("no trial ends like that, expected one of {}{hint}", END_WORDS.join(", ")))
}
