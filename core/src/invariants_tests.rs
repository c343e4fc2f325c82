//! For each invariant a sequence that breaks it, and the twin of that sequence that keeps it.

use super::*;
use crate::ids::Fence;
use crate::journal::{Conclusion, Decision, End, Pause};
use crate::testing::{
    attempt, committed, creation, decided, ended, epoch_of, fence, joined, left, offer, output,
    proposed, recorded, rolled_back, slot, state, study, term_began, train, validation,
};
use crate::unit::Unit;

/// An auditor, and the first violation it has reported.
struct Watch {
    auditor: Auditor,
    first: Option<Violation>,
}

impl Watch {
    /// Two trials over two partitions are proposed and durable. Node 1 has two slots and all
    /// data, node 2 one slot and partition 1.
    fn new() -> Self {
        let auditor = Auditor::new(&study(creation(2, 2, 2), vec![]), recorded(0));
        let mut watch = Self { auditor, first: None };
        let node_2 = Offer { validation: false, ..offer(1, [1]) };
        watch.event(joined(1, 1, offer(2, [0, 1]))).event(joined(2, 1, node_2));
        watch.records([term_began(1), proposed(0), proposed(1)]).event(Event::Appended(Seq(3)));
        watch
    }

    fn note(&mut self, outcome: Result<(), Violation>) -> &mut Self {
        self.first = self.first.take().or(outcome.err());
        self
    }

    fn event(&mut self, event: Event) -> &mut Self {
        let outcome = self.auditor.observe_event(&event);
        self.note(outcome)
    }

    fn records(&mut self, records: impl IntoIterator<Item = Record>) -> &mut Self {
        for record in records {
            let entry = Entry { at: Default::default(), record };
            let outcome = self.auditor.observe_entry(&entry);
            self.note(outcome);
        }
        self
    }

    /// The same, and they become durable.
    fn durable(&mut self, records: impl IntoIterator<Item = Record>) -> &mut Self {
        self.records(records);
        let newest = Seq(self.auditor.next.0 - 1);
        self.event(Event::Appended(newest))
    }

    /// A start of a unit from this state, which is on this node.
    fn start(&mut self, slot: SlotId, unit: Unit, from: Option<(Digest, u64)>) -> &mut Self {
        let attempt = attempt(slot, unit, ANY, from.map(|(state, _)| state));
        let source = from.map(|(_, node)| NodeId(node));
        let (config, closes_epoch) = (Default::default(), false);
        let start = Start { attempt, source, config, closes_epoch };
        let outcome = self.auditor.observe_command(&Command::StartUnit(start));
        self.note(outcome)
    }

    fn release(&mut self, state: Digest) -> &mut Self {
        let outcome = self.auditor.observe_command(&Command::ReleaseState(state));
        self.note(outcome)
    }

    /// The number of the first broken invariant.
    fn broken(&self) -> Option<u8> {
        self.first.as_ref().map(|violation| violation.number)
    }
}

const ANY: Fence = Fence { term: crate::ids::Term(1), attempt: 1 };

const FIRST: SlotId = SlotId { node: NodeId(1), index: 0 };

/// The first visit of trial 0.
fn first_visit() -> Record {
    committed(train(0, 1, 0), state(0, 1, 1), 0.5)
}

#[test]
fn invariant_1_a_unit_is_committed_once() {
    let mut broken = Watch::new();
    broken.records([first_visit(), first_visit()]);
    assert_eq!(broken.broken(), Some(1));
    assert_eq!(
        broken.first.unwrap().to_string(),
        "invariant 1: trial 0 epoch 1 partition 0 is committed already, or no such partition"
    );

    let second = committed(train(0, 1, 1), state(0, 1, 2), 0.5);
    assert_eq!(Watch::new().records([first_visit(), second]).broken(), None);
    let again_after_roll_back = [first_visit(), rolled_back(0, 1, 0), first_visit()];
    assert_eq!(Watch::new().records(again_after_roll_back).broken(), None);
}

#[test]
fn invariant_1_holds_for_starts_too() {
    let from = Some((state(0, 1, 1), 1));
    let start = |unit| {
        let mut watch = Watch::new();
        watch.durable([first_visit()]).start(slot(1, 0), unit, from).broken()
    };
    assert_eq!(start(train(0, 1, 0)), Some(1));
    assert_eq!(start(train(0, 2, 1)), Some(1), "another epoch");
    assert_eq!(start(train(0, 1, 1)), None);
}

#[test]
fn invariant_1_knows_only_trials_under_way() {
    let unknown = committed(train(2, 1, 0), state(2, 1, 1), 0.5);
    assert_eq!(Watch::new().records([unknown.clone()]).broken(), Some(1));
    assert_eq!(Watch::new().records([proposed(2), unknown]).broken(), None);
    let late = [ended(0, End::Completed), first_visit()];
    assert_eq!(Watch::new().records(late).broken(), Some(1));
}

#[test]
fn invariant_2_a_trial_is_in_one_unit_at_a_time() {
    let beside = |unit| {
        let mut watch = Watch::new();
        watch.start(slot(1, 0), train(0, 1, 0), None).start(slot(1, 1), unit, None).broken()
    };
    assert_eq!(beside(train(0, 1, 1)), Some(2));
    assert_eq!(beside(train(1, 1, 1)), None);
}

#[test]
fn invariant_2_counts_adopted_units() {
    let adopted = attempt(slot(1, 0), train(0, 1, 0), fence(0, 9), None);
    let mut watch = Watch::new();
    assert_eq!(watch.auditor.adopt(&adopted), Ok(()));
    assert_eq!(watch.start(slot(1, 1), train(0, 1, 1), None).broken(), Some(2));
}

#[test]
fn invariant_3_a_slot_runs_one_unit_at_a_time() {
    let then = |slot| {
        let mut watch = Watch::new();
        watch.start(FIRST, train(0, 1, 0), None);
        watch.start(slot, train(1, 1, 1), None).broken()
    };
    assert_eq!(then(slot(1, 0)), Some(3));
    assert_eq!(then(slot(1, 2)), Some(3), "node 1 has no such slot");
    assert_eq!(then(slot(1, 1)), None);
}

#[test]
fn invariant_3_a_slot_is_idle_again_when_its_unit_is_over() {
    let (unit, next) = (train(0, 1, 0), train(1, 1, 1));
    let running = attempt(slot(1, 0), unit, ANY, None);
    let over = |event: Event| {
        let mut watch = Watch::new();
        watch.start(slot(1, 0), unit, None).event(event).start(slot(1, 0), next, None).broken()
    };
    let result = output(state(0, 1, 1), 0.5);
    assert_eq!(over(Event::UnitFinished(running, result.clone())), None);
    assert_eq!(over(Event::UnitFailed(running, crate::unit::Failure::TrainerLost)), None);
    assert_eq!(over(Event::SlotLost(slot(1, 0))), None);
    assert_eq!(over(joined(1, 2, offer(2, [0, 1]))), None, "a new life");
    assert_eq!(over(joined(1, 1, offer(2, [0, 1]))), Some(3), "the same life");
    assert_eq!(over(left(1, 2)), Some(3), "another life than the one it is in");
    let foreign = Try { fence: fence(1, 2), ..running };
    assert_eq!(over(Event::UnitFinished(foreign, result)), Some(3));
}

#[test]
fn invariant_4_a_unit_runs_where_its_partition_is() {
    let start = |unit| Watch::new().start(slot(2, 0), unit, None).broken();
    assert_eq!(start(train(0, 1, 0)), Some(4));
    assert_eq!(start(train(0, 1, 1)), None);

    let mut watch = Watch::new();
    watch.auditor.lose_data(NodeId(1), Step::Train(crate::ids::PartitionId(0)));
    assert_eq!(watch.start(slot(1, 0), train(0, 1, 0), None).broken(), Some(4));
}

#[test]
fn invariant_4_a_validation_runs_where_the_rows_are() {
    let from = Some((state(0, 1, 2), 1));
    let start = |slot| {
        let visits = epoch_of(0, 1, 2, 0.5).into_iter().take(2);
        Watch::new().durable(visits).start(slot, validation(0, 1), from).broken()
    };
    assert_eq!(start(slot(2, 0)), Some(4));
    assert_eq!(start(slot(1, 0)), None);
}

#[test]
fn invariant_5_a_unit_starts_from_the_newest_state_of_its_trial() {
    let start = |from| {
        let mut watch = Watch::new();
        watch.durable([first_visit()]).start(slot(1, 0), train(0, 1, 1), from).broken()
    };
    assert_eq!(start(None), Some(5));
    assert_eq!(start(Some((state(1, 1, 1), 1))), Some(5), "another trial's");
    assert_eq!(start(Some((state(0, 1, 1), 3))), Some(5), "on a node that is not there");
    assert_eq!(start(Some((state(0, 1, 1), 2))), None);
}

#[test]
fn invariant_5_a_state_that_is_needed_is_not_released() {
    let visits = || epoch_of(0, 1, 2, 0.5).into_iter().take(2);
    let release = |state| Watch::new().durable(visits()).release(state).broken();
    assert_eq!(release(state(0, 1, 2)), Some(5));
    assert_eq!(release(state(0, 1, 1)), None);
    let mut watch = Watch::new();
    watch.durable(visits()).durable([ended(0, End::Stopped)]);
    assert_eq!(watch.release(state(0, 1, 2)).broken(), None, "the trial is over");
}

#[test]
fn invariant_5_after_a_roll_back_the_older_state_is_the_newest() {
    let start = |from| {
        let visits = epoch_of(0, 1, 2, 0.5).into_iter().take(2);
        let mut watch = Watch::new();
        watch.durable(visits).durable([rolled_back(0, 1, 1)]);
        watch.start(slot(1, 0), train(0, 1, 1), Some((from, 1))).broken()
    };
    assert_eq!(start(state(0, 1, 2)), Some(5));
    assert_eq!(start(state(0, 1, 1)), None);
}

#[test]
fn invariant_6_metrics_reach_the_policy_at_the_boundary_only() {
    let path = epoch_of(0, 1, 2, 0.5);
    let early = committed(validation(0, 1), state(0, 1, 1), 0.5);
    assert_eq!(Watch::new().records([first_visit(), early]).broken(), Some(6));
    let unvalidated = [path[0].clone(), path[1].clone(), path[3].clone()];
    assert_eq!(Watch::new().records(unvalidated).broken(), Some(6));
    assert_eq!(Watch::new().records(path).broken(), None);
}

#[test]
fn invariant_6_an_epoch_is_decided_once() {
    let mut path = epoch_of(0, 1, 2, 0.5);
    path.push(decided(0, 1, Decision::Continue));
    assert_eq!(Watch::new().records(path).broken(), Some(6));
    let two_epochs = [epoch_of(0, 1, 2, 0.5), epoch_of(0, 2, 2, 0.5)].concat();
    assert_eq!(Watch::new().records(two_epochs).broken(), None);
}

#[test]
fn invariant_7_nothing_is_acted_on_before_it_is_durable() {
    let from = Some((state(0, 1, 1), 1));
    let unit = train(0, 1, 1);
    let mut hasty = Watch::new();
    assert_eq!(hasty.records([first_visit()]).start(slot(1, 0), unit, from).broken(), Some(7));
    let mut patient = Watch::new();
    assert_eq!(patient.durable([first_visit()]).start(slot(1, 0), unit, from).broken(), None);
}

#[test]
fn invariant_7_a_trial_that_was_not_proposed_does_not_start() {
    let unit = train(2, 1, 0);
    assert_eq!(Watch::new().start(slot(1, 0), unit, None).broken(), Some(7));
    assert_eq!(Watch::new().durable([proposed(2)]).start(slot(1, 0), unit, None).broken(), None);
}

#[test]
fn invariant_7_only_what_was_decided_can_be_durable() {
    assert_eq!(Watch::new().event(Event::Appended(Seq(4))).broken(), Some(7));
    assert_eq!(Watch::new().event(Event::Appended(Seq(3))).broken(), None);
}

#[test]
fn invariant_7_nothing_runs_while_the_study_stands_still() {
    let paused = Record::StudyPaused { cause: Pause::Requested };
    let unit = train(0, 1, 0);
    for record in [paused.clone(), Record::StudyEnded { cause: Conclusion::TrialsSpent }] {
        let mut busy = Watch::new();
        assert_eq!(busy.start(slot(1, 0), unit, None).records([record.clone()]).broken(), Some(7));
        let mut still = Watch::new();
        assert_eq!(still.durable([record]).start(slot(1, 0), unit, None).broken(), Some(7));
    }
    let mut resumed = Watch::new();
    resumed.durable([paused, Record::StudyResumed]);
    assert_eq!(resumed.start(slot(1, 0), unit, None).broken(), None);
}

#[test]
fn invariant_7_a_term_and_a_resumption_are_durable_before_anything_starts() {
    let pause = || Record::StudyPaused { cause: Pause::Requested };
    let unit = train(0, 1, 0);
    for record in [term_began(2), Record::StudyResumed] {
        let mut hasty = Watch::new();
        hasty.durable([pause()]).records([Record::StudyResumed, record.clone()]);
        assert_eq!(hasty.start(FIRST, unit, None).broken(), Some(7));
        let mut patient = Watch::new();
        patient.durable([pause(), Record::StudyResumed, record]);
        assert_eq!(patient.start(FIRST, unit, None).broken(), None);
    }
}

#[test]
fn the_auditor_of_a_successor_knows_what_is_committed() {
    let records = [vec![proposed(0)], epoch_of(0, 1, 2, 0.5)].concat();
    let study = study(creation(2, 2, 2), records.clone());
    let auditor = Auditor::new(&study, recorded(records.len()));
    let watch = || {
        let mut watch = Watch { auditor: auditor.clone(), first: None };
        watch.event(joined(1, 1, offer(1, [0, 1]))).durable([term_began(2)]);
        watch
    };
    let from = Some((state(0, 1, 2), 1));
    assert_eq!(watch().start(slot(1, 0), train(0, 1, 0), from).broken(), Some(1));
    assert_eq!(watch().start(slot(1, 0), train(0, 2, 0), None).broken(), Some(5));
    assert_eq!(watch().start(slot(1, 0), train(0, 2, 0), from).broken(), None);
}
