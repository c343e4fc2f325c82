//! The bytes of format 1, as they lie in the journals of users. They stay as they are: a variant
//! is added behind the others, a field only to a new variant or under a new format.

use super::*;
use crate::ids::{NodeId, PartitionId};
use crate::space::{Domain, Space};
use crate::spec::{Budget, Direction, Objective, Order, PolicyKind, SamplerKind, Search};
use crate::unit::Step;
use crate::value::Value;

fn text(text: &str) -> String {
    text.to_owned()
}

fn creation() -> Creation {
    let digest = |byte| Digest([byte; 32]);
    let spaces = [
        ("a", Domain::Choice(vec![Value::Bool(true), Value::Text(text("x"))])),
        ("b", Domain::Int { low: -3, high: 300, log: false, points: Some(5) }),
        ("c", Domain::Float { low: 0.5, high: 2.0, log: true, points: None }),
    ];
    let search = Search {
        space: Space(spaces.map(|(name, domain)| (text(name), domain)).into()),
        sampler: SamplerKind::Sobol,
        policy: PolicyKind::Asha { min_epochs: 1, eta: 3 },
        concurrency: Some(4),
    };
    let spec = Spec {
        name: text("study"),
        seed: 300,
        family: text("mlp"),
        model: [(text("layers"), Value::List(vec![Value::Int(-64), Value::Float(0.25)]))].into(),
        search,
        objective: Objective { metric: text("loss"), direction: Direction::Minimize },
        budget: Budget { trials: Some(9), epochs: 2, wall_clock_seconds: Some(60) },
        order: Order::Free,
    };
    let manifest = Manifest {
        partitions: vec![Blob { digest: digest(1), rows: 200, bytes: 70_000 }],
        validation: Blob { digest: digest(2), rows: 3, bytes: 4 },
        problem: text("p"),
    };
    Creation { spec, manifest, document: text("d"), fingerprint: digest(3) }
}

fn unit(step: Step) -> Unit {
    Unit { trial: TrialId(3), epoch: Epoch(2), step }
}

/// One record of every variant, and of every variant inside them.
fn records() -> Vec<Record> {
    let trial = TrialId(3);
    let epoch = Epoch(2);
    let fence = Fence { term: Term(1), attempt: 300 };
    let slot = SlotId { node: NodeId(1), index: 2 };
    let output = Output {
        state: Digest([4; 32]),
        bytes: 5,
        metrics: [(text("loss"), 0.25)].into(),
        millis: 7,
    };
    let train = unit(Step::Train(PartitionId(1)));
    let commit = Commit { unit: train, fence, slot, started: Moment(300), output };
    let failed = |failure| Record::UnitFailed { unit: unit(Step::Validate), fence, slot, failure };
    let ended = |end| Record::TrialEnded { trial, end };
    let paused = |cause| Record::StudyPaused { cause };
    let over = |cause| Record::StudyEnded { cause };
    let config = [(text("rate"), Value::Float(0.5))].into();
    vec![
        Record::StudyCreated(Box::new(creation())),
        Record::TermBegan { term: Term(300), numerics: Digest([5; 32]) },
        Record::TrialProposed { trial, config },
        Record::UnitCommitted(commit),
        Record::EpochDecided { trial, epoch, decision: Decision::Continue },
        Record::EpochDecided { trial, epoch, decision: Decision::Stop },
        failed(Failure::Diverged(text("e"))),
        failed(Failure::Refused(text("e"))),
        failed(Failure::Panicked(text("e"))),
        failed(Failure::TrainerLost),
        failed(Failure::StorageFull(text("e"))),
        failed(Failure::StateUnusable { state: Digest([6; 32]), detail: text("e") }),
        failed(Failure::StorageBroken(text("e"))),
        failed(Failure::DataUnusable(text("e"))),
        Record::TrialRolledBack { trial, epoch, visited: 300 },
        ended(End::Completed),
        ended(End::Stopped),
        ended(End::OutOfBudget),
        ended(End::Failed(Failure::TrainerLost)),
        paused(Pause::Requested),
        paused(Pause::StorageFull(text("w"))),
        paused(Pause::DataLost(text("w"))),
        paused(Pause::StorageBroken(text("w"))),
        Record::StudyResumed,
        over(Conclusion::TrialsSpent),
        over(Conclusion::WallClockSpent),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

#[test]
fn the_bytes_of_format_1_stay_as_they_are() {
    let golden: Vec<&str> = include_str!("format_1.hex").lines().collect();
    let records = records();
    let written =
        |record: &Record| hex(&Entry { at: Moment(300), record: record.clone() }.encode());
    let found: Vec<String> = records.iter().map(written).collect();
    assert_eq!(found, golden, "written by this build, and by all before");
    for (record, line) in records.into_iter().zip(golden) {
        assert_eq!(Entry::decode(&bytes(line)), Ok(Entry { at: Moment(300), record }), "{line}");
    }
}

#[test]
fn every_kind_of_record_is_among_those_whose_bytes_are_held() {
    // A new variant does not compile until it has a number here, and then needs its bytes.
    let kind = |record: &Record| match record {
        Record::StudyCreated(_) => 0,
        Record::TermBegan { .. } => 1,
        Record::TrialProposed { .. } => 2,
        Record::UnitCommitted(_) => 3,
        Record::EpochDecided { .. } => 4,
        Record::UnitFailed { .. } => 5,
        Record::TrialRolledBack { .. } => 6,
        Record::TrialEnded { .. } => 7,
        Record::StudyPaused { .. } => 8,
        Record::StudyResumed => 9,
        Record::StudyEnded { .. } => 10,
    };
    let mut kinds: Vec<usize> = records().iter().map(kind).collect();
    kinds.dedup();
    assert_eq!(kinds, (0..=10).collect::<Vec<_>>());
}
