//! Three nodes on this machine, for the time of a measurement: ended and removed when dropped.

use super::DEADLINE;
use super::study::Made;
use crate::cluster::config::{ClusterConfig, Given};
use crate::cluster::dev::{DevFolder, NodeProcess, Plan, ready};
use crate::cluster::{Client, Steer, Submission};
use crate::error::Error;
use crate::launch::{prepare, read_study};
use crate::scratch::Scratch;
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;
use wallaby_actors::cluster::api_types::{NodeInfo, Role};
use wallaby_train::Registry;

/// How many nodes, each of one slot; all of them vote.
pub(super) const NODES: u32 = 3;

/// The variable that slows units down.
const FAULTS: &str = "WALLABY_FAULTS";

/// A cluster of this process's children.
pub(super) struct Local {
    folder: DevFolder,
    config: ClusterConfig,
    client: Arc<Client>,
    children: Vec<(NodeProcess, Child)>,
    faults: String,
    scratch: Scratch,
}

impl Local {
    /// Starts one in a new folder and waits until it is whole; `faults` as in `WALLABY_FAULTS`.
    ///
    /// # Errors
    /// The nodes do not become a cluster.
    pub(super) async fn start(faults: &str) -> Result<Self, Error> {
        let scratch = Scratch::new(Path::new("."))?;
        let plan = Plan { nodes: NODES, voters: None, slots: 1, replicas: 2 };
        let folder = DevFolder::open_or_create(&scratch.join("cluster"), plan, true)?;
        let config = ClusterConfig::read(folder.path(), &Given::nothing())?;
        let client = Arc::new(Client::new(config.clone())?);
        let (children, faults) = (Vec::new(), faults.to_owned());
        let mut local = Self { folder, config, client, children, faults, scratch };
        for node in local.folder.nodes()? {
            local.launch(node)?;
        }
        local.whole().await?;
        Ok(local)
    }

    fn launch(&mut self, node: NodeProcess) -> Result<(), Error> {
        // Also if there are no faults: this process may have been given some.
        let child = node.start_with(false, &[(FAULTS, &self.faults)])?;
        self.children.push((node, child));
        Ok(())
    }

    /// Waits until all nodes are alive and one of them leads.
    pub(super) async fn whole(&mut self) -> Result<Vec<NodeInfo>, Error> {
        let nodes = self.folder.nodes()?;
        ready(&self.folder, &nodes, &mut self.children, DEADLINE).await
    }

    /// A client of the whole cluster, which waits for a leader.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// A client that asks the node at this address and gives up at once.
    pub(super) fn client_of(&self, address: &str) -> Result<Client, Error> {
        let config = self.config_of(address);
        Ok(Client::new(config)?.with_patience(Duration::ZERO))
    }

    fn config_of(&self, address: &str) -> ClusterConfig {
        ClusterConfig { seeds: vec![address.to_owned()], ..self.config.clone() }
    }

    /// The file that holds the secret.
    pub(super) fn secret_file(&self) -> &Path {
        &self.config.secret_file
    }

    /// A path beside the cluster, removed with it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Ends a node as the system does it.
    pub(super) fn kill(&mut self, name: &str) -> Result<(), Error> {
        let trouble = |error: std::io::Error| Error::Unexpected(format!("{name}: {error}"));
        let at = self.children.iter().position(|(node, _)| node.name() == name);
        let Some(at) = at else { return Ok(()) };
        let (_, mut child) = self.children.swap_remove(at);
        child.kill().map_err(trouble)?;
        child.wait().map_err(trouble)?;
        Ok(())
    }

    /// Starts a node that was killed, and waits until the cluster is whole.
    pub(super) async fn revive(&mut self, name: &str) -> Result<(), Error> {
        self.launch(self.folder.node(name)?)?;
        self.whole().await.map(|_| ())
    }

    /// Lets a node stand still.
    pub(super) fn freeze(&self, name: &str) -> Result<(), Error> {
        self.folder.node(name)?.signal(Signal::STOP).map(|_| ())
    }

    /// Lets a node that stands still go on, and waits until the cluster is whole.
    pub(super) async fn thaw(&mut self, name: &str) -> Result<(), Error> {
        self.folder.node(name)?.signal(Signal::CONT)?;
        self.whole().await.map(|_| ())
    }

    /// Makes a study and hands it over.
    ///
    /// # Errors
    /// It cannot be written, or nobody takes it.
    pub(super) async fn submit(&self, made: &Made, registry: &Registry) -> Result<(), Error> {
        let file = made.write(&self.path(made.name))?;
        let prepared = prepare(read_study(&file, &[], registry)?)?;
        Submission::new(prepared, None, None).send(&self.client, |_| ()).await?;
        Ok(())
    }

    /// Ends a study.
    pub(super) async fn cancel(&self, name: &str) -> Result<(), Error> {
        Ok(self.client.steer(name, Steer::Cancel).await?)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        for (_, child) in &mut self.children {
            // One that is gone already is as it should be, one that stands still is ended, too.
            let _ = child.kill();
        }
        for (_, child) in &mut self.children {
            let _ = child.wait();
        }
    }
}

/// Who leads.
///
/// # Errors
/// Nobody does.
pub(super) fn leader(nodes: &[NodeInfo]) -> Result<&NodeInfo, Error> {
    let leads = |node: &&NodeInfo| node.role == Role::Leader;
    let leader = nodes.iter().find(leads);
    leader.ok_or_else(|| Error::TimedOut("the cluster has lost its leader".to_owned()))
}
