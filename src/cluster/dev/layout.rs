//! What lies where in the folder of a cluster on one machine:
//!
//! ```text
//! DIR/cluster.toml      for clients
//! DIR/cluster.secret
//! DIR/node1/node.toml   the node's configuration
//! DIR/node1/data/       what it stores
//! DIR/node1/log         what it says
//! DIR/node1/pid         its process; locked as long as that lives
//! ```

use super::NodeProcess;
use super::ports::free;
use crate::cluster::config::FILE;
use crate::cluster::create::{SECRET, secret, write_new};
use crate::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The name of a node's configuration.
const NODE_FILE: &str = "node.toml";

/// What a new cluster is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How many nodes.
    pub(crate) nodes: u32,
    /// How many of them vote: 1, 3 or 5; if not given, 1 of one or two, else 3.
    pub(crate) voters: Option<u32>,
    /// Units that each node runs at the same time.
    pub(crate) slots: u32,
    /// How many nodes hold each partition.
    pub(crate) replicas: u32,
}

impl Plan {
    fn voters(&self) -> u32 {
        self.voters.unwrap_or(if self.nodes < 3 { 1 } else { 3 })
    }
}

/// The folder of a cluster on one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DevFolder(PathBuf);

impl DevFolder {
    /// The folder at `path`, which must hold a cluster.
    ///
    /// # Errors
    /// It holds none.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        if !path.join(FILE).is_file() {
            let path = path.display();
            return Err(Error::Usage(format!(
                "{path} holds no cluster: it has no {FILE}; `wallaby dev --dir {path}` makes one"
            )));
        }
        Ok(Self(path.to_owned()))
    }

    /// The cluster in `path`, or a new one there. `plan` is what a new one is to be like; of one
    /// that is there, what was `asked` for must be as it is.
    ///
    /// # Errors
    /// A cluster of another size is there, or the folder cannot be written to.
    pub(crate) fn open_or_create(path: &Path, plan: Plan, asked: bool) -> Result<Self, Error> {
        if !path.join(FILE).exists() {
            return Self::create(path, plan);
        }
        let folder = Self::open(path)?;
        let found = folder.nodes()?.len();
        if asked && found != plan.nodes as usize {
            let (path, nodes) = (path.display(), plan.nodes);
            return Err(Error::Usage(format!(
                "{path} holds a cluster of {found} nodes, expected one of {nodes} (--nodes): \
                 choose another --dir"
            )));
        }
        Ok(folder)
    }

    fn create(path: &Path, plan: Plan) -> Result<Self, Error> {
        if plan.voters() > plan.nodes {
            let (voters, nodes) = (plan.voters(), plan.nodes);
            return Err(Error::Usage(format!(
                "--voters {voters}: expected at most the number of nodes, {nodes}"
            )));
        }
        let trouble = |source| Error::file(path, source);
        std::fs::create_dir_all(path).map_err(trouble)?;
        let addresses = free(plan.nodes as usize).map_err(trouble)?;
        secret(&path.join(SECRET))?;
        for (index, address) in addresses.iter().enumerate() {
            let name = name(index);
            let folder = path.join(&name);
            std::fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
            let cluster = cluster_section(&format!("../{SECRET}"), &addresses, plan);
            let node = node_section(&name, *address, plan.slots);
            write_new(&folder.join(NODE_FILE), &(cluster + "\n" + &node))?;
        }
        // Last: a folder with this file is whole.
        write_new(&path.join(FILE), &cluster_section(SECRET, &addresses, plan))?;
        Ok(Self(path.to_owned()))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// All its nodes, by number.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn nodes(&self) -> Result<Vec<NodeProcess>, Error> {
        let entries = std::fs::read_dir(&self.0).map_err(|e| Error::file(&self.0, e))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let is_node = |name: &String| self.0.join(name).join(NODE_FILE).is_file();
        let mut names: Vec<String> = names.filter(is_node).collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        let node = |name: String| NodeProcess::new(self.0.join(&name), name);
        Ok(names.into_iter().map(node).collect())
    }

    /// The node of this name.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn node(&self, name: &str) -> Result<NodeProcess, Error> {
        let mut nodes = self.nodes()?;
        match nodes.iter().position(|node| node.name() == name) {
            Some(at) => Ok(nodes.swap_remove(at)),
            None => {
                let known: Vec<&str> = nodes.iter().map(NodeProcess::name).collect();
                let (path, known) = (self.0.display(), known.join(", "));
                Err(Error::Usage(format!("{path} has no node {name:?}, expected one of {known}")))
            }
        }
    }
}

/// The name of a node.
fn name(index: usize) -> String {
    format!("node{}", index + 1)
}

fn cluster_section(secret_file: &str, addresses: &[SocketAddr], plan: Plan) -> String {
    let seeds: Vec<String> =
        addresses.iter().map(|address| format!("{:?}", address.to_string())).collect();
    let voters: Vec<String> =
        (0..plan.voters() as usize).map(|at| format!("{:?}", name(at))).collect();
    format!(
        "[cluster]\nsecret_file = {secret_file:?}\nseeds = [{}]\nvoters = [{}]\nreplicas = {}\n",
        seeds.join(", "),
        voters.join(", "),
        plan.replicas
    )
}

fn node_section(name: &str, address: SocketAddr, slots: u32) -> String {
    format!("[node]\nname = {name:?}\ndata = \"data\"\nlisten = \"{address}\"\nslots = {slots}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::config::{ClusterConfig, Given, NodeConfig};

    const PLAN: Plan = Plan { nodes: 4, voters: None, slots: 2, replicas: 2 };

    #[test]
    fn a_new_cluster_has_configurations_without_mistakes_that_agree() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("dev");
        let folder = DevFolder::open_or_create(&path, PLAN, true).unwrap();
        let client = ClusterConfig::read(&path, &Given::nothing()).unwrap();
        let names: Vec<String> =
            folder.nodes().unwrap().iter().map(|node| node.name().to_owned()).collect();
        assert_eq!(names, ["node1", "node2", "node3", "node4"]);
        for (name, seed) in names.iter().zip(&client.seeds) {
            let file = path.join(name).join(NODE_FILE);
            let node = NodeConfig::read(Some(&file), &Given::nothing()).unwrap();
            assert_eq!((&node.name, &node.listen, node.slots), (name, seed, Some(2)));
            assert_eq!(node.voters, ["node1", "node2", "node3"]);
            assert_eq!(node.data, path.join(name).join("data"));
            assert_eq!(node.cluster.seeds, client.seeds);
        }
        assert_eq!(DevFolder::open_or_create(&path, PLAN, true).unwrap(), folder);
        let other = DevFolder::open_or_create(&path, Plan { nodes: 2, ..PLAN }, true);
        assert!(other.unwrap_err().to_string().contains("holds a cluster of 4 nodes"));
        let error = folder.node("node9").unwrap_err().to_string();
        assert!(error.ends_with("expected one of node1, node2, node3, node4"), "{error}");
    }

    #[test]
    fn a_folder_without_a_cluster_is_none_and_voters_are_nodes() {
        let root = tempfile::tempdir().unwrap();
        assert!(DevFolder::open(root.path()).is_err());
        let plan = Plan { nodes: 2, voters: Some(3), ..PLAN };
        let error = DevFolder::open_or_create(root.path(), plan, true).unwrap_err().to_string();
        assert_eq!(error, "--voters 3: expected at most the number of nodes, 2");
    }
}
