//! Tables for other programs: one content in three formats.

use crate::sandbox::Sandbox;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Row, RowAccessor};
use serde_json::Value as Json;
use std::fs::File;

fn export(sandbox: &Sandbox, format: &str) {
    let arguments = ["export", "run", "--format", format, "--out", "tables"];
    sandbox.wallaby(&arguments).finish().expect(0);
}

fn parquet(sandbox: &Sandbox, name: &str) -> Vec<Row> {
    let file = File::open(sandbox.path(format!("tables/{name}.parquet"))).unwrap();
    let file = SerializedFileReader::new(file).unwrap();
    file.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn names(row: &Row) -> Vec<&str> {
    row.get_column_iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn csv_is_what_lies_in_the_run_folder() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    export(&sandbox, "csv");
    assert_eq!(sandbox.read("tables/trials.csv"), sandbox.read("run/trials.csv"));
    let epochs = sandbox.read("tables/epochs.csv");
    assert_eq!(epochs.lines().count(), 1 + 6 * 3);
    assert!(epochs.starts_with("trial,epoch,accuracy,loss,train_loss\n"), "{epochs}");
    assert_eq!(sandbox.list("tables"), ["epochs.csv", "trials.csv"]);
}

#[test]
fn json_and_parquet_hold_the_same_numbers() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    export(&sandbox, "json");
    export(&sandbox, "parquet");
    for name in ["trials", "epochs"] {
        let json: Json =
            serde_json::from_str(&sandbox.read(&format!("tables/{name}.json"))).unwrap();
        let rows = parquet(&sandbox, name);
        assert_eq!(rows.len(), json.as_array().unwrap().len());
        for (row, object) in rows.iter().zip(json.as_array().unwrap()) {
            let mut columns = names(row);
            let accuracy = columns.iter().position(|name| *name == "accuracy").unwrap();
            assert_eq!(object["accuracy"], row.get_double(accuracy).unwrap());
            let trial = columns.iter().position(|name| *name == "trial").unwrap();
            assert_eq!(object["trial"], row.get_long(trial).unwrap());
            columns.sort_unstable();
            assert!(columns.iter().eq(object.as_object().unwrap().keys()), "{columns:?}");
        }
    }
}

#[test]
fn without_a_folder_tables_lie_in_the_run_and_are_named() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let told = sandbox.wallaby(&["export", "run", "--format", "csv"]).finish().expect(0);
    assert_eq!(told.out, "run/export/trials.csv: 6 rows\nrun/export/epochs.csv: 18 rows\n");
    let told = sandbox.wallaby(&["export", "run", "--format", "json", "--json"]).finish().expect(0);
    let tables: Json = serde_json::from_str(&told.out).unwrap();
    assert_eq!(tables[1]["path"], "run/export/epochs.json");
    assert_eq!(tables[1]["rows"], 18);
}

#[test]
fn a_run_without_results_exports_its_trials_and_no_epochs() {
    let sandbox = Sandbox::new();
    let mut process = sandbox.study("run", &["--json"]).faults("delay:600000").start();
    process.await_event("trial_proposed");
    for format in ["csv", "json", "parquet"] {
        export(&sandbox, format);
    }
    process.kill();
    assert_eq!(sandbox.read("tables/epochs.csv").lines().count(), 1);
    assert!(parquet(&sandbox, "epochs").is_empty());
    assert!(!parquet(&sandbox, "trials").is_empty());
    assert_eq!(sandbox.read("tables/epochs.json"), "[]\n");
}

#[test]
fn an_unknown_format_is_refused_with_those_there_are() {
    let refused = Sandbox::new().wallaby(&["export", "run", "--format", "xlsx"]).finish();
    refused.expect(2).complains("possible values: csv, parquet, json");
}
