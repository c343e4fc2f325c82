//! What the view knows after the records of a small study.

use super::*;
use wallaby_core::ids::{Digest, Epoch, Fence, NodeId, PartitionId, SlotId, Term};
use wallaby_core::journal::{Blob, Creation, Decision, Manifest};
use wallaby_core::space::Space;
use wallaby_core::spec::{
    Budget, Direction, Objective, Order, PolicyKind, SamplerKind, Search, Spec,
};
use wallaby_core::unit::{Failure, Metrics, Output, Unit};
use wallaby_core::value::Config;

fn creation() -> Creation {
    let blob = Blob { digest: Digest([0; 32]), rows: 10, bytes: 100 };
    let search = Search {
        space: Space::default(),
        sampler: SamplerKind::Random,
        policy: PolicyKind::None,
        concurrency: None,
    };
    let spec = Spec {
        name: "test".to_owned(),
        seed: 7,
        family: "test".to_owned(),
        model: Config::new(),
        search,
        objective: Objective { metric: "loss".to_owned(), direction: Direction::Minimize },
        budget: Budget { trials: Some(4), epochs: 2, wall_clock_seconds: None },
        order: Order::Rotation,
    };
    let manifest = Manifest { partitions: vec![blob], validation: blob, problem: String::new() };
    Creation { spec, manifest, document: String::new(), fingerprint: Digest([0; 32]) }
}

fn unit(trial: u32, step: Step) -> Unit {
    Unit { trial: TrialId(trial), epoch: Epoch(1), step }
}

fn fence() -> Fence {
    Fence { term: Term(1), attempt: 1 }
}

const SLOT: SlotId = SlotId { node: NodeId(1), index: 0 };

fn committed(unit: Unit, loss: f64) -> Record {
    let metrics = Metrics::from([("loss".to_owned(), loss), ("rows".to_owned(), 10.0)]);
    let output = Output { state: Digest([1; 32]), bytes: 5, metrics, millis: 100 };
    Record::UnitCommitted(Commit { unit, fence: fence(), slot: SLOT, started: Moment(0), output })
}

fn proposed(trial: u32) -> Record {
    Record::TrialProposed { trial: TrialId(trial), config: Config::new() }
}

/// The board after these records, one each second.
fn after(records: Vec<Record>) -> (Study, Board) {
    let mut study = Study::new(creation());
    let mut board = Board::new(&study, 2);
    let began = Record::TermBegan { term: Term(1), numerics: Digest([0; 32]) };
    for (record, second) in [began].into_iter().chain(records).zip(0..) {
        let entry = Entry { at: Moment(1000 * second), record };
        study.apply(&entry).unwrap();
        board.entry(&study, &entry);
    }
    (study, board)
}

#[test]
fn a_trial_shows_the_loss_and_the_rate_of_its_last_training_unit_until_it_ends() {
    let training = unit(0, Step::Train(PartitionId(0)));
    let validated = committed(unit(0, Step::Validate), 0.75);
    let records = vec![proposed(0), committed(training, 0.5), validated];
    let (_, board) = after(records.clone());
    let expected = LastUnit { loss: 0.5, rows_per_second: 100.0 };
    assert_eq!(board.last_units, [(TrialId(0), expected)].into());
    assert_eq!(board.best.map(|(trial, best)| (trial, best.value)), Some((TrialId(0), 0.75)));

    let decided =
        Record::EpochDecided { trial: TrialId(0), epoch: Epoch(1), decision: Decision::Stop };
    let ended = Record::TrialEnded { trial: TrialId(0), end: End::Stopped };
    let (_, mut board) = after([records, vec![decided, ended]].concat());
    assert!(board.last_units.is_empty());
    assert_eq!((board.count.stopped, board.count.ended, board.count.under_way), (1, 1, 0));
    assert_eq!(board.take_news(), ["trial 0 stopped by the policy after epoch 1"]);
}

#[test]
fn failures_are_news_once() {
    let failure = Failure::Diverged("the loss is NaN".to_owned());
    let (unit, end) = (unit(1, Step::Train(PartitionId(0))), End::Failed(failure.clone()));
    let failed = Record::UnitFailed { unit, fence: fence(), slot: SLOT, failure };
    let ended = Record::TrialEnded { trial: TrialId(1), end };
    let (_, mut board) = after(vec![proposed(0), proposed(1), failed, ended]);
    let expected = [
        "trial 1 epoch 1 partition 0: diverged: the loss is NaN",
        "trial 1 failed; the study goes on",
    ];
    assert_eq!(board.take_news(), expected);
    assert_eq!(board.take_news(), [""; 0]);
    let expected = Count { expected: 4, under_way: 1, failed: 1, ended: 1, stopped: 0 };
    assert_eq!(board.count, expected);
}

#[test]
fn a_resumed_study_begins_with_what_was_reached_and_no_pace() {
    let training = unit(0, Step::Train(PartitionId(0)));
    let (study, board) = after(vec![proposed(0), committed(training, 0.5)]);
    assert_eq!(board.mark.seconds_left, Some(30.0), "1 of 16 units took 2 s");
    let resumed = Board::new(&study, 2);
    assert_eq!((resumed.mark.done, resumed.mark.seconds_left), (1.0 / 16.0, None));
    assert_eq!(resumed.count.under_way, 1);
}
