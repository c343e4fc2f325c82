//! A run folder of any size without the computing: the journal that the program would have
//! written, appended to a real journal.

use crate::sandbox::{Sandbox, noise};
use std::fs;
use wallaby::wallaby_core::ids::{
    Digest, Epoch, Fence, Moment, NodeId, PartitionId, SlotId, Term, TrialId,
};
use wallaby::wallaby_core::journal::{
    Blob, Commit, Conclusion, Creation, Decision, End, Entry, Record,
};
use wallaby::wallaby_core::space::Domain;
use wallaby::wallaby_core::unit::{Output, Step, Unit};
use wallaby_actors::journal::{Journal, read_journal};
use wallaby_actors::journal_actor::decode_records;

/// How large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Trials, a multiple of the slots.
    pub(crate) trials: u32,
    /// Epochs of each.
    pub(crate) epochs: u32,
    /// Partitions; each epoch has one unit more, its validation.
    pub(crate) partitions: u32,
    /// Slots, spread over two nodes.
    pub(crate) slots: u32,
}

/// When and where a unit is committed.
#[derive(Clone, Copy)]
struct Place {
    slot: u32,
    started: u64,
    attempt: u64,
}

/// Makes a run folder of the sandbox's study at this size, changed by `alter`.
pub(crate) fn write(sandbox: &Sandbox, large: &str, size: Size, alter: impl FnOnce(&mut Creation)) {
    let pattern = "pattern";
    sandbox.run(pattern, &["--set", "budget.trials=1", "--set", "budget.epochs=1"]);
    let (records, _) = read_journal(&sandbox.path(pattern).join("journal.redb")).unwrap();
    let Record::StudyCreated(mut creation) = decode_records(records).unwrap().swap_remove(0).record
    else {
        panic!("a journal begins with the study's creation")
    };
    enlarge(&mut creation, size);
    alter(&mut creation);
    fs::create_dir_all(sandbox.path(large)).unwrap();
    fs::copy(sandbox.path(pattern).join("run.json"), sandbox.path(large).join("run.json")).unwrap();
    let entries = entries(*creation, size);
    let bytes: Vec<Vec<u8>> = entries.iter().map(Entry::encode).collect();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let path = sandbox.path(large).join("journal.redb");
        let (journal, _) = Journal::open(&path, NodeId(1)).await.unwrap();
        for batch in bytes.chunks(5000) {
            journal.append(batch.to_vec()).await.unwrap();
        }
        journal.close().await.unwrap();
    });
}

/// A study of this size, with three more parameters.
fn enlarge(creation: &mut Creation, size: Size) {
    let blob = |at: u32| Blob { digest: Digest::of(&at.to_le_bytes()), rows: 60, bytes: 1000 };
    creation.manifest.partitions = (0..size.partitions).map(blob).collect();
    creation.spec.budget.trials = Some(size.trials);
    creation.spec.budget.epochs = size.epochs;
    let space = &mut creation.spec.search.space.0;
    space.insert("dropout".into(), Domain::Float { low: 0.0, high: 0.5, log: false, points: None });
    space.insert(
        "optimizer".into(),
        Domain::Choice(vec!["adam".into(), "adamw".into(), "sgd".into()]),
    );
    space.insert("hidden".into(), Domain::Choice(vec![8.into(), 32.into(), 128.into()]));
}

/// The journal: as many trials at once as there are slots, each a slot further after every unit.
fn entries(creation: Creation, size: Size) -> Vec<Entry> {
    let space = creation.spec.search.space.clone();
    let began = Record::TermBegan { term: Term(1), numerics: Digest::of(b"numerics") };
    let mut log = Log { entries: Vec::new(), size };
    log.push(0, Record::StudyCreated(Box::new(creation)));
    log.push(0, began);
    for trial in 0..size.trials {
        let config = space.at(|at, _| noise(trial as usize, at));
        log.push(0, Record::TrialProposed { trial: TrialId(trial), config });
    }
    for wave in 0..size.trials / size.slots {
        log.wave(wave);
    }
    let end = log.entries.last().unwrap().at.0;
    log.push(end, Record::StudyEnded { cause: Conclusion::TrialsSpent });
    log.entries
}

/// A journal in the making.
struct Log {
    entries: Vec<Entry>,
    size: Size,
}

impl Log {
    fn push(&mut self, at: u64, record: Record) {
        let after = self.entries.last().map_or(0, |entry| entry.at.0);
        self.entries.push(Entry { at: Moment(at.max(after)), record });
    }

    /// As many trials as slots, from their first epoch to their last.
    fn wave(&mut self, wave: u32) {
        let Size { epochs, partitions, slots, .. } = self.size;
        for step in 0..epochs * (partitions + 1) {
            for lane in 0..slots {
                let tick = u64::from(wave * epochs * (partitions + 1) + step);
                let place = Place {
                    slot: (lane + step) % slots,
                    started: tick * 1000,
                    attempt: tick * u64::from(slots) + u64::from(lane) + 1,
                };
                self.unit(wave * slots + lane, step, place);
            }
        }
    }

    fn unit(&mut self, trial: u32, step: u32, place: Place) {
        let Size { epochs, partitions, .. } = self.size;
        let (epoch, visited) = (step / (partitions + 1) + 1, step % (partitions + 1));
        let validates = visited == partitions;
        let visit = Step::Train(PartitionId((trial + visited) % partitions));
        let unit = Unit {
            trial: TrialId(trial),
            epoch: Epoch(epoch),
            step: if validates { Step::Validate } else { visit },
        };
        let millis = if validates { 250 } else { 700 + (noise(trial as usize, 90) * 290.0) as u64 };
        self.push(place.started + millis, Record::UnitCommitted(commit(unit, place, millis, step)));
        if validates {
            let (trial, epoch) = (unit.trial, unit.epoch);
            let decision = Decision::Continue;
            self.push(place.started + millis, Record::EpochDecided { trial, epoch, decision });
        }
        if validates && epoch == epochs {
            let ended = Record::TrialEnded { trial: unit.trial, end: End::Completed };
            self.push(place.started + millis, ended);
        }
    }
}

fn commit(unit: Unit, place: Place, millis: u64, step: u32) -> Commit {
    let quality = noise(unit.trial.0 as usize, 91);
    let loss = 0.1
        + quality
        + 2.0 / f64::from(step + 1)
        + 0.1 * noise(unit.trial.0 as usize, step as usize);
    let metrics = [("loss", loss), ("rows", 60.0), ("accuracy", 1.0 / (1.0 + loss / 4.0))];
    let state = format!("{unit}");
    Commit {
        unit,
        fence: Fence { term: Term(1), attempt: place.attempt },
        slot: SlotId { node: NodeId(1 + u64::from(place.slot % 2)), index: place.slot / 2 },
        started: Moment(place.started),
        output: Output {
            state: Digest::of(state.as_bytes()),
            bytes: 1000,
            metrics: metrics.map(|(name, value)| (name.to_owned(), value)).into(),
            millis,
        },
    }
}
