//! A network of a cluster's own: every node in a network namespace of its own, all of them joined
//! by a bridge, and links between them that can be cut and made to lose packets. Made by root with
//! `ip` and `iptables`; removed when dropped, and when the process that made it was killed, by the
//! next one that makes any.

mod leftovers;
mod tools;

use super::harness::{Cluster, Layout};
use super::launch::Launch;
use leftovers::Number;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use tools::{ip, ip_inside, iptables, run};

/// Without this variable tests that need networks are skipped where there are none.
const REQUIRED: &str = "WALLABY_NETNS_REQUIRED";

/// Where every node listens, each at an address of its own.
const PORT: u16 = 7701;

/// A network; clones are the same one.
#[derive(Clone)]
pub(crate) struct Network(Arc<Namespaces>);

struct Namespaces {
    number: Number,
    nodes: usize,
}

impl Layout {
    /// As [`Layout::start`], with each node on a network of its own; or `None` and a word that the
    /// test is skipped.
    #[track_caller]
    pub(crate) fn start_apart(&self) -> Option<(Cluster, Network)> {
        if let Err(why) = can_be_made() {
            let required = std::env::var_os(REQUIRED).is_some();
            assert!(!required, "{REQUIRED} is set, and no network can be made: {why}");
            // Past the test runner, which keeps what is printed to itself.
            let words = format!("SKIPPED: networks that are cut, as none can be made: {why}\n");
            std::io::stderr().write_all(words.as_bytes()).unwrap();
            return None;
        }
        let mut network = None;
        let mut cluster = self.set_up_with(|| {
            let made = Network::new(self.nodes);
            network = Some(made.clone());
            Box::new(made)
        });
        cluster.start_all();
        network.map(|network| (cluster, network))
    }
}

/// Whether networks can be made here; else why not. Tried once.
fn can_be_made() -> Result<(), String> {
    static TRIED: OnceLock<Result<(), String>> = OnceLock::new();
    let try_out = || {
        tools::are_there()?;
        let number = Number::claim();
        let space = format!("{}-try", number.name());
        run("ip", &format!("netns add {space}"))?;
        run("ip", &format!("netns exec {space} iptables -w 10 -n -L INPUT")).map(drop)
    };
    TRIED.get_or_init(try_out).clone()
}

impl Network {
    /// For so many nodes.
    fn new(nodes: usize) -> Self {
        let namespaces = Namespaces { number: Number::claim(), nodes };
        namespaces.make();
        Self(Arc::new(namespaces))
    }

    /// From now on nothing that `from` sends reaches `to`. It is lost on arrival: who sends it
    /// learns nothing of that.
    #[track_caller]
    pub(crate) fn mute(&self, from: &str, to: &str) {
        let from = self.0.address(number_of(from)).ip();
        self.0.filter(to, &format!("-A INPUT -s {from} -j DROP"));
    }

    /// From now on two nodes hear nothing of each other.
    #[track_caller]
    pub(crate) fn cut(&self, one: &str, other: &str) {
        self.mute(one, other);
        self.mute(other, one);
    }

    /// From now on a node and all other nodes hear nothing of each other. The tests still reach it.
    #[track_caller]
    pub(crate) fn isolate(&self, node: &str) {
        self.0.others(node).iter().for_each(|other| self.cut(node, other));
    }

    /// From now on this share of the packets from a node to the others and from them is lost.
    #[track_caller]
    pub(crate) fn lose(&self, node: &str, share: f64) {
        let lost = |from: &str, to: &str| {
            let from = self.0.address(number_of(from)).ip();
            let at_random = format!("-m statistic --mode random --probability {share}");
            self.0.filter(to, &format!("-A INPUT -s {from} {at_random} -j DROP"));
        };
        for other in self.0.others(node) {
            lost(node, &other);
            lost(&other, node);
        }
    }

    /// Ends all of that. Each fault must have hit something, else nothing was tried.
    #[track_caller]
    pub(crate) fn heal(&self) {
        for node in self.0.names() {
            let rules = self.0.filter(&node, "-n -v -x -L INPUT");
            self.0.filter(&node, "-F INPUT");
            let faults = rules.lines().filter(|line| line.contains("DROP"));
            let idle = faults.filter(|line| line.split_whitespace().next() == Some("0"));
            assert_eq!(idle.collect::<Vec<_>>(), [""; 0], "{node} was sent nothing to be lost");
        }
    }
}

impl Launch for Network {
    fn address(&self, node: usize) -> SocketAddr {
        self.0.address(node)
    }

    fn command(&self, node: usize, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0.space(&name_of(node))]).arg(program);
        command
    }
}

impl Namespaces {
    /// The bridge is in a namespace of its own too: what filters this machine has for its own
    /// bridges, as Docker's, must not see ours.
    #[track_caller]
    fn make(&self) {
        let (outside, bridge) = (self.number.name(), self.space("bridge"));
        ip(&format!("netns add {bridge}"));
        ip_inside(&bridge, "link add bridge type bridge");
        ip_inside(&bridge, "link set bridge up");
        ip(&format!("link add name {outside} type veth peer name outside netns {bridge}"));
        ip_inside(&bridge, "link set outside master bridge up");
        ip(&format!("addr add {}/24 dev {outside}", self.host(1)));
        ip(&format!("link set {outside} up"));
        for (number, node) in self.names().iter().enumerate() {
            let (space, address) = (self.space(node), self.address(number).ip());
            ip(&format!("netns add {space}"));
            ip_inside(&bridge, &format!("link add {node} type veth peer name eth0 netns {space}"));
            ip_inside(&bridge, &format!("link set {node} master bridge up"));
            ip_inside(&space, "link set lo up");
            ip_inside(&space, &format!("addr add {address}/24 dev eth0"));
            ip_inside(&space, "link set eth0 up");
        }
    }

    fn names(&self) -> Vec<String> {
        (0..self.nodes).map(name_of).collect()
    }

    fn others(&self, node: &str) -> Vec<String> {
        self.names().into_iter().filter(|name| name != node).collect()
    }

    /// The namespace of a node.
    fn space(&self, node: &str) -> String {
        format!("{}-{node}", self.number.name())
    }

    fn address(&self, node: usize) -> SocketAddr {
        SocketAddr::from((self.host(u8::try_from(11 + node).unwrap()), PORT))
    }

    /// Of the networks that are set aside for tests of network devices (RFC 2544).
    fn host(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(198, 19, self.number.get(), host)
    }

    #[track_caller]
    fn filter(&self, node: &str, arguments: &str) -> String {
        iptables(&self.space(node), arguments)
    }
}

/// Nodes are called as the harness calls them.
fn name_of(node: usize) -> String {
    format!("node{}", node + 1)
}

fn number_of(name: &str) -> usize {
    name.strip_prefix("node").and_then(|number| number.parse::<usize>().ok()).expect(name) - 1
}
