//! The CSV reader against real files: what it takes, and the exact words for what it refuses.

use super::*;
use crate::split::{Split, TaskKind};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

fn source(path: &Path) -> CsvSource {
    let target = ColumnRef::Number(-1);
    CsvSource { path: path.to_owned(), header: true, target, delimiter: ',' }
}

/// Reads `bytes` as the file `name` after `change` has touched the source.
fn read_as(
    name: &str,
    bytes: &[u8],
    change: impl Fn(&mut CsvSource),
) -> (Result<Table, DataError>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let mut source = source(&path);
    change(&mut source);
    (source.read(), folder)
}

fn table(text: &str) -> Table {
    read_as("t.csv", text.as_bytes(), |_| ()).0.unwrap()
}

/// The message for `bytes`, without the folder.
fn message_of(name: &str, bytes: &[u8], change: impl Fn(&mut CsvSource)) -> String {
    let (result, folder) = read_as(name, bytes, change);
    let message = result.unwrap_err().to_string();
    message.replace(&format!("{}/", folder.path().display()), "")
}

fn message(text: &str) -> String {
    message_of("t.csv", text.as_bytes(), |_| ())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn features_and_target_are_told_apart() {
    let table = table("a,b,label\n1,2.5,x\n-3e2, 4 ,y\n");
    assert_eq!(table.feature_names(), ["a", "b"]);
    assert_eq!((table.rows(), table.width()), (2, 2));
    assert_eq!(table.features, [1.0, 2.5, -300.0, 4.0]);
    assert_eq!(table.target.classes().labels, ["x", "y"]);
}

#[test]
fn the_target_is_found_by_name_and_by_number_from_either_end() {
    let targets = [ColumnRef::Name("b".into()), ColumnRef::Number(1), ColumnRef::Number(-2)];
    for target in targets {
        let change = |source: &mut CsvSource| source.target = target.clone();
        let (table, _folder) = read_as("t.csv", b"a,b,c\n1,2,3\n", change);
        assert_eq!(table.unwrap().feature_names(), ["a", "c"], "{target}");
    }
}

#[test]
fn a_file_without_header_keeps_its_first_row() {
    let (table, _folder) = read_as("t.csv", b"1;2\n3;4", |source| {
        source.header = false;
        source.delimiter = ';';
    });
    let table = table.unwrap();
    assert_eq!((table.rows(), table.feature_names()), (2, vec!["column_0".to_owned()]));
}

#[test]
fn gzip_windows_line_ends_blank_lines_and_a_byte_order_mark_change_nothing() {
    let plain = table("a,b\n1,2\n3,4\n");
    assert_eq!(table("\u{feff}a,b\r\n\r\n1,2\r\n\n\n\"3\",4").features, plain.features);
    assert_eq!(table("\u{feff}a,b\r\n1,2").feature_names(), ["a"]);
    let (unpacked, _folder) = read_as("t.csv.gz", &gzip("a,b\n1,2\n3,4\n"), |_| ());
    assert_eq!(unpacked.unwrap().features, plain.features);
}

#[test]
fn bad_cells_are_named_by_line_and_column() {
    let cases = [
        (
            "a,b\n1,2\n,2\n",
            "t.csv:3: column 0 (a) is empty, expected a finite number: fill the gap in, or leave the row out",
        ),
        ("a,b\n1,2\nx,2\n", "t.csv:3: column 0 (a) = \"x\", expected a finite number"),
        (
            "a,b\nNaN,2\n",
            "t.csv:2: column 0 (a) = \"NaN\", expected a finite number: fill the gap in, or leave the row out",
        ),
        (
            "a,b\n1e999,2\n",
            "t.csv:2: column 0 (a) = \"1e999\", \
             expected a number of 64 bits, from -1.8e308 to 1.8e308",
        ),
        ("a,b\n1,inf\n", "t.csv:2: column 1 (b) = \"inf\", expected a finite number or a label"),
        (
            "a,b\n1, \n",
            "t.csv:2: column 1 (b) is empty, expected a finite number or a label: fill the gap in, or leave the row out",
        ),
        ("a,b\n1,2\n1\n", "t.csv:3: 1 cells, expected 2 as in the first line"),
        ("a,b\n1,2\n1,2,3\n", "t.csv:3: 3 cells, expected 2 as in the first line"),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected);
    }
}

#[test]
fn a_header_that_is_read_as_a_row_is_recognized() {
    let told = message_of("t.csv", b"a,b\n1,2\n", |source| source.header = false);
    let words = "expected a finite number; if this line names the columns, header = true";
    assert_eq!(told, format!("t.csv:1: column 0 (column_0) = \"a\", {words}"));
    let told = message_of("t.csv", b"1,2\na,2\n", |source| source.header = false);
    assert_eq!(told, "t.csv:2: column 0 (column_0) = \"a\", expected a finite number");
}

#[test]
fn lines_are_counted_as_in_an_editor() {
    let expected = "column 0 (a) = \"x\", expected a finite number";
    for (text, line) in [
        ("a,b\r\n1,2\r\nx,2\r\n", 3),
        ("a,b\n\n\n1,2\n\nx,2", 6),
        ("a,b\n1,\"two\nlines\"\nx,2\n", 4),
        ("a,b\n1,2\nx,\"two\nlines\"\n", 3),
    ] {
        assert_eq!(message(text), format!("t.csv:{line}: {expected}"), "{text:?}");
    }
}

#[test]
fn long_cells_are_shortened_in_messages() {
    let text = format!("a,b\n{},1\n", "é".repeat(300));
    let value = "é".repeat(40);
    assert_eq!(
        message(&text),
        format!("t.csv:2: column 0 (a) = \"{value}…\", expected a finite number")
    );
}

#[test]
fn files_without_rows_or_features_are_refused() {
    assert_eq!(message(""), "t.csv: is empty, expected a header and rows");
    assert_eq!(message("\n\n"), "t.csv: is empty, expected a header and rows");
    assert_eq!(message("a,b\n"), "t.csv: has a header and no row, expected at least one row");
    assert_eq!(
        message("a;b\n1;2\n"),
        "t.csv:1: one column only, expected the target and at least one feature; \
         is the delimiter ';'?"
    );
    assert!(message("a\n1\n").ends_with("at least one feature"));
}

#[test]
fn a_target_that_is_not_there_is_answered_with_the_columns() {
    let ask = |target: ColumnRef, header: bool| {
        message_of("t.csv", b"a,b,a\n1,2,3\n", |source| {
            source.target = target.clone();
            source.header = header;
        })
    };
    let name = |name: &str| ColumnRef::Name(name.to_owned());
    assert_eq!(
        ask(name("label"), true),
        "t.csv: target = \"label\": no such column, expected one of a, b, a"
    );
    let numbers = message_of("t.csv", b"5.1,3.5,0\n4.9,3,1\n", |source| {
        source.target = name("label");
    });
    assert!(numbers.ends_with(
        "expected one of 5.1, 3.5, 0; the first line holds numbers only: \
         is `header = false` meant, and a column number?"
    ));
    assert_eq!(
        ask(name("a"), false),
        "t.csv: target = \"a\": no such column, \
         expected a column number, as the file is read without a header"
    );
    assert_eq!(
        ask(name("a"), true),
        "t.csv: target = \"a\": columns 0 and 2 both have this name, expected a column number"
    );
    for number in [3, -4, i64::MIN, i64::MAX] {
        assert_eq!(
            ask(ColumnRef::Number(number), true),
            format!("t.csv: target = {number}: no such column, expected from -3 to 2")
        );
    }
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let expected = "expected a name of its own for each column";
    let told = message("\na,b, a,label\n1,2,3,x\n");
    assert_eq!(told, format!("t.csv:2: columns 0 and 2 are both named \"a\", {expected}"));
    let told = message("1,2,1,7\n3,4,5,6\n");
    let hint = "the first line holds numbers only: is `header = false` meant, and a column number?";
    assert_eq!(told, format!("t.csv:1: columns 0 and 2 are both named \"1\", {expected}; {hint}"));
}

#[test]
fn many_columns_are_listed_by_their_ends() {
    let names: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
    let shown = listed(&names);
    assert!(shown.starts_with("c0, c1,") && shown.ends_with("c18, … c99 (100 columns)"), "{shown}");
}

#[test]
fn more_columns_than_the_limit_are_refused() {
    let header = vec!["x"; COLUMNS_MAX + 1].join(",");
    assert_eq!(message(&header), "t.csv:1: 1000001 columns, expected at most 1000000");
}

#[test]
fn what_is_no_text_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let read = |path: &Path| source(path).read().unwrap_err();
    assert!(matches!(read(&folder.path().join("none.csv")), DataError::Missing { .. }));
    assert!(matches!(read(folder.path()), DataError::NotAFile { kind: "a folder", .. }));
    let bytes = b"a,b\n1,2\n\xff\xfe,3\n";
    let expected = "t.csv:3: not UTF-8, expected a text file in UTF-8";
    assert_eq!(message_of("t.csv", bytes, |_| ()), expected);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads everything.
    if std::fs::read(&path).is_err() {
        assert!(matches!(source(&path).read(), Err(DataError::Denied { .. })));
    }
}

#[test]
fn damaged_gzip_is_told_from_a_damaged_disk() {
    let whole = gzip(&format!("a,b\n{}", "1,2\n".repeat(1000)));
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    for bytes in [&whole[..whole.len() / 2], &flipped, &whole[..1]] {
        let message = message_of("t.csv.gz", bytes, |_| ());
        assert!(message.starts_with("t.csv.gz: damaged gzip ("), "{message}");
    }
    assert_eq!(
        message_of("t.csv.gz", b"a,b\n1,2\n", |_| ()),
        "t.csv.gz: not gzip, expected a .gz file, or a name without .gz for a plain one"
    );
}

#[test]
fn a_quote_left_open_is_named_by_its_line() {
    let expected = "a quote (\") opens here and never closes, expected one at the end of the cell";
    for (text, line) in [
        ("a,b\n1,\"x\n2,y\n3,z\n", 2),
        ("a,\"b\n1,2\n", 1),
        ("a,b\n1,\"two\nlines\"\n\"2,x\n", 4),
        ("a,b\n1,2\n3,\"x", 3),
    ] {
        assert_eq!(message(text), format!("t.csv:{line}: {expected}"), "{text:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_rather_than_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let refused = source(&path).read().unwrap_err();
    assert!(matches!(refused, DataError::NotAFile { kind: "a pipe or a device", .. }));
}

#[test]
fn an_unusable_delimiter_is_refused() {
    for delimiter in ['"', '\n', 'é'] {
        let message = message_of("t.csv", b"a,b\n1,2\n", |source| source.delimiter = delimiter);
        assert!(message.starts_with(&format!("delimiter = {delimiter:?}: expected")), "{message}");
    }
}

#[test]
fn a_text_in_a_regression_target_is_found_on_its_line() {
    let table = table("a,price\n1,2.5\n2,n/a\n3,1\n");
    let split = Split {
        task: Some(TaskKind::Regression),
        validation: 0.3,
        partitions: 1,
        seed: [0; 32],
        standardize: true,
    };
    let message = table.split(&split).unwrap_err().to_string();
    let expected = "t.csv:3: column 1 (price) = \"n/a\", expected a finite number (regression)";
    assert!(message.ends_with(expected), "{message}");
}
