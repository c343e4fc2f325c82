//! Files to predict for, as people have them.

use super::*;
use std::path::PathBuf;

fn problem(names: &[&str]) -> Problem {
    let features = names.iter().map(|name| (*name).to_owned()).collect();
    Problem::new(features, crate::Task::Regression)
}

fn read(csv: &str, header: bool, target: ColumnRef, names: &[&str]) -> Result<Vec<f32>, String> {
    read_for(&problem(names), csv, header, target)
}

fn read_for(
    problem: &Problem,
    csv: &str,
    header: bool,
    target: ColumnRef,
) -> Result<Vec<f32>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("rows.csv");
    std::fs::write(&path, csv).unwrap();
    let source = CsvSource { path: path.clone(), header, target, delimiter: ',' };
    let read = source.read_features(problem, None);
    read.map_err(|error| error.to_string().replace(&path.display().to_string(), "rows.csv"))
}

fn by_name(csv: &str) -> Result<Vec<f32>, String> {
    read(csv, true, ColumnRef::Name("label".to_owned()), &["a", "b"])
}

#[test]
fn features_are_found_by_name_in_any_order_with_or_without_the_target() {
    assert_eq!(by_name("a,b,label\n1,2,x\n3,4,y\n"), Ok(vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(by_name("b,a\n2,1\n4,3\n"), Ok(vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(by_name("label,b,a\n,2,1\n"), Ok(vec![1.0, 2.0]), "an empty target is no matter");
}

#[test]
fn a_missing_and_an_extra_column_are_named() {
    let told = by_name("a,label\n1,x\n").unwrap_err();
    assert_eq!(told, "rows.csv:1: no column b, expected every feature that the model learnt from");
    let told = by_name("a,b,c,label,d\n1,2,3,x,4\n").unwrap_err();
    assert_eq!(told, "rows.csv:1: columns c, d: the model knows no such feature, expected none");
}

#[test]
fn without_a_header_the_number_of_columns_tells_whether_the_target_is_there() {
    let names = ["column_0", "column_1"];
    let last = |csv| read(csv, false, ColumnRef::Number(-1), &names);
    assert_eq!(last("1,2,9\n"), Ok(vec![1.0, 2.0]));
    assert_eq!(last("1,2\n"), Ok(vec![1.0, 2.0]));
    let told = last("1,2,3,4\n").unwrap_err();
    assert_eq!(told, "rows.csv:1: 4 columns, expected 2 features, or 3 with the target");
    let first = read("9,1,2\n", false, ColumnRef::Number(0), &["column_1", "column_2"]);
    assert_eq!(first, Ok(vec![1.0, 2.0]));
}

#[test]
fn a_target_by_number_is_skipped_also_under_a_header() {
    let read = |csv| read(csv, true, ColumnRef::Number(-1), &["a", "b"]);
    assert_eq!(read("a,b,species\n1,2,x\n"), Ok(vec![1.0, 2.0]));
    assert!(read("species,a,b\nx,1,2\n").unwrap_err().contains("columns species"));
}

#[test]
fn the_name_of_a_target_by_number_is_known_from_training() {
    let known = Problem { target: Some("species".to_owned()), ..problem(&["a", "b"]) };
    let read = |csv| read_for(&known, csv, true, ColumnRef::Number(-1));
    assert_eq!(read("a,b,species\n1,2,x\n"), Ok(vec![1.0, 2.0]));
    assert_eq!(read("species,a,b\nx,1,2\n"), Ok(vec![1.0, 2.0]));
    assert_eq!(read("a,b\n1,2\n"), Ok(vec![1.0, 2.0]));
    let told = read("a,b,weight\n1,2,3\n").unwrap_err();
    assert_eq!(told, "rows.csv:1: columns weight: the model knows no such feature, expected none");
}

#[test]
fn two_columns_of_one_name_are_named() {
    let told = by_name("a,b,a,label\n1,2,3,x\n").unwrap_err();
    let expected = "expected a name of its own for each column";
    assert_eq!(told, format!("rows.csv:1: columns 0 and 2 are both named \"a\", {expected}"));
}

#[test]
fn features_that_once_had_one_name_need_the_header_of_their_training() {
    let read = |csv| read(csv, true, ColumnRef::Name("label".to_owned()), &["a", "a", "b"]);
    assert_eq!(read("a,label,a,b\n1,x,2,3\n"), Ok(vec![1.0, 2.0, 3.0]));
    assert_eq!(read("a,a,b\n1,2,3\n"), Ok(vec![1.0, 2.0, 3.0]));
    for other in ["b,a,a\n1,2,3\n", "x,y,z\n1,2,3\n", "a,a,b,b\n1,2,3,4\n"] {
        let told = read(other).unwrap_err();
        assert!(told.ends_with("expected all of its columns in their order: a, a, b"), "{told}");
    }
}

#[test]
fn a_row_without_an_answer_is_named_by_the_cell_that_is_furthest_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, "b,label,a\n1,x,2\n\n-1e300,y,1e30\n").unwrap();
    let target = ColumnRef::Name("label".into());
    let source = CsvSource { path, header: true, target, delimiter: ',' };
    let scaling = Scaling { means: vec![0.0, 0.0], deviations: vec![1.0, 1.0] };
    let why = source.why_no_answer(&problem(&["a", "b"]), Some(&scaling), 1).unwrap();
    let told = why.to_string();
    let words = "rows.csv:4: the model has no finite answer to this row; column 0 (b) = \"-1e300\"";
    assert!(told.contains(words), "{told}");
}

#[test]
fn what_is_no_number_is_named_by_line_and_column() {
    let told = by_name("label,a,b\nx,1,2\ny,1,two\n").unwrap_err();
    assert_eq!(told, "rows.csv:3: column 2 (b) = \"two\", expected a finite number");
    assert!(by_name("a,b\n1,\n").unwrap_err().contains("rows.csv:2: column 1 (b) is empty"));
    assert!(by_name("a,b\n1\n").unwrap_err().contains("rows.csv:2: 1 cells, expected 2"));
    assert!(by_name("a,b\n").unwrap_err().contains("has a header and no row"));
    assert!(by_name("").unwrap_err().contains("is empty"));
}

#[test]
fn features_are_scaled_before_they_are_rounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, "time\n1700000001\n1700000003\n").unwrap();
    let source =
        CsvSource { path, header: true, target: ColumnRef::Name("label".into()), delimiter: ',' };
    let scaling = Scaling { means: vec![1.7e9], deviations: vec![2.0] };
    assert_eq!(source.read_features(&problem(&["time"]), Some(&scaling)).unwrap(), [0.5, 1.5]);
}

#[test]
fn a_number_past_32_bits_is_refused_where_nothing_scales_it() {
    let told = by_name("a,b\n1,1e300\n").unwrap_err();
    let expected = "expected a number of 32 bits, from -3.4e38 to 3.4e38";
    assert_eq!(told, format!("rows.csv:2: column 1 (b) = \"1e300\", {expected}"));
}
