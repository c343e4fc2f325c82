use super::*;
use serde_json::{Value as Json, json};
use wallaby_core::ids::{Digest, Epoch, Fence, Moment, NodeId, PartitionId, SlotId, Term, TrialId};
use wallaby_core::journal::{Blob, Commit, Creation, Decision, End, Manifest, Record};
use wallaby_core::space::{Domain, Space};
use wallaby_core::spec::{Budget, Objective, Order, PolicyKind, SamplerKind, Search, Spec};
use wallaby_core::unit::{Failure, Output, Step, Unit};
use wallaby_core::value::Config;
use wallaby_data::{Problem, Task};

const HOSTILE: &str = "</script><b>";

fn creation() -> Creation {
    let domain = Domain::Choice(vec![HOSTILE.into(), "adam".into()]);
    let spec = Spec {
        name: HOSTILE.to_owned(),
        seed: 7,
        family: "test".to_owned(),
        model: Config::new(),
        search: Search {
            space: Space([("optimizer".to_owned(), domain)].into()),
            sampler: SamplerKind::Random,
            policy: PolicyKind::None,
            concurrency: None,
        },
        objective: Objective { metric: "loss".to_owned(), direction: Direction::Minimize },
        budget: Budget { trials: Some(2), epochs: 1, wall_clock_seconds: None },
        order: Order::Rotation,
    };
    let blob = Blob { digest: Digest::of(b"rows"), rows: 10, bytes: 100 };
    let manifest = Manifest { partitions: vec![blob], validation: blob, problem: String::new() };
    let document = r#"{"search": {"sampler": "random", "policy": {"name": "asha", "eta": 3}}}"#;
    Creation { spec, manifest, document: document.to_owned(), fingerprint: Digest::of(b"test") }
}

fn unit(trial: u32, step: Step) -> Unit {
    Unit { trial: TrialId(trial), epoch: Epoch(1), step }
}

fn commit(trial: u32, step: Step, started: u64, index: u32, loss: f64) -> Record {
    Record::UnitCommitted(Commit {
        unit: unit(trial, step),
        fence: Fence { term: Term(1), attempt: started },
        slot: SlotId { node: NodeId(1), index },
        started: Moment(started),
        output: Output {
            state: Digest::of(b"state"),
            bytes: 5,
            metrics: [("loss".to_owned(), loss), ("rows".to_owned(), 10.0)].into(),
            millis: 5,
        },
    })
}

fn failed(trial: u32, index: u32) -> Record {
    let slot = SlotId { node: NodeId(1), index };
    let fence = Fence { term: Term(1), attempt: 1 };
    let failure = Failure::Panicked("a < b".to_owned());
    Record::UnitFailed { unit: unit(trial, train()), fence, slot, failure }
}

fn train() -> Step {
    Step::Train(PartitionId(0))
}

/// Trial 0 is trained at its second try and validated, trial 1 fails; they overlap.
fn journal() -> Vec<Entry> {
    let proposed = |trial, optimizer: &str| Record::TrialProposed {
        trial: TrialId(trial),
        config: [("optimizer".to_owned(), optimizer.into())].into(),
    };
    let diverged = Failure::Diverged("the loss is NaN".to_owned());
    let records = [
        (100, Record::StudyCreated(Box::new(creation()))),
        (100, Record::TermBegan { term: Term(1), numerics: Digest::of(b"numerics") }),
        (100, proposed(0, "adam")),
        (100, proposed(1, HOSTILE)),
        (110, failed(0, 1)),
        (120, commit(0, train(), 112, 1, 0.123_456_78)),
        (130, commit(0, Step::Validate, 122, 0, 0.5)),
        (
            130,
            Record::EpochDecided {
                trial: TrialId(0),
                epoch: Epoch(1),
                decision: Decision::Continue,
            },
        ),
        (130, Record::TrialEnded { trial: TrialId(0), end: End::Completed }),
        (131, Record::TrialEnded { trial: TrialId(1), end: End::Failed(diverged) }),
    ];
    records.into_iter().map(|(at, record)| Entry { at: Moment(at), record }).collect()
}

fn shown() -> Json {
    let page = html(&journal(), &Study::replay(&journal()).unwrap(), &data());
    let json = page.split_once("id=\"content\">").unwrap().1.split_once("</script>").unwrap().0;
    serde_json::from_str(json).unwrap()
}

fn data() -> Facts {
    let task = Task::Classification { labels: vec!["yes".to_owned(), "no".to_owned()] };
    Facts { problem: Problem::new(vec!["a".to_owned()], task), scaling: None }
}

#[test]
fn text_of_users_cannot_end_the_script_it_stands_in() {
    let page = html(&journal(), &Study::replay(&journal()).unwrap(), &data());
    assert!(!page.contains(HOSTILE));
    let content = shown();
    assert_eq!(content["name"], HOSTILE);
    assert_eq!(content["parameters"][0]["values"], json!([HOSTILE, "adam"]));
}

#[test]
fn units_are_columns_in_order_of_their_start() {
    let units = &shown()["units"];
    assert_eq!(units["slots"], json!(["0", "1"]));
    assert_eq!(units["slot"], json!([1, 0]));
    assert_eq!(units["start"], json!([12, 10]), "differences of running time");
    assert_eq!(units["partition"], json!([0, -1]));
    assert_eq!(units["loss"], json!([0.12346, 0.5]));
    assert_eq!(units["attempt"], json!([112, 10]));
    assert_eq!(units["retried"], json!({"0": 2}));
}

#[test]
fn a_failed_try_says_where_when_and_why() {
    let expected = json!([{"slot": 1, "trial": 0, "epoch": 1, "partition": 0, "at": 10,
        "why": "the model panicked: a < b"}]);
    assert_eq!(shown()["units"]["failed"], expected);
}

#[test]
fn trials_are_columns_with_their_curves_and_their_ends() {
    let trials = &shown()["trials"];
    assert_eq!(trials["ranking"], json!([0, 1]));
    assert_eq!(trials["ends"], json!(["completed", "failed"]));
    assert_eq!(trials["failures"], json!({"1": "diverged: the loss is NaN"}));
    assert_eq!(trials["objective"], json!([0.5, null]));
    assert_eq!(trials["curves"]["loss"], json!([[0.5], []]));
    assert_eq!(trials["curves"]["train_loss"], json!([[0.12346], []]));
    assert_eq!(trials["validated"], json!([[30], []]));
}

#[test]
fn the_facts_are_in_the_words_of_the_study_file() {
    let facts = shown()["facts"].clone();
    let fact = |label: &str| {
        let facts = facts.as_array().unwrap();
        facts.iter().find(|fact| fact[0] == label).unwrap()[1].as_str().unwrap().to_owned()
    };
    assert_eq!(fact("state"), "running");
    assert_eq!(fact("trials"), "2: 1 completed, 1 failed");
    assert_eq!(fact("policy"), "asha (eta 3)");
    assert_eq!(fact("task"), "classification: 1 features, 2 classes");
    assert_eq!(shown()["best"]["config"], json!({"optimizer": "adam"}));
}
