//! The number of a network, after which everything of it is named, so that it can be removed by
//! whoever has the number: its owner, or after the owner's death the next one.

use super::tools::run;
use rustix::process::{Pid, Signal, kill_process};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Once;

/// A number that no other living process has.
pub(super) struct Number {
    number: u8,
    /// A name in the kernel: given back when the process ends, however it ends.
    _held: UnixListener,
}

impl Number {
    /// Takes a free number.
    #[track_caller]
    pub(super) fn claim() -> Self {
        static SWEPT: Once = Once::new();
        // What belonged to processes that were killed; what has an owner is left alone.
        SWEPT.call_once(|| left().into_iter().for_each(|number| drop(Self::take(number))));
        (0..=u8::MAX).find_map(Self::take).expect("some number is free")
    }

    fn take(number: u8) -> Option<Self> {
        let address = SocketAddr::from_abstract_name(name(number)).unwrap();
        let taken = Self { number, _held: UnixListener::bind_addr(&address).ok()? };
        taken.clear();
        Some(taken)
    }

    pub(super) fn get(&self) -> u8 {
        self.number
    }

    /// The name of the link to the network, and how the names of its namespaces begin.
    pub(super) fn name(&self) -> String {
        name(self.number)
    }

    /// Removes everything with this number.
    fn clear(&self) {
        let mut troubles = Vec::new();
        let first = format!("{}-", self.name());
        for space in spaces().into_iter().filter(|space| space.starts_with(&first)) {
            kill_all_in(&space);
            troubles.extend(run("ip", &format!("netns del {space}")).err());
        }
        let link = self.name();
        if run("ip", &format!("link show {link}")).is_ok() {
            troubles.extend(run("ip", &format!("link del {link}")).err());
        }
        // It also runs while a test fails, which a second panic would hide.
        assert!(troubles.is_empty() || std::thread::panicking(), "{troubles:#?}");
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        self.clear();
    }
}

fn name(number: u8) -> String {
    format!("wallaby{number}")
}

fn spaces() -> Vec<String> {
    let listed = run("ip", "netns list").unwrap_or_default();
    listed.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

/// The numbers of which there is anything.
fn left() -> Vec<u8> {
    let links = run("ip", "-o link show type veth").unwrap_or_default();
    let links = links.lines().filter_map(|line| line.split_whitespace().nth(1));
    let named = spaces().into_iter().chain(links.map(str::to_owned));
    let number = |name: String| {
        let digits = name.strip_prefix("wallaby")?.split(['-', '@', ':']).next()?.to_owned();
        digits.parse().ok()
    };
    let mut numbers: Vec<u8> = named.filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Ends the nodes that a killed test has left behind.
fn kill_all_in(space: &str) {
    let inside = run("ip", &format!("netns pids {space}")).unwrap_or_default();
    for process in inside.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)) {
        // It may be ending by itself.
        let _ = kill_process(process, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::super::can_be_made;
    use super::*;
    use crate::cluster::waiting::{DEADLINE, await_some, holds};
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    #[test]
    fn what_a_killed_test_has_left_is_removed_by_the_next_one_and_what_has_an_owner_stays() {
        if can_be_made().is_err() {
            return;
        }
        // Far from those that are claimed, and other processes that test this have others.
        let number = 128 + (std::process::id() % 128) as u8;
        let space = format!("{}-left", name(number));
        run("ip", &format!("netns add {space}")).unwrap();
        run("ip", &format!("link add name {} type veth peer name other", name(number))).unwrap();
        let mut node = Command::new("ip");
        let mut node = node.args(["netns", "exec", &space, "sleep", "60"]).spawn().unwrap();
        await_some("the process is inside", DEADLINE, || {
            let inside = run("ip", &format!("netns pids {space}"))?;
            holds(inside.trim() == node.id().to_string(), || inside)
        });
        assert!(left().contains(&number));

        let owner = Number::take(number).unwrap();
        assert_eq!(node.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
        assert!(!left().contains(&number), "{:?}", spaces());
        run("ip", &format!("netns add {space}")).unwrap();
        assert!(Number::take(number).is_none(), "it has an owner");
        assert!(spaces().contains(&space));
        drop(owner);
        assert!(!spaces().contains(&space));
    }
}
