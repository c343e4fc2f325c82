//! Values of hyper-parameters, and configurations: maps from parameter name to value.
//! Names are the identity of parameters; a configuration has no order of declaration.

mod reading;

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// One value of a hyper-parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite real number.
    Float(f64),
    /// A word, for example the name of an activation.
    Text(String),
    /// A list, for example the widths of hidden layers.
    List(Vec<Value>),
}

/// A point of the search space merged with the study's fixed model settings.
pub type Config = BTreeMap<String, Value>;

impl Value {
    /// The number, if this is an `Int` or a `Float`.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The whole number, if this is an `Int`, or a `Float` without a fraction.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Some(*number as i64)
            }
            _ => None,
        }
    }

    /// The word, if this is a `Text`.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if this is a `List`.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// What kind of value this is, in the words of the study file.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Bool(_) => "true or false",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
        }
    }
}

impl fmt::Display for Value {
    /// As in a study file, texts without quotes: `0.001`, `adam`, `[64, 32]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Float(number) if *number != 0.0 && !(1e-3..1e16).contains(&number.abs()) => {
                write!(f, "{number:e}")
            }
            Value::Float(number) => write!(f, "{number}"),
            Value::Text(text) => f.write_str(text),
            Value::List(list) => {
                f.write_str("[")?;
                for (at, item) in list.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Float(number)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_in_a_study_file() {
        let list = Value::List(vec![Value::Int(64), Value::Int(32)]);
        let shown: Vec<String> =
            [list, 3e-4.into(), 0.5.into(), "adam".into()].iter().map(Value::to_string).collect();
        assert_eq!(shown, ["[64, 32]", "3e-4", "0.5", "adam"]);
    }

    #[test]
    fn a_float_without_a_fraction_is_a_whole_number() {
        assert_eq!(Value::Float(16.0).as_i64(), Some(16));
        assert_eq!(Value::Float(16.5).as_i64(), None);
        assert_eq!(Value::Text("16".into()).as_i64(), None);
    }
}
