//! What was measured, as a line of a table. Pure.

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// `None` if it could not be taken.
    pub(crate) value: Option<f64>,
    pub(crate) unit: &'static str,
    /// The most that is good enough.
    pub(crate) goal: Option<f64>,
}

impl Row {
    pub(super) fn new(name: &str, value: Option<f64>, unit: &'static str) -> Self {
        Self { name: name.to_owned(), value, unit, goal: None }
    }

    pub(super) fn with_goal(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Whether the goal is met, if there is one.
    pub(crate) fn met(&self) -> Option<bool> {
        self.goal.map(|goal| self.value.is_some_and(|value| value <= goal))
    }
}

/// Median and maximum of times in milliseconds, and how many were taken if that is not `wanted`.
pub(super) fn spread(name: &str, millis: &[f64], wanted: usize, goal: f64) -> [Row; 2] {
    // The longest of all is not known if some took longer than it was waited for.
    let max = millis.iter().copied().reduce(f64::max).filter(|_| millis.len() >= wanted);
    let taken = match millis.len() {
        taken if taken == wanted => String::new(),
        taken => format!(" of {taken}"),
    };
    let row = |what: &str, value| {
        Row::new(&format!("{name}, {what}{taken}"), value, "ms").with_goal(goal)
    };
    [row("median", median(millis)), row("max", max)]
}

/// The value in the middle; of two, the mean.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) =
        (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some((low + high) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_maximum_are_those_of_the_values_whatever_their_order_and_number() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        let [middle, max] = spread("x", &[5.0, 1.0, 2.0], 3, 2.0);
        assert_eq!((middle.name.as_str(), middle.met()), ("x, median", Some(true)));
        assert_eq!((max.value, max.met()), (Some(5.0), Some(false)));
        let [middle, max] = spread("x", &[1.0, 1.0], 3, 2.0);
        assert_eq!((middle.met(), max.met()), (Some(true), Some(false)), "one never came");
        let [none, _] = spread("x", &[], 3, 2.0);
        assert_eq!((none.name.as_str(), none.met()), ("x, median of 0", Some(false)));
    }
}
