//! How long a slot stands idle between two units: a study whose model waits instead of computing,
//! on the real actors, with checkpoints and journal on disk.

use crate::error::Error;
use crate::scratch::Scratch;
use crate::signals::Signals;
use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::clock::Clock;
use wallaby_actors::fault::Faults;
use wallaby_actors::journal::Journal;
use wallaby_actors::node::{Node, NodeArgs};
use wallaby_actors::partitions::Partitions;
use wallaby_actors::workbench::Workbench;
use wallaby_core::ids::{Digest, NodeId};
use wallaby_core::journal::{Blob, Creation, Entry, Manifest, Record};
use wallaby_core::parameter::Parameter;
use wallaby_core::space::Space;
use wallaby_core::spec::{
    Budget, Direction, Objective, Order, PolicyKind, SamplerKind, Search, Spec,
};
use wallaby_core::value::Config;
use wallaby_data::{Partition, Problem, Target, Task};
use wallaby_train::{Device, Family, Metrics, Trained, Unit, UnitError};

/// About how long one measurement takes.
const SECONDS: u64 = 10;

/// The fewest gaps between units that a measurement rests on.
const GAPS_MIN: u64 = 200;

/// What was measured.
pub(crate) struct Measured {
    pub(crate) unit_millis: u64,
    /// How many units ran.
    pub(crate) units: usize,
    /// Median time from a unit's end to the next unit's start on its slot.
    pub(crate) p50_millis: f64,
    /// 99th percentile of the same.
    pub(crate) p99_millis: f64,
    /// The part of the slots' time in which nothing ran.
    pub(crate) idle: f64,
}

/// Measures with units of `unit_millis` on `slots` slots; `None` if a signal ended it, which
/// `tell` hears of.
pub(crate) fn measure(
    slots: u32,
    unit_millis: u64,
    tell: &dyn Fn(&str),
) -> Result<Option<Measured>, Error> {
    let waiter =
        Arc::new(Waiter { wait: Duration::from_millis(unit_millis), runs: Mutex::default() });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::Unexpected(error.to_string()))?;
    let whole = runtime.block_on(async {
        // Before the folder, so that none is left behind.
        let signals = Signals::listen().map_err(|error| Error::Unexpected(error.to_string()))?;
        // Beside the runs, on the disk that runs are on.
        let folder = Scratch::new(Path::new("."))?;
        run(&folder, slots, unit_millis, &waiter, signals, tell).await
    })?;
    runtime.shutdown_background();
    let runs = waiter.runs.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(whole.then(|| evaluate(unit_millis, &runs)))
}

/// A model that takes its time and notes when.
struct Waiter {
    wait: Duration,
    /// Begin and end of each unit, by the name of its slot's thread.
    runs: Mutex<BTreeMap<String, Vec<(Instant, Instant)>>>,
}

impl Waiter {
    fn unit(&self) -> Metrics {
        let began = Instant::now();
        std::thread::sleep(self.wait);
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        runs.entry(thread).or_default().push((began, Instant::now()));
        Metrics::from([("loss".to_owned(), 1.0), ("rows".to_owned(), 1.0)])
    }
}

impl Family for Waiter {
    fn name(&self) -> &'static str {
        "waiter"
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn train(&self, unit: &Unit<'_>, _: &Partition) -> Result<Trained, UnitError> {
        let metrics = self.unit();
        // A state of ordinary size that differs from unit to unit.
        let state = unit.unit_seed.0.repeat(8 << 10);
        Ok(Trained { state, metrics })
    }

    fn validate(&self, _: &Unit<'_>, _: &Partition) -> Result<Metrics, UnitError> {
        Ok(self.unit())
    }
}

/// Whether it came to its end.
async fn run(
    folder: &Scratch,
    slots: u32,
    unit_millis: u64,
    waiter: &Arc<Waiter>,
    signals: Signals,
    tell: &dyn Fn(&str),
) -> Result<bool, Error> {
    let rows = Partition { width: 1, features: vec![0.0], target: Target::Values(vec![0.0]) };
    let blobs = BlobStore::open(&folder.join("blobs"))?;
    let digest = blobs.put(rows.to_bytes(), true)?;
    let creation = creation(slots, unit_millis, digest);
    let manifest = creation.manifest.clone();
    let (journal, _) = Journal::open(&folder.join("journal.redb"), NodeId(1)).await?;
    let record = Record::StudyCreated(Box::new(creation));
    journal.append(vec![Entry { at: Clock::start().now(), record }.encode()]).await?;
    let workbench = Workbench {
        family: Arc::<Waiter>::clone(waiter),
        problem: Problem::new(vec!["x".to_owned()], Task::Regression),
        device: Device::cpu(),
        blobs: Arc::new(blobs),
        manifest,
        seed: 0,
        source: Box::new(|_| Err("there is no source".to_owned())),
        faults: Faults::default(),
        partitions: Partitions::default(),
    };
    let (workbench, numerics) = (Arc::new(workbench), Digest([0; 32]));
    let node = NodeId(1);
    let running_folder = folder.join("running");
    let journal = journal.clone();
    let args =
        NodeArgs { node, slots, numerics, journal: journal.clone(), workbench, running_folder };
    let whole = at_rest(Node::start(args).await?, signals, tell).await?;
    journal.close().await?;
    Ok(whole)
}

/// Waits until the node writes no more, and tells whether it came to its end: the first signal
/// lets the units at hand end, the second does not wait for them.
async fn at_rest(node: Node, mut signals: Signals, tell: &dyn Fn(&str)) -> Result<bool, Error> {
    let pause = node.pauser();
    let mut ended = pin!(node.ended());
    tokio::select! {
        ended = &mut ended => return Ok(ended.map(|()| true)?),
        () = signals.next() => tell("ending after the units at hand; once more to leave at once"),
    }
    pause();
    tokio::select! {
        ended = ended => Ok(ended.map(|()| false)?),
        () = signals.next() => Ok(false),
    }
}

/// Twice as many trials as slots, so many epochs of eight partitions and a validation that the
/// measurement takes its time.
fn creation(slots: u32, unit_millis: u64, digest: Digest) -> Creation {
    let units_a_slot = (SECONDS * 1000 / unit_millis).max(GAPS_MIN / u64::from(slots) + 1);
    let epochs = units_a_slot.div_ceil(2 * 9).clamp(1, 10_000) as u32;
    let blob = Blob { digest, rows: 1, bytes: 1 };
    let search = Search {
        space: Space::default(),
        sampler: SamplerKind::Random,
        policy: PolicyKind::None,
        concurrency: None,
    };
    let spec = Spec {
        name: "dispatch".to_owned(),
        seed: 0,
        family: "waiter".to_owned(),
        model: Config::new(),
        search,
        objective: Objective { metric: "loss".to_owned(), direction: Direction::Minimize },
        budget: Budget { trials: Some(2 * slots), epochs, wall_clock_seconds: None },
        order: Order::Rotation,
    };
    let partitions = vec![blob; 8];
    let manifest = Manifest { partitions, validation: blob, problem: String::new() };
    Creation { spec, manifest, document: String::new(), fingerprint: digest }
}

/// Gaps between consecutive units of each slot.
fn evaluate(unit_millis: u64, runs: &BTreeMap<String, Vec<(Instant, Instant)>>) -> Measured {
    let gaps_of = |units: &Vec<(Instant, Instant)>| -> Vec<f64> {
        units.windows(2).map(|pair| millis(pair[0].1, pair[1].0)).collect()
    };
    let mut gaps: Vec<f64> = runs.values().flat_map(gaps_of).collect();
    gaps.sort_by(f64::total_cmp);
    let span = |units: &Vec<(Instant, Instant)>| match (units.first(), units.last()) {
        (Some(first), Some(last)) => millis(first.1, last.1),
        _ => 0.0,
    };
    let total: f64 = runs.values().map(span).sum();
    let percentile = |part: f64| {
        let at = (part * gaps.len().saturating_sub(1) as f64).round() as usize;
        gaps.get(at).copied().unwrap_or(0.0)
    };
    Measured {
        unit_millis,
        units: runs.values().map(Vec::len).sum(),
        p50_millis: percentile(0.5),
        p99_millis: percentile(0.99),
        idle: if total > 0.0 { gaps.iter().sum::<f64>() / total } else { 0.0 },
    }
}

fn millis(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}
