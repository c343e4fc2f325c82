//! The target column: what counts as a label, and in which order.

use super::*;

fn column(cells: &[&str]) -> TargetColumn {
    let mut column = TargetColumn::default();
    for (line, cell) in (2..).zip(cells) {
        assert!(column.push(cell, &|| line), "{cell}");
    }
    column
}

#[test]
fn numeric_labels_sort_as_numbers_and_texts_as_text() {
    let numbers = column(&["10", "9", "9.0", "-0", "0"]).classes();
    assert_eq!(numbers.labels, ["0", "9", "10"]);
    assert_eq!(numbers.rows, [2, 1, 1, 0, 0]);
    let texts = column(&["10", "b", "9", "a"]).classes();
    assert_eq!(texts.labels, ["10", "9", "a", "b"]);
    assert_eq!(texts.rows, [0, 3, 1, 2]);
}

#[test]
fn a_number_has_one_label_before_and_after_the_first_text() {
    let mixed = column(&["01", "x", "1.0", "1"]);
    assert_eq!(mixed.classes().labels, ["1", "x"]);
    assert_eq!(mixed.first_text(), Some(&(3, "x".to_owned())));
    assert_eq!(mixed.values(), None);
}

#[test]
fn targets_that_are_no_value_are_refused() {
    for cell in ["", "nan", "inf", "1e999", "-infinity"] {
        assert!(!TargetColumn::default().push(cell, &|| 1), "{cell}");
    }
}

#[test]
fn counting_different_numbers_stops_past_the_limit() {
    let many: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(column(&many).distinct(100), 101);
    assert_eq!(column(&["2", "1", "2"]).distinct(100), 2);
}
