//! What a cell must hold to be a number, in training and prediction alike, and how it is shown
//! when it does not. Knows no column and no line.

/// What a feature is.
pub(crate) const NUMBER: &str = "a finite number";
/// What a target is.
pub(crate) const NUMBER_OR_LABEL: &str = "a finite number or a label";
/// What a feature is that is not standardised.
pub(crate) const SINGLE_UNLESS_SCALED: &str =
    "a number of 32 bits, from -3.4e38 to 3.4e38, or standardize = true";
/// What a target of a regression is.
pub(crate) const SINGLE: &str = "a number of 32 bits, from -3.4e38 to 3.4e38";

/// What stands in place of a feature that is missing.
const NUMBER_FOR_GAP: &str = "a finite number: fill the gap in, or leave the row out";
/// What stands in place of a target that is missing.
const TARGET_FOR_GAP: &str = "a finite number or a label: fill the gap in, or leave the row out";
/// What a number is that has a comma in its middle.
const WITH_A_POINT: &str = "a finite number, with a point for the decimals";
/// How people write that there is nothing.
const GAPS: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "?", "-"];

const DOUBLE: &str = "a number of 64 bits, from -1.8e308 to 1.8e308";

/// The number in a trimmed cell, if it is finite.
pub(crate) fn finite(cell: &str) -> Option<f64> {
    cell.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Whether `number` stays finite in 32 bits.
pub(crate) fn fits_single(number: f64) -> bool {
    (number as f32).is_finite()
}

/// `usual`, or what is to be done where it is plain what the cell stands for.
pub(crate) fn expected(cell: &str, usual: &'static str) -> &'static str {
    if GAPS.iter().any(|gap| cell.eq_ignore_ascii_case(gap)) {
        return if usual == NUMBER { NUMBER_FOR_GAP } else { TARGET_FOR_GAP };
    }
    let infinite = cell.parse::<f64>().is_ok_and(f64::is_infinite);
    match cell {
        _ if infinite && cell.contains(|letter: char| letter.is_ascii_digit()) => DOUBLE,
        _ if cell.contains(',') && finite(&cell.replacen(',', ".", 1)).is_some() => WITH_A_POINT,
        _ => usual,
    }
}

/// A cell for a message: no longer than a line of a terminal takes.
pub(crate) fn shortened(cell: &str) -> String {
    const SHOWN: usize = 40;
    match cell.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_range_is_told_from_infinity_and_from_text() {
        assert_eq!(finite("1e300"), Some(1e300));
        assert_eq!(finite("1e999"), None);
        assert_eq!(expected("1e999", NUMBER), DOUBLE);
        for cell in ["inf", "-Infinity", "x1", "1,2,3"] {
            assert_eq!(expected(cell, NUMBER), NUMBER, "{cell}");
            assert_eq!(finite(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_gap_and_a_comma_for_a_point_are_answered_with_what_to_do() {
        for cell in ["NaN", "", "NA", "n/a", "null", "?"] {
            assert_eq!(expected(cell, NUMBER), NUMBER_FOR_GAP, "{cell}");
            assert_eq!(expected(cell, NUMBER_OR_LABEL), TARGET_FOR_GAP, "{cell}");
        }
        for cell in ["1,5", "-0,25e3"] {
            assert_eq!(expected(cell, NUMBER), WITH_A_POINT, "{cell}");
        }
    }
}
