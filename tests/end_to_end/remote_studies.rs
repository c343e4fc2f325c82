//! Commands that speak to a cluster, against what stands in for one.

use crate::cluster_double::Double;
use crate::process::Invocation;
use crate::sandbox::Sandbox;
use serde_json::Value as Json;
use std::sync::atomic::Ordering;

/// A study that has ended as the run `runs/mine`, and the cluster that tells of it.
fn cluster() -> (Sandbox, Double) {
    let sandbox = Sandbox::new();
    sandbox.run("runs/mine", &[]);
    let double = Double::of_run(&sandbox, "runs/mine");
    (sandbox, double)
}

/// The program with this cluster configured.
fn wallaby(sandbox: &Sandbox, arguments: &[&str]) -> Invocation {
    sandbox.wallaby(arguments).variable("WALLABY_CLUSTER", "cluster.toml")
}

#[track_caller]
fn said(sandbox: &Sandbox, arguments: &[&str]) -> String {
    wallaby(sandbox, arguments).finish().expect(0).out
}

#[track_caller]
fn json(sandbox: &Sandbox, arguments: &[&str]) -> Json {
    serde_json::from_str(&said(sandbox, arguments)).unwrap()
}

#[test]
fn commands_that_read_runs_tell_the_same_of_a_study_of_a_cluster() {
    let (sandbox, _double) = cluster();
    for command in [&["hashes"][..], &["trials", "--json"], &["verify", "--trial", "2"]] {
        let of = |run| said(&sandbox, &[&[command[0], run], &command[1..]].concat());
        assert_eq!(of("small"), of("runs/mine"), "{command:?}");
    }
    let (there, here) = (
        json(&sandbox, &["best", "small", "--json"]),
        json(&sandbox, &["best", "runs/mine", "--json"]),
    );
    for field in ["trial", "objective", "weights_blake3", "config"] {
        assert_eq!(there[field], here[field], "{field}");
    }
    assert!(there["weights"].is_null());
    let shown = said(&sandbox, &["show", "small"]);
    assert!(shown.contains("run       small\n") && shown.contains("state     ended\n"), "{shown}");
    said(&sandbox, &["report", "small", "--out", "report.html"]);
    assert!(sandbox.read("report.html").contains("echarts"));
    wallaby(&sandbox, &["report", "small"]).finish().expect(2).complains("expected --out FILE");
    said(&sandbox, &["export", "small", "--format", "csv", "--out", "tables"]);
    assert_eq!(sandbox.read("tables/trials.csv"), sandbox.read("runs/mine/trials.csv"));
    wallaby(&sandbox, &["export", "small", "--format", "csv"]).finish().expect(2);
}

#[test]
fn a_fetched_study_is_a_run_folder_like_that_of_run() {
    let (sandbox, double) = cluster();
    let fetched = json(&sandbox, &["fetch", "small", "runs/theirs", "--json"]);
    assert_eq!(fetched["ended"], true);
    drop(double);
    for name in ["trials.csv", "metrics.csv", "study.json", "best/config.json"] {
        let (theirs, mine) = (format!("runs/theirs/{name}"), format!("runs/mine/{name}"));
        assert_eq!(sandbox.read(&theirs), sandbox.read(&mine), "{name}");
    }
    assert_eq!(sandbox.hashes("runs/theirs"), sandbox.hashes("runs/mine"));
    // Also without the source of the data.
    std::fs::remove_file(sandbox.path("classes.csv")).unwrap();
    sandbox.wallaby(&["verify", "runs/theirs"]).finish().expect(0);
    let listed = sandbox.wallaby(&["list"]).finish().expect(0).out;
    assert!(
        listed.lines().any(|l| l.starts_with("runs/theirs") && l.contains("ended")),
        "{listed}"
    );
}

#[test]
fn fetching_again_is_harmless_and_the_run_of_another_is_left_alone() {
    let (sandbox, _double) = cluster();
    said(&sandbox, &["fetch", "small", "runs/theirs"]);
    said(&sandbox, &["fetch", "small", "runs/theirs"]);
    let other = sandbox.run("runs/other", &["--set", "study.seed=2"]);
    drop(other);
    let before = sandbox.hashes("runs/other");
    wallaby(&sandbox, &["fetch", "small", "runs/other"]).finish().expect(6);
    assert_eq!(sandbox.hashes("runs/other"), before);
    // The same study, run here: other records.
    sandbox.run("runs/again", &["--slots", "1"]);
    let refused = wallaby(&sandbox, &["fetch", "small", "runs/again"]).finish().expect(2);
    refused.complains("holds another run of this study");
}

#[test]
fn a_submitted_study_brings_its_data_once_and_is_the_one_of_the_file() {
    let (sandbox, double) = cluster();
    let sent = json(&sandbox, &["submit", "study.toml", "--name", "mine-2", "--json"]);
    assert_eq!(sent["blobs"], 5);
    assert_eq!(sent["study"], "mine-2");
    let looks = double.told.looks.load(Ordering::Relaxed);
    assert_eq!(looks, 3, "it comes back when all copies are made");
    let again = json(&sandbox, &["submit", "study.toml", "--name", "mine-2", "--json"]);
    assert_eq!(again["blobs"], 0);
    let created = double.told.created.lock().unwrap();
    let (name, creation) = &created[0];
    assert_eq!((name.as_str(), creation.spec.name.as_str()), ("mine-2", "small"));
    let about: Json = serde_json::from_str(&sandbox.read("runs/mine/run.json")).unwrap();
    assert_eq!(about["fingerprint"], creation.fingerprint.to_string());
    let brought = double.told.brought.lock().unwrap();
    let digests = creation.manifest.partitions.iter().chain([&creation.manifest.validation]);
    assert!(digests.clone().all(|blob| brought.contains_key(&blob.digest.to_string())));
    assert_eq!(brought.len(), digests.count());
}

#[test]
fn listings_and_orders_reach_the_cluster_over_the_node_that_lives() {
    let (sandbox, double) = cluster();
    let nodes = json(&sandbox, &["nodes", "--json"]);
    assert_eq!((&nodes[0]["name"], &nodes[0]["role"]), (&"node1".into(), &"leader".into()));
    assert!(said(&sandbox, &["nodes"]).contains("node1  leader  alive"));
    assert_eq!(json(&sandbox, &["status", "--json"])[0]["name"], "small");
    assert_eq!(json(&sandbox, &["status", "small", "--json"])["trials_done"], 6);
    assert!(said(&sandbox, &["status"]).contains("small  ended (trials)  6/6"));
    let listed = json(&sandbox, &["list", "--json"]);
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(names, ["runs/mine", "small"]);
    let keys = |run: &Json| run.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&listed[1]), keys(&listed[0]), "a study of a cluster is listed as a run is");
    assert_eq!(keys(&listed[1]["best"]), keys(&listed[0]["best"]));
    assert_eq!(listed[1]["best"]["metric"], "accuracy");
    for order in [&["pause", "small"][..], &["resume", "small"], &["cancel", "small"]] {
        said(&sandbox, order);
    }
    said(&sandbox, &["priority", "small", "40"]);
    said(&sandbox, &["drain", "node1"]);
    assert_eq!(
        *double.told.steered.lock().unwrap(),
        [
            "POST /v1/studies/small/pause",
            "POST /v1/studies/small/resume",
            "POST /v1/studies/small/cancel",
            "PUT /v1/studies/small/priority",
            "POST /v1/nodes/node1/drain",
        ]
    );
}

#[test]
fn whoever_waits_or_watches_is_told_the_end() {
    let (sandbox, _double) = cluster();
    assert_eq!(said(&sandbox, &["wait", "small", "--timeout", "50"]), "");
    let watched = said(&sandbox, &["watch", "small", "--plain"]);
    assert!(watched.contains("rank  trial  accuracy"), "{watched}");
    let events = wallaby(&sandbox, &["watch", "small", "--json"]).finish().expect(0);
    assert_eq!(events.events_named("run_finished")[0]["study"], "small");
    wallaby(&sandbox, &["watch", "smal"])
        .finish()
        .expect(2)
        .complains("there is no study \"smal\"");
}
