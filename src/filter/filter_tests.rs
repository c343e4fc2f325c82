//! Expressions that people type, right and wrong, and all those that nobody types.

use super::*;
use proptest::prelude::*;
use wallaby_core::value::Value;

fn sheet() -> Sheet {
    let hidden = |width: i64| Some(Value::List(vec![Value::Int(width), Value::Int(64)]));
    let row = |trial: i64, end: &str, accuracy: Option<f64>, optimizer: &str| {
        vec![
            Some(trial.into()),
            Some(Value::Text(end.to_owned())),
            accuracy.map(Value::Float),
            Some(Value::Text(optimizer.to_owned())),
            hidden(128 * (trial + 1)),
        ]
    };
    let columns = ["trial", "end", "accuracy", "config.optimizer", "config.hidden"];
    Sheet {
        columns: columns.map(str::to_owned).into(),
        rows: vec![
            row(0, "completed", Some(0.96), "adam"),
            row(1, "completed", Some(0.97), "sgd"),
            row(2, "stopped", Some(0.80), "adam"),
            row(3, "failed", None, "sgd"),
        ],
    }
}

fn chosen(text: &str) -> Vec<usize> {
    let sheet = sheet();
    let filter = Filter::parse(text, &sheet).unwrap_or_else(|error| panic!("{error}"));
    (0..sheet.rows.len()).filter(|row| filter.accepts(&sheet.rows[*row])).collect()
}

fn refused(text: &str) -> String {
    Filter::parse(text, &sheet()).unwrap_err().to_string()
}

#[test]
fn comparisons_and_their_combinations_choose_rows() {
    for (text, expected) in [
        ("accuracy > 0.95", vec![0, 1]),
        ("accuracy>=0.96 and accuracy<=0.96", vec![0]),
        ("accuracy > 0.95 and end == completed and config.optimizer == adam", vec![0]),
        ("end = failed or accuracy < 0.9", vec![2, 3]),
        ("not end == completed", vec![2, 3]),
        ("not (accuracy > 0.95 or end == failed)", vec![2]),
        ("trial != 1", vec![0, 2, 3]),
        ("end != \"completed\" AND trial < 3", vec![2]),
        ("config.hidden == [256,64]", vec![1]),
        ("end == Completed AND accuracy != NONE", vec![0, 1]),
        ("end == running", vec![]),
        ("config.hidden == '[256, 64]'", vec![1]),
    ] {
        assert_eq!(chosen(text), expected, "{text}");
    }
}

#[test]
fn and_binds_closer_than_or() {
    assert_eq!(chosen("trial == 0 or trial == 1 and end == failed"), [0]);
    assert_eq!(chosen("(trial == 0 or trial == 1) and end == failed"), [0; 0]);
}

#[test]
fn an_empty_cell_is_none_and_no_number() {
    assert_eq!(chosen("accuracy == none"), [3]);
    assert_eq!(chosen("accuracy != none"), [0, 1, 2]);
    assert_eq!(chosen("accuracy < 1"), [0, 1, 2]);
    assert_eq!(chosen("accuracy != 0.8"), [0, 1, 3]);
}

#[test]
fn a_mistake_is_marked_at_its_place_with_what_was_likely_meant() {
    let expected = "--where: unknown column acuracy; did you mean accuracy?\n  \
                    acuracy > 0.9\n  ^^^^^^^";
    assert_eq!(refused("acuracy > 0.9"), expected);
    let expected = "--where: unknown column optimizer; did you mean config.optimizer?\n  \
                    trial < 3 and optimizer == adam\n                ^^^^^^^^^";
    assert_eq!(refused("trial < 3 and optimizer == adam"), expected);
}

#[test]
fn every_mistake_says_what_was_expected() {
    for (text, words) in [
        ("", "the expression ends: expected a column"),
        ("accuracy", "the expression ends: expected one of == !="),
        ("accuracy >", "the expression ends: expected a number, a word"),
        ("accuracy > high", "accuracy is a number, expected a number"),
        ("end > completed", "has no order"),
        ("accuracy > 0.9 end == failed", "end: expected and, or, or the end"),
        ("(accuracy > 0.9", "the expression ends: expected and, or, or )"),
        ("accuracy > 0.9)", "): expected and, or, or the end"),
        ("accuracy > 0.9 && trial == 1", "&& has no meaning here; did you mean and?"),
        ("accuracy > 0.9 | trial == 1", "| has no meaning here; did you mean or?"),
        ("!trial == 1", "! has no meaning here; did you mean not?"),
        ("trial == 1 ; trial", "';' has no meaning here, expected and, or, not"),
        ("end > 3", "end has no order, expected == or != before a word"),
        ("config.hidden > 5", "config.hidden has no order, expected == or !="),
        ("end = 3", "end holds no number, expected a word"),
        ("config.hidden == 5", "config.hidden holds no number, expected a word"),
        ("end == complete", "stopped, out_of_budget, failed, cancelled; did you mean completed?"),
        ("accuracy > none", "has no order, expected a number here"),
        ("end == \"failed", "a quote that does not end"),
        ("config.hidden == [1, 2", "a list that does not end"),
        ("nonsense == 1", "expected one of trial, end, accuracy"),
    ] {
        let told = refused(text);
        assert!(told.contains(words), "{text}: {told}");
    }
    assert!(refused(&"(".repeat(1000)).contains("nested deeper than 64"));
    assert!(refused(&"not ".repeat(1000)).contains("nested deeper than 64"));
}

proptest! {
    #[test]
    fn whatever_is_typed_is_understood_or_refused_and_never_panics(text in "\\PC{0,60}") {
        let sheet = sheet();
        match Filter::parse(&text, &sheet) {
            Ok(filter) => sheet.rows.iter().for_each(|row| { filter.accepts(row); }),
            Err(error) => prop_assert!(error.to_string().starts_with("--where: ")),
        }
    }

    #[test]
    fn pieces_of_expressions_in_any_order_never_panic(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "trial", "end", "accuracy", "and", "or", "not", "(", ")", "==", "<", "!=", "0.5",
            "completed", "none", "[1,", "]", "\"", "'", "é",
        ]), 0..30)
    ) {
        let sheet = sheet();
        if let Ok(filter) = Filter::parse(&pieces.join(" "), &sheet) {
            sheet.rows.iter().for_each(|row| { filter.accepts(row); });
        }
    }

    #[test]
    fn an_expression_and_its_negation_part_the_rows(threshold in 0.0f64..1.0, trial in 0i64..5) {
        let text = format!("accuracy > {threshold} or trial == {trial}");
        let (yes, no) = (chosen(&text), chosen(&format!("not ({text})")));
        prop_assert_eq!(yes.len() + no.len(), 4);
        prop_assert!(yes.iter().all(|row| !no.contains(row)));
    }
}
