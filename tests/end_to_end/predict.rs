//! The best model answers for rows of a file: as well as it did when it was measured, however
//! the columns lie, and with words where they do not fit.

use crate::run_record::{RunRecord, flip_byte};
use crate::sandbox::{Sandbox, noise};

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits.toml");
const DIGITS_DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits/digits.csv.gz");

fn rows(csv: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect()
}

#[track_caller]
fn predict(sandbox: &Sandbox, run: &str, data: &str) -> String {
    sandbox.wallaby(&["predict", run, "--data", data]).finish().expect(0).out
}

/// The share of the answers that are the label at the end of the row.
fn accuracy(answers: &str, data: &str) -> f64 {
    let (answers, data) = (rows(answers), rows(data));
    assert_eq!(answers.len(), data.len());
    let right = answers.iter().zip(&data).filter(|(a, d)| a[0] == d[d.len() - 1]).count();
    right as f64 / data.len() as f64
}

/// The CSV with its columns in this order.
fn reordered(csv: &str, order: &[usize]) -> String {
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        order.iter().map(|at| cells[*at]).collect::<Vec<_>>().join(",") + "\n"
    };
    csv.lines().map(line).collect()
}

#[test]
fn the_digits_it_learnt_from_are_read_as_well_as_it_said() {
    let sandbox = Sandbox::new();
    sandbox.wallaby(&["run", DIGITS, "--set", "budget.trials=4"]).finish().expect(0);
    let answers = rows(&predict(&sandbox, "runs/digits-1", DIGITS_DATA));
    let unpacked = unpack(DIGITS_DATA);
    let labels: Vec<&str> = unpacked.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(answers.len(), labels.len());
    let right = answers.iter().zip(&labels).filter(|(answer, label)| &answer[0] == **label).count();
    let best = RunRecord::read(&sandbox.path("runs/digits-1")).study.best().unwrap().1.value;
    let accuracy = right as f64 / labels.len() as f64;
    assert!(accuracy > best - 0.01, "{accuracy}, but {best} when it was measured");
}

fn unpack(path: &str) -> String {
    let unpacked = std::process::Command::new("gzip").args(["-dc", path]).output().unwrap();
    String::from_utf8(unpacked.stdout).unwrap()
}

#[test]
fn answers_are_a_class_and_probabilities_that_sum_to_one() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let answers = predict(&sandbox, "run", "classes.csv");
    let head = "class,probability_class-0,probability_class-1,probability_class-2\n";
    assert!(answers.starts_with(head), "{answers}");
    for row in rows(&answers) {
        let parts: Vec<f64> = row.iter().skip(1).map(|cell| cell.parse().unwrap()).collect();
        assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{row:?}");
        let best = (0..3).max_by(|a, b| parts[*a].total_cmp(&parts[*b])).unwrap();
        assert_eq!(row[0], format!("class-{best}"));
    }
    assert!(accuracy(&answers, &sandbox.read("classes.csv")) > 0.7);
}

#[test]
fn columns_may_lie_in_any_order_and_the_target_may_be_absent() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let expected = predict(&sandbox, "run", "classes.csv");
    let data = sandbox.read("classes.csv");
    for order in [[0, 1, 2, 3].as_slice(), &[3, 1, 0, 2], &[4, 3, 2, 1, 0]] {
        sandbox.write("new.csv", reordered(&data, order));
        assert_eq!(predict(&sandbox, "run", "new.csv"), expected, "{order:?}");
    }
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let refused = |csv: &str| {
        sandbox.write("new.csv", csv);
        sandbox.wallaby(&["predict", "run", "--data", "new.csv"]).finish().expect(4)
    };
    refused("a,b,d\n1,2,3\n").complains("new.csv:1: no column c, expected every feature");
    refused("a,b,c,d,e\n1,2,3,4,5\n").complains("new.csv:1: columns e: the model knows no such");
    refused("a,b,c,d\n1,2,x,4\n").complains("new.csv:2: column 2 (c) = \"x\"");
    refused("a,b,c,d\n").complains("has a header and no row");
    let missing = sandbox.wallaby(&["predict", "run", "--data", "no.csv"]).finish().expect(4);
    missing.complains("no.csv: no such file");
}

#[test]
fn values_come_in_the_units_of_the_target() {
    let sandbox = Sandbox::new();
    let row = |row: usize| {
        let x = noise(row, 0);
        format!("{x},{},{}\n", noise(row, 1), 100.0 + 10.0 * x)
    };
    let data = "x,z,y\n".to_owned() + &(0..200).map(row).collect::<String>();
    sandbox.write("line.csv", &data);
    let set =
        ["--set", "data.path=line.csv", "--set", "data.target=y", "--set", "budget.epochs=40"];
    sandbox.run("run", &set);
    let answers = predict(&sandbox, "run", "line.csv");
    assert!(answers.starts_with("value\n"), "{answers}");
    let error = |(answer, row): (&csv::StringRecord, &csv::StringRecord)| {
        (answer[0].parse::<f64>().unwrap() - row[2].parse::<f64>().unwrap()).abs()
    };
    let (answers, data) = (rows(&answers), rows(&data));
    let errors: f64 = answers.iter().zip(&data).map(error).sum();
    assert!(errors / 200.0 < 20.0, "mean error {}", errors / 200.0);
}

#[test]
fn a_lost_model_is_trained_again_and_answers_the_same() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let expected = predict(&sandbox, "run", "classes.csv");
    let record = RunRecord::read(&sandbox.path("run"));
    flip_byte(&record.blob(record.study.best().unwrap().1.state), 100);
    let again = sandbox.wallaby(&["predict", "run", "--data", "classes.csv"]).finish().expect(0);
    assert_eq!(again.out, expected);
    again.complains("is trained again from the journal");
}

#[test]
fn answers_may_go_to_a_file() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let arguments = ["predict", "run", "--data", "classes.csv", "--out", "answers.csv"];
    let told = sandbox.wallaby(&arguments).finish().expect(0);
    assert_eq!(told.out, "");
    assert_eq!(sandbox.read("answers.csv"), predict(&sandbox, "run", "classes.csv"));
    told.complains("200 rows answered in answers.csv");
}

#[test]
fn answers_never_take_the_place_of_their_rows() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let before = sandbox.read("classes.csv");
    for out in ["classes.csv", "./classes.csv", "run/../classes.csv"] {
        let refused = sandbox.wallaby(&["predict", "run", "--data", "classes.csv", "--out", out]);
        refused.finish().expect(2).complains("is the file of --data");
        assert_eq!(sandbox.read("classes.csv"), before);
    }
}

#[test]
fn an_answer_that_is_no_number_is_told_with_its_cell() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    sandbox.write("new.csv", "a,b,c,d\n1,2,3,4\n1,2,1e300,4\n");
    let refused = sandbox.wallaby(&["predict", "run", "--data", "new.csv"]).finish().expect(4);
    assert_eq!(refused.out, "");
    refused.complains(
        "new.csv:3: the model has no finite answer to this row; column 2 (c) = \"1e300\"",
    );
}

#[test]
fn two_features_of_one_name_are_refused_before_anything_is_learnt() {
    let sandbox = Sandbox::new();
    let data = sandbox.read("classes.csv").replacen("a,b,c,d,", "a,b,a,d,", 1);
    sandbox.write("classes.csv", data);
    let refused = sandbox.study("run", &[]).finish().expect(4);
    refused
        .complains("classes.csv:1: columns 0 and 2 are both named \"a\", expected a name of its");
    assert!(!sandbox.path("run").exists());
}

#[test]
fn a_target_by_number_is_known_by_its_name_in_training() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &["--set", "data.target=-1"]);
    let expected = predict(&sandbox, "run", "classes.csv");
    let data = sandbox.read("classes.csv");
    sandbox.write("new.csv", reordered(&data, &[4, 3, 2, 1, 0]));
    assert_eq!(predict(&sandbox, "run", "new.csv"), expected);
    sandbox.write("new.csv", data.replacen(",label", ",weight", 1));
    let refused = sandbox.wallaby(&["predict", "run", "--data", "new.csv"]).finish().expect(4);
    refused.complains("new.csv:1: columns weight: the model knows no such feature");
    let config: serde_json::Value =
        serde_json::from_str(&sandbox.read("run/best/config.json")).unwrap();
    assert_eq!(config["problem"]["target"], "label");
}

#[test]
fn a_run_without_a_result_has_no_answers() {
    let sandbox = Sandbox::new();
    let mut process = sandbox.study("run", &["--json"]).faults("delay:600000").start();
    process.await_event("trial_proposed");
    let arguments = ["predict", "run", "--data", "classes.csv"];
    sandbox.wallaby(&arguments).finish().expect(6).complains("in use by process");
    process.kill();
    sandbox.wallaby(&arguments).finish().expect(9).complains("no trial of run has a result");
}
