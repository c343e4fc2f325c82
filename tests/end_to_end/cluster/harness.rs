//! A cluster of real processes: set up, started, hurt and taken down. Everything it has started
//! is ended and everything it has written removed when it is dropped, also after a failure; then
//! the ends of all logs are shown.

#![allow(clippy::print_stderr, reason = "the test runner shows it when a test fails")]

use super::api::Api;
use super::launch::{Launch, Loopback};
use super::node::{Node, ending};
use super::permit::Permit;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use crate::process::Invocation;
use crate::sandbox::Sandbox;
use rustix::process::Signal;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use wallaby_actors::cluster::api_types::{
    NodeInfo, NodeState, Role, RunningInfo, StudyInfo, StudyPhase,
};
use wallaby_links::secret::Secret;

/// The name of the file with the secret.
const SECRET: &str = "cluster.secret";

/// What a cluster is to be like. Nodes are called `node1`, `node2`, …; the first ones vote.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) nodes: usize,
    pub(crate) voters: usize,
    /// Units at once on each node.
    pub(crate) slots: u32,
    /// How many nodes hold each partition.
    pub(crate) replicas: u32,
    /// `WALLABY_FAULTS` of every node; each can be given others.
    pub(crate) faults: &'static str,
}

impl Layout {
    /// So many nodes, all of which vote, in which every unit takes so much longer.
    pub(crate) fn voters(nodes: usize, faults: &'static str) -> Self {
        Self { nodes, voters: nodes, slots: 1, replicas: 2, faults }
    }

    /// Written down, nothing of it started; each node on the loopback.
    pub(crate) fn set_up(&self) -> Cluster {
        self.set_up_with(|| Box::new(Loopback::of(self.nodes)))
    }

    /// As [`Layout::set_up`], launched in another manner, which is made when it is its turn.
    pub(crate) fn set_up_with(&self, launch: impl FnOnce() -> Box<dyn Launch>) -> Cluster {
        let permit = Permit::wait();
        let launch = launch();
        let sandbox = Sandbox::new();
        Secret::generate().write_new(&sandbox.path(SECRET)).unwrap();
        let addresses: Vec<SocketAddr> = (0..self.nodes).map(|n| launch.address(n)).collect();
        sandbox.write("cluster.toml", self.cluster_section(SECRET, &addresses));
        let node = |(address, number): (&SocketAddr, usize)| {
            let (name, slots) = (format!("node{number}"), self.slots);
            let cluster = self.cluster_section(&format!("../{SECRET}"), &addresses);
            let own = format!(
                "[node]\nname = {name:?}\ndata = \"data\"\nlisten = \"{address}\"\nslots = {slots}\n"
            );
            sandbox.write(&format!("{name}/node.toml"), cluster + &own);
            let mut node = Node::new(name.clone(), *address, sandbox.path(&name));
            node.variables.insert("WALLABY_FAULTS".to_owned(), self.faults.to_owned());
            node
        };
        let nodes = addresses.iter().zip(1..).map(node).collect();
        let api = Api::new(&sandbox.path(SECRET));
        Cluster { nodes, launch, api, sandbox, replicas: self.replicas as usize, _permit: permit }
    }

    /// With all nodes started, alive and led.
    #[track_caller]
    pub(crate) fn start(&self) -> Cluster {
        let mut cluster = self.set_up();
        cluster.start_all();
        cluster
    }

    fn cluster_section(&self, secret: &str, addresses: &[SocketAddr]) -> String {
        let quoted = |text: String| format!("{text:?}");
        let seeds: Vec<String> = addresses.iter().map(|a| quoted(a.to_string())).collect();
        let voters: Vec<String> = (1..=self.voters).map(|n| quoted(format!("node{n}"))).collect();
        let (seeds, voters, replicas) = (seeds.join(", "), voters.join(", "), self.replicas);
        format!(
            "[cluster]\nsecret_file = \"{secret}\"\nseeds = [{seeds}]\nvoters = [{voters}]\n\
             replicas = {replicas}\n"
        )
    }
}

/// A cluster.
pub(crate) struct Cluster {
    // First: ended before the folder goes and the next cluster begins.
    nodes: Vec<Node>,
    launch: Box<dyn Launch>,
    pub(crate) api: Api,
    pub(crate) sandbox: Sandbox,
    pub(crate) replicas: usize,
    _permit: Permit,
}

impl Cluster {
    /// The node of this name.
    #[track_caller]
    pub(crate) fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.name == name).expect(name)
    }

    #[track_caller]
    pub(crate) fn node_mut(&mut self, name: &str) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.name == name).expect(name)
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The names of the nodes that run.
    pub(crate) fn there(&self) -> Vec<String> {
        let there = self.nodes.iter().filter(|node| node.runs());
        there.map(|node| node.name.clone()).collect()
    }

    // What is done to nodes.

    /// Starts a node; whether it comes to anything is for the caller to await.
    #[track_caller]
    pub(crate) fn start(&mut self, name: &str) {
        self.start_with(name, &[]);
    }

    /// Starts a node with more arguments.
    #[track_caller]
    pub(crate) fn start_with(&mut self, name: &str, arguments: &[&str]) {
        let index = self.nodes.iter().position(|node| node.name == name).expect(name);
        let command = self.launch.command(index, Path::new(env!("CARGO_BIN_EXE_wallaby")));
        self.nodes[index].start(command, arguments);
    }

    /// Starts all nodes, and waits until they are alive and led.
    #[track_caller]
    pub(crate) fn start_all(&mut self) {
        let names: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        names.iter().for_each(|name| self.start(name));
        self.await_ready();
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, name: &str) {
        self.node_mut(name).kill();
    }

    /// SIGSTOP.
    #[track_caller]
    pub(crate) fn freeze(&mut self, name: &str) {
        self.node_mut(name).freeze();
    }

    /// SIGCONT.
    #[track_caller]
    pub(crate) fn thaw(&mut self, name: &str) {
        self.node_mut(name).thaw();
    }

    /// Lets a node that sees only part of the cluster answer no questions for all of it, or again.
    #[track_caller]
    pub(crate) fn believe(&mut self, name: &str, believed: bool) {
        self.node_mut(name).believed = believed;
    }

    /// Removes everything that a node has stored; it must not run.
    #[track_caller]
    pub(crate) fn wipe(&self, name: &str) {
        assert!(!self.node(name).is_there(), "{name} runs");
        fs::remove_dir_all(self.node(name).data()).unwrap();
    }

    /// Sets `WALLABY_FAULTS` of a node's next lives.
    pub(crate) fn set_faults(&mut self, name: &str, faults: &str) {
        let variables = &mut self.node_mut(name).variables;
        variables.insert("WALLABY_FAULTS".to_owned(), faults.to_owned());
    }

    /// Waits until a node has ended by itself, and gives back its exit code.
    #[track_caller]
    pub(crate) fn await_end(&mut self, name: &str) -> Option<i32> {
        let what = format!("{name} ends by itself");
        let ended = await_some(&what, DEADLINE, || {
            self.node_mut(name).ended().ok_or_else(|| "it runs".to_owned())
        });
        ended.code()
    }

    /// Asks all nodes to end, in order, and waits until they have, with exit code 0.
    #[track_caller]
    pub(crate) fn stop_all(&mut self) {
        let there = self.there();
        there.iter().for_each(|name| self.node(name).signal(Signal::TERM));
        for name in there {
            let what = format!("{name} ends when it is asked to");
            let status = await_some(&what, DEADLINE, || {
                self.node_mut(&name).ended().ok_or_else(|| "it runs".to_owned())
            });
            assert_eq!(status.code(), Some(0), "{name} ended with {}", ending(status));
        }
    }

    // What is seen of it.

    /// The first answer of any node that runs and sees the cluster.
    pub(crate) fn ask<T>(
        &self,
        question: impl Fn(&Api, SocketAddr) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut last = "no node is there".to_owned();
        for node in self.nodes.iter().filter(|node| node.runs() && node.believed) {
            match question(&self.api, node.address) {
                Ok(answer) => return Ok(answer),
                Err(error) => last = format!("{}: {error}", node.name),
            }
        }
        Err(last)
    }

    /// The nodes as `witness` sees them.
    pub(crate) fn seen_by(&self, witness: &str) -> Result<Vec<NodeInfo>, String> {
        self.api.nodes(self.node(witness).address)
    }

    /// How `witness` sees a node.
    pub(crate) fn state_seen_by(&self, witness: &str, name: &str) -> Result<NodeInfo, String> {
        let mut nodes = self.seen_by(witness)?.into_iter();
        nodes.find(|node| node.name == name).ok_or_else(|| format!("{witness} knows no {name}"))
    }

    /// Waits until `witness` sees a node in a state.
    #[track_caller]
    pub(crate) fn await_state(&self, witness: &str, name: &str, states: &[NodeState]) -> NodeInfo {
        await_some(&format!("{witness} sees {name} {states:?}"), DEADLINE, || {
            let node = self.state_seen_by(witness, name)?;
            holds(states.contains(&node.state), || format!("{:?}", node.state)).map(|()| node)
        })
    }

    /// Waits until everybody who is there agrees on a leader other than these, and gives back its
    /// name.
    #[track_caller]
    pub(crate) fn await_leader_but(&self, not: &[&str]) -> String {
        await_some(&format!("a leader other than {not:?}"), DEADLINE, || {
            let nodes = self.ask(Api::nodes)?;
            let leads = |n: &&NodeInfo| n.role == Role::Leader && !not.contains(&n.name.as_str());
            let leader = nodes.iter().find(leads).ok_or_else(|| format!("{nodes:#?}"))?;
            Ok(leader.name.clone())
        })
    }

    /// The name of whoever leads.
    #[track_caller]
    pub(crate) fn leader(&self) -> String {
        self.await_leader_but(&[])
    }

    /// The names of nodes that are there and do not lead.
    #[track_caller]
    pub(crate) fn followers(&self) -> Vec<String> {
        let leader = self.leader();
        self.there().into_iter().filter(|name| *name != leader).collect()
    }

    /// Waits until there is a leader, and every node that is there sees every other one alive.
    #[track_caller]
    pub(crate) fn await_ready(&mut self) {
        let there = self.there();
        await_some("the nodes see each other alive, and a leader", DEADLINE, || {
            for name in &there {
                if let Some(status) = self.node_mut(name).ended() {
                    panic!("{name} did not start: {}", ending(status));
                }
                let nodes = self.seen_by(name)?;
                let alive = |name: &&String| {
                    let alive = |n: &NodeInfo| n.name == **name && n.state == NodeState::Alive;
                    nodes.iter().any(alive)
                };
                let led = nodes.iter().any(|node| node.role == Role::Leader);
                if let Some(absent) = there.iter().find(|name| !alive(name)) {
                    return Err(format!("{name} sees no {absent} alive"));
                }
                holds(led, || format!("{name} sees no leader"))?;
            }
            Ok(())
        });
    }

    // What it is asked to do.

    /// The program as a client of this cluster.
    pub(crate) fn wallaby(&self, arguments: &[&str]) -> Invocation {
        let config = self.sandbox.path("cluster.toml");
        let invocation = self.sandbox.wallaby(arguments);
        invocation.variable("WALLABY_CLUSTER", config.to_str().unwrap())
    }

    /// What a client prints that succeeds.
    #[track_caller]
    pub(crate) fn said(&self, arguments: &[&str]) -> String {
        self.wallaby(arguments).finish().expect(0).out
    }

    /// Submits a study, with more arguments.
    #[track_caller]
    pub(crate) fn submit(&self, plot: &Plot, more: &[&str]) {
        plot.write(&self.sandbox);
        let arguments = plot.arguments();
        let mut all = vec!["submit"];
        all.extend(arguments.iter().map(String::as_str));
        all.extend(more);
        self.said(&all);
    }

    /// Where a study stands, as any node says.
    pub(crate) fn study(&self, study: &str) -> Result<StudyInfo, String> {
        self.ask(|api, node| api.study(node, study))
    }

    /// Where all studies stand at one moment, as any node says.
    pub(crate) fn studies(&self) -> Result<Vec<StudyInfo>, String> {
        self.ask(|api, node| api.studies(node))
    }

    /// What runs of a study.
    pub(crate) fn running(&self, study: &str) -> Result<Vec<RunningInfo>, String> {
        self.ask(|api, node| api.running(node, study))
    }

    /// Waits until so many units of a study are committed.
    #[track_caller]
    pub(crate) fn await_units(&self, study: &str, units: u64) -> StudyInfo {
        await_some(&format!("{units} units of {study}"), DEADLINE, || {
            let seen = self.study(study)?;
            holds(seen.units_done >= units, || format!("{seen:?}")).map(|()| seen)
        })
    }

    /// Waits until a study is in a phase.
    #[track_caller]
    pub(crate) fn await_phase(
        &self,
        study: &str,
        phase: StudyPhase,
        within: Duration,
    ) -> StudyInfo {
        await_some(&format!("{study} is {phase:?}"), within, || {
            let seen = self.study(study)?;
            holds(seen.phase == phase, || format!("{seen:?}")).map(|()| seen)
        })
    }

    /// Waits until a node runs a unit of a study, which must not end before.
    #[track_caller]
    pub(crate) fn await_unit_on(&self, study: &str, node: &str) -> RunningInfo {
        await_some(&format!("{node} runs a unit of {study}"), DEADLINE, || {
            let running = self.running(study)?;
            if let Some(here) = running.iter().find(|unit| unit.node == node) {
                return Ok(here.clone());
            }
            let seen = self.study(study)?;
            assert!(seen.phase != StudyPhase::Ended, "{study} ended without {node}: {seen:?}");
            Err(format!("{running:?}, {seen:?}"))
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes.iter_mut().for_each(Node::kill);
        if std::thread::panicking() {
            self.nodes.iter().for_each(|node| eprint!("{}", node.tail()));
        }
    }
}
