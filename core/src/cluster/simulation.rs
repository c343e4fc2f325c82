//! A whole cluster in a simulated world: the real coordinator and catalog, nodes with disks and
//! agents, leaders that are deposed, in virtual time and with seeded faults; no machines.
//!
//! One seed is one history, the same on every run. Authority is an oracle: only the leader of the
//! newest term may append, but earlier ones go on deciding until they hear of it. An auditor looks
//! at every step, an oracle at the end.

mod agent;
mod auditor;
mod authority;
mod disk;
mod faults;
mod leader;
mod letter;
mod machine;
mod network;
mod oracle;
mod scenario;
mod transfers;
mod users;
mod world;

pub use scenario::{MachineSpec, Scenario, StudyPlan};

use crate::simulation::Failed;
use std::collections::VecDeque;

/// How many lines a trace goes back unless told otherwise.
const TRACE_LINES: usize = 60;

/// What one simulated history of a cluster came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Events, letters and faults that took place.
    pub steps: u64,
    /// Studies that ended.
    pub studies: u64,
    /// Units committed, those rolled back and done again included.
    pub commits: u64,
    /// Faults injected.
    pub faults: u64,
    /// Letters that were lost.
    pub lost: u64,
    /// Letters that were delivered twice.
    pub duplicates: u64,
    /// Trials rolled back to an older checkpoint.
    pub rollbacks: u64,
    /// Leaders that took over from another.
    pub elections: u64,
    /// Blobs that came to a node from another one.
    pub moved: u64,
    /// Blobs removed from nodes.
    pub released: u64,
    /// Studies deleted by their users.
    pub deleted: u64,
    /// Units that found their data gone when they began.
    pub bare: u64,
    /// Virtual time until the end of the last study, in milliseconds.
    pub millis: u64,
}

impl std::ops::AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.studies += other.studies;
        self.commits += other.commits;
        self.faults += other.faults;
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.rollbacks += other.rollbacks;
        self.elections += other.elections;
        self.moved += other.moved;
        self.released += other.released;
        self.deleted += other.deleted;
        self.bare += other.bare;
        self.millis += other.millis;
    }
}

/// The last steps of a history, one a line.
#[derive(Debug, Clone)]
pub struct Trace {
    lines: VecDeque<String>,
    lines_max: usize,
}

impl Default for Trace {
    fn default() -> Self {
        Self::of(TRACE_LINES)
    }
}

impl Trace {
    /// A trace that keeps the last `lines_max` lines.
    pub fn of(lines_max: usize) -> Self {
        Self { lines: VecDeque::new(), lines_max }
    }

    fn push(&mut self, line: String) {
        if self.lines.len() >= self.lines_max {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

/// Runs the history of `seed` to its end.
///
/// # Errors
/// The first broken promise.
pub fn simulate(seed: u64) -> Result<Outcome, Failed> {
    run(seed, Scenario::draw(seed), None)
}

/// The same, and notes the last steps in `trace`.
///
/// # Errors
/// The first broken promise.
pub fn retrace(seed: u64, trace: &mut Trace) -> Result<Outcome, Failed> {
    run(seed, Scenario::draw(seed), Some(trace))
}

/// Runs a given scenario with the randomness of `seed`.
///
/// # Errors
/// The first broken promise.
pub fn run(seed: u64, scenario: Scenario, trace: Option<&mut Trace>) -> Result<Outcome, Failed> {
    world::World::new(seed, scenario).run(trace)
}

#[cfg(test)]
mod tests;
