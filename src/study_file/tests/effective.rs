//! The study that a file without mistakes describes: defaults, overrides, canonical form.

use super::*;
use crate::study_file::Device;
use std::path::Path;
use wallaby_core::space::Domain;
use wallaby_core::spec::{Direction, Order, PolicyKind, SamplerKind};
use wallaby_data::{ColumnRef, Problem, Task, TaskKind};

const FULL: &str = "\
[study]
name = \"all-keys_1\"
seed = 18446744073709551615
[data]
format = \"csv\"
path = \"digits.csv.gz\"
folder = \"/data\"
header = false
target = -1
task = \"classification\"
validation = 0.25
partitions = 3
standardize = false
delimiter = \"\\t\"
[model]
family = \"mlp\"
normalize = true
[search]
sampler = \"grid\"
policy = { name = \"asha\", min_epochs = 2, eta = 4 }
concurrency = 6
[search.space]
learning_rate = { low = 1e-4, high = 1, scale = \"log\", points = 4 }
width = { low = 16.0, high = 256, scale = \"log\", points = 3 }
optimizer = [\"adam\", \"sgd\"]
hidden = [[64], [128, 64.0], []]
[objective]
metric = \"loss\"
direction = \"maximize\"
[budget]
epochs = 8
wall_clock = \"1h30m\"
[run]
slots = 2
device = \"cuda\"
order = \"free\"
";

fn labels() -> Problem {
    let task = Task::Classification { labels: vec!["a".into(), "b".into()] };
    Problem::new(vec!["x".into()], task)
}

fn numbers() -> Problem {
    Problem::new(vec!["x".into()], Task::Regression)
}

#[test]
fn what_is_not_said_has_its_default() {
    let study = parse(STUDY, "studies/s.toml", &[]).unwrap();
    assert_eq!((study.seed, study.family.as_str()), (0, "mlp"));
    assert_eq!(study.data.source().path, Path::new("studies/digits.csv"));
    assert_eq!(study.data.source().target, ColumnRef::Name("label".into()));
    assert!(study.data.header && study.data.standardize && study.data.task.is_none());
    assert_eq!((study.data.validation, study.data.partitions), (0.2, 8));
    assert_eq!(study.model["hidden"], Value::List(vec![64.into()]), "of the family");
    assert_eq!(study.search.sampler, SamplerKind::Random);
    assert_eq!((study.search.policy, study.search.concurrency), (PolicyKind::None, None));
    assert_eq!((study.budget.trials, study.budget.wall_clock_seconds), (Some(4), None));
    assert_eq!((study.run.slots, study.run.device), (None, Device::Cpu));
    assert_eq!(study.run.order, Order::Rotation);
}

#[test]
fn what_is_said_is_taken() {
    let study = parse(FULL, "s.toml", &[]).unwrap();
    assert_eq!((study.name.as_str(), study.seed), ("all-keys_1", u64::MAX));
    assert_eq!(study.data.source().path, Path::new("/data/digits.csv.gz"));
    assert_eq!(study.data.source().delimiter, '\t');
    assert_eq!(study.data.split([0; 32]).task, Some(TaskKind::Classification));
    assert_eq!(study.search.policy, PolicyKind::Asha { min_epochs: 2, eta: 4 });
    assert_eq!(study.budget.wall_clock_seconds, Some(5400));
    assert_eq!((study.run.slots, study.run.device), (Some(2), Device::Cuda));
    let space = &study.search.space.0;
    let width = Domain::Int { low: 16, high: 256, log: true, points: Some(3) };
    let rate = Domain::Float { low: 1e-4, high: 1.0, log: true, points: Some(4) };
    assert_eq!((&space["width"], &space["learning_rate"]), (&width, &rate));
    let layers = |widths: &[i64]| Value::List(widths.iter().map(|width| (*width).into()).collect());
    let hidden = Domain::Choice(vec![layers(&[64]), layers(&[128, 64]), layers(&[])]);
    assert_eq!(space["hidden"], hidden);
    let unsearched: Vec<&str> = study.model.keys().map(String::as_str).collect();
    assert_eq!(unsearched, ["normalize"], "searched parameters are the trials' own");
}

#[test]
fn the_objective_is_settled_by_the_task() {
    let objective = |line: &str, problem: &Problem| {
        let text = study_with("[budget]", &format!("[objective]\n{line}\n[budget]"));
        let spec = parse(&text, "s.toml", &[]).unwrap().spec(problem)?;
        Ok::<_, Mistakes>((spec.objective.metric, spec.objective.direction))
    };
    let is = |metric: &str, direction| Ok((metric.to_owned(), direction));
    assert_eq!(objective("", &labels()), is("accuracy", Direction::Maximize));
    assert_eq!(objective("", &numbers()), is("loss", Direction::Minimize));
    assert_eq!(objective("metric = 'r2'", &numbers()), is("r2", Direction::Maximize));
    assert_eq!(objective("metric = 'loss'", &labels()), is("loss", Direction::Minimize));
    assert_eq!(objective("direction = 'minimize'", &labels()), is("accuracy", Direction::Minimize));
    assert_eq!(
        objective("metric = 'rmse'", &labels()).unwrap_err().to_string(),
        "s.toml:10: objective.metric = \"rmse\": expected one of accuracy, loss for classification"
    );
}

#[test]
fn a_stated_task_lets_a_wrong_metric_be_seen_before_the_data_is_read() {
    let overrides = ["data.task=regression", "objective.metric=accuracy"];
    assert_eq!(
        parse(STUDY, "s.toml", &overrides).unwrap_err().to_string(),
        "--set objective.metric = \"accuracy\": expected one of loss, mae, r2, rmse for regression"
    );
}

#[test]
fn overrides_win_over_the_file_and_later_ones_over_earlier() {
    let overrides = [
        "study.seed=7",
        "study.seed = 8",
        "model.hidden=[32, 16]",
        "search.policy=median",
        "search.space.optimizer=['sgd']",
        "data.path=other.csv",
    ];
    let study = parse(STUDY, "s.toml", &overrides).unwrap();
    assert_eq!((study.seed, study.data.path.as_str()), (8, "other.csv"));
    assert_eq!(study.model["hidden"], Value::List(vec![32.into(), 16.into()]));
    assert_eq!(study.search.policy, PolicyKind::Median { grace_epochs: 1, min_trials: 5 });
    assert_eq!(study.search.space.0["optimizer"], Domain::Choice(vec!["sgd".into()]));
    let deeper = parse(FULL, "s.toml", &["search.policy.eta=2", "search.space.width.high=32"]);
    let deeper = deeper.unwrap();
    assert_eq!(deeper.search.policy, PolicyKind::Asha { min_epochs: 2, eta: 2 });
    let width = Domain::Int { low: 16, high: 32, log: true, points: Some(3) };
    assert_eq!(deeper.search.space.0["width"], width);
}

#[test]
fn an_override_turns_a_searched_parameter_into_a_fixed_one_and_back() {
    let searched = study_with("[search.space]", "[search.space]\nwidth = { low = 1, high = 9 }");
    let study = parse(&searched, "s.toml", &["model.width=7"]).unwrap();
    assert_eq!(study.model["width"], 7.into());
    assert!(study.search.space.0.is_empty());
    let fixed = study_with("[model]", "[model]\nwidth = 7");
    for space in [
        &["search.space.width=[1, 2]"][..],
        &["search.space.width.low=1", "search.space.width.high=9"],
    ] {
        let study = parse(&fixed, "s.toml", space).unwrap();
        assert!(study.search.space.0.contains_key("width"));
        assert!(!study.model.contains_key("width"), "trials bring it themselves");
    }
}

#[test]
fn the_canonical_text_gives_the_same_study_wherever_it_is_read() {
    for text in [STUDY, FULL] {
        let study = parse(text, "studies/s.toml", &[]).unwrap();
        let again = parse(&study.canonical(), "elsewhere/study.json", &[]).unwrap();
        assert_eq!(again.canonical(), study.canonical());
        assert_eq!(again.fingerprint(), study.fingerprint());
        assert_eq!(again.data, study.data);
        assert_eq!(again.run, study.run);
        assert_eq!(again.spec(&labels()), study.spec(&labels()));
    }
}

#[test]
fn the_canonical_text_does_not_depend_on_how_the_study_is_written() {
    let written = study_with("[model]", "[model]\nlearning_rate = 1\nwidth = 16.0\nfamily = 'mlp'");
    let other = ["model.learning_rate=1.0", "model.width=16", "data.header=true"];
    let study = parse(&written, "s.toml", &[]).unwrap();
    assert_eq!(study.canonical(), parse(STUDY, "s.toml", &other).unwrap().canonical());
}

#[test]
fn the_fingerprint_names_what_determines_the_result() {
    let fingerprint = |overrides: &[&str]| parse(FULL, "s.toml", overrides).unwrap().fingerprint();
    let same = ["run.slots=9", "run.device=cpu", "data.folder=/elsewhere"];
    for change in same {
        assert_eq!(fingerprint(&[change]), fingerprint(&[]), "{change}");
    }
    let different = [
        "study.seed=1",
        "data.path=x.csv",
        "data.partitions=4",
        "model.normalize=false",
        "search.policy.eta=2",
        "search.space.width.points=4",
        "objective.direction=minimize",
        "budget.epochs=9",
        "run.order=rotation",
    ];
    for change in different {
        assert_ne!(fingerprint(&[change]), fingerprint(&[]), "{change}");
    }
}

#[test]
fn a_grid_needs_no_number_of_trials() {
    let text = study_with("trials = 4", "");
    assert_eq!(parse(&text, "s.toml", &["search.sampler=grid"]).unwrap().budget.trials, None);
}

#[test]
fn a_family_must_be_named_where_there_is_no_default() {
    let families = [("linear", Vec::new())];
    let parse = |text: &str| StudyFile::parse(text, "s.toml", &[], &families);
    assert_eq!(
        parse(STUDY).unwrap_err().to_string(),
        "s.toml:6: model.family: missing, expected one of linear"
    );
    let named = study_with("[model]", "[model]\nfamily = 'linear'");
    assert_eq!(parse(&named).unwrap().family, "linear");
}
