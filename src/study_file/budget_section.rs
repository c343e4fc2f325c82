//! `[budget]`: when the study ends. Knows how durations are written.

use super::field::Field;
use super::node::{Content, Table};
use super::report::Report;
use super::section::Section;
use wallaby_core::spec::{Budget, EPOCHS, SamplerKind};

/// The section; only a grid knows by itself how many trials it has.
pub(super) fn check(root: &Table, sampler: SamplerKind, report: &mut Report) -> Budget {
    let section = Section::of(root, "budget", report);
    section.refuse_unknown(report);
    let trials = match sampler {
        SamplerKind::Grid => section.get("trials"),
        _ => section.require("trials", "the number of trials", report),
    };
    let epochs = section.require("epochs", "the number of epochs of a trial", report);
    let wall_clock = section.get("wall_clock");
    Budget {
        trials: trials.and_then(|field| field.whole(1..=u32::MAX, report)),
        epochs: epochs.and_then(|field| field.whole(EPOCHS, report)).unwrap_or(*EPOCHS.end()),
        wall_clock_seconds: wall_clock.and_then(|field| duration(&field, report)),
    }
}

fn duration(field: &Field<'_>, report: &mut Report) -> Option<u64> {
    let seconds = match &field.node.content {
        Content::Text(text) => seconds_of(text),
        _ => None,
    };
    match seconds {
        Some(0) => {
            field.wrong("expected a duration above 0; without the key there is no limit", report)
        }
        None => field.wrong("expected a duration such as \"90s\", \"10m\" or \"1h30m\"", report),
        _ => {}
    }
    seconds.filter(|seconds| *seconds > 0)
}

/// Hours, minutes and seconds, at least one of them, each at most once and in this order; `None`
/// if they are not.
fn seconds_of(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    for (unit, seconds) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((digits, after)) = rest.split_once(unit) {
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let amount = digits.parse::<u64>().ok()?.checked_mul(seconds)?;
            total = total.checked_add(amount)?;
            rest = after;
        }
    }
    Some(total).filter(|_| rest.is_empty() && !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_hours_minutes_and_seconds() {
        let cases = [("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1h0m5s", 3605)];
        for (text, seconds) in cases {
            assert_eq!(seconds_of(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_durations() {
        assert_eq!(seconds_of("0h0s"), Some(0));
        for text in ["", "90", "m", "1m1h", "1.5h", "-1s", "+1s", "1h ", "1d", "1s1s"] {
            assert_eq!(seconds_of(text), None, "{text}");
        }
        assert_eq!(seconds_of("99999999999999999999h"), None);
        assert_eq!(seconds_of("9999999999999999h"), None);
    }
}
