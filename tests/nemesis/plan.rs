//! Which faults come when: one, two at a time, or a seeded random schedule.

use crate::fault::{Fault, Target};
use std::time::Duration;
use wallaby::wallaby_core::seed::Seed;

/// A fault at its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// After the first unit is committed.
    pub(crate) at: Duration,
    pub(crate) fault: Fault,
    /// How long it lasts, if it lasts.
    pub(crate) lasts: Duration,
}

/// A run: its name, its faults, and about how long the study takes undisturbed.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) trainers: u32,
    pub(crate) small_disk: bool,
    pub(crate) study: Duration,
    /// Whether its faults were drawn: some may find nobody to hit.
    pub(crate) is_random: bool,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How long a study is that has time for one fault of ten seconds.
const STUDY: Duration = seconds(20);

impl Plan {
    /// Nothing happens: what the others are compared with.
    pub(crate) fn undisturbed(study: Duration) -> Self {
        let name = format!("undisturbed {} s", study.as_secs());
        Self { name, steps: Vec::new(), trainers: 1, small_disk: false, study, is_random: false }
    }

    fn of(name: &str, faults: &[(Fault, u64)], apart: Duration) -> Self {
        let steps: Vec<Step> = (0_u32..)
            .zip(faults)
            .map(|(place, (fault, lasts))| Step {
                at: seconds(3) + apart * place,
                fault: *fault,
                lasts: seconds(*lasts),
            })
            .collect();
        let longest = faults.iter().map(|(_, lasts)| *lasts).max().unwrap_or_default();
        let small_disk = faults.iter().any(|(fault, _)| matches!(fault, Fault::DiskFull(_)));
        let study = if longest > 20 { seconds(longest + 20) } else { STUDY };
        Self { name: name.to_owned(), steps, trainers: 1, small_disk, study, is_random: false }
    }
}

use Target::{Follower, Leader, OtherFollower, Trainer};

/// Every fault that there is, alone.
pub(crate) fn singles() -> Vec<Plan> {
    let one = |name, fault, lasts| Plan::of(name, &[(fault, lasts)], Duration::ZERO);
    vec![
        one("kill-trainer", Fault::Kill(&[Trainer]), 0),
        one("kill-leader", Fault::Kill(&[Leader]), 0),
        one("kill-leader-and-trainer", Fault::Kill(&[Leader, Trainer]), 0),
        one("kill-all", Fault::KillAll, 0),
        one("down", Fault::Down(Follower), 10),
        one("freeze-leader-5", Fault::Pause(Leader), 5),
        one("freeze-voter-45", Fault::Pause(Follower), 45),
        one("disconnect-leader", Fault::Disconnect(Leader), 10),
        one("cut", Fault::Cut(Leader, Follower), 10),
        one("one-way-cut", Fault::OneWay(Follower, Leader), 10),
        one("packet-loss", Fault::Loss(Leader), 10),
        one("slow-link", Fault::SlowLink(Leader), 10),
        one("throttle", Fault::Throttle(Leader), 10),
        one("disk-full", Fault::DiskFull(Target::Named("node3")), 10),
        one("rolling-restart", Fault::RollingRestart, 0),
        one("scale", Fault::Scale(4, 2), 8),
        one("restart-project", Fault::RestartProject, 0),
        one("wipe", Fault::Wipe(Follower), 0),
    ]
}

/// Two faults that overlap.
pub(crate) fn pairs() -> Vec<Plan> {
    let two = |name, one: (Fault, u64), other: (Fault, u64)| {
        Plan::of(name, &[one, other], Duration::from_millis(1500))
    };
    vec![
        two("freeze-leader+kill-voter", (Fault::Pause(Leader), 6), (Fault::Kill(&[Follower]), 0)),
        two("cut+kill-leader", (Fault::Cut(Leader, Follower), 10), (Fault::Kill(&[Leader]), 0)),
        two("packet-loss+throttle", (Fault::Loss(Leader), 10), (Fault::Throttle(Follower), 10)),
        two("minority", (Fault::Disconnect(Leader), 8), (Fault::Disconnect(OtherFollower), 8)),
        two("down+kill-trainer", (Fault::Down(Leader), 8), (Fault::Kill(&[Trainer]), 0)),
        two(
            "slow-link+one-way",
            (Fault::SlowLink(Leader), 10),
            (Fault::OneWay(Follower, Leader), 8),
        ),
    ]
}

/// Faults drawn from a seed, one every `every` for as long as `length`.
pub(crate) fn random(seed: u64, length: Duration, every: Duration) -> Plan {
    let root = Seed::of_study(seed).child("nemesis");
    let count = (length.as_secs_f64() / every.as_secs_f64()) as u32;
    let steps = (0..count).map(|place| {
        let draw = root.child(&place.to_string());
        let at = seconds(3) + every * place;
        Step { at, fault: drawn(draw), lasts: seconds(2 + pick(draw, "lasts", 9)) }
    });
    let study = length + seconds(15);
    let (name, steps) = (format!("random-{seed}"), steps.collect());
    Plan { name, steps, trainers: 2, small_disk: false, study, is_random: true }
}

fn pick(seed: Seed, what: &str, count: u64) -> u64 {
    (seed.child(what).unit_interval() * count as f64) as u64
}

fn drawn(seed: Seed) -> Fault {
    let all = [Leader, Follower, OtherFollower, Trainer];
    let whom = all[pick(seed, "whom", 4) as usize];
    let other = if whom == Leader { Follower } else { Leader };
    match pick(seed, "what", 16) {
        0 => Fault::Kill(&[Leader]),
        1 => Fault::Kill(&[Trainer]),
        2 => Fault::Kill(&[Leader, Trainer]),
        3 => Fault::Kill(&[Follower]),
        4 | 5 => Fault::Down(whom),
        6 | 7 => Fault::Pause(whom),
        8 => Fault::Disconnect(whom),
        9 => Fault::Cut(whom, other),
        10 => Fault::OneWay(whom, other),
        11 => Fault::Loss(whom),
        12 => Fault::SlowLink(whom),
        13 => Fault::KillAll,
        14 => Fault::RollingRestart,
        _ => Fault::Throttle(whom),
    }
}
