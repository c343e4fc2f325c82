//! A run as a picture: nodes × time, with units, hops, faults and changes of leader. One page
//! that needs no network.

use crate::drive::Outcome;
use crate::measure::{commits, cost};
use crate::report::words;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wallaby::wallaby_core::ids::TrialId;
use wallaby::wallaby_core::unit::Step;

const LEFT: f64 = 90.0;
const WIDTH: f64 = 1300.0;
const ROW: f64 = 26.0;
const TOP: f64 = 40.0;

const STYLE: &str = "body{font:14px system-ui,sans-serif;margin:24px;color:#1d2733;background:#fff}\
table{border-collapse:collapse;margin:16px 0}td,th{border:1px solid #ccd3da;padding:4px 10px;\
text-align:left}svg text{font:11px system-ui,sans-serif;fill:currentColor}.axis{stroke:#8894a0}\
.hop{stroke:#55606b;stroke-width:.6;opacity:.35;fill:none}.fault{fill:#d43a2f;opacity:.22}\
.leader{fill:#222}.term{stroke:#222;stroke-dasharray:3 3}.validation{opacity:.45}\
@media(prefers-color-scheme:dark){body{color:#dfe6ec;background:#14191f}td,th{border-color:#3a444e}\
.leader{fill:#fff}.term{stroke:#fff}}";

/// The whole page.
pub(crate) fn page(outcome: &Outcome) -> String {
    let name = escape(&outcome.plan.name);
    let verdict = match &outcome.verdict {
        Ok(checked) => escape(&format!("all promises kept: {checked:?}")),
        Err(wrong) => format!("<b>broken:</b> {}", escape(&wrong.join("; "))),
    };
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title>\
         <style>{STYLE}</style><h1>{name}</h1><p>{verdict}</p>"
    );
    page += &picture(outcome);
    page += "<p>A bar is a unit in the colour of its trial, pale if it is a validation; a line is a \
             hop; red is a fault on the nodes that it hit; the black line in a row says who \
             leads.</p><table><tr><th>Fault<th>At<th>Detected after<th>Running again after\
             <th>Units redone";
    let from = bounds(outcome).0;
    for happened in &outcome.happened {
        let cost = cost(&outcome.seen, happened);
        let time =
            |it: Option<u64>| it.map_or("–".to_owned(), |it| format!("{:.1} s", it as f64 / 1e3));
        let _ = write!(
            page,
            "<tr><td>{}<td>{:.1} s<td>{}<td>{}<td>{}",
            escape(&words(outcome, happened)),
            happened.began.saturating_sub(from) as f64 / 1e3,
            time(cost.detected),
            time(cost.running),
            cost.redone
        );
    }
    page + "</table></html>\n"
}

/// From when to when the picture goes, in milliseconds since the epoch.
fn bounds(outcome: &Outcome) -> (u64, u64) {
    let units = commits(&outcome.seen).map(|(at, it)| (it.started.0, at.0));
    let faults = outcome.happened.iter().map(|it| (it.began, it.healed));
    let all: Vec<(u64, u64)> = units.chain(faults).collect();
    let from = all.iter().map(|(from, _)| *from).min().unwrap_or_default();
    (from, all.iter().map(|(_, to)| *to).max().unwrap_or(from + 1).max(from + 1))
}

struct Scale {
    from: u64,
    to: u64,
}

impl Scale {
    fn x(&self, at: u64) -> f64 {
        let share = at.saturating_sub(self.from) as f64 / (self.to - self.from) as f64;
        LEFT + WIDTH * share.min(1.0)
    }
}

fn picture(outcome: &Outcome) -> String {
    let (from, to) = bounds(outcome);
    let scale = Scale { from, to };
    let rows = rows(outcome);
    let y = |label: &str| rows.get(label).map(|row| TOP + ROW * *row as f64);
    let height = TOP + ROW * rows.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg width=\"{}\" height=\"{height}\" role=img aria-label=\"nodes over time\">",
        LEFT + WIDTH + 20.0
    );
    axis(&mut svg, &scale, height);
    for happened in &outcome.happened {
        for node in &happened.nodes {
            let label = outcome.seen.labels.get(node).unwrap_or(node);
            let Some(y) = y(label) else { continue };
            let (x, end) = (scale.x(happened.began), scale.x(happened.healed));
            let words = escape(&words(outcome, happened));
            let _ = write!(
                svg,
                "<rect class=fault x=\"{x:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{ROW}\">\
                 <title>{words}</title></rect>",
                (end - x).max(2.0)
            );
        }
    }
    units(&mut svg, outcome, &scale, y);
    leaders(&mut svg, outcome, &scale, height, y);
    for (label, row) in &rows {
        let y = TOP + ROW * *row as f64 + 17.0;
        let _ = write!(svg, "<text x=4 y=\"{y}\">{}</text>", escape(label));
    }
    svg + "</svg>"
}

/// A row for each node that there was.
fn rows(outcome: &Outcome) -> BTreeMap<String, usize> {
    let seen = &outcome.seen;
    let worked = commits(seen).map(|(_, it)| seen.label(it.slot.node.0));
    let hit = outcome.happened.iter().flat_map(|it| it.nodes.iter());
    let hit = hit.map(|node| seen.labels.get(node).unwrap_or(node).clone());
    let mut labels: Vec<String> = worked.chain(hit).collect();
    labels.sort();
    labels.dedup();
    labels.into_iter().enumerate().map(|(row, label)| (label, row)).collect()
}

fn axis(svg: &mut String, scale: &Scale, height: f64) {
    let seconds = (scale.to - scale.from) / 1000;
    let step = [1, 2, 5, 10, 20, 60, 120, 300].into_iter().find(|it| seconds / it <= 14);
    let step = step.unwrap_or(600);
    for second in (0..=seconds).step_by(step as usize) {
        let x = scale.x(scale.from + second * 1000);
        let _ = write!(
            svg,
            "<line class=axis x1=\"{x:.1}\" x2=\"{x:.1}\" y1=30 y2=\"{}\" opacity=.25 />\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=middle>{second} s</text>",
            height - 24.0,
            height - 10.0
        );
    }
}

fn units(svg: &mut String, outcome: &Outcome, scale: &Scale, y: impl Fn(&str) -> Option<f64>) {
    let mut last: BTreeMap<TrialId, (f64, f64, u64)> = BTreeMap::new();
    let mut hops = String::new();
    for (at, commit) in commits(&outcome.seen) {
        let node = commit.slot.node.0;
        let Some(top) = y(&outcome.seen.label(node)) else { continue };
        let (x, end) = (scale.x(commit.started.0), scale.x(at.0));
        let middle = top + ROW / 2.0;
        if let Some((from_x, from_y, _)) = last.get(&commit.unit.trial).filter(|it| it.2 != node) {
            let _ = write!(hops, "M{from_x:.1} {from_y:.0}L{x:.1} {middle:.0}");
        }
        last.insert(commit.unit.trial, (end, middle, node));
        let colour = u64::from(commit.unit.trial.0) * 137 % 360;
        let pale = if commit.unit.step == Step::Validate { " class=validation" } else { "" };
        let _ = write!(
            svg,
            "<rect{pale} x=\"{x:.1}\" y=\"{:.0}\" width=\"{:.1}\" height=\"{}\" \
             fill=\"hsl({colour} 60% 55%)\"><title>{}, {}</title></rect>",
            top + 4.0,
            (end - x).max(0.7),
            ROW - 10.0,
            commit.unit,
            commit.fence
        );
    }
    let _ = write!(svg, "<path class=hop d=\"{hops}\"/>");
}

/// Who led from when on, in the eyes of whom it was: the first that was heard of each term.
fn leaders(
    svg: &mut String,
    outcome: &Outcome,
    scale: &Scale,
    height: f64,
    y: impl Fn(&str) -> Option<f64>,
) {
    let mut terms: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for (at, _, term, leader) in &outcome.seen.leads {
        terms.entry(*term).or_insert((*at, *leader));
    }
    let all: Vec<(u64, (u64, u64))> = terms.into_iter().collect();
    for (place, (term, (at, leader))) in all.iter().enumerate() {
        let until = all.get(place + 1).map_or(scale.to, |(_, (at, _))| *at);
        let (x, end) = (scale.x(*at), scale.x(until));
        if let Some(y) = y(&outcome.seen.label(*leader)) {
            let (y, width) = (y + ROW - 5.0, (end - x).max(1.0));
            let _ = write!(
                svg,
                "<rect class=leader x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=3 />"
            );
        }
        let _ = write!(
            svg,
            "<line class=term x1=\"{x:.1}\" x2=\"{x:.1}\" y1=24 y2=\"{}\" opacity=.5 />\
             <text x=\"{x:.1}\" y=18>term {term}</text>",
            height - 26.0
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
