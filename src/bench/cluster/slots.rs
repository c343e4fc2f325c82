//! What slots spend their time on, and how many units come out.

use super::local::{Local, NODES, leader};
use super::row::Row;
use super::watch::Tail;
use super::{DEADLINE, EVERY};
use crate::error::Error;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wallaby_core::ids::Moment;
use wallaby_core::journal::{Commit, Record};

/// How long units are counted.
const WINDOW: Duration = Duration::from_secs(20);

/// How long slots are watched, in milliseconds of the leader's clock.
const SHARES_MILLIS: u64 = 60_000;

/// How much longer records are read: the units that began before the end are to be seen whole.
const AFTER_MILLIS: u64 = 10_000;

/// Units that are over before anything is measured, for each slot.
const WARM_UP: u64 = 4;

/// How long the records of the shares may be waited for.
const SHARES_WAIT: Duration = Duration::from_secs(240);

/// Waits until so many units of a study are committed.
///
/// # Errors
/// They are not within a minute.
pub(super) async fn under_way(local: &Local, study: &str, units: u64) -> Result<u64, Error> {
    let began = Instant::now();
    loop {
        // A node may hear of a new study a moment after the one that took it.
        let done = match local.client().study(study).await {
            Ok(info) => info.units_done,
            Err(error) if began.elapsed() > DEADLINE => return Err(error.into()),
            Err(_) => 0,
        };
        if done >= units {
            return Ok(done);
        }
        if began.elapsed() > DEADLINE {
            let seconds = DEADLINE.as_secs();
            let why = format!("{done} units of {study} within {seconds} s, expected {units}");
            return Err(Error::TimedOut(why));
        }
        sleep(EVERY).await;
    }
}

/// Committed units a second.
///
/// # Errors
/// The study does not begin.
pub(super) async fn rate(local: &Local, study: &str, name: &str) -> Result<Row, Error> {
    let before = under_way(local, study, 50).await?;
    let began = Instant::now();
    sleep(WINDOW).await;
    let after = local.client().study(study).await?.units_done;
    let rate = after.saturating_sub(before) as f64 / began.elapsed().as_secs_f64();
    Ok(Row::new(name, Some(rate), "1/s"))
}

/// How slots spend a minute.
///
/// # Errors
/// The study does not begin, or does not go on.
pub(super) async fn shares(local: &Local, study: &str) -> Result<Vec<Row>, Error> {
    under_way(local, study, WARM_UP * u64::from(NODES)).await?;
    let nodes = local.client().nodes().await?;
    let mut tail = Tail::from_now(local, &leader(&nodes)?.api, study).await?;
    let began = Instant::now();
    let mut spans = Vec::new();
    let mut bytes = 0;
    while !is_enough(&spans) {
        if began.elapsed() > SHARES_WAIT {
            return Err(Error::TimedOut(format!("{study} does not go on")));
        }
        for entry in tail.more().await.unwrap_or_default() {
            if let Record::UnitCommitted(commit) = &entry.record {
                bytes = commit.output.bytes;
                spans.push(Span::new(commit, entry.at));
            }
        }
        sleep(EVERY).await;
    }
    let (idle, waiting) = parts(&spans, NODES);
    let megabytes = bytes as f64 / 1e6;
    // The name says the size that was measured, not the one that was meant.
    let row = |what: &str, part: f64| {
        Row::new(&format!("{what}, checkpoints of {megabytes:.1} MB"), Some(100.0 * part), "%")
    };
    Ok(vec![row("idle slots", idle), row("slots waiting", waiting).with_goal(1.0)])
}

/// What a unit occupied of its slot's time, in milliseconds of the leader's clock.
#[derive(Debug, Clone, Copy)]
struct Span {
    assigned: u64,
    /// When it ran, as far as is known: as long as it says, up to its record.
    began: u64,
    recorded: u64,
}

impl Span {
    fn new(commit: &Commit, at: Moment) -> Self {
        let (assigned, recorded) = (commit.started.0, at.0);
        let began = recorded.saturating_sub(commit.output.millis).max(assigned);
        Self { assigned, began, recorded }
    }
}

/// The window that is looked at: it begins with the first record.
fn window(spans: &[Span]) -> Option<(u64, u64)> {
    let first = spans.first()?.recorded;
    Some((first, first + SHARES_MILLIS))
}

fn is_enough(spans: &[Span]) -> bool {
    let end = window(spans).map(|(_, end)| end + AFTER_MILLIS);
    end.is_some_and(|end| spans.last().is_some_and(|last| last.recorded >= end))
}

/// The parts of the slots' time in the window in which no unit ran, and in which one was assigned
/// but did not run.
fn parts(spans: &[Span], slots: u32) -> (f64, f64) {
    let Some((start, end)) = window(spans) else { return (1.0, 0.0) };
    let within = |from: u64, to: u64| to.min(end).saturating_sub(from.max(start));
    let ran: u64 = spans.iter().map(|span| within(span.began, span.recorded)).sum();
    let waited: u64 = spans.iter().map(|span| within(span.assigned, span.began)).sum();
    let all = (u64::from(slots) * (end - start)) as f64;
    (1.0 - ran as f64 / all, waited as f64 / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_count_as_far_as_they_lie_in_the_window_and_as_long_as_they_ran() {
        let span = |assigned, began, recorded| Span { assigned, began, recorded };
        // The window is 1,000 to 61,000.
        let spans = [
            span(0, 100, 1000),
            span(1000, 1600, 31_000),
            span(31_000, 31_000, 55_000),
            span(55_000, 58_000, 90_000),
        ];
        let (idle, waiting) = parts(&spans, 1);
        assert!((waiting - 3600.0 / 60_000.0).abs() < 1e-9, "{waiting}");
        assert!((idle - 3600.0 / 60_000.0).abs() < 1e-9, "{idle}");
        let (idle, waiting) = parts(&spans, 2);
        assert!((idle - 0.53).abs() < 1e-9 && (waiting - 0.03).abs() < 1e-9, "{idle} {waiting}");
        assert!(is_enough(&spans) && !is_enough(&spans[..3]) && !is_enough(&[]));
    }
}
