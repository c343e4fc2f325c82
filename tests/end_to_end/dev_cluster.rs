//! A cluster on this machine as `wallaby dev` runs it: real processes, killed and brought back.

use crate::process::{Finished, Invocation, Process};
use crate::sandbox::Sandbox;
use serde_json::Value as Json;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a cluster may take to come to something.
const DEADLINE: Duration = Duration::from_secs(60);

/// A cluster in the folder `c`, in the foreground.
struct Dev<'a> {
    sandbox: &'a Sandbox,
    process: Option<Process>,
}

impl<'a> Dev<'a> {
    fn start(sandbox: &'a Sandbox, nodes: &str) -> Self {
        let process = sandbox.wallaby(&["dev", "--nodes", nodes, "--dir", "c"]);
        // Slow enough that a study is under way when something happens to it.
        let mut process = process.faults("delay:30").start();
        while !process.next_line().expect("it becomes a cluster").starts_with("Ctrl-C") {}
        Self { sandbox, process: Some(process) }
    }

    fn wallaby(&self, arguments: &[&str]) -> Invocation {
        self.sandbox.wallaby(arguments).variable("WALLABY_CLUSTER", "c")
    }

    #[track_caller]
    fn said(&self, arguments: &[&str]) -> String {
        self.wallaby(arguments).finish().expect(0).out
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Json {
        serde_json::from_str(&self.said(arguments)).unwrap()
    }

    fn nodes(&self) -> Vec<Json> {
        self.json(&["nodes", "--json"]).as_array().unwrap().clone()
    }

    /// The node that leads, once one does; never the one of this name.
    fn leader_but(&self, name: &str) -> Json {
        let began = Instant::now();
        while began.elapsed() < DEADLINE {
            let leads = |node: &Json| node["role"] == "leader" && node["name"] != name;
            if let Some(leader) = self.nodes().into_iter().find(leads) {
                return leader;
            }
        }
        panic!("nobody leads: {:#?}", self.nodes());
    }

    /// Ends it as Ctrl-C does.
    #[track_caller]
    fn end(mut self) -> Finished {
        let process = self.process.take().expect("it ends once");
        process.signal("INT");
        process.finish().expect(0)
    }

    /// What it complains of next.
    #[track_caller]
    fn await_complaint(&mut self, words: &str) {
        self.process.as_mut().expect("it has not ended").await_complaint(words);
    }
}

impl Drop for Dev<'_> {
    fn drop(&mut self) {
        // Also after a failure nothing outlives the test.
        self.sandbox.wallaby(&["dev", "stop", "--dir", "c"]).finish();
    }
}

fn kill(node: &Json) {
    let pid = node["pid"].as_u64().unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

fn pids(sandbox: &Sandbox) -> Vec<Option<u64>> {
    let status = sandbox.wallaby(&["dev", "status", "--dir", "c", "--json"]).finish().expect(0);
    let nodes: Json = serde_json::from_str(&status.out).unwrap();
    nodes.as_array().unwrap().iter().map(|node| node["pid"].as_u64()).collect()
}

#[test]
fn three_nodes_outlive_their_leader_and_give_the_bits_of_one_process() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let mut dev = Dev::start(&sandbox, "3");
    let nodes = dev.nodes();
    let names: Vec<&str> = nodes.iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["node1", "node2", "node3"]);
    let leader = dev.leader_but("");
    let name = leader["name"].as_str().unwrap().to_owned();
    dev.said(&["submit", "study.toml"]);
    // All that only the leader had lies elsewhere too, or it would take it along.
    assert_eq!(dev.json(&["status", "small", "--json"])["data_lacking"], 0);
    std::fs::remove_file(sandbox.path("classes.csv")).unwrap();
    kill(&leader);
    dev.await_complaint(&format!("{name} (process {}) is gone", leader["pid"]));
    dev.leader_but(&name);
    dev.said(&["wait", "small", "--timeout", "60"]);
    assert_eq!(dev.said(&["hashes", "small"]), expected);
    let back = sandbox.wallaby(&["dev", "start", &name, "--dir", "c"]).finish().expect(0);
    assert!(back.out.starts_with(&format!("{name} is back, as process ")), "{}", back.out);
    let again = sandbox.wallaby(&["dev", "start", &name, "--dir", "c"]).finish().expect(2);
    again.complains(&format!("{name} runs already"));
    dev.said(&["fetch", "small", "fetched"]);
    assert_eq!(sandbox.hashes("fetched"), expected);
    assert!(pids(&sandbox).iter().all(Option::is_some));
    dev.end();
    assert_eq!(pids(&sandbox), [None, None, None]);
}

#[test]
fn a_cluster_that_was_stopped_goes_on_with_its_study_when_it_is_started_again() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let dev = Dev::start(&sandbox, "1");
    dev.said(&["submit", "study.toml", "--name", "mine"]);
    dev.said(&["pause", "mine"]);
    dev.wallaby(&["wait", "mine", "--timeout", "60"]).finish().expect(12);
    dev.end();
    let other = sandbox.wallaby(&["dev", "--nodes", "2", "--dir", "c"]).finish().expect(2);
    other.complains("c holds a cluster of 1 nodes, expected one of 2");
    let dev = Dev::start(&sandbox, "1");
    dev.said(&["resume", "mine"]);
    dev.said(&["wait", "mine", "--timeout", "60"]);
    assert_eq!(dev.said(&["hashes", "mine"]), expected);
    dev.end();
}
