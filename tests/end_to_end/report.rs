//! The page of a run, opened in a browser: every figure draws, nothing is logged, whatever the run
//! was like and whatever its user named things.

use crate::browser::{Shown, open};
use crate::large_run::{self, Size};
use crate::sandbox::Sandbox;
use std::fs;
use wallaby::wallaby_core::space::Domain;

/// Uses a page as a reader does.
const PROBE: &str = include_str!("report/probe.js");

/// The largest page that a large run may have.
const BYTES_MAX: u64 = 8_000_000;

/// Until when its figures must have been drawn, on a machine that runs other tests at the same
/// time; alone it takes a fourth of that.
const MILLIS_MAX: u64 = 8_000;

/// Everything has drawn, and nothing went wrong on the way.
#[track_caller]
fn assert_whole(shown: &Shown, figures: u64) {
    assert_eq!(shown.attribute("data-errors"), "");
    assert_eq!(shown.console, "");
    assert_eq!((shown.number("data-drawn"), shown.number("data-figures")), (figures, figures));
}

/// Runs the study with these arguments and opens its page.
fn page_of(sandbox: &Sandbox, arguments: &[&str]) -> Option<Shown> {
    sandbox.run("run", arguments);
    open(&sandbox.path("run/report.html"))
}

#[test]
fn a_finished_run_leaves_a_page_on_which_every_figure_draws() {
    let sandbox = Sandbox::new();
    let Some(shown) = page_of(&sandbox, &[]) else { return };
    assert_whole(&shown, 5);
    assert!(shown.document.contains("<h1 id=\"name\">small</h1>"));
    assert_eq!(shown.document.matches("<tr data-trial=").count(), 6);
}

#[test]
fn whoever_hovers_clicks_sorts_and_zooms_is_answered() {
    let sandbox = Sandbox::new();
    sandbox.study("run", &[]).faults("delay:5").finish().expect(0);
    let page = sandbox.read("run/report.html");
    let (before, after) = page.rsplit_once("</body>").unwrap();
    sandbox.write("probed.html", format!("{before}<script>{PROBE}</script></body>{after}"));
    let Some(shown) = open(&sandbox.path("probed.html")) else { return };
    assert_whole(&shown, 5);
    assert_eq!(shown.attribute("data-probed"), "yes");
    let said = |name: &str| shown.attribute(&format!("data-{name}"));
    let curve = format!("trial {}, completed", said("curve-trial"));
    assert!(
        said("curve").starts_with(&curve) && said("curve").contains("accuracy by epoch: "),
        "{shown:?}"
    );
    for name in ["parallel", "over-time", "against"] {
        assert!(said(name).starts_with("trial "), "{name}: {:?}", said(name));
    }
    assert!(said("over-time").contains("epoch 1: "), "{:?}", said("over-time"));
    assert!(said("unit").starts_with(said("unit-head")), "{:?}", said("unit"));
    for part in ["loss ", "slot ", " ms from ", "try 1 (term ", "attempt "] {
        assert!(said("unit").contains(part), "{part:?} is not in {:?}", said("unit"));
    }
    assert_eq!(said("unit-marked"), said("unit-trial"));
    assert!(shown.number("data-bars-zoomed") < shown.number("data-bars-before"));
    for name in ["row-marked", "row-unmarked", "button-marked"] {
        assert_eq!(said(name), "true", "{name}");
    }
    assert_eq!((said("sorted"), said("sorted-down")), ("0 1 2 3 4 5", "5 4 3 2 1 0"));
    let described = "Learning curves | Parallel coordinates | Objective over time | \
                     Each parameter against the objective: learning_rate | Hop timeline";
    assert_eq!(said("described"), described);
    assert_eq!(shown.number("data-head-cells"), 7);
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let page = sandbox.read("run/report.html");
    for reference in ["src=", "<link", "@import", "fetch(\"", "url(http"] {
        let ours = page.split("</style>").map(|part| part.split("<script>").next().unwrap());
        assert!(!ours.into_iter().any(|part| part.contains(reference)), "{reference}");
    }
}

#[test]
fn the_report_is_written_where_it_is_wanted() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let first = sandbox.read("run/report.html");
    fs::remove_file(sandbox.path("run/report.html")).unwrap();
    let report = sandbox.wallaby(&["report", "run"]).finish().expect(0);
    assert_eq!(report.out, "run/report.html\n");
    assert_eq!(sandbox.read("run/report.html"), first);
    sandbox.wallaby(&["report", "run", "--out", "else.html"]).finish().expect(0);
    assert_eq!(sandbox.read("else.html"), first);
    let refused = sandbox.wallaby(&["report", "run", "--out", "no/where.html"]).finish();
    refused.expect(2).complains("no/where.html");
    sandbox.wallaby(&["report", "nothing"]).finish().expect(6);
}

#[test]
fn the_page_of_an_odd_run_is_whole() {
    for arguments in [
        ["--set", "budget.trials=1", "--set", "budget.epochs=1"].as_slice(),
        &["--set", "run.order=free", "--set", "search.policy=asha", "--slots", "3"],
        &["--set", "search.space.activation=[\"relu\",\"gelu\"]", "--set", "data.partitions=1"],
    ] {
        let sandbox = Sandbox::new();
        let Some(shown) = page_of(&sandbox, arguments) else { return };
        let figures = if arguments[1].contains("activation") { 6 } else { 5 };
        assert_whole(&shown, figures);
    }
}

#[test]
fn failed_tries_and_failed_trials_are_shown() {
    let sandbox = Sandbox::new();
    sandbox.study("run", &[]).faults("panic:2:2,panic:4").finish().expect(0);
    let Some(shown) = open(&sandbox.path("run/report.html")) else { return };
    assert_whole(&shown, 5);
    assert!(shown.document.contains("class=\"failed\""));
    assert!(shown.document.contains(">failed: "), "the reason stands in the cell");
}

#[test]
fn a_page_without_any_result_is_whole() {
    let sandbox = Sandbox::new();
    let faults = "panic:0,panic:1,panic:2,panic:3,panic:4,panic:5";
    sandbox.study("run", &[]).faults(faults).finish().expect(9);
    let Some(shown) = open(&sandbox.path("run/report.html")) else { return };
    assert_whole(&shown, 5);
    assert!(shown.document.contains("no trial has a result"));
}

#[test]
fn names_that_look_like_html_stay_names() {
    let sandbox = Sandbox::new();
    let hostile = "</script><b>bold</b><script>throw 1</script><!--<script>";
    let size = Size { trials: 4, epochs: 2, partitions: 3, slots: 4 };
    large_run::write(&sandbox, "hostile", size, |creation| {
        creation.spec.name = hostile.to_owned();
        let words = Domain::Choice(vec![hostile.into(), "plain".into()]);
        creation.spec.search.space.0.insert(hostile.to_owned(), words);
    });
    sandbox.wallaby(&["report", "hostile"]).finish().expect(0);
    let Some(shown) = open(&sandbox.path("hostile/report.html")) else { return };
    assert_whole(&shown, 9);
    assert!(!shown.document.contains("<b>bold"));
    assert!(shown.document.contains("&lt;b&gt;bold"));
}

#[test]
fn a_thousand_trials_and_a_hundred_thousand_units_stay_small_and_quick() {
    let sandbox = Sandbox::new();
    let size = Size { trials: 1000, epochs: 4, partitions: 24, slots: 20 };
    large_run::write(&sandbox, "large", size, |_| {});
    sandbox.wallaby(&["report", "large"]).finish().expect(0);
    let page = sandbox.path("large/report.html");
    let bytes = fs::metadata(&page).unwrap().len();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    let Some(shown) = open(&page) else { return };
    assert_whole(&shown, 8);
    let millis = shown.number("data-millis");
    assert!(millis <= MILLIS_MAX, "drawn after {millis} ms");
}
