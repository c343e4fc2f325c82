//! An expression with its columns found, and what it says of a row. Pure; every combination of
//! cell and value has an answer.

use crate::sheet::Cell;
use wallaby_core::value::Value;

/// How a cell is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// What a cell is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// An empty cell.
    Nothing,
    Number(f64),
    Text(String),
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Compare { column: usize, operator: Operator, literal: Literal },
}

impl Operator {
    /// Whether it asks for more than equality.
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Operator::Equal | Operator::Unequal)
    }

    fn holds(self, cell: f64, value: f64) -> bool {
        match self {
            Operator::Equal => cell == value,
            Operator::Unequal => cell != value,
            Operator::Below => cell < value,
            Operator::AtMost => cell <= value,
            Operator::Above => cell > value,
            Operator::AtLeast => cell >= value,
        }
    }
}

impl Expression {
    /// Whether it holds for a row.
    pub(super) fn holds(&self, row: &[Cell]) -> bool {
        match self {
            Expression::Any(parts) => parts.iter().any(|part| part.holds(row)),
            Expression::All(parts) => parts.iter().all(|part| part.holds(row)),
            Expression::Not(part) => !part.holds(row),
            Expression::Compare { column, operator, literal } => {
                compare(row.get(*column).and_then(Option::as_ref), *operator, literal)
            }
        }
    }
}

fn compare(cell: Option<&Value>, operator: Operator, literal: &Literal) -> bool {
    let equal = match (cell, literal) {
        (None, Literal::Nothing) => true,
        (None, _) | (_, Literal::Nothing) => false,
        (Some(cell), Literal::Number(number)) => match cell.as_f64() {
            Some(cell) => return operator.holds(cell, *number),
            None => cell.to_string() == number.to_string(),
        },
        (Some(cell), Literal::Text(text)) => cell.to_string() == *text,
    };
    match operator {
        Operator::Equal => equal,
        Operator::Unequal => !equal,
        _ => false,
    }
}
