//! The search space: a domain for each searched parameter, keyed by name.
//! Maps the unit interval onto values; where the numbers come from is the samplers' affair.

use crate::value::{Config, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Values of one choice: they are compared with each other.
pub const CHOICES_MAX: u64 = 4096;
/// Points of one parameter in a grid.
pub const POINTS_MAX: u64 = 1 << 16;

/// The values one parameter may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Domain {
    /// One of these values, in the order given.
    Choice(Vec<Value>),
    /// Whole numbers from `low` to `high`, both included.
    Int {
        /// Smallest value.
        low: i64,
        /// Largest value.
        high: i64,
        /// Whether the logarithm is uniform rather than the number.
        log: bool,
        /// How many points a grid takes; all of them when absent.
        points: Option<u32>,
    },
    /// Real numbers from `low` to `high`.
    Float {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// Whether the logarithm is uniform rather than the number.
        log: bool,
        /// How many points a grid takes; a grid needs it.
        points: Option<u32>,
    },
}

/// What is wrong with a domain.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DomainError {
    /// A choice without values.
    #[error("has no values, expected at least one")]
    Empty,
    /// The same value twice in a choice.
    #[error("lists {0} twice, expected different values")]
    Repeated(Value),
    /// `low` not below `high`.
    #[error("has low {low} and high {high}, expected low < high")]
    UpsideDown {
        /// The lower end as given.
        low: Value,
        /// The upper end as given.
        high: Value,
    },
    /// A logarithmic range that reaches zero or below.
    #[error("is logarithmic and starts at {0}, expected a low above 0")]
    LogOfZero(Value),
    /// A bound that is not finite.
    #[error("has a bound that is not finite")]
    NotFinite,
    /// `points` is zero.
    #[error("has points = 0, expected at least 1")]
    NoPoints,
    /// A grid over a continuous range without a number of points.
    #[error("is continuous, and a grid needs `points = N` to cut it")]
    NeedsPoints,
    /// More values than a list or a grid may have.
    #[error("has {found} values, expected at most {most}")]
    TooMany {
        /// How many there are.
        found: u64,
        /// How many there may be.
        most: u64,
    },
}

impl Domain {
    /// Checks the bounds.
    ///
    /// # Errors
    /// Says what is wrong; the caller adds the parameter's name.
    pub fn check(&self) -> Result<(), DomainError> {
        match self {
            Domain::Choice(values) => {
                if values.is_empty() {
                    return Err(DomainError::Empty);
                }
                // Before they are compared with each other.
                at_most(values.len() as u64, CHOICES_MAX)?;
                for (at, value) in values.iter().enumerate() {
                    if values[..at].contains(value) {
                        return Err(DomainError::Repeated(value.clone()));
                    }
                }
                Ok(())
            }
            Domain::Int { low, high, log, points } => {
                check_range((*low).into(), (*high).into(), low < high, *log && *low < 1, *points)
            }
            Domain::Float { low, high, log, points } => {
                if !low.is_finite() || !high.is_finite() || !(high - low).is_finite() {
                    return Err(DomainError::NotFinite);
                }
                check_range((*low).into(), (*high).into(), low < high, *log && *low <= 0.0, *points)
            }
        }
    }

    /// Checks the bounds, and that a grid can be made of the domain: who asks for one of its points
    /// takes all of them into memory.
    ///
    /// # Errors
    /// As [`Domain::check`].
    pub fn check_for_grid(&self) -> Result<(), DomainError> {
        self.check()?;
        at_most(self.grid_len().ok_or(DomainError::NeedsPoints)?, POINTS_MAX)
    }

    /// The value at `unit` in [0, 1): uniform numbers in give values of this domain's law out.
    pub fn at(&self, unit: f64) -> Value {
        match self {
            Domain::Choice(values) => values[index(unit, values.len())].clone(),
            Domain::Int { low, high, log: false, .. } => {
                let width = (high.abs_diff(*low) as f64) + 1.0;
                Value::Int(low.saturating_add((unit * width) as i64).min(*high))
            }
            Domain::Int { low, high, log: true, .. } => {
                // Half a step of margin on both sides, so that the ends are as likely as the rest.
                let value = log_between(*low as f64 - 0.5, *high as f64 + 0.5, unit);
                Value::Int((libm::round(value) as i64).clamp(*low, *high))
            }
            Domain::Float { low, high, log: false, .. } => {
                Value::Float((low + unit * (high - low)).clamp(*low, *high))
            }
            Domain::Float { low, high, log: true, .. } => {
                Value::Float(log_between(*low, *high, unit).clamp(*low, *high))
            }
        }
    }

    /// The points of a grid over this domain, in order, both ends included.
    ///
    /// # Errors
    /// [`DomainError::NeedsPoints`] for a continuous range without `points`.
    pub fn grid(&self) -> Result<Vec<Value>, DomainError> {
        match self {
            Domain::Choice(values) => Ok(values.clone()),
            Domain::Int { low, high, points: None, .. } => {
                Ok((*low..=*high).map(Value::Int).collect())
            }
            Domain::Int { low, high, log, points: Some(points) } => {
                let (low, high) = (*low as f64, *high as f64);
                let mut values: Vec<Value> = spread(*points)
                    .map(|unit| between(low, high, *log, unit))
                    .map(|value| Value::Int(libm::round(value) as i64))
                    .collect();
                values.dedup();
                Ok(values)
            }
            Domain::Float { points: None, .. } => Err(DomainError::NeedsPoints),
            Domain::Float { low, high, log, points: Some(points) } => Ok(spread(*points)
                .map(|unit| Value::Float(between(*low, *high, *log, unit).clamp(*low, *high)))
                .collect()),
        }
    }

    /// How many points [`Domain::grid`] has, without building them; `None` if it has no grid.
    pub fn grid_len(&self) -> Option<u64> {
        match self {
            Domain::Choice(values) => Some(values.len() as u64),
            Domain::Int { low, high, points: None, .. } => {
                Some(high.abs_diff(*low).saturating_add(1))
            }
            Domain::Int { points: Some(_), .. } => {
                self.grid().ok().map(|values| values.len() as u64)
            }
            Domain::Float { points, .. } => points.map(u64::from),
        }
    }
}

fn at_most(found: u64, most: u64) -> Result<(), DomainError> {
    if found > most { Err(DomainError::TooMany { found, most }) } else { Ok(()) }
}

fn check_range(
    low: Value,
    high: Value,
    ordered: bool,
    log_of_zero: bool,
    points: Option<u32>,
) -> Result<(), DomainError> {
    if !ordered {
        return Err(DomainError::UpsideDown { low, high });
    }
    if log_of_zero {
        return Err(DomainError::LogOfZero(low));
    }
    if points == Some(0) {
        return Err(DomainError::NoPoints);
    }
    at_most(points.unwrap_or(0).into(), POINTS_MAX)
}

/// The cell of [0, 1) cut into `len` equal cells that holds `unit`.
fn index(unit: f64, len: usize) -> usize {
    ((unit * len as f64) as usize).min(len - 1)
}

/// `libm` rather than the system's mathematics: the same bits on every machine.
fn log_between(low: f64, high: f64, unit: f64) -> f64 {
    let (low, high) = (libm::log(low), libm::log(high));
    libm::exp(low + unit * (high - low))
}

fn between(low: f64, high: f64, log: bool, unit: f64) -> f64 {
    if log { log_between(low, high, unit) } else { low + unit * (high - low) }
}

/// `points` numbers from 0 to 1, ends included; a single one lies in the middle.
fn spread(points: u32) -> impl Iterator<Item = f64> {
    let last = f64::from(points.max(2) - 1);
    (0..points).map(move |at| if points == 1 { 0.5 } else { f64::from(at) / last })
}

/// The search space of a study. Parameters are ordered by name, never by declaration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Space(pub BTreeMap<String, Domain>);

impl Space {
    /// The configuration at a point of the unit cube, one coordinate for each parameter by name.
    pub fn at(&self, mut unit: impl FnMut(usize, &str) -> f64) -> Config {
        let place = |(at, (name, domain)): (usize, (&String, &Domain))| {
            (name.clone(), domain.at(unit(at, name)))
        };
        self.0.iter().enumerate().map(place).collect()
    }

    /// The number of points of the full grid, `None` if some domain has no grid.
    pub fn grid_len(&self) -> Option<u64> {
        self.0.values().try_fold(1u64, |product, d| Some(product.saturating_mul(d.grid_len()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate() -> Domain {
        Domain::Float { low: 1e-4, high: 1e-1, log: true, points: Some(4) }
    }

    fn any_domain() -> impl Strategy<Value = Domain> {
        let points = prop::option::of(1u32..9);
        prop_oneof![
            prop::collection::btree_set(-50i64..50, 1..6)
                .prop_map(|set| Domain::Choice(set.into_iter().map(Value::Int).collect())),
            (1i64..100, 1i64..1000, any::<bool>(), points.clone()).prop_map(
                |(low, more, log, points)| { Domain::Int { low, high: low + more, log, points } }
            ),
            (1e-6f64..1.0, 1e-3f64..1e3, any::<bool>(), points).prop_map(
                |(low, more, log, points)| { Domain::Float { low, high: low + more, log, points } }
            ),
        ]
    }

    fn holds(domain: &Domain, value: &Value) -> bool {
        match (domain, value) {
            (Domain::Choice(values), value) => values.contains(value),
            (Domain::Int { low, high, .. }, Value::Int(n)) => (low..=high).contains(&n),
            (Domain::Float { low, high, .. }, Value::Float(x)) => (low..=high).contains(&x),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn every_value_drawn_lies_in_its_domain(domain in any_domain(), unit in 0.0f64..1.0) {
            prop_assert!(domain.check().is_ok());
            prop_assert!(holds(&domain, &domain.at(unit)));
        }

        #[test]
        fn a_grid_has_the_announced_length_and_lies_in_its_domain(domain in any_domain()) {
            match domain.grid() {
                Ok(points) => {
                    prop_assert_eq!(Some(points.len() as u64), domain.grid_len());
                    prop_assert!(points.iter().all(|value| holds(&domain, value)));
                }
                Err(_) => prop_assert_eq!(domain.grid_len(), None),
            }
        }
    }

    #[test]
    fn a_logarithmic_grid_has_equal_ratios() {
        let grid: Vec<f64> = rate().grid().unwrap().iter().filter_map(Value::as_f64).collect();
        for (value, expected) in grid.iter().zip([1e-4, 1e-3, 1e-2, 1e-1]) {
            assert!((value / expected - 1.0).abs() < 1e-9, "{value} against {expected}");
        }
    }

    #[test]
    fn both_ends_of_a_logarithmic_whole_range_are_drawn() {
        let domain = Domain::Int { low: 1, high: 4, log: true, points: None };
        assert_eq!(domain.at(0.0), Value::Int(1));
        assert_eq!(domain.at(0.999_999), Value::Int(4));
    }

    #[test]
    fn wrong_bounds_are_named() {
        let upside_down = Domain::Int { low: 3, high: 3, log: false, points: None };
        assert_eq!(
            upside_down.check().unwrap_err().to_string(),
            "has low 3 and high 3, expected low < high"
        );
        let zero = Domain::Float { low: 0.0, high: 1.0, log: true, points: None };
        assert_eq!(zero.check(), Err(DomainError::LogOfZero(Value::Float(0.0))));
        assert_eq!(Domain::Choice(vec![]).check(), Err(DomainError::Empty));
        let continuous = Domain::Float { low: 0.0, high: 1.0, log: false, points: None };
        assert_eq!(continuous.grid(), Err(DomainError::NeedsPoints));
        assert_eq!(continuous.check_for_grid(), Err(DomainError::NeedsPoints));
    }
    #[test]
    fn more_values_than_fit_into_memory_are_refused_before_they_are_made() {
        let too_many = |found, most| Err(DomainError::TooMany { found, most });
        let long = Domain::Choice((0..5000).map(Value::Int).collect());
        assert_eq!(long.check(), too_many(5000, CHOICES_MAX));
        let cut = Domain::Float { low: 0.0, high: 1.0, log: false, points: Some(u32::MAX) };
        assert_eq!(cut.check(), too_many(u32::MAX.into(), POINTS_MAX));
        let whole = Domain::Int { low: i64::MIN, high: i64::MAX, log: false, points: None };
        assert_eq!(whole.check(), Ok(()));
        assert_eq!(whole.check_for_grid(), too_many(u64::MAX, POINTS_MAX));
    }
}
