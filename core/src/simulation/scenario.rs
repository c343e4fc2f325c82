//! What a simulated history starts from: a study, a cluster, and how bad the weather is.

use super::random::Random;
use crate::ids::{Digest, NodeId, PartitionId, TrialId};
use crate::journal::{Blob, Creation, Manifest};
use crate::membership::Offer;
use crate::space::{Domain, Space};
use crate::spec::{Budget, Direction, Objective, Order, PolicyKind, SamplerKind, Search, Spec};
use crate::value::Config;
use std::collections::BTreeMap;

/// The initial conditions of a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Budget of trials.
    pub trials: u32,
    /// Epochs of a trial.
    pub epochs: u32,
    /// Number of partitions.
    pub partitions: u32,
    /// Slots of each node.
    pub slots: Vec<u32>,
    /// How many nodes hold each partition.
    pub replicas: u32,
    /// The visit order.
    pub order: Order,
    /// The policy.
    pub policy: PolicyKind,
    /// Trials under way at once.
    pub concurrency: Option<u32>,
    /// How many faults strike.
    pub faults: u32,
    /// Probability that a message is delivered twice.
    pub duplicates: f64,
    /// Probability that a try of a unit panics.
    pub panics: f64,
    /// Whether some trials diverge or always panic.
    pub bad_trials: bool,
    /// Milliseconds of a unit of an ordinary trial on an ordinary node.
    pub unit_millis: u64,
    /// The largest trial is so many times the smallest.
    pub spread: u64,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x5eed_0f5c_e0a1_0001);
        let nodes = random.from(1..=6);
        let slots = (0..nodes).map(|_| random.from(1..=3) as u32).collect();
        let policies = [
            PolicyKind::None,
            PolicyKind::None,
            PolicyKind::Median { grace_epochs: 1, min_trials: 2 },
            PolicyKind::Asha { min_epochs: 1, eta: 2 },
        ];
        let weather = random.real();
        Self {
            trials: random.from(1..=20) as u32,
            epochs: random.from(1..=4) as u32,
            partitions: random.from(1..=12) as u32,
            slots,
            replicas: random.from(1..=nodes) as u32,
            order: random.pick(&[Order::Rotation, Order::Rotation, Order::Free]),
            policy: random.pick(&policies),
            concurrency: random.chance(0.3).then(|| random.from(1..=12) as u32),
            faults: if weather < 0.2 { 0 } else { random.from(1..=20) as u32 },
            duplicates: if weather < 0.1 { 0.0 } else { random.real() * 0.3 },
            panics: if weather < 0.3 { 0.0 } else { random.real() * 0.05 },
            bad_trials: random.chance(0.3),
            unit_millis: random.from(5..=2000),
            spread: random.from(1..=6),
        }
    }

    /// The nodes' ids.
    pub(super) fn nodes(&self) -> Vec<NodeId> {
        (1..=self.slots.len() as u64).map(NodeId).collect()
    }

    /// What a node offers: consecutive partitions sit on one node, their copies on the next ones.
    pub(super) fn offer(&self, node: NodeId) -> Offer {
        let nodes = self.slots.len() as u32;
        let index = (node.0 - 1) as u32;
        let held = (0..self.partitions).filter_map(|partition| {
            let home = partition * nodes / self.partitions.max(1);
            let rank = (index + nodes - home % nodes) % nodes;
            (rank < self.replicas).then_some((PartitionId(partition), rank))
        });
        let partitions: BTreeMap<PartitionId, u32> = held.collect();
        Offer { slots: self.slots[index as usize], partitions, validation: true }
    }

    /// Whether this trial's loss stops being a number.
    pub(crate) fn diverges(&self, trial: TrialId) -> bool {
        self.bad_trials && trial.0 % 7 == 3
    }

    /// Whether this trial's model panics every time.
    pub(crate) fn always_panics(&self, trial: TrialId) -> bool {
        self.bad_trials && trial.0 % 7 == 5
    }

    /// How many times an ordinary trial this one is.
    pub(crate) fn size(&self, trial: TrialId) -> f64 {
        1.0 + f64::from(trial.0 % 5) / 4.0 * (self.spread - 1) as f64
    }

    /// The study.
    pub(crate) fn creation(&self) -> Creation {
        let blob = |name: &str| Blob { digest: Digest::of(name.as_bytes()), rows: 10, bytes: 100 };
        let partitions = (0..self.partitions).map(|p| blob(&format!("partition {p}"))).collect();
        let rate = Domain::Float { low: 1e-4, high: 1.0, log: true, points: None };
        let search = Search {
            space: Space([("rate".to_owned(), rate)].into()),
            sampler: SamplerKind::Random,
            policy: self.policy,
            concurrency: self.concurrency,
        };
        let budget =
            Budget { trials: Some(self.trials), epochs: self.epochs, wall_clock_seconds: None };
        let spec = Spec {
            name: "simulated".to_owned(),
            seed: 1,
            family: "simulated".to_owned(),
            model: Config::new(),
            search,
            objective: Objective { metric: "loss".to_owned(), direction: Direction::Minimize },
            budget,
            order: self.order,
        };
        Creation {
            spec,
            manifest: Manifest {
                partitions,
                validation: blob("validation"),
                problem: String::new(),
            },
            document: String::new(),
            fingerprint: Digest::of(b"simulated"),
        }
    }
}
