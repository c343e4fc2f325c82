//! Moments for people and scripts: dates in UTC. Knows no time zones and no clock.

use wallaby_core::ids::Moment;

const DAY_SECONDS: u64 = 86_400;

/// `2026-11-23 17:22`.
pub(crate) fn minute(moment: Moment) -> String {
    let (date, seconds) = (date(moment), moment.0 / 1000 % DAY_SECONDS);
    format!("{date} {:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

/// `2026-11-23T17:22:03Z`, as in RFC 3339.
pub(crate) fn iso(moment: Moment) -> String {
    let (date, seconds) = (date(moment), moment.0 / 1000 % DAY_SECONDS);
    format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The civil date, counted in eras of 400 years of 146,097 days that begin on a 1st of March, so
/// that a leap day is the last of its year.
///
/// Source: Howard Hinnant, chrono-Compatible Low-Level Date Algorithms (2013), `civil_from_days`.
fn date(moment: Moment) -> String {
    let days = moment.0 / 1000 / DAY_SECONDS + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let leap_days = day_of_era / 36_524 - day_of_era / 146_096;
    let year_of_era = (day_of_era - day_of_era / 1460 + leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar_also_around_leap_days() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(Moment(seconds * 1000)), expected);
        }
        assert_eq!(minute(Moment(951_782_399_999)), "2000-02-28 23:59");
    }
}
