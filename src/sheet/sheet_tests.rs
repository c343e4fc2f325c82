//! Sheets in all their forms.

use super::*;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::RowAccessor;
use std::fs::File;
use std::io::Write;

fn sheet() -> Sheet {
    let list = Value::List(vec![Value::Int(8), Value::Int(4)]);
    let row = |number: i64, loss: Option<f64>, hidden: &Value, flag: bool| {
        vec![Some(number.into()), loss.map(Value::Float), Some(hidden.clone()), Some(flag.into())]
    };
    Sheet {
        columns: ["trial", "loss", "hidden", "flag"].map(str::to_owned).into(),
        rows: vec![
            row(2, Some(0.5), &list, true),
            row(10, None, &Value::Text("a, \"b\"".to_owned()), false),
            row(1, Some(1e-9), &list, true),
        ],
    }
}

fn in_parquet(sheet: &Sheet) -> SerializedFileReader<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&sheet.to_parquet("trials").unwrap()).unwrap();
    SerializedFileReader::new(file).unwrap()
}

fn trials(sheet: &Sheet) -> Vec<i64> {
    sheet.rows.iter().map(|row| row[0].as_ref().and_then(Value::as_i64).unwrap()).collect()
}

#[test]
fn numbers_sort_by_size_and_what_is_missing_comes_last_either_way() {
    let mut sheet = sheet();
    sheet.sort(0, false);
    assert_eq!(trials(&sheet), [1, 2, 10]);
    sheet.sort(1, false);
    assert_eq!(trials(&sheet), [1, 2, 10]);
    sheet.sort(1, true);
    assert_eq!(trials(&sheet), [2, 1, 10]);
}

#[test]
fn a_column_is_of_the_kind_that_all_its_cells_share() {
    let sheet = sheet();
    let kinds: Vec<Kind> = (0..4).map(|column| sheet.kind(column)).collect();
    assert_eq!(kinds, [Kind::Whole, Kind::Number, Kind::Text, Kind::Flag]);
    assert_eq!(common(Kind::Whole, Kind::Number), Kind::Number);
    assert_eq!(common(Kind::Flag, Kind::Number), Kind::Text);
    assert_eq!(Sheet::default().to_json(), "[]\n");
}

#[test]
fn csv_quotes_what_needs_it() {
    let csv = String::from_utf8(sheet().to_csv()).unwrap();
    let expected = "trial,loss,hidden,flag\n2,0.5,\"[8, 4]\",true\n10,,\"a, \"\"b\"\"\",false\n\
                    1,1e-9,\"[8, 4]\",true\n";
    assert_eq!(csv, expected);
}

#[test]
fn json_keeps_types_and_the_order_of_the_columns() {
    let text = sheet().to_json();
    let first = "[\n  {\n    \"trial\": 2,\n    \"loss\": 0.5,\n    \"hidden\": [\n      8,\n      4\n    ],\n    \"flag\": true\n  },";
    assert!(text.starts_with(first) && text.ends_with("}\n]\n"), "{text}");
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(json[0]["hidden"], serde_json::json!([8, 4]));
    assert_eq!(json[1]["loss"], Json::Null);
}

#[test]
fn parquet_gives_back_every_cell_and_every_gap() {
    let file = in_parquet(&sheet());
    let rows: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].get_long(0).unwrap(), 2);
    assert_eq!(rows[0].get_double(1).unwrap(), 0.5);
    assert_eq!(rows[0].get_string(2).unwrap(), "[8, 4]");
    assert!(rows[0].get_bool(3).unwrap());
    assert!(rows[1].get_double(1).is_err(), "a gap is a null");
}

#[test]
fn a_sheet_without_rows_is_still_a_parquet_file() {
    let empty = Sheet { rows: Vec::new(), ..sheet() };
    let file = in_parquet(&empty);
    assert_eq!(file.metadata().file_metadata().num_rows(), 0);
    assert_eq!(file.metadata().file_metadata().schema().get_fields().len(), 4);
}
