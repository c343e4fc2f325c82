//! The knobs of a model family: name, accepted values, default. A family declares them once;
//! the study file is checked against them, and a configuration is completed from them.

use crate::value::{Config, Value};

/// One hyper-parameter that a model family understands.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The name in `[model]` and `[search.space]`.
    pub name: &'static str,
    /// What values are accepted.
    pub accepts: Accepts,
    /// The value used when a study says nothing.
    pub default: Value,
    /// One sentence for `--help` and the README.
    pub help: &'static str,
}

/// The set of values that a parameter accepts. Bounds are inclusive unless said.
#[derive(Debug, Clone, PartialEq)]
pub enum Accepts {
    /// `true` or `false`.
    Bool,
    /// Whole numbers from `low` to `high`.
    Int {
        /// Smallest accepted.
        low: i64,
        /// Largest accepted.
        high: i64,
    },
    /// Finite numbers from `low` (or above it, if `open`) to `high`.
    Float {
        /// Smallest accepted, or the excluded lower end.
        low: f64,
        /// Largest accepted.
        high: f64,
        /// Whether `low` itself is excluded.
        open: bool,
    },
    /// One of these words.
    Words(&'static [&'static str]),
    /// A list of whole numbers, each from `low` to `high`, at most `length` of them.
    Ints {
        /// Smallest accepted element.
        low: i64,
        /// Largest accepted element.
        high: i64,
        /// Largest accepted number of elements.
        length: usize,
    },
}

impl Accepts {
    /// What is expected, as the end of a sentence: "a whole number from 1 to 4096".
    pub fn expected(&self) -> String {
        match self {
            Accepts::Bool => "true or false".to_owned(),
            Accepts::Int { low, high } => format!("a whole number from {low} to {high}"),
            Accepts::Float { low, high, open } => {
                let start = if *open { "above" } else { "from" };
                let low = Value::Float(*low);
                // The end of all numbers, digit for digit, is no help.
                let end = match *high < f64::MAX {
                    true => format!(" to {}", Value::Float(*high)),
                    false => String::new(),
                };
                format!("a number {start} {low}{end}")
            }
            Accepts::Words(words) => format!("one of {}", words.join(", ")),
            Accepts::Ints { low, high, length } => {
                format!("a list of at most {length} whole numbers from {low} to {high}")
            }
        }
    }

    /// Whether `value` is accepted.
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Accepts::Bool => matches!(value, Value::Bool(_)),
            Accepts::Int { low, high } => {
                value.as_i64().is_some_and(|n| (*low..=*high).contains(&n))
            }
            Accepts::Float { low, high, open } => value.as_f64().is_some_and(|number| {
                let above = if *open { number > *low } else { number >= *low };
                number.is_finite() && above && number <= *high
            }),
            Accepts::Words(words) => value.as_text().is_some_and(|word| words.contains(&word)),
            Accepts::Ints { low, high, length } => value.as_list().is_some_and(|list| {
                let fits = |v: &Value| v.as_i64().is_some_and(|n| (*low..=*high).contains(&n));
                list.len() <= *length && list.iter().all(fits)
            }),
        }
    }
}

/// `given` completed by the defaults of `parameters`.
pub fn complete(parameters: &[Parameter], given: &Config) -> Config {
    let defaults = parameters.iter().map(|p| (p.name.to_owned(), p.default.clone()));
    defaults.chain(given.iter().map(|(name, value)| (name.clone(), value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_bound_excludes_its_end() {
        let rate = Accepts::Float { low: 0.0, high: 1.0, open: true };
        assert!(!rate.contains(&Value::Float(0.0)));
        assert!(rate.contains(&Value::Int(1)));
        assert!(!rate.contains(&Value::Float(f64::NAN)));
        assert_eq!(rate.expected(), "a number above 0 to 1");
    }

    #[test]
    fn a_bound_that_is_no_bound_is_not_spelt_out() {
        let float = |low, open| Accepts::Float { low, high: f64::MAX, open };
        assert_eq!(float(0.0, true).expected(), "a number above 0");
        assert_eq!(float(0.0, false).expected(), "a number from 0");
        let tiny = Accepts::Float { low: 1e-37, high: 1e38, open: false };
        assert_eq!(tiny.expected(), "a number from 1e-37 to 1e38");
    }

    #[test]
    fn given_values_win_over_defaults() {
        let dropout = Parameter {
            name: "dropout",
            accepts: Accepts::Float { low: 0.0, high: 0.9, open: false },
            default: Value::Float(0.0),
            help: "",
        };
        let given = Config::from([("dropout".to_owned(), Value::Float(0.5))]);
        assert_eq!(complete(std::slice::from_ref(&dropout), &given), given);
        assert_eq!(complete(&[dropout], &Config::new())["dropout"], Value::Float(0.0));
    }
}
