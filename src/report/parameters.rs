//! The searched parameters as axes: their range and the value of each trial on it.

use super::numbers::short;
use serde::Serialize;
use wallaby_core::space::Domain;
use wallaby_core::study::Study;
use wallaby_core::value::Value;

/// A searched parameter.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Axis {
    name: String,
    #[serde(flatten)]
    range: Range,
    /// By trial: the number, or the place in the list of values.
    at: Vec<Option<f64>>,
}

/// What an axis spans.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "range", rename_all = "lowercase")]
enum Range {
    /// Numbers.
    Numbers { low: f64, high: f64, log: bool },
    /// One of these, in the order of the study file.
    Choice { values: Vec<String> },
}

/// An axis for each searched parameter, by name.
pub(super) fn axes(study: &Study) -> Vec<Axis> {
    study
        .creation
        .spec
        .search
        .space
        .0
        .iter()
        .map(|(name, domain)| axis(study, name, domain))
        .collect()
}

fn axis(study: &Study, name: &str, domain: &Domain) -> Axis {
    let values = study.trials.iter().map(|trial| trial.config.get(name));
    let at = values.map(|value| place(domain, value?)).collect();
    Axis { name: name.to_owned(), range: range(domain), at }
}

fn range(domain: &Domain) -> Range {
    match domain {
        Domain::Choice(values) => {
            Range::Choice { values: values.iter().map(Value::to_string).collect() }
        }
        Domain::Int { low, high, log, .. } => {
            Range::Numbers { low: *low as f64, high: *high as f64, log: *log }
        }
        Domain::Float { low, high, log, .. } => {
            Range::Numbers { low: *low, high: *high, log: *log }
        }
    }
}

fn place(domain: &Domain, value: &Value) -> Option<f64> {
    match domain {
        Domain::Choice(values) => {
            values.iter().position(|choice| choice == value).map(|at| at as f64)
        }
        Domain::Int { .. } => value.as_f64(),
        Domain::Float { .. } => value.as_f64().and_then(short),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_placed_by_its_order_in_the_study_file() {
        let optimizers = Domain::Choice(vec!["sgd".into(), "adam".into()]);
        assert_eq!(place(&optimizers, &"adam".into()), Some(1.0));
        assert_eq!(place(&optimizers, &"lion".into()), None);
        let values = vec!["sgd".to_owned(), "adam".to_owned()];
        assert_eq!(range(&optimizers), Range::Choice { values });
    }

    #[test]
    fn whole_numbers_keep_all_their_digits() {
        let width = Domain::Int { low: 1, high: 10_000_000, log: true, points: None };
        assert_eq!(place(&width, &Value::Int(1_234_567)), Some(1_234_567.0));
        assert_eq!(range(&width), Range::Numbers { low: 1.0, high: 1e7, log: true });
    }
}
