//! Numbers as a page of 100,000 units can afford them: few digits, differences instead of sums.

/// To five significant digits; `None`, which is `null` in JSON, for what is not finite.
pub(super) fn short(value: f64) -> Option<f64> {
    let rounded = format!("{value:.4e}").parse().unwrap_or(value);
    value.is_finite().then_some(rounded)
}

/// The first number, then each number's difference from the one before.
pub(super) fn differences(values: impl IntoIterator<Item = u64>) -> Vec<i64> {
    let mut before = 0;
    let step = |value: u64| {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        value - std::mem::replace(&mut before, value)
    };
    values.into_iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_digits_are_kept_whatever_the_size() {
        assert_eq!(short(0.123_456_78), Some(0.12346));
        assert_eq!(short(1.234_567_8e-7), Some(1.2346e-7));
        assert_eq!(short(-987_654.3), Some(-987_650.0));
        assert_eq!(short(0.0), Some(0.0));
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        assert_eq!([f64::NAN, f64::INFINITY].map(short), [None, None]);
    }

    #[test]
    fn differences_sum_up_to_the_numbers() {
        let sums = differences([5, 9, 7]).into_iter().scan(0, |sum, step| {
            *sum += step;
            Some(*sum)
        });
        assert_eq!(sums.collect::<Vec<i64>>(), [5, 9, 7]);
    }
}
