//! The study of the README, as a newcomer runs it, and what it leaves behind.

use crate::process::Finished;
use crate::sandbox::Sandbox;
use safetensors::SafeTensors;
use serde_json::Value as Json;
use std::fs;

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits.toml");

fn rows(csv: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect()
}

fn best(sandbox: &Sandbox, run: &str) -> Json {
    let best = sandbox.wallaby(&["best", run, "--json"]).finish().expect(0);
    serde_json::from_str(&best.out).unwrap()
}

fn assert_folder_is_complete(sandbox: &Sandbox, run: &str) {
    let found = sandbox.list(run);
    for name in ["run.json", "study.json", "journal.redb", "blobs", "metrics.csv", "trials.csv"] {
        assert!(found.iter().any(|found| found == name), "{name} is not in {found:?}");
    }
    assert_eq!(sandbox.list(&format!("{run}/best")), ["config.json", "model.safetensors"]);
}

fn assert_best_model_is_whole(sandbox: &Sandbox, run: &str) {
    let best = best(sandbox, run);
    assert!(best["objective"].as_f64().unwrap() >= 0.97, "{best}");
    let weights = fs::read(sandbox.path(format!("{run}/best/model.safetensors"))).unwrap();
    assert_eq!(best["weights_blake3"], blake3::hash(&weights).to_string());
    let tensors = SafeTensors::deserialize(&weights).unwrap();
    assert!(tensors.names().contains(&"layers.0.weight"), "{:?}", tensors.names());
    let config: Json =
        serde_json::from_str(&sandbox.read(&format!("{run}/best/config.json"))).unwrap();
    assert_eq!(config["config"], best["config"]);
    assert_eq!(config["problem"]["features"].as_array().unwrap().len(), 64);
}

fn assert_tables_are_whole(sandbox: &Sandbox, run: &str) {
    let trials = rows(&sandbox.read(&format!("{run}/trials.csv")));
    assert_eq!(trials.len(), 16);
    assert_eq!(trials[0][1], best(sandbox, run)["trial"].to_string());
    let objectives: Vec<f64> = trials.iter().map(|row| row[4].parse().unwrap()).collect();
    assert!(objectives.is_sorted_by(|better, worse| better >= worse), "{objectives:?}");
    let metrics = rows(&sandbox.read(&format!("{run}/metrics.csv")));
    assert_eq!(metrics.len(), 16 * 5);
}

/// Every line of a study that went well.
fn assert_tells_the_story(run: &Finished) {
    assert!(run.out.contains("16 trials × 5 epochs over 8 partitions on 4 slots"), "{}", run.out);
    assert_eq!(run.out.matches("  epoch ").count(), 16 * 5 + 1, "a line an epoch, and the head");
    assert!(run.out.contains("results in runs/digits-1"), "{}", run.out);
    assert_eq!(run.err, "");
}

#[test]
fn the_study_of_the_readme_finds_a_good_model_and_leaves_all_that_is_promised() {
    let sandbox = Sandbox::new();
    let run = sandbox.wallaby(&["run", DIGITS]).finish().expect(0);
    assert_tells_the_story(&run);
    assert_folder_is_complete(&sandbox, "runs/digits-1");
    assert_best_model_is_whole(&sandbox, "runs/digits-1");
    assert_tables_are_whole(&sandbox, "runs/digits-1");
    sandbox.wallaby(&["verify", "runs/digits-1", "--trial", "3"]).finish().expect(0);
    sandbox.wallaby(&["run", DIGITS, "--slots", "1", "--run", "alone"]).finish().expect(0);
    assert_eq!(sandbox.hashes("alone"), sandbox.hashes("runs/digits-1"));
}
