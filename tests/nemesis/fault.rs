//! What can be done to a cluster of containers, and how it is undone.

use crate::docker::{docker, run, try_run};
use crate::stand::{Container, Stand, await_that};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

/// Who is hit, decided when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The voter that leads.
    Leader,
    /// The first voter that does not lead.
    Follower,
    /// The last voter that does not lead.
    OtherFollower,
    /// The first node without a vote.
    Trainer,
    /// The node of this name.
    Named(&'static str),
}

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies; the restart policy brings it back.
    Kill(&'static [Target]),
    /// Every process dies at once.
    KillAll,
    /// The container dies and stays down for the fault's time.
    Down(Target),
    /// The container stands still.
    Pause(Target),
    /// The node is off the network.
    Disconnect(Target),
    /// Two nodes hear nothing of each other.
    Cut(Target, Target),
    /// The second hears nothing of the first.
    OneWay(Target, Target),
    /// One packet in five that reaches the node is lost.
    Loss(Target),
    /// The node sends 1 Mbit/s, with 100 ms of queue.
    SlowLink(Target),
    /// The node has 5 % of a core.
    Throttle(Target),
    /// The disk of the node has no byte left.
    DiskFull(Target),
    /// One node after the other is restarted.
    RollingRestart,
    /// As many trainers as this, and then as that.
    Scale(u32, u32),
    /// The whole project is stopped and started.
    RestartProject,
    /// The node comes back with an empty disk, under a new number.
    Wipe(Target),
}

impl Fault {
    /// In words.
    pub(crate) fn name(&self) -> String {
        let target = |target: &Target| match target {
            Target::Leader => "leader".to_owned(),
            Target::Follower | Target::OtherFollower => "voter".to_owned(),
            Target::Trainer => "trainer".to_owned(),
            Target::Named(name) => (*name).to_owned(),
        };
        match self {
            Fault::Kill(targets) => {
                let all: Vec<String> = targets.iter().map(target).collect();
                format!("kill {}", all.join(" + "))
            }
            Fault::KillAll => "kill all nodes".to_owned(),
            Fault::Down(it) => format!("{} stays down", target(it)),
            Fault::Pause(it) => format!("freeze {}", target(it)),
            Fault::Disconnect(it) => format!("{} off the network", target(it)),
            Fault::Cut(a, b) => format!("cut between {} and {}", target(a), target(b)),
            Fault::OneWay(a, b) => format!("one-way cut, {} to {}", target(a), target(b)),
            Fault::Loss(it) => format!("20 % of packets to {} lost", target(it)),
            Fault::SlowLink(it) => format!("1 Mbit/s from {}", target(it)),
            Fault::Throttle(it) => format!("{} at 5 % of a core", target(it)),
            Fault::DiskFull(it) => format!("disk of {} full", target(it)),
            Fault::RollingRestart => "rolling restart".to_owned(),
            Fault::Scale(up, down) => format!("scale trainers 1 → {up} → {down}"),
            Fault::RestartProject => "restart of the project".to_owned(),
            Fault::Wipe(it) => format!("volume of {} wiped", target(it)),
        }
    }

    /// Whether it is over at once: the restart policy brings back who was hit.
    pub(crate) fn is_instant(&self) -> bool {
        matches!(self, Fault::Kill(_) | Fault::KillAll)
    }

    /// Whether those who are hit can do no work while it lasts.
    pub(crate) fn stops_work(&self) -> bool {
        !matches!(
            self,
            Fault::Cut(..)
                | Fault::OneWay(..)
                | Fault::Loss(_)
                | Fault::SlowLink(_)
                | Fault::Throttle(_)
                | Fault::Scale(..)
        )
    }
}

/// A fault that has happened and is to be undone.
pub(crate) struct Active<'a> {
    stand: &'a Stand,
    fault: Fault,
    /// Who is hit.
    pub(crate) hit: Vec<Container>,
    /// Whether everything that was to be done could be done.
    pub(crate) done: bool,
}

/// Does it to those of `all` whom it means; `leader` is the node that leads. `None` if there is
/// nobody whom it could hit at this moment.
pub(crate) fn strike<'a>(
    stand: &'a Stand,
    fault: Fault,
    leader: &str,
    lasts: Duration,
) -> Option<Active<'a>> {
    let all = stand.containers();
    let hit = hit(fault, &all, leader)?;
    let mut active = Active { stand, fault, hit, done: false };
    active.done = active.begin(leader, lasts);
    Some(active)
}

fn hit(fault: Fault, all: &[Container], leader: &str) -> Option<Vec<Container>> {
    let one = |target: &Target| find(target, all, leader);
    match fault {
        Fault::Kill(targets) => targets.iter().map(one).collect(),
        Fault::KillAll | Fault::RollingRestart | Fault::RestartProject => {
            Some(all.iter().filter(|it| it.pid != 0).cloned().collect())
        }
        Fault::Scale(..) => Some(Vec::new()),
        Fault::Cut(a, b) | Fault::OneWay(a, b) => {
            let (a, b) = (one(&a)?, one(&b)?);
            (a.address.is_some() && b.address.is_some()).then(|| vec![a, b])
        }
        Fault::Down(it)
        | Fault::Pause(it)
        | Fault::Disconnect(it)
        | Fault::Loss(it)
        | Fault::SlowLink(it)
        | Fault::Throttle(it)
        | Fault::DiskFull(it)
        | Fault::Wipe(it) => one(&it).map(|it| vec![it]),
    }
}

fn find(target: &Target, all: &[Container], leader: &str) -> Option<Container> {
    // Who is off the network has been hit already.
    let runs: Vec<&Container> =
        all.iter().filter(|it| it.pid != 0 && it.address.is_some()).collect();
    let voters = || runs.iter().filter(|it| it.service != "trainer");
    let found = match target {
        Target::Leader => voters().find(|it| it.node == leader),
        Target::Follower => voters().find(|it| it.node != leader),
        Target::OtherFollower => voters().rfind(|it| it.node != leader),
        Target::Trainer => runs.iter().find(|it| it.service == "trainer"),
        Target::Named(name) => runs.iter().find(|it| it.node == *name),
    };
    found.map(|it| (*it).clone())
}

impl Active<'_> {
    /// Whether all of it could be done.
    fn begin(&self, leader: &str, lasts: Duration) -> bool {
        match self.fault {
            Fault::Kill(_) | Fault::KillAll => kill(&self.hit),
            Fault::Down(_) => {
                each(&self.hit, |it| try_run(&mut docker(&["kill", "-s", "KILL", &it.id])))
            }
            Fault::Pause(_) => each(&self.hit, |it| try_run(&mut docker(&["pause", &it.id]))),
            Fault::Disconnect(_) => {
                let network = self.stand.network();
                each(&self.hit, |it| {
                    try_run(&mut docker(&["network", "disconnect", &network, &it.id]))
                })
            }
            Fault::Cut(..) => self.between("-I", 0, 1) & self.between("-I", 1, 0),
            Fault::OneWay(..) => self.between("-I", 0, 1),
            Fault::Loss(_) => each(&self.hit, |it| lose(it, "-I")),
            Fault::SlowLink(_) => each(&self.hit, |it| {
                let device = device(it);
                let shape = "root tbf rate 1mbit burst 32kbit latency 100ms";
                inside(it, &format!("tc qdisc add dev {device} {shape}"))
            }),
            Fault::Throttle(_) => {
                each(&self.hit, |it| try_run(&mut docker(&["update", "--cpus", "0.05", &it.id])))
            }
            Fault::DiskFull(_) => each(&self.hit, fill),
            Fault::RollingRestart => self.roll(leader),
            Fault::Scale(up, down) => {
                self.scale(up);
                // As long as the fault lasts there are many.
                await_that(lasts, || false);
                self.scale(down);
                true
            }
            Fault::RestartProject => {
                self.stand.compose(&["stop"]);
                self.stand.compose(&["start"]);
                true
            }
            Fault::Wipe(_) => {
                self.hit.iter().for_each(|it| self.wipe(it));
                true
            }
        }
    }

    /// Undoes it. What has been undone by another fault meanwhile stays so.
    pub(crate) fn heal(self) {
        // A container that was restarted meanwhile has another process, and no rules.
        let fresh = |it: &Container| self.stand.container(&it.node).unwrap_or_else(|| it.clone());
        let hit: Vec<Container> = self.hit.iter().map(fresh).collect();
        let _ = match self.fault {
            Fault::Down(_) => each(&hit, |it| try_run(&mut docker(&["start", &it.id]))),
            Fault::Pause(_) => each(&hit, |it| try_run(&mut docker(&["unpause", &it.id]))),
            Fault::Disconnect(_) => {
                let network = self.stand.network();
                each(&hit, |it| {
                    let mut connect = docker(&["network", "connect"]);
                    connect.args(["--alias", &it.service, "--alias", &it.node]);
                    try_run(connect.args([&network, &it.id]))
                })
            }
            Fault::Cut(..) => self.between("-D", 0, 1) & self.between("-D", 1, 0),
            Fault::OneWay(..) => self.between("-D", 0, 1),
            Fault::Loss(_) => each(&hit, |it| lose(it, "-D")),
            Fault::SlowLink(_) => {
                each(&hit, |it| inside(it, &format!("tc qdisc del dev {} root", device(it))))
            }
            Fault::Throttle(_) => {
                each(&hit, |it| try_run(&mut docker(&["update", "--cpus", "1.0", &it.id])))
            }
            Fault::DiskFull(_) => each(&hit, |it| std::fs::remove_file(filler(it)).is_ok()),
            Fault::Kill(_)
            | Fault::KillAll
            | Fault::RollingRestart
            | Fault::Scale(..)
            | Fault::RestartProject
            | Fault::Wipe(_) => true,
        };
    }

    /// Adds or removes the rule by which the second hears nothing of the first.
    fn between(&self, action: &str, from: usize, to: usize) -> bool {
        let (Some(from), Some(to)) = (self.hit.get(from), self.hit.get(to)) else { return false };
        let Some(address) = &from.address else { return false };
        inside(to, &format!("iptables -w {action} INPUT -s {address} -j DROP"))
    }

    fn roll(&self, leader: &str) -> bool {
        // The leader last, as somebody who knows would do it.
        let mut all = self.hit.clone();
        all.sort_by_key(|it| it.node == leader);
        each(&all, |it| {
            let restarted = try_run(&mut docker(&["restart", "-t", "10", &it.id]));
            self.await_healthy(&it.node);
            restarted
        })
    }

    /// Waits until a node takes part again.
    fn await_healthy(&self, node: &str) {
        let healthy = || {
            let Some(it) = self.stand.container(node).filter(|it| it.pid != 0) else {
                return false;
            };
            let ask = ["exec", &it.id, "wallaby", "nodes", "--cluster", "/etc/wallaby/self.toml"];
            try_run(&mut docker(&ask))
        };
        assert!(await_that(Duration::from_secs(60), healthy), "{node} does not come back");
    }

    fn scale(&self, trainers: u32) {
        let scale = format!("trainer={trainers}");
        let before = self.stand.trainers_volumes();
        self.stand.compose(&["up", "-d", "--no-recreate", "--scale", &scale]);
        // Compose leaves those of containers that it takes away; one in use is refused.
        for volume in before {
            try_run(&mut docker(&["volume", "rm", &volume]));
        }
    }

    /// Takes a node and its volume away and brings it back without either.
    fn wipe(&self, it: &Container) {
        run(&mut docker(&["rm", "-fv", &it.id]));
        run(&mut docker(&["volume", "rm", &self.stand.volume(&it.service)]));
        let rejoin = ["run", "-d", "--use-aliases", "--no-deps", &it.service, "node", "--rejoin"];
        self.stand.compose(&rejoin);
    }
}

/// Does it to all of them; whether it could be done to each.
fn each(all: &[Container], act: impl Fn(&Container) -> bool) -> bool {
    all.iter().map(act).fold(true, |all, one| all & one)
}

/// Without the engine's knowledge, so that the restart policy acts.
fn kill(all: &[Container]) -> bool {
    let pids: Vec<String> =
        all.iter().filter(|it| it.pid != 0).map(|it| it.pid.to_string()).collect();
    try_run(Command::new("kill").arg("-9").args(pids))
}

/// Runs a command in the container's network.
fn inside(it: &Container, command: &str) -> bool {
    let pid = it.pid.to_string();
    let mut enter = Command::new("nsenter");
    enter.args(["-t", &pid, "-n", "--"]).args(command.split(' '));
    it.pid != 0 && try_run(&mut enter)
}

fn lose(it: &Container, action: &str) -> bool {
    let odds = "-m statistic --mode random --probability 0.2";
    inside(it, &format!("iptables -w {action} INPUT {odds} -j DROP"))
}

/// The interface to the other nodes; it is another one after a reconnection.
fn device(it: &Container) -> String {
    let pid = it.pid.to_string();
    let mut list = Command::new("nsenter");
    list.args(["-t", &pid, "-n", "--", "ip", "-o", "-4", "addr", "show", "scope", "global"]);
    let listed = list.output().map(|done| done.stdout).unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed).into_owned();
    listed.split_whitespace().nth(1).unwrap_or("eth0").to_owned()
}

fn filler(it: &Container) -> String {
    format!("/proc/{}/root/data/filler", it.pid)
}

/// Writes until the disk takes no more. Only on a small volume of its own.
fn fill(it: &Container) -> bool {
    let Ok(mut file) = std::fs::File::create(filler(it)) else { return false };
    let block = vec![0_u8; 1 << 16];
    for size in [block.len(), 512] {
        while file.write_all(&block[..size]).is_ok() {}
    }
    true
}
