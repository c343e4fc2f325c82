//! A node on this machine as a process. Its pid file is its standard input, and locked: the lock
//! lives exactly as long as the process, whoever started it, so that a number that the system has
//! given to another process since is never taken for it.

use crate::error::Error;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How many lines of a log are shown of a node that did not start.
const LINES: usize = 5;

/// How much of the end of a log is looked at, in bytes.
const TAIL_BYTES: u64 = 16 * 1024;

/// Others may look at the lock for a moment; how long it is tried to take it.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// A node on this machine, running or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeProcess {
    folder: PathBuf,
    name: String,
}

impl NodeProcess {
    pub(super) fn new(folder: PathBuf, name: String) -> Self {
        Self { folder, name }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it says goes here.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// Starts it, in a process group of its own: a Ctrl-C in this terminal is not for it.
    ///
    /// # Errors
    /// It runs already, or cannot be started.
    pub(crate) fn start(&self, rejoin: bool) -> Result<Child, Error> {
        self.start_with(rejoin, &[])
    }

    /// As [`NodeProcess::start`], with variables of its own.
    ///
    /// # Errors
    /// As for [`NodeProcess::start`].
    pub(crate) fn start_with(
        &self,
        rejoin: bool,
        variables: &[(&str, &str)],
    ) -> Result<Child, Error> {
        let path = self.pid_file();
        let trouble = |source| Error::file(&path, source);
        let mut pid_file = self.lock()?;
        let log = OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.map_err(|source| Error::file(&self.log(), source))?;
        let program = std::env::current_exe().map_err(|e| Error::Unexpected(e.to_string()))?;
        let mut command = Command::new(&program);
        command.arg("node").arg("--config").arg(self.folder.join("node.toml"));
        if rejoin {
            command.arg("--rejoin");
        }
        // What is said of this shell's cluster is not said of this node.
        let theirs =
            |name: &str| ["WALLABY_CLUSTER", "WALLABY_NODE"].iter().any(|p| name.starts_with(p));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(theirs)) {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::from(pid_file.try_clone().map_err(trouble)?));
        command.stdout(Stdio::from(log.try_clone().map_err(trouble)?)).stderr(Stdio::from(log));
        let child = command.process_group(0).spawn();
        let child = child.map_err(|source| Error::file(&program, source))?;
        let mut write = || -> std::io::Result<()> {
            pid_file.set_len(0)?;
            pid_file.rewind()?;
            write!(pid_file, "{}", child.id())
        };
        write().map_err(trouble)?;
        Ok(child)
    }

    /// The pid file, locked.
    fn lock(&self) -> Result<File, Error> {
        let path = self.pid_file();
        let trouble = |source| Error::file(&path, source);
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(trouble)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(source)) => return Err(trouble(source)),
                Err(TryLockError::WouldBlock) if began.elapsed() > LOCK_WAIT => {
                    let process =
                        read_pid(&path).map_or_else(|| "?".to_owned(), |pid| pid.to_string());
                    let name = &self.name;
                    return Err(Error::Usage(format!("{name} runs already, as process {process}")));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The number of its process, if it runs.
    ///
    /// # Errors
    /// The system says neither yes nor no.
    pub(crate) fn running(&self) -> Result<Option<u32>, Error> {
        let path = self.pid_file();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::file(&path, source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(read_pid(&path)),
            Err(TryLockError::Error(source)) => Err(Error::file(&path, source)),
        }
    }

    /// Asks it to end; whether it runs at all.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn ask_to_end(&self) -> Result<bool, Error> {
        self.signal(Signal::TERM)
    }

    /// Ends it.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn kill(&self) -> Result<bool, Error> {
        self.signal(Signal::KILL)
    }

    /// Sends it a signal; whether it runs at all.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn signal(&self, signal: Signal) -> Result<bool, Error> {
        let pid = self.running()?.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { return Ok(false) };
        match kill_process(pid, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(Error::Unexpected(format!("{}: {error}", self.name))),
        }
    }

    /// Why a node that was started is not there, with the end of its log.
    pub(super) fn did_not_start(&self, status: ExitStatus) -> Error {
        let (name, how, log) = (&self.name, ending(status), self.log());
        let tail = tail(&log);
        Error::Unexpected(format!(
            "{name} did not start: {how}; {} ends with\n{tail}",
            log.display()
        ))
    }
}

/// How a process ended, in words.
pub(crate) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

fn read_pid(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The last lines of a file, as far as it can be read.
fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(std::io::SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
