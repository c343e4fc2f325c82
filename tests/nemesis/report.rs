//! What a run came to as text: a table of faults and what they cost, and the whole as JSON.

use crate::docker::reports;
use crate::drive::Outcome;
use crate::measure::{Cost, Happened, cost, duration, goodput};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Leaves the run's page and its figures where reports are kept.
pub(crate) fn write(outcome: &Outcome, page: &str) {
    let folder = reports();
    let name = &outcome.plan.name;
    std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    let figures = format!("{:#}\n", figures(outcome));
    std::fs::write(folder.join(format!("{name}.json")), figures).unwrap();
}

/// Leaves what the nodes said of a run that went wrong.
pub(crate) fn write_logs(name: &str, logs: &str) {
    std::fs::write(reports().join(format!("{name}.log")), logs).unwrap();
}

/// The faults of runs as one table, with the time over the undisturbed run.
pub(crate) fn table(outcomes: &[(Outcome, u64)]) -> String {
    let mut text =
        "| Run | Fault | Detected after | Running again after | Units redone | Extra time \
                    | Verdict |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    for (outcome, undisturbed) in outcomes {
        let extra = duration(&outcome.seen) as f64 / 1e3 - *undisturbed as f64 / 1e3;
        let verdict = if outcome.verdict.is_ok() { "kept" } else { "**broken**" };
        for (place, happened) in outcome.happened.iter().enumerate() {
            let Cost { detected, running, redone } = cost(&outcome.seen, happened);
            let run = if place == 0 { outcome.plan.name.as_str() } else { "" };
            let last = match place {
                0 => format!("{extra:+.1} s | {verdict}"),
                _ => " | ".to_owned(),
            };
            let (detected, running) = (time(detected), time(running));
            let fault = words(outcome, happened);
            let _ =
                writeln!(text, "| {run} | {fault} | {detected} | {running} | {redone} | {last} |");
        }
    }
    text
}

/// A fault and whom it hit.
pub(crate) fn words(outcome: &Outcome, happened: &Happened) -> String {
    let label = |node: &String| outcome.seen.labels.get(node).unwrap_or(node).clone();
    let hit: Vec<String> = happened.nodes.iter().map(label).collect();
    let lasted = happened.healed.saturating_sub(happened.began) as f64 / 1e3;
    let whom = match hit.len() {
        0 => String::new(),
        1 | 2 => format!(" ({})", hit.join(", ")),
        many => format!(" ({many} nodes)"),
    };
    format!("{}{whom}, {lasted:.1} s", happened.fault.name())
}

fn time(millis: Option<u64>) -> String {
    millis.map_or_else(|| "–".to_owned(), |millis| format!("{:.1} s", millis as f64 / 1e3))
}

/// Everything as JSON.
pub(crate) fn figures(outcome: &Outcome) -> Json {
    let faults = outcome.happened.iter().map(|happened| {
        let cost = cost(&outcome.seen, happened);
        json!({"fault": words(outcome, happened), "began": happened.began,
            "healed": happened.healed, "detected_ms": cost.detected, "running_ms": cost.running,
            "redone": cost.redone})
    });
    let (goodput, useful, capacity) = goodput(&outcome.seen, &outcome.happened);
    let (checked, wrong) = match &outcome.verdict {
        Ok(checked) => (Some(format!("{checked:?}")), Vec::new()),
        Err(wrong) => (None, wrong.clone()),
    };
    json!({"run": outcome.plan.name, "faults": faults.collect::<Vec<_>>(),
        "seconds": duration(&outcome.seen) as f64 / 1e3, "first_unit_ms": outcome.first_unit,
        "image_bytes": outcome.image_bytes, "goodput": goodput, "useful_ms": useful,
        "capacity_ms": capacity, "commits": outcome.seen.commits(), "checked": checked,
        "wrong": wrong, "memory": memory(outcome)})
}

/// The memory of each process that lived for a minute or more: its size in MiB over the second
/// and the last quarter of its life.
pub(crate) fn memory(outcome: &Outcome) -> Vec<Json> {
    let mut lives: BTreeMap<(&str, u32), Vec<(u64, u64)>> = BTreeMap::new();
    for (at, node, pid, size) in &outcome.seen.memory {
        lives.entry((node, *pid)).or_default().push((*at, *size));
    }
    let told = lives.into_iter().filter_map(|((node, _), life)| {
        let seconds = (life.last()?.0 - life.first()?.0) / 1000;
        let quarter = life.len() / 4;
        if seconds < 60 || quarter == 0 {
            return None;
        }
        let mean = |part: &[(u64, u64)]| {
            part.iter().map(|(_, size)| *size).sum::<u64>() as f64 / part.len() as f64 / 1024.0
        };
        let (early, late) = (mean(&life[quarter..2 * quarter]), mean(&life[3 * quarter..]));
        let most = life.iter().map(|(_, size)| *size).max()? as f64 / 1024.0;
        let node = outcome.seen.labels.get(node).map_or(node, String::as_str);
        let tenths = |mib: f64| (mib * 10.0).round() / 10.0;
        Some(json!({"node": node, "seconds": seconds, "second_quarter_mib": tenths(early),
            "last_quarter_mib": tenths(late), "most_mib": tenths(most)}))
    });
    told.collect()
}
