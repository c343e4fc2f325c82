//! The split: what is held back, what is trained on, and what is refused.

use super::*;
use crate::partition::{Partition, Target};
use csv::StringRecord;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A table `id, label` with the targets given; the feature is the row's number.
fn table(targets: &[&str]) -> Table {
    let mut table = Table::new("t.csv".into(), vec!["id".into(), "label".into()], 1);
    for (row, target) in targets.iter().enumerate() {
        let record = StringRecord::from(vec![row.to_string(), (*target).to_owned()]);
        table.push(&record, || row as u64 + 2).unwrap();
    }
    table
}

fn split() -> Split {
    Split { task: None, validation: 0.25, partitions: 2, seed: [7; 32], standardize: false }
}

fn classes(partition: &Partition) -> Vec<u32> {
    match &partition.target {
        Target::Classes(classes) => classes.clone(),
        Target::Values(_) => panic!("classes expected"),
    }
}

fn count(classes: &[u32], class: u32) -> usize {
    classes.iter().filter(|other| **other == class).count()
}

fn refusal(targets: &[&str], change: impl Fn(&mut Split)) -> String {
    let mut split = split();
    change(&mut split);
    table(targets).split(&split).unwrap_err().to_string()
}

proptest! {
    #[test]
    fn every_row_lands_exactly_once_and_partitions_are_even(
        targets in prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 12..80),
        share in 0.05f64..0.6,
        partitions in 1u32..4,
        seed in any::<[u8; 32]>(),
    ) {
        prop_assume!(targets.iter().collect::<BTreeSet<_>>().len() > 1);
        let data = table(&targets)
            .split(&Split { validation: share, partitions, seed, ..split() })
            .unwrap();
        let mut ids: Vec<f32> = data.train.iter().flat_map(|p| p.features.clone()).collect();
        let sizes: Vec<usize> = data.train.iter().map(Partition::rows).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        prop_assert_eq!(ids.len(), data.training_rows());
        ids.extend(&data.validation.features);
        ids.sort_by(f32::total_cmp);
        prop_assert!(ids.iter().copied().eq((0..targets.len()).map(|row| row as f32)));
    }
}

#[test]
fn the_seed_alone_decides_the_rows() {
    let table = table(&["a", "b", "a", "b", "a", "b", "a", "b"]);
    let with = |seed| table.split(&Split { seed, ..split() }).unwrap();
    assert_eq!(with([1; 32]), with([1; 32]));
    assert_ne!(with([1; 32]), with([2; 32]));
}

#[test]
fn validation_holds_each_class_in_proportion() {
    let targets: Vec<&str> = [vec!["a"; 80], vec!["b"; 20], vec!["rare"; 2], vec!["once"]].concat();
    let data = table(&targets).split(&split()).unwrap();
    assert_eq!(
        data.problem.task,
        Task::Classification { labels: ["a", "b", "once", "rare"].map(str::to_owned).to_vec() }
    );
    let held_back = classes(&data.validation);
    let shares = [0, 1, 2, 3].map(|class| count(&held_back, class));
    assert_eq!(shares, [20, 5, 0, 1], "a class of one row is only trained on");
}

#[test]
fn the_task_is_seen_from_the_target() {
    let whole: Vec<String> = (0..=100).map(|number| number.to_string()).collect();
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    let task = |targets: &[&str]| table(targets).split(&split()).unwrap().problem.task;
    let hundred_twice = [&whole[..100], &whole[..100]].concat();
    assert!(matches!(task(&hundred_twice), Task::Classification { labels } if labels.len() == 100));
    assert_eq!(task(&[&whole[..], &whole].concat()), Task::Regression, "too many values");
    assert_eq!(task(&whole[..100]), Task::Regression, "each value once");
    assert_eq!(task(&["0.5", "1", "0.5", "1"]), Task::Regression, "fractions");
    assert!(matches!(task(&["1", "1", "0", "x"]), Task::Classification { .. }), "a text");
}

#[test]
fn a_stated_task_wins_over_what_is_seen() {
    let as_kind = |targets: &[&str], kind| {
        table(targets).split(&Split { task: Some(kind), ..split() }).unwrap().problem
    };
    let targets = ["1", "2", "3", "4"];
    assert_eq!(as_kind(&targets, TaskKind::Regression).outputs(), 1);
    assert_eq!(as_kind(&targets, TaskKind::Regression).metrics().len(), 4);
    let halves = ["0.5", "1.5", "0.5", "1.5"];
    assert_eq!(as_kind(&halves, TaskKind::Classification).outputs(), 2);
}

#[test]
fn scaling_is_learnt_from_training_rows_only() {
    let data = table(&["a", "b", "a", "b", "a", "b", "a", "b"])
        .split(&Split { standardize: true, ..split() })
        .unwrap();
    let scaling = data.scaling.unwrap();
    let trained: Vec<f32> = data.train.iter().flat_map(|part| part.features.clone()).collect();
    assert!(trained.iter().sum::<f32>().abs() < 1e-6);
    let id = f64::from(data.validation.features[0]) * scaling.deviations[0] + scaling.means[0];
    assert!((id - id.round()).abs() < 1e-5, "validation is scaled by the same numbers: {id}");
}

/// A table `time, value` of these rows.
fn pairs(rows: &[[String; 2]]) -> Table {
    let mut table = Table::new("t.csv".into(), vec!["time".into(), "value".into()], 1);
    for (row, cells) in rows.iter().enumerate() {
        table.push(&StringRecord::from(cells.to_vec()), || row as u64 + 2).unwrap();
    }
    table
}

fn values(partition: &Partition) -> &[f32] {
    match &partition.target {
        Target::Values(values) => values,
        Target::Classes(_) => panic!("values expected"),
    }
}

#[test]
fn a_line_that_parts_large_numbers_still_parts_them_after_scaling() {
    let side = |second: i64| if second < 0 { "before" } else { "after" }.to_owned();
    let rows: Vec<[String; 2]> =
        (-100..100i64).map(|second| [(1_700_000_000 + second).to_string(), side(second)]).collect();
    let data = pairs(&rows).split(&Split { standardize: true, ..split() }).unwrap();
    let of_class = |class: u32| {
        let partitions = data.train.iter().chain([&data.validation]);
        let rows = partitions.flat_map(|part| part.features.iter().zip(classes(part)));
        rows.filter(move |(_, other)| *other == class).map(|(time, _)| *time)
    };
    let (first_after, last_before) =
        (of_class(0).fold(f32::INFINITY, f32::min), of_class(1).fold(f32::NEG_INFINITY, f32::max));
    assert!(last_before < first_after, "{last_before} {first_after}");
}

#[test]
fn targets_of_a_regression_are_scaled_with_the_features_and_classes_are_not() {
    let rows: Vec<[String; 2]> =
        (0..100).map(|row| [row.to_string(), format!("{}.5", 1_000_000 + 7 * row)]).collect();
    let scaled = pairs(&rows).split(&Split { standardize: true, ..split() }).unwrap();
    let learnt: Vec<f32> = scaled.train.iter().flat_map(values).copied().collect();
    let square = learnt.iter().map(|value| value * value).sum::<f32>() / learnt.len() as f32;
    assert!(learnt.iter().sum::<f32>().abs() < 1e-3 && (square - 1.0).abs() < 1e-4);
    let plain = pairs(&rows).split(&split()).unwrap();
    assert_eq!(plain.problem.target_scaling, None);
    for (learnt, original) in values(&scaled.validation).iter().zip(values(&plain.validation)) {
        let restored = scaled.problem.restore(*learnt);
        assert!((restored - f64::from(*original)).abs() < 1e-3, "{restored} {original}");
    }
    let classes = table(&["a", "b", "a", "b"]);
    let classes = classes.split(&Split { standardize: true, ..split() }).unwrap();
    assert_eq!(classes.problem.target_scaling, None);
}

#[test]
fn numbers_past_32_bits_are_refused_where_nothing_scales_them() {
    let rows = |big: [&str; 2]| -> Vec<[String; 2]> {
        let row = |row: usize| [row.to_string(), format!("{row}.5")];
        (0..8).map(row).chain([big.map(str::to_owned)]).collect()
    };
    let range = "expected a number of 32 bits, from -3.4e38 to 3.4e38";
    let feature = pairs(&rows(["1e300", "1"]));
    assert_eq!(
        feature.split(&split()).unwrap_err().to_string(),
        format!("t.csv:10: column 0 (time) = \"1e300\", {range}, or standardize = true")
    );
    let scaled = feature.split(&Split { standardize: true, ..split() }).unwrap();
    assert!(scaled.train.iter().all(|part| part.features.iter().all(|value| value.is_finite())));
    let target = pairs(&rows(["1", "-1e39"]));
    assert_eq!(
        target.split(&Split { standardize: true, ..split() }).unwrap_err().to_string(),
        format!("t.csv:10: column 1 (value) = \"-1e39\", {range}")
    );
}

#[test]
fn a_target_that_says_nothing_is_refused() {
    assert_eq!(
        refusal(&["a", "a", "a"], |_| ()),
        "t.csv: column 1 (label) is \"a\" in every row, expected at least two different labels"
    );
    assert_eq!(
        refusal(&["1.5", "1.5"], |_| ()),
        "t.csv: column 1 (label) is \"1.5\" in every row, expected at least two different numbers"
    );
}

#[test]
fn many_texts_without_a_task_are_refused_and_with_one_accepted() {
    let targets: Vec<String> = (0..200).map(|row| format!("{}.5", row / 2)).collect();
    let mut targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    targets[57] = "n/a";
    assert_eq!(
        refusal(&targets, |_| ()),
        "t.csv:59: column 1 (label) = \"n/a\", and the column has 101 different values, \
         expected numbers or at most 100 labels; set the task to say which"
    );
    let stated = Split { task: Some(TaskKind::Classification), ..split() };
    assert_eq!(table(&targets).split(&stated).unwrap().problem.outputs(), 101);
}

#[test]
fn shares_and_partitions_that_leave_nothing_are_refused() {
    let numbers = ["0.5", "1", "2", "3"];
    for share in [0.0, 1.0, -0.5, f64::NAN] {
        assert_eq!(
            refusal(&numbers, |split| split.validation = share),
            format!("validation = {share}: expected a share above 0 and below 1")
        );
    }
    assert_eq!(
        refusal(&numbers, |split| split.validation = 0.1),
        "t.csv: validation = 0.1 of 4 rows leaves none for validation, expected at least one"
    );
    assert_eq!(
        refusal(&numbers, |split| split.validation = 0.9),
        "t.csv: validation = 0.9 of 4 rows leaves none for training, expected at least one"
    );
    assert_eq!(
        refusal(&["x", "y"], |_| ()),
        "t.csv: validation = 0.25 of 2 rows leaves none for validation, expected at least one"
    );
    for partitions in [0, 4] {
        assert_eq!(
            refusal(&numbers, |split| split.partitions = partitions),
            format!(
                "t.csv: partitions = {partitions}: expected from 1 to 3, \
                 the number of training rows"
            )
        );
    }
}
