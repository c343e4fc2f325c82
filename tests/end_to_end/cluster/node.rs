//! One node as a process: its configuration, its lives, its signals, its log.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// How many lines of a log are shown after a failure.
const LINES: usize = 40;

/// A node, running or not.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// The node's folder: `node.toml`, `data`, `log`.
    pub(crate) folder: PathBuf,
    /// Variables of its next life.
    pub(crate) variables: BTreeMap<String, String>,
    /// What it stores.
    data: PathBuf,
    child: Option<Child>,
    frozen: bool,
    /// Whether it is asked what it sees of the cluster.
    pub(crate) believed: bool,
    /// The length of the log when its present life began.
    began_at: usize,
}

impl Node {
    pub(crate) fn new(name: String, address: SocketAddr, folder: PathBuf) -> Self {
        let (variables, data) = (BTreeMap::new(), folder.join("data"));
        let (child, frozen, believed, began_at) = (None, false, true, 0);
        Self { name, address, folder, variables, data, child, frozen, believed, began_at }
    }

    /// What it stores.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Lets it store elsewhere from its next life on.
    pub(crate) fn move_data(&mut self, data: &Path) {
        data.clone_into(&mut self.data);
        self.variables.insert("WALLABY_NODE_DATA".to_owned(), data.display().to_string());
    }

    /// Starts `command` as this node, with more arguments.
    #[track_caller]
    pub(crate) fn start(&mut self, mut command: Command, arguments: &[&str]) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        self.began_at = self.log().len();
        let log = OpenOptions::new().create(true).append(true).open(self.folder.join("log"));
        let log: File = log.unwrap();
        let inherited = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for name in inherited.filter(|name| name.starts_with("WALLABY_")) {
            command.env_remove(name);
        }
        command.arg("node").arg("--config").arg(self.folder.join("node.toml")).args(arguments);
        command.envs(&self.variables).stdin(Stdio::null());
        command.stdout(Stdio::from(log.try_clone().unwrap())).stderr(Stdio::from(log));
        self.child = Some(command.spawn().unwrap());
    }

    /// Whether there is a process, running or frozen.
    pub(crate) fn is_there(&self) -> bool {
        self.child.is_some()
    }

    /// Whether it runs: it is there and not frozen.
    pub(crate) fn runs(&self) -> bool {
        self.is_there() && !self.frozen
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// SIGSTOP.
    #[track_caller]
    pub(crate) fn freeze(&mut self) {
        self.signal(Signal::STOP);
        self.frozen = true;
    }

    /// SIGCONT.
    #[track_caller]
    pub(crate) fn thaw(&mut self) {
        self.signal(Signal::CONT);
        self.frozen = false;
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.process().unwrap_or_else(|| panic!("{} does not run", self.name));
        let id = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        kill_process(id, signal).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// How its process has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().unwrap()?;
        (self.child, self.frozen) = (None, false);
        Some(status)
    }

    /// Ends it at once: no handler runs. Also one that is frozen.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.frozen = false;
    }

    /// Everything it has ever said.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What it has said in its present life, or in the last one.
    pub(crate) fn log_of_this_life(&self) -> String {
        self.log().get(self.began_at..).unwrap_or_default().to_owned()
    }

    /// The end of its log, under a headline.
    pub(crate) fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
        format!("--- {} ({}), the end of its log:\n  {last}\n", self.name, self.address)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a process ended, in words.
pub(crate) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, signal) => format!("signal {signal:?}"),
    }
}
