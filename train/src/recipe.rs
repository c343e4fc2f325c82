//! How any network is trained: the parameters that all neural families share.
//! Knows no network.

use crate::UnitError;
use crate::rule::Rule;
use crate::settings::Settings;
use wallaby_core::parameter::{Accepts, Parameter};
use wallaby_core::value::{Config, Value};

/// Optimizer and batch size of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recipe {
    /// The optimizer with its settings.
    pub(crate) rule: Rule,
    /// Rows of a mini-batch; the last one of a pass may be smaller.
    pub(crate) batch_rows: usize,
}

impl Recipe {
    /// The parameters it is read from.
    pub(crate) fn parameters() -> Vec<Parameter> {
        vec![
            Parameter {
                name: "optimizer",
                accepts: Accepts::Words(&["sgd", "adam", "adamw"]),
                default: "adam".into(),
                help: "The optimizer.",
            },
            Parameter {
                name: "learning_rate",
                accepts: Accepts::Float { low: SINGLE_MIN, high: SINGLE_MAX, open: false },
                default: Value::Float(1e-3),
                help: "Step size of the optimizer.",
            },
            fraction("momentum", 0.9, "Momentum of sgd."),
            Parameter {
                name: "weight_decay",
                accepts: Accepts::Float { low: 0.0, high: SINGLE_MAX, open: false },
                default: Value::Float(0.0),
                help: "L2 penalty in the gradient (sgd, adam), decoupled decay (adamw).",
            },
            fraction("beta1", 0.9, "Decay of the first moment of adam and adamw."),
            fraction("beta2", 0.999, "Decay of the second moment of adam and adamw."),
            Parameter {
                name: "epsilon",
                accepts: Accepts::Float { low: EPSILON_MIN, high: 1.0, open: false },
                default: Value::Float(1e-8),
                help: "Added to the denominator of adam and adamw.",
            },
            Parameter {
                name: "batch_size",
                accepts: Accepts::Int { low: 1, high: 65_536 },
                default: Value::Int(32),
                help: "Rows of a mini-batch.",
            },
        ]
    }

    /// Reads it from a completed configuration.
    pub(crate) fn read(config: &Config) -> Result<Self, UnitError> {
        let settings = Settings(config);
        settings.check(&Self::parameters())?;
        let learning_rate = settings.number("learning_rate")?;
        let weight_decay = settings.number("weight_decay")?;
        let rule = match settings.word("optimizer")? {
            "sgd" => {
                Rule::Sgd { learning_rate, weight_decay, momentum: settings.number("momentum")? }
            }
            adam => Rule::Adam {
                learning_rate,
                weight_decay,
                decoupled: adam == "adamw",
                beta1: settings.number("beta1")?,
                beta2: settings.number("beta2")?,
                epsilon: settings.number("epsilon")?,
            },
        };
        Ok(Self { rule, batch_rows: settings.count("batch_size")? })
    }
}

/// The end of what single precision holds in full, rounded to one digit: what is smaller loses
/// digits, and then vanishes.
const SINGLE_MIN: f64 = 1e-37;

/// Single precision holds no power of ten above it.
const SINGLE_MAX: f64 = 1e38;

/// Anything smaller may vanish in single precision and leave zero over zero.
const EPSILON_MIN: f64 = 1e-30;

/// Below one in single precision too.
const ALMOST_ONE: f64 = 0.999_999;

fn fraction(name: &'static str, default: f64, help: &'static str) -> Parameter {
    let accepts = Accepts::Float { low: 0.0, high: ALMOST_ONE, open: false };
    Parameter { name, accepts, default: Value::Float(default), help }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallaby_core::parameter::complete;

    #[test]
    fn the_defaults_are_accepted() {
        let config = complete(&Recipe::parameters(), &Config::new());
        let recipe = Recipe::read(&config).unwrap();
        assert_eq!(recipe.batch_rows, 32);
        assert_eq!(recipe.rule.name(), "adam");
    }

    fn refusal(name: &str, value: f64) -> String {
        let given = Config::from([(name.to_owned(), Value::Float(value))]);
        Recipe::read(&complete(&Recipe::parameters(), &given)).unwrap_err().to_string()
    }

    #[test]
    fn a_learning_rate_of_zero_is_refused() {
        let expected = "parameter learning_rate is 0, expected a number from 1e-37 to 1e38";
        assert_eq!(refusal("learning_rate", 0.0), expected);
    }

    #[test]
    fn rates_that_single_precision_cannot_hold_are_refused() {
        assert!(refusal("learning_rate", 1e39).contains("expected a number from 1e-37 to 1e38"));
        assert!(refusal("learning_rate", 1e-50).contains("expected a number from 1e-37 to 1e38"));
        assert!(refusal("weight_decay", 1e39).contains("expected a number from 0 to 1e38"));
        assert!((SINGLE_MIN as f32).is_normal() && (SINGLE_MAX as f32).is_finite());
    }
}
