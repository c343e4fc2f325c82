//! The same study gives the same bits: on any number of slots, from TOML or JSON, seen again by
//! `verify`; and what changes the study changes them.

use crate::sandbox::Sandbox;

const JSON_STUDY: &str = r#"{
  "study": { "name": "small", "seed": 1 },
  "data": { "path": "classes.csv", "target": "label", "partitions": 4 },
  "model": { "hidden": [8] },
  "search": { "space": { "learning_rate": { "low": 1e-3, "high": 0.1, "scale": "log" } } },
  "budget": { "trials": 6, "epochs": 3 },
  "run": { "slots": 2 }
}"#;

#[test]
fn hashes_do_not_depend_on_the_number_of_slots() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    assert_eq!(expected.lines().count(), 6);
    for slots in ["1", "2", "3", "4", "16"] {
        sandbox.run(slots, &["--slots", slots]);
        assert_eq!(sandbox.hashes(slots), expected, "{slots} slots");
    }
}

#[test]
fn a_line_of_hashes_names_trial_epochs_and_a_blake3() {
    let hashes = Sandbox::new().undisturbed(&[]);
    for (trial, line) in hashes.lines().enumerate() {
        let [number, epochs, state] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        assert_eq!((number, epochs), (trial.to_string().as_str(), "3"));
        assert!(state.len() == 64 && state.bytes().all(|b| b.is_ascii_hexdigit()), "{state}");
    }
}

#[test]
fn the_same_study_as_json_is_the_same_study() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    sandbox.write("study.json", JSON_STUDY);
    let run = sandbox.wallaby(&["run", "study.json", "--run", "json"]).finish().expect(0);
    assert!(run.out.contains("6 trials × 3 epochs"));
    assert_eq!(sandbox.hashes("json"), expected);
    // It is the same study even to the folder of the run.
    sandbox.wallaby(&["run", "study.json", "--run", "undisturbed"]).finish().expect(0);
}

#[test]
fn the_study_that_a_run_keeps_can_be_run_elsewhere() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    sandbox.wallaby(&["run", "undisturbed/study.json", "--run", "again"]).finish().expect(0);
    assert_eq!(sandbox.hashes("again"), expected);
}

#[test]
fn another_seed_gives_other_bits_in_another_folder() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    for seed in ["1", "2"] {
        sandbox.wallaby(&["run", "study.toml", "--seed", seed]).finish().expect(0);
    }
    assert_eq!(sandbox.list("runs"), ["small-1", "small-2"]);
    assert_eq!(sandbox.hashes("runs/small-1"), expected);
    let other = sandbox.hashes("runs/small-2");
    assert!(other.lines().zip(expected.lines()).all(|(other, expected)| other != expected));
}

#[test]
fn what_is_set_on_the_command_line_counts_like_the_file() {
    let sandbox = Sandbox::new();
    let set =
        ["--set", "model.hidden=[4, 4]", "--set", "budget.epochs=2", "--set", "data.header=true"];
    let hashes = sandbox.undisturbed(&set);
    let text =
        sandbox.read("study.toml").replace("[8]", "[4, 4]").replace("epochs = 3", "epochs = 2");
    sandbox.write("study.toml", text);
    sandbox.run("file", &[]);
    assert_eq!(sandbox.hashes("file"), hashes);
}

#[test]
fn every_trial_verifies_on_its_own_and_all_together() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    let all = sandbox.wallaby(&["verify", "undisturbed"]).finish().expect(0);
    assert_eq!(all.out.matches("15 units, every bit equal").count(), 6, "{}", all.out);
    let one = sandbox.wallaby(&["verify", "undisturbed", "--trial", "5"]).finish().expect(0);
    assert_eq!(one.out, "trial 5: 15 units, every bit equal\n");
    let none = sandbox.wallaby(&["verify", "undisturbed", "--trial", "6"]).finish().expect(2);
    none.complains("--trial 6: expected 0 to 5");
}

#[test]
fn a_study_on_other_data_is_another_study() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    let other_data = sandbox.read("classes.csv").replacen("class-0", "class-1", 1);
    sandbox.write("classes.csv", other_data);
    let other = sandbox.study("undisturbed", &[]).finish().expect(6);
    other.complains("undisturbed holds another study (small)");
}
