//! Bad input from the network, on every port of nodes that work: each is refused, costs little
//! memory and few lines of the log, and the study that runs meanwhile ends as if nobody had come.

mod datagrams;
mod insider;
mod nonsense;
mod process;
mod strangers;
mod wire;

use super::evidence::Allowed;
use super::harness::{Cluster, Layout};
use super::reference::Plot;
use super::waiting::DEADLINE;
use insider::Insider;
use process::{Watched, udp_ports};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use wallaby_actors::cluster::api_types::{NodeInfo, StudyPhase};
use wire::Wire;

const MIB: u64 = 1 << 20;

/// A study before that, so that nodes have taken the memory that work takes.
const BEFORE: Plot = Plot { name: "before", trials: 4, epochs: 2, partitions: 6 };

/// A study that takes about as long as what is done to its cluster.
const PLOT: Plot = Plot { name: "digits", trials: 10, epochs: 3, partitions: 6 };

/// A cluster that computes it, with the units that it had done when it was attacked.
fn busy() -> (Cluster, u64) {
    let cluster = Layout::voters(3, "delay:150").start();
    cluster.submit(&BEFORE, &[]);
    cluster.await_phase(BEFORE.name, StudyPhase::Ended, DEADLINE);
    cluster.submit(&PLOT, &[]);
    let seen = cluster.await_units(PLOT.name, 2);
    (cluster, seen.units_done)
}

/// Every process is the one that it was, and the study went on meanwhile.
#[track_caller]
fn still_busy(cluster: &mut Cluster, before: u64) {
    for name in ["node1", "node2", "node3"] {
        assert!(cluster.node_mut(name).ended().is_none(), "{name} has ended");
    }
    let seen = cluster.study(PLOT.name).unwrap();
    assert!(seen.units_done > before, "nothing was computed meanwhile: {seen:?}");
    let whole = matches!(seen.phase, StudyPhase::Running | StudyPhase::Ended);
    assert!(whole && seen.cause.as_deref() != Some("somebody cancelled it"), "{seen:?}");
}

/// The nodes as they introduce themselves.
fn infos(cluster: &Cluster) -> Vec<NodeInfo> {
    cluster.seen_by("node1").unwrap()
}

#[test]
fn strangers_on_the_tcp_port_are_refused_and_delay_nobody() {
    let (mut cluster, before) = busy();
    let watched = Watched::all(&cluster);
    let mut held = Vec::new();
    for node in cluster.nodes() {
        held.extend(strangers::silent(node.address, 400));
        held.extend(strangers::dawdling(node.address, 20));
        // Only then: whoever belongs here is answered while they are all there.
        let asked = Instant::now();
        Wire::of(&cluster).hello(node.address).unwrap();
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(2), "a peer waited for {took:?}");
        strangers::garbage(node.address);
        strangers::certificates(node.address);
    }
    strangers::drip(&mut held, Duration::from_secs(4));
    strangers::all_are_closed(held);
    still_busy(&mut cluster, before);
    for node in cluster.nodes() {
        let said = node.log_of_this_life();
        assert!(said.contains("refused a connection from 127.0.0.1"), "{said}");
    }
    watched.iter().for_each(|node| node.grew_at_most(&cluster, 128 * MIB, 4));
    cluster.conclude_allowing(&[&BEFORE, &PLOT], &Allowed::default());
}

#[test]
fn datagrams_of_strangers_and_repeated_ones_are_refused_on_every_udp_port() {
    let (mut cluster, before) = busy();
    let watched = Watched::all(&cluster);
    let known = infos(&cluster);
    for node in cluster.nodes() {
        let ports = udp_ports(node.process().unwrap());
        assert!(ports.contains(&node.address.port()), "{ports:?}");
        // The codec of gossip has two ends of its own on the loopback.
        assert_eq!(ports.len(), 3, "a node listens on ports that nobody knows of: {ports:?}");
        for port in ports {
            datagrams::garbage((Ipv4Addr::LOCALHOST, port).into(), 3000);
        }
    }
    datagrams::forged_and_repeated(&cluster);
    still_busy(&mut cluster, before);
    for node in cluster.nodes() {
        let said = node.log_of_this_life();
        assert!(said.contains("refused datagrams from 127.0.0.1"), "{said}");
        // The ports of the codec take none but each other's datagrams, and speak of no others.
        assert!(!said.contains("chitchat"), "{said}");
    }
    let after = infos(&cluster);
    let names = |nodes: &[NodeInfo]| nodes.iter().map(|n| (n.id, n.boot)).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&after), "nobody came and nobody went");
    // A line for each port that somebody has sent from.
    watched.iter().for_each(|node| node.grew_at_most(&cluster, 128 * MIB, 12));
    cluster.conclude_allowing(&[&BEFORE, &PLOT], &Allowed::default());
}

#[test]
fn nonsense_from_an_authenticated_peer_is_refused_on_every_route() {
    let (mut cluster, before) = busy();
    let watched = Watched::all(&cluster);
    let wire = Wire::of(&cluster);
    for info in infos(&cluster) {
        let node = cluster.node(&info.name);
        nonsense::heads(&wire, node.address);
        nonsense::paths(&wire, node.address);
        nonsense::questions(&wire, node.address, info.id);
        nonsense::studies(&wire, node.address);
        nonsense::bodies(&wire, node.address, info.id);
        let _half_open = wire.half_open(node.address, 50);
        wire.hello(node.address).unwrap();
    }
    still_busy(&mut cluster, before);
    let said = wire.ask(cluster.node("node1").address, "GET /v1/studies", b"").text;
    assert_eq!(said.matches("\"trials_max\"").count(), 2, "a study came from nonsense: {said}");
    // Several bodies of up to 64 MiB were on their way.
    watched.iter().for_each(|node| node.grew_at_most(&cluster, 320 * MIB, 4));
    cluster.conclude_allowing(&[&BEFORE, &PLOT], &Allowed::default());
}

#[test]
fn authenticated_sessions_of_garbage_are_ended_and_seldom_spoken_of() {
    let (mut cluster, before) = busy();
    let watched = Watched::all(&cluster);
    let insider = Insider::of(&cluster);
    let known = infos(&cluster);
    for info in &known {
        let address = cluster.node(&info.name).address;
        insider.frames_of_garbage(address);
        insider.frames_that_are_too_large(address);
        insider.sessions_that_say_nothing(address, 40);
        insider.unreadable_letters(info, 2000);
    }
    still_busy(&mut cluster, before);
    for node in cluster.nodes() {
        let said = node.log_of_this_life();
        let count = |words: &str| said.lines().filter(|line| line.contains(words)).count();
        // Twice if it took longer than a minute.
        let few = 1..=2;
        assert!(few.contains(&count("ended a connection for letters from 127.0.0.1")), "{said}");
        assert!(few.contains(&count("a letter that cannot be read")), "{said}");
    }
    watched.iter().for_each(|node| node.grew_at_most(&cluster, 256 * MIB, 8));
    drop(insider);
    cluster.conclude_allowing(&[&BEFORE, &PLOT], &Allowed::default());
}
