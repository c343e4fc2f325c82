//! Looking at runs: finished, killed, under way, damaged. Looking never gets in the way.

use crate::sandbox::Sandbox;
use crate::small_disk::SmallDisk;
use serde_json::Value as Json;
use std::fs;

fn json(sandbox: &Sandbox, arguments: &[&str]) -> Json {
    let listed = sandbox.wallaby(&[arguments, &["--json"]].concat()).finish().expect(0);
    serde_json::from_str(&listed.out).unwrap_or_else(|error| panic!("{error}: {}", listed.out))
}

/// One run that has ended, one that was killed.
fn ended_and_killed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.wallaby(&["run", "study.toml"]).finish().expect(0);
    let study = sandbox.wallaby(&["run", "study.toml", "--json"]);
    let mut process = study.faults("delay:5").start();
    process.await_event("epoch_finished");
    process.kill();
    sandbox
}

#[test]
fn a_list_tells_what_became_of_every_run() {
    let sandbox = ended_and_killed();
    sandbox.write("runs/notes/read.me", "no run");
    sandbox.write("runs/broken/run.json", "{");
    let runs = json(&sandbox, &["list"]);
    let states: Vec<(&str, &str)> = runs.as_array().unwrap().iter().map(state_of).collect();
    let expected =
        [("runs/broken", "unreadable"), ("runs/small-1", "ended"), ("runs/small-2", "interrupted")];
    assert_eq!(states, expected);
    assert_eq!((&runs[1]["trials_ended"], &runs[1]["trials"]), (&6.into(), &6.into()));
    assert_eq!(runs[1]["best"]["metric"], "accuracy");
    assert!(runs[1]["last"].as_str().unwrap().ends_with('Z'), "{runs}");
    let table = sandbox.wallaby(&["list"]).finish().expect(0);
    assert_eq!(table.out.lines().count(), 4, "{}", table.out);
    assert!(
        table.out.contains("runs/small-1  small  ended        6/6     accuracy"),
        "{}",
        table.out
    );
    table.complains("runs/broken/run.json is damaged");
}

fn state_of(run: &Json) -> (&str, &str) {
    (run["run"].as_str().unwrap(), run["state"].as_str().unwrap())
}

/// The keys of the first object in a listing, in the order in which they stand there.
fn keys(listed: &str) -> Vec<&str> {
    let first = listed.split_once('{').unwrap().1;
    let indent = &first[..first.find('"').unwrap()];
    let end = format!("{}}}", &indent[..indent.len() - 2]);
    let first = first.split_once(&end).unwrap().0;
    let lines = first.split(indent).filter_map(|line| line.strip_prefix('"'));
    lines.filter_map(|line| Some(line.split_once("\": ")?.0)).collect()
}

#[test]
fn the_keys_of_every_listing_stay_as_they_are() {
    let sandbox = Sandbox::new();
    sandbox.wallaby(&["run", "study.toml"]).finish().expect(0);
    let run = "runs/small-1";
    let trials = "rank trial end epochs objective best_epoch accuracy loss train_loss \
                  config.activation config.batch_size config.beta1 config.beta2 config.dropout \
                  config.epsilon config.hidden config.learning_rate config.momentum \
                  config.optimizer config.weight_decay state";
    for (arguments, expected) in [
        (
            &["list", "--json"][..],
            "began best cluster last process run state study trials trials_ended why",
        ),
        (&["trials", run, "--json"], trials),
        (&["hashes", run, "--json"], "epochs state trial"),
        (
            &["best", run, "--json"],
            "config direction epoch family metric metrics objective state_blake3 study trial \
             weights weights_blake3",
        ),
        (&["export", run, "--format", "json", "--json"], "bytes path rows table"),
        (&["clean", "--json"], "bytes files removed run why"),
        (
            &["bench", "dispatch", "--slots", "1", "--unit", "1", "--json"],
            "idle p50_ms p99_ms unit_ms units",
        ),
    ] {
        let listed = sandbox.wallaby(arguments).finish().expect(0).out;
        assert_eq!(keys(&listed).join(" "), expected, "{arguments:?}");
    }
    assert_eq!(keys(&sandbox.read("runs/small-1/export/trials.json")).join(" "), trials);
    let epochs = sandbox.read("runs/small-1/export/epochs.json");
    assert_eq!(keys(&epochs).join(" "), "trial epoch accuracy loss train_loss");
}

#[test]
fn a_folder_without_runs_lists_none() {
    let sandbox = Sandbox::new();
    assert_eq!(json(&sandbox, &["list"]), Json::Array(Vec::new()));
    let none = sandbox.wallaby(&["list", "--dir", "nowhere"]).finish().expect(0);
    assert_eq!(none.out, "no runs in nowhere; `wallaby run FILE` makes one\n");
    sandbox.wallaby(&["list", "--dir", "classes.csv"]).finish().complains("classes.csv");
}

#[test]
fn a_run_under_way_is_read_without_disturbing_it() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let study = sandbox.wallaby(&["run", "study.toml", "--json"]);
    let mut process = study.faults("delay:5").start();
    process.await_event("epoch_finished");
    let runs = json(&sandbox, &["list"]);
    assert_eq!(runs[0]["state"], "running");
    assert_eq!(runs[0]["process"], process.id());
    let shown = json(&sandbox, &["show", "runs/small-1"]);
    assert_eq!(shown["process"], process.id());
    assert!(shown["units"].as_u64().unwrap() > 0, "{shown}");
    assert!(!json(&sandbox, &["trials", "runs/small-1"]).as_array().unwrap().is_empty());
    assert!(!json(&sandbox, &["hashes", "runs/small-1"]).as_array().unwrap().is_empty());
    let best = json(&sandbox, &["best", "runs/small-1"]);
    assert!(best["objective"].is_f64() && best["weights_blake3"].is_null(), "{best}");
    process.finish().expect(0);
    assert_eq!(sandbox.hashes("runs/small-1"), expected);
}

#[test]
fn a_run_where_nothing_can_be_written_is_read_and_answers() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    fs::create_dir(sandbox.path("disk")).unwrap();
    let disk = sandbox.path("disk");
    let Some(disk) = SmallDisk::mount(&disk, 8000) else { return };
    sandbox.copy("run", "disk/run");
    fs::remove_file(sandbox.path("disk/run/run.lock")).unwrap();
    disk.protect();
    assert_eq!(state_of(&json(&sandbox, &["list", "--dir", "disk"])[0]), ("disk/run", "ended"));
    for arguments in [
        ["trials", "RUN"].as_slice(),
        &["hashes", "RUN"],
        &["predict", "RUN", "--data", "classes.csv"],
        &["verify", "RUN", "--trial", "1"],
    ] {
        let of = |run| {
            let arguments: Vec<&str> =
                arguments.iter().map(|word| if *word == "RUN" { run } else { *word }).collect();
            sandbox.wallaby(&arguments).finish().expect(0).out
        };
        assert_eq!(of("disk/run"), of("run"), "{arguments:?}");
    }
    let best = json(&sandbox, &["best", "disk/run"]);
    assert_eq!(best["weights_blake3"], json(&sandbox, &["best", "run"])["weights_blake3"]);
    assert_eq!(json(&sandbox, &["show", "disk/run"])["state"], "ended");
    sandbox.wallaby(&["report", "disk/run", "--out", "page.html"]).finish().expect(0);
    sandbox.wallaby(&["report", "disk/run"]).finish().expect(6);
}

#[test]
fn a_run_that_was_killed_before_its_first_record_is_listed() {
    let sandbox = Sandbox::new();
    sandbox.wallaby(&["run", "study.toml"]).finish().expect(0);
    fs::remove_file(sandbox.path("runs/small-1/journal.redb")).unwrap();
    let runs = json(&sandbox, &["list"]);
    assert_eq!(state_of(&runs[0]), ("runs/small-1", "interrupted"));
}

#[test]
fn show_tells_the_facts_of_a_run() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let shown = json(&sandbox, &["show", "run"]);
    assert_eq!((&shown["state"], &shown["done"]), (&"ended".into(), &1.0.into()));
    assert_eq!(shown["trials_by_end"]["completed"], 6);
    assert_eq!(shown["data"]["partitions"], 4);
    assert_eq!(shown["data"]["rows"], 161);
    assert_eq!(shown["document"]["budget"]["epochs"], 3);
    assert_eq!(shown["best"], json(&sandbox, &["best", "run"]));
    assert!(shown["sizes"]["whole"].as_u64() > shown["sizes"]["blobs"].as_u64(), "{shown}");
    let text = sandbox.wallaby(&["show", "run"]).finish().expect(0).out;
    for words in [
        "state     ended\n",
        "trials    6 × 3 epochs: 6 completed\n",
        "data      161 training rows in 4 partitions, 39 validation rows, 4 features, 3 classes\n",
        "space     learning_rate: 0.001 to 0.1, log\n",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

#[test]
fn trials_are_sorted_and_chosen_by_their_columns() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let rates = |arguments: &[&str]| -> Vec<f64> {
        let trials = json(&sandbox, &[&["trials", "run"], arguments].concat());
        let rate = |trial: &Json| trial["config.learning_rate"].as_f64().unwrap();
        trials.as_array().unwrap().iter().map(rate).collect()
    };
    let all = rates(&["--sort", "config.learning_rate"]);
    assert!(all.len() == 6 && all.is_sorted(), "{all:?}");
    let down = rates(&["--sort", "config.learning_rate", "--descending"]);
    assert!(down.iter().rev().eq(&all), "{down:?}");
    let middle = format!("config.learning_rate <= {} and end == completed", all[2]);
    let mut chosen = rates(&["--where", &middle]);
    chosen.sort_by(f64::total_cmp);
    assert_eq!(chosen, all[..3]);
    assert_eq!(rates(&["--where", "not (trial >= 0)"]), [0.0; 0]);
    let none = sandbox.wallaby(&["trials", "run", "--where", "trial > 5"]).finish().expect(0);
    none.complains("--where: 0 of 6 trials are like that");
    let never = sandbox.wallaby(&["trials", "run", "--where", "end == complete"]).finish();
    never.expect(2).complains("did you mean completed?");
}

#[test]
fn trials_list_what_the_table_of_the_run_holds() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let csv = sandbox.read("run/trials.csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let trials = json(&sandbox, &["trials", "run"]);
    for (row, trial) in reader.records().map(Result::unwrap).zip(trials.as_array().unwrap()) {
        assert_eq!(trial.as_object().unwrap().len(), columns.len());
        for (name, cell) in columns.iter().zip(&row) {
            let value = &trial[name.as_str()];
            match value.as_f64() {
                Some(number) => assert_eq!(cell.parse(), Ok(number), "{name}"),
                None if value.is_string() => assert_eq!(value, cell, "{name}"),
                None => assert!(value.is_array(), "{name}: {value}"),
            }
        }
    }
    let table = sandbox.wallaby(&["trials", "run"]).finish().expect(0).out;
    assert!(table.starts_with("rank  trial  end        epochs  objective"), "{table}");
}

#[test]
fn hashes_are_the_same_for_people_and_for_scripts() {
    let sandbox = Sandbox::new();
    sandbox.run("run", &[]);
    let hashes = json(&sandbox, &["hashes", "run"]);
    let line = |hash: &Json| {
        format!("{} {} {}\n", hash["trial"], hash["epochs"], hash["state"].as_str().unwrap())
    };
    let lines: String = hashes.as_array().unwrap().iter().map(line).collect();
    assert_eq!(lines, sandbox.hashes("run"));
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.wallaby(&["completions", shell]).finish().expect(0).out;
        assert!(script.contains("predict") && script.contains("where"), "{shell}: {script}");
    }
    sandbox.wallaby(&["completions", "dos"]).finish().expect(2);
    let page = sandbox.wallaby(&["man"]).finish().expect(0).out;
    assert!(page.contains(".TH") && page.contains("Exit codes"), "{page}");
    sandbox.wallaby(&["man", "--out", "man"]).finish().expect(0);
    let pages = sandbox.list("man");
    for page in ["wallaby.1", "wallaby-run.1", "wallaby-trials.1"] {
        assert!(pages.iter().any(|found| found == page), "{page} is not in {pages:?}");
    }
}
