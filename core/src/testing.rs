//! Builders for the tests of this crate: small studies, units, results and records.
//! Values are chosen so that two different things never look alike; nothing here asserts.

use crate::engine::{Event, Try};
use crate::ids::{Digest, Epoch, Fence, Moment, NodeId, PartitionId, Seq, SlotId, Term, TrialId};
use crate::journal::{Blob, Commit, Creation, Decision, End, Entry, Manifest, Record};
use crate::membership::Offer;
use crate::space::Space;
use crate::spec::{Budget, Direction, Objective, Order, PolicyKind, SamplerKind, Search, Spec};
use crate::study::Study;
use crate::unit::{Metrics, Output, Step, Unit};
use crate::value::Config;

/// A study of random search without parameters that minimises `loss` and stops nothing.
pub(crate) fn creation(trials: u32, epochs: u32, partitions: u32) -> Creation {
    let blob = |name: String| Blob { digest: Digest::of(name.as_bytes()), rows: 10, bytes: 100 };
    let spec = Spec {
        name: "test".to_owned(),
        seed: 7,
        family: "test".to_owned(),
        model: Config::new(),
        search: Search {
            space: Space::default(),
            sampler: SamplerKind::Random,
            policy: PolicyKind::None,
            concurrency: None,
        },
        objective: Objective { metric: "loss".to_owned(), direction: Direction::Minimize },
        budget: Budget { trials: Some(trials), epochs, wall_clock_seconds: None },
        order: Order::Rotation,
    };
    let manifest = Manifest {
        partitions: (0..partitions).map(|p| blob(format!("partition {p}"))).collect(),
        validation: blob("validation".to_owned()),
        problem: String::new(),
    };
    Creation { spec, manifest, document: String::new(), fingerprint: Digest::of(b"test") }
}

/// The state of a trial after so many partitions of an epoch.
pub(crate) fn state(trial: u32, epoch: u32, visited: u32) -> Digest {
    Digest::of(format!("trial {trial} epoch {epoch} visited {visited}").as_bytes())
}

pub(crate) fn train(trial: u32, epoch: u32, partition: u32) -> Unit {
    let step = Step::Train(PartitionId(partition));
    Unit { trial: TrialId(trial), epoch: Epoch(epoch), step }
}

pub(crate) fn validation(trial: u32, epoch: u32) -> Unit {
    Unit { trial: TrialId(trial), epoch: Epoch(epoch), step: Step::Validate }
}

pub(crate) fn slot(node: u64, index: u32) -> SlotId {
    SlotId { node: NodeId(node), index }
}

pub(crate) fn fence(term: u64, attempt: u64) -> Fence {
    Fence { term: Term(term), attempt }
}

/// A node of so many slots that is the first holder of these partitions, and has the validation
/// rows.
pub(crate) fn offer(slots: u32, partitions: impl IntoIterator<Item = u32>) -> Offer {
    let partitions = partitions.into_iter().map(|p| (PartitionId(p), 0)).collect();
    Offer { slots, partitions, validation: true }
}

pub(crate) fn joined(node: u64, boot: u64, offer: Offer) -> Event {
    Event::NodeJoined { node: NodeId(node), boot, offer }
}

pub(crate) fn left(node: u64, boot: u64) -> Event {
    Event::NodeLeft { node: NodeId(node), boot }
}

/// A result over ten rows, of a unit that took 100 ms.
pub(crate) fn output(state: Digest, loss: f64) -> Output {
    let metrics = Metrics::from([("loss".to_owned(), loss), ("rows".to_owned(), 10.0)]);
    Output { state, bytes: 5, metrics, millis: 100 }
}

pub(crate) fn attempt(slot: SlotId, unit: Unit, fence: Fence, input: Option<Digest>) -> Try {
    Try { slot, unit, fence, input }
}

pub(crate) fn proposed(trial: u32) -> Record {
    Record::TrialProposed { trial: TrialId(trial), config: Config::new() }
}

/// A commit from slot 1.0 in term 1.
pub(crate) fn committed(unit: Unit, state: Digest, loss: f64) -> Record {
    let (fence, slot, started) = (fence(1, 1), slot(1, 0), Moment(0));
    Record::UnitCommitted(Commit { unit, fence, slot, started, output: output(state, loss) })
}

pub(crate) fn decided(trial: u32, epoch: u32, decision: Decision) -> Record {
    Record::EpochDecided { trial: TrialId(trial), epoch: Epoch(epoch), decision }
}

pub(crate) fn rolled_back(trial: u32, epoch: u32, visited: u32) -> Record {
    Record::TrialRolledBack { trial: TrialId(trial), epoch: Epoch(epoch), visited }
}

pub(crate) fn ended(trial: u32, end: End) -> Record {
    Record::TrialEnded { trial: TrialId(trial), end }
}

pub(crate) fn term_began(term: u64) -> Record {
    Record::TermBegan { term: Term(term), numerics: Digest::of(b"numerics") }
}

/// The records of one whole epoch of a trial in rotation, up to the decision to go on.
pub(crate) fn epoch_of(trial: u32, epoch: u32, partitions: u32, loss: f64) -> Vec<Record> {
    let visit = |at: u32| {
        let partition = (trial + at) % partitions;
        committed(train(trial, epoch, partition), state(trial, epoch, at + 1), loss)
    };
    let mut records: Vec<Record> = (0..partitions).map(visit).collect();
    records.push(committed(validation(trial, epoch), state(trial, epoch, partitions), loss));
    records.push(decided(trial, epoch, Decision::Continue));
    records
}

/// A journal of these records, one each millisecond.
pub(crate) fn journal(creation: Creation, records: Vec<Record>) -> Vec<Entry> {
    let created = Record::StudyCreated(Box::new(creation));
    let records = std::iter::once(created).chain(records);
    records.zip(0..).map(|(record, at)| Entry { at: Moment(at), record }).collect()
}

/// The study that a journal of these records tells of.
pub(crate) fn study(creation: Creation, records: Vec<Record>) -> Study {
    Study::replay(&journal(creation, records)).expect("a test's journal is sound")
}

/// The number of records in a journal of so many records after the creation.
pub(crate) fn recorded(records: usize) -> Seq {
    Seq(records as u64 + 1)
}
