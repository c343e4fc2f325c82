//! What a simulated cluster starts from: machines, studies, and how bad the weather is.

use crate::cluster::{PRIORITIES, PRIORITY};
use crate::ids::Digest;
use crate::journal::Creation;
use crate::simulation::{Random, Scenario as StudyScenario};
use crate::spec::{Order, PolicyKind};

/// A machine of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineSpec {
    /// Its slots.
    pub slots: u32,
    /// Its units take so many times as long as elsewhere.
    pub slowness: f64,
    /// When it starts first, in milliseconds.
    pub joins_at: u64,
}

/// A study that somebody will submit.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyPlan {
    /// What it is made of; its cluster is not used.
    pub study: StudyScenario,
    /// Studies of one number compute the same states from the same data.
    pub kind: u64,
    /// Its share of the slots.
    pub priority: u32,
    /// When it is submitted, in milliseconds.
    pub at: u64,
    /// How long a checkpoint takes from node to node, in milliseconds.
    pub checkpoint_millis: u64,
    /// How long a partition takes, in milliseconds.
    pub partition_millis: u64,
}

/// The initial conditions of a simulated cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The machines; the first ones vote.
    pub machines: Vec<MachineSpec>,
    /// How many of them vote: 1, 3 or 5.
    pub voters: usize,
    /// How many nodes hold each partition.
    pub replicas: u32,
    /// The studies.
    pub studies: Vec<StudyPlan>,
    /// How many faults strike.
    pub faults: u32,
    /// Within this time, in milliseconds.
    pub stormy_millis: u64,
    /// Probability that a letter is delivered twice.
    pub duplicates: f64,
    /// Probability that a letter is lost although its session lives.
    pub losses: f64,
    /// How often leaders hear that time passes, in milliseconds.
    pub tick_millis: u64,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0xc105_7e25_eed0_0002);
        let voters = random.pick(&[1, 3, 3, 3, 5]);
        let count = voters + random.from(0..=3) as usize;
        let machine = |at: usize, random: &mut Random| MachineSpec {
            slots: random.pick(&[1, 1, 1, 2, 3]),
            slowness: if random.chance(0.2) { 1.0 + 9.0 * random.real() } else { 1.0 },
            joins_at: if at < voters || random.chance(0.5) { 0 } else { random.from(1..=60_000) },
        };
        let machines: Vec<_> = (0..count).map(|at| machine(at, &mut random)).collect();
        let studies = random.pick(&[1, 1, 2, 2, 3, 4]);
        let studies: Vec<_> = (0..studies).map(|at| draw_study(at, &mut random)).collect();
        let weather = random.real();
        let units: u64 = studies.iter().map(StudyPlan::work_millis).sum();
        let slots: u64 = machines.iter().map(|machine| u64::from(machine.slots)).sum();
        Self {
            voters,
            replicas: random.pick(&[1, 2, 2, 2, 3]),
            faults: if weather < 0.15 { 0 } else { random.from(1..=20) as u32 },
            stormy_millis: (2 * units / slots).clamp(5_000, 240_000),
            duplicates: if weather < 0.15 { 0.0 } else { random.real() * 0.1 },
            losses: if weather < 0.4 { 0.0 } else { random.real() * 0.03 },
            tick_millis: random.pick(&[250, 500, 1000]),
            machines,
            studies,
        }
    }
}

fn draw_study(at: u64, random: &mut Random) -> StudyPlan {
    let policies = [
        PolicyKind::None,
        PolicyKind::None,
        PolicyKind::None,
        PolicyKind::Median { grace_epochs: 1, min_trials: 2 },
        PolicyKind::Asha { min_epochs: 1, eta: 2 },
    ];
    let study = StudyScenario {
        trials: random.from(1..=8) as u32,
        epochs: random.from(1..=3) as u32,
        partitions: random.from(1..=8) as u32,
        slots: Vec::new(),
        replicas: 0,
        order: random.pick(&[Order::Rotation, Order::Rotation, Order::Free]),
        policy: random.pick(&policies),
        concurrency: random.chance(0.3).then(|| random.from(1..=8) as u32),
        faults: 0,
        duplicates: 0.0,
        panics: if random.chance(0.6) { 0.0 } else { random.real() * 0.05 },
        bad_trials: random.chance(0.2),
        unit_millis: random.pick(&[20, 200, 200, 1000, 3000]) + random.from(0..=100),
        spread: random.from(1..=4),
    };
    let priorities = [PRIORITY, PRIORITY, *PRIORITIES.start(), 30, *PRIORITIES.end()];
    StudyPlan {
        study,
        kind: if random.chance(0.2) { 0 } else { at },
        priority: random.pick(&priorities),
        at: if random.chance(0.5) { random.from(0..=1000) } else { random.from(0..=60_000) },
        checkpoint_millis: random.pick(&[1, 10, 10, 100, 2000]),
        partition_millis: random.pick(&[10, 100, 1000, 10_000]),
    }
}

impl StudyPlan {
    /// The study, the `at`th that is submitted.
    pub(super) fn creation(&self, at: usize) -> Creation {
        let mut creation = self.study.creation();
        creation.spec.name = format!("study{at}");
        creation.fingerprint = Digest::of(creation.spec.name.as_bytes());
        let manifest = &mut creation.manifest;
        for blob in manifest.partitions.iter_mut().chain([&mut manifest.validation]) {
            blob.digest = self.salted(&blob.digest.0);
        }
        creation
    }

    /// What every trial begins with.
    pub(super) fn untrained(&self) -> Digest {
        self.salted(b"untrained")
    }

    fn salted(&self, name: &[u8]) -> Digest {
        Digest::of(&[name, &self.kind.to_le_bytes()].concat())
    }

    /// How long its units take altogether, in milliseconds.
    pub(super) fn work_millis(&self) -> u64 {
        let study = &self.study;
        let units = u64::from(study.trials * study.epochs * (study.partitions + 1));
        units * (study.unit_millis * (study.spread + 1) / 2 + self.checkpoint_millis)
    }
}
