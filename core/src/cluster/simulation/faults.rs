//! The faults that a simulated cluster suffers. None may take the last copy of data that a study
//! still needs: that nothing can mend.

use super::disk::Disk;
use super::letter::Life;
use super::world::{Happening, World};
use crate::cluster::ClusterEvent;
use crate::engine::Event;
use crate::ids::{Digest, Moment, NodeId, SlotId};
use crate::study::Phase;

/// Something bad.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// A process dies, and starts again on its disk.
    Killed(usize),
    /// All processes die at once.
    AllKilled,
    /// A machine loses its disk, and comes back as another node.
    Wiped(usize),
    /// A machine stands still for a while.
    Frozen(usize),
    /// Nothing comes through between two machines; in one direction only, perhaps.
    Cut(usize, usize, bool),
    /// A machine talks with nobody.
    Isolated(usize),
    /// A session breaks.
    SessionLost(usize, usize),
    /// A node that is well is suspected, or taken for dead.
    Slandered(usize, bool),
    /// A disk is full for a while.
    Full(usize),
    /// A checkpoint on a disk is damaged.
    Damaged(usize),
    /// A trainer dies.
    TrainerKilled(usize),
    /// Another leader is elected.
    Deposed,
    /// The leader's process dies.
    LeaderKilled,
    /// A node leaves.
    Drained(usize),
    /// Somebody pauses a study.
    Paused,
    /// Somebody changes a study's share.
    Prioritised,
    /// Somebody cancels a study.
    Cancelled,
}

impl World {
    pub(super) fn draw_fault(&mut self) -> Fault {
        let count = self.machines.len() as u64;
        let at = self.random.from(0..=count - 1) as usize;
        let other = (at + self.random.from(1..=count.max(2) - 1) as usize) % count as usize;
        let coin = self.random.chance(0.5);
        match self.random.from(0..=27) {
            0..=3 => Fault::Killed(at),
            4 => Fault::AllKilled,
            5 | 6 => Fault::Wiped(at),
            7..=9 => Fault::Frozen(at),
            10..=12 => Fault::Cut(at, other, coin),
            13 => Fault::Isolated(at),
            14 | 15 => Fault::SessionLost(at, other),
            16 | 17 => Fault::Slandered(at, coin),
            18 => Fault::Full(at),
            19 => Fault::Damaged(at),
            20 => Fault::TrainerKilled(at),
            21 => Fault::Deposed,
            22 | 23 => Fault::LeaderKilled,
            24 => Fault::Drained(at),
            25 => Fault::Paused,
            26 => Fault::Prioritised,
            _ if self.random.chance(0.2) => Fault::Cancelled,
            _ => Fault::Killed(at),
        }
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        self.outcome.faults += 1;
        match fault {
            Fault::Killed(at) => self.kill(at),
            Fault::AllKilled => (0..self.machines.len()).for_each(|at| self.kill(at)),
            Fault::Wiped(at) => self.wipe(at),
            Fault::Frozen(at) => self.freeze(at),
            Fault::Cut(a, b, one_way) => {
                let millis = self.random.from(200..=40_000);
                self.cut(a, b, millis);
                if !one_way {
                    self.cut(b, a, millis);
                }
            }
            Fault::Isolated(at) => {
                let millis = self.random.from(200..=30_000);
                for other in (0..self.machines.len()).filter(|other| *other != at) {
                    self.cut(at, other, millis);
                    self.cut(other, at, millis);
                }
            }
            Fault::SessionLost(a, b) => {
                let millis = self.random.from(0..=2_000);
                self.lose_session(a, b, millis);
            }
            Fault::Slandered(at, left) => {
                let until = Moment(self.now.0 + self.random.from(300..=12_000));
                self.machines[at].slandered = Some((until, left));
            }
            Fault::Full(at) => {
                let until = Moment(self.now.0 + self.random.from(500..=20_000));
                self.machines[at].full_until = until;
            }
            Fault::Damaged(at) => self.damage(at),
            Fault::TrainerKilled(at) => {
                let slots = self.machines[at].slots.len() as u64;
                let index = self.random.from(0..=slots - 1) as u32;
                let slot = SlotId { node: self.machines[at].id, index };
                self.kill_trainer(slot, at);
            }
            Fault::Deposed => {
                let now = self.now;
                let able = 0..self.scenario.voters;
                let able: Vec<usize> = able.filter(|at| self.machines[*at].is_well(now)).collect();
                if self.leader().is_some() && able.len() * 2 > self.scenario.voters {
                    let at = self.random.pick(&able);
                    self.elect(at);
                }
            }
            Fault::LeaderKilled => {
                if let Some(at) = self.leader().map(|leader| leader.life.machine) {
                    self.kill(at);
                }
            }
            Fault::Drained(at) => self.ask_to_drain(at),
            Fault::Paused => {
                if let Some(study) = self.some_study() {
                    self.users.paused.insert(study);
                    self.steer(study, Event::PauseRequested);
                }
            }
            Fault::Prioritised => {
                if let Some(study) = self.some_study() {
                    let priority = self.random.from(1..=100) as u32;
                    self.lead(self.term, ClusterEvent::Prioritised { study, priority });
                }
            }
            Fault::Cancelled => {
                if let Some(study) = self.some_study()
                    && let Some(creation) = self.creation_of(study)
                {
                    let name = creation.spec.name.clone();
                    self.users.cancelled.push(name);
                    self.steer(study, Event::CancelRequested);
                }
            }
        }
    }

    /// The process on a machine ends; what was under way to and from it is lost.
    pub(super) fn stop(&mut self, at: usize) -> Option<Life> {
        if !self.machines[at].up {
            return None;
        }
        let life = self.machines[at].life();
        if self.leader().is_some_and(|leader| leader.life == life) {
            self.settle_batches();
        }
        self.leaders.retain(|_, leader| leader.life != life);
        let now = self.now;
        self.machines[at].die(now);
        self.transfers.retain(|(machine, _), _| *machine != at);
        self.lose_sessions_of(at);
        if self.random.chance(0.7) {
            let delay = self.random.from(5..=1200);
            self.plan(delay, Happening::Gone(life));
        }
        Some(life)
    }

    fn kill(&mut self, at: usize) {
        if self.stop(at).is_some() {
            let back = self.random.from(300..=15_000);
            let late = self.random.chance(0.2);
            let back = if late { back + 30_000 } else { back };
            self.plan(back, Happening::Booted(at));
        }
    }

    /// A machine loses its disk. What comes back is another node under the same name.
    fn wipe(&mut self, at: usize) {
        if self.machines[at].gone || !self.can_spare(at) {
            return self.kill(at);
        }
        let was_up = self.stop(at).is_some();
        let others =
            |blob: &&Digest| self.machines.iter().any(|m| m.index != at && m.disk.contains(blob));
        let last: Vec<Digest> =
            self.machines[at].disk.blobs().filter(|blob| !others(blob)).copied().collect();
        self.damaged.extend(last);
        self.hurt.extend(self.machines[at].disk.blobs());
        self.newborn += 1;
        let id = NodeId(1000 + self.newborn);
        let machine = &mut self.machines[at];
        machine.disk = Disk::default();
        machine.died_with.clear();
        machine.id = id;
        if was_up {
            let back = self.random.from(300..=15_000);
            self.plan(back, Happening::Booted(at));
        }
    }

    /// Whether others have all data on this machine's disk that is still needed, and the best
    /// states of what has ended.
    fn can_spare(&self, at: usize) -> bool {
        let ended = |name: &str| {
            let listed = self.catalog.named(name);
            listed.is_some_and(|(_, listed)| matches!(listed.study.phase, Phase::Ended(_)))
        };
        let open = self.creations.iter().filter(|creation| !ended(&creation.spec.name));
        let mut data = open.flat_map(|creation| {
            let placement = self.catalog.named(&creation.spec.name).map(|(_, l)| &l.placement);
            let manifest = &creation.manifest;
            let places = (0..manifest.partitions.len()).map(move |at| placement?.get(at));
            manifest.partitions.iter().zip(places).chain([(&manifest.validation, None)])
        });
        // What is about to be removed, or to leave, is no copy to count on.
        let has = |blob: &Digest, placed: Option<&Vec<NodeId>>| {
            let mut others = self.machines.iter().filter(|m| m.index != at && !m.gone);
            others.any(|machine| {
                let stays = placed.is_none_or(|holders| holders.contains(&machine.id));
                stays && !machine.draining && machine.disk.contains(blob)
            })
        };
        let elsewhere = |blob: &Digest| has(blob, None);
        let disk = &self.machines[at].disk;
        let ended = self.catalog.studies().map(|(_, listed)| &listed.study);
        let ended = ended.filter(|study| matches!(study.phase, Phase::Ended(_)));
        let mut best = ended.filter_map(|study| Some(study.best()?.1.state));
        data.all(|(blob, placed)| !disk.contains(&blob.digest) || has(&blob.digest, placed))
            && best.all(|state| elsewhere(&state))
    }

    fn freeze(&mut self, at: usize) {
        if !self.machines[at].up {
            return;
        }
        let millis = self.random.from(300..=45_000);
        let until = Moment(self.now.0 + millis);
        let machine = &mut self.machines[at];
        machine.frozen_until = machine.frozen_until.max(until);
        machine.silent_since.get_or_insert(self.now);
        self.plan(millis, Happening::Thawed { machine: at });
        if millis > super::network::SILENCE_MILLIS_MAX {
            for other in (0..self.machines.len()).filter(|other| *other != at) {
                let lost = Happening::SessionLost { a: at, b: other, until: Moment(0) };
                self.plan(super::network::SILENCE_MILLIS_MAX, lost);
            }
        }
    }

    /// A frozen machine goes on, and is heard again.
    pub(super) fn thaw(&mut self, at: usize) {
        let now = self.now;
        let machine = &mut self.machines[at];
        if machine.is_well(now) {
            machine.silent_since = None;
        }
    }

    /// Some checkpoint of a disk is gone; data stays, which is mended from elsewhere.
    fn damage(&mut self, at: usize) {
        let data = |blob: &Digest| {
            let mut manifests = self.creations.iter().map(|creation| &creation.manifest);
            manifests.any(|m| m.partitions.iter().chain([&m.validation]).any(|b| b.digest == *blob))
        };
        let states = self.machines[at].disk.blobs().filter(|blob| !data(blob)).copied();
        let states: Vec<Digest> = states.collect();
        if !states.is_empty() {
            let state = self.random.pick(&states);
            self.machines[at].disk.lose(&state);
            self.damaged.insert(state);
            self.hurt.insert(state);
        }
    }
}
