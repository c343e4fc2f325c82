//! Tokens to an expression, by recursive descent of bounded depth. Finds the columns, and
//! refuses comparisons that no row could satisfy.

use super::error::FilterError;
use super::expression::{Expression, Literal, Operator};
use super::token::{Token, tokens};
use crate::sheet::{Kind, Sheet};
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
        let (place, kind) = (self.place(), self.sheet.kind(column));
        let literal = match self.peek() {
            Token::Number(number) => Literal::Number(*number),
            Token::Word(word) if word == "none" => Literal::Nothing,
            Token::Word(text) | Token::Text(text) => Literal::Text(text.clone()),
            _ => return Err(self.unexpected("a number, a word or a \"text\"")),
        };
        let name = &self.sheet.columns[column];
        let numbers = matches!(kind, Kind::Whole | Kind::Number);
        match &literal {
            Literal::Text(_) if numbers => {
                let problem = format!("{name} is a number, expected a number to compare it with");
                return Err(self.error(place, problem));
            }
            Literal::Text(_) | Literal::Nothing if operator.is_order() => {
                let problem = "has no order, expected a number here, or == or != before it";
                return Err(self.error(place, problem));
            }
            _ => {}
        }
        self.take();
        Ok(literal)
    }
}
