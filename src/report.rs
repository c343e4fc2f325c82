//! `report.html`: one page that shows a whole run and needs nothing else to be shown.
//! Puts the page together; what it says comes from the journal alone, by `report/*.rs`, and what
//! it looks like from `report/page/`. Never touches a file.

mod facts;
mod numbers;
mod parameters;
mod running_time;
mod trials;
mod units;

use crate::recorded::Facts;
use serde::Serialize;
use wallaby_core::journal::Entry;
use wallaby_core::spec::Direction;
use wallaby_core::study::Study;

use facts::{Best, Fact};
use parameters::Axis;
use running_time::RunningTime;
use trials::Trials;
use units::Units;

/// The page's name in a run folder.
pub(crate) const FILE: &str = "report.html";

const STYLE: &str = include_str!("report/page/page.css");
const FRAME: &str = include_str!("report/page/page.html");
const LIBRARY: &str = include_str!("report/vendor/echarts-5.5.1.min.js");
const SCRIPTS: [&str; 7] = [
    include_str!("report/page/data.js"),
    include_str!("report/page/look.js"),
    include_str!("report/page/tables.js"),
    include_str!("report/page/trials.js"),
    include_str!("report/page/parameters.js"),
    include_str!("report/page/timeline.js"),
    include_str!("report/page/main.js"),
];

/// Everything that the page shows.
#[derive(Serialize)]
struct Content {
    name: String,
    wallaby: &'static str,
    metric: String,
    maximize: bool,
    epochs: u32,
    facts: Vec<Fact>,
    best: Option<Best>,
    parameters: Vec<Axis>,
    trials: Trials,
    units: Units,
    /// Running time at which the study was interrupted, in milliseconds.
    interruptions: Vec<u64>,
}

/// The page of a run. `entries` is its journal, `study` what that folds to.
pub(crate) fn html(entries: &[Entry], study: &Study, facts: &Facts) -> String {
    page(&content(entries, study, facts))
}

fn content(entries: &[Entry], study: &Study, facts: &Facts) -> Content {
    let spec = &study.creation.spec;
    let time = RunningTime::of(entries);
    let units = Units::of(entries, &time);
    Content {
        name: spec.name.clone(),
        wallaby: env!("CARGO_PKG_VERSION"),
        metric: spec.objective.metric.clone(),
        maximize: spec.objective.direction == Direction::Maximize,
        epochs: spec.budget.epochs,
        facts: facts::facts(study, facts, units.slots().len()),
        best: facts::best(study),
        parameters: parameters::axes(study),
        trials: Trials::of(entries, study, &time),
        units,
        interruptions: time.interruptions(),
    }
}

/// The content goes into the page as JSON and nowhere else. Text of users can end a script only
/// by `<`, which JSON lets us write as an escape; everything shown is set as text, never as HTML.
fn page(content: &Content) -> String {
    let json = serde_json::to_string(content).expect("texts and numbers are JSON");
    let parts = [
        ("/*style*/", STYLE),
        ("/*library*/", LIBRARY),
        ("/*content*/", &json.replace('<', "\\u003c")),
        ("/*scripts*/", &SCRIPTS.concat()),
    ];
    let mut page = String::with_capacity(LIBRARY.len() + json.len() + (1 << 17));
    let mut rest = FRAME;
    for (place, text) in parts {
        let (before, after) = rest.split_once(place).expect("the frame has a place for each part");
        page += before;
        page += text;
        rest = after;
    }
    page + rest
}

#[cfg(test)]
#[path = "report/report_tests.rs"]
mod tests;
