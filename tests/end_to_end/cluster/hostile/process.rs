//! What a node's process has taken and said: its memory, its log, its sockets.

use super::super::harness::Cluster;
use std::collections::BTreeSet;
use std::fs;

/// A node before something is done to it.
pub(super) struct Watched {
    name: String,
    process: u32,
    bytes: u64,
    lines: usize,
}

impl Watched {
    /// All nodes of a cluster.
    pub(super) fn all(cluster: &Cluster) -> Vec<Self> {
        let nodes = cluster.nodes().iter();
        let watched = nodes.map(|node| {
            let process = node.process().unwrap();
            let (bytes, lines) = (memory(process, "VmRSS:"), warnings(&node.log_of_this_life()));
            Self { name: node.name.clone(), process, bytes, lines }
        });
        watched.collect()
    }

    /// The node never had more memory than so much above what it had, and has complained no more
    /// often than this.
    #[track_caller]
    pub(super) fn grew_at_most(&self, cluster: &Cluster, bytes: u64, lines: usize) {
        let peak = memory(self.process, "VmHWM:");
        let grown = peak.saturating_sub(self.bytes);
        let (name, kib) = (&self.name, grown >> 10);
        super::super::measure::tell_size(&format!("{name} grew by"), grown);
        assert!(grown <= bytes, "{name} grew by {kib} KiB, expected at most {}", bytes >> 10);
        let said = cluster.node(name).log_of_this_life();
        let more = warnings(&said) - self.lines;
        assert!(more <= lines, "{name} complained {more} times, expected {lines}:\n{said}");
        assert!(!said.contains("panicked"), "{name} panicked:\n{said}");
    }
}

fn warnings(log: &str) -> usize {
    log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count()
}

fn memory(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() << 10
}

/// The UDP ports of a process.
pub(super) fn udp_ports(process: u32) -> BTreeSet<u16> {
    let sockets = sockets(process);
    let table = fs::read_to_string(format!("/proc/{process}/net/udp")).unwrap();
    let port = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let owned = sockets.contains(*fields.get(9)?);
        let (_, port) = fields.get(1)?.split_once(':')?;
        owned.then(|| u16::from_str_radix(port, 16).ok()).flatten()
    };
    table.lines().skip(1).filter_map(port).collect()
}

/// The numbers of all sockets of a process.
fn sockets(process: u32) -> BTreeSet<String> {
    let files = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    let number = |target: std::path::PathBuf| {
        let target = target.to_str()?.to_owned();
        Some(target.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    };
    targets.filter_map(number).collect()
}
