//! The program as a running process: its lines as they come, its signals, its end.
//! Kills only what it started, and nothing outlives it.

use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long anything may take. Far more than it needs on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The environment variable that injects faults.
const FAULTS: &str = "WALLABY_FAULTS";

/// The environment variable that names a cluster.
const CLUSTER: &str = "WALLABY_CLUSTER";

/// A command line of the program, not yet started.
pub(crate) struct Invocation(Command);

impl Invocation {
    /// `program` in `folder`, without faults.
    pub(crate) fn new(program: &Path, folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env_remove(FAULTS).env_remove(CLUSTER);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// With one more argument, of any bytes.
    pub(crate) fn argument(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    /// With this in its environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Without this in its environment.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    /// With these faults injected.
    pub(crate) fn faults(mut self, faults: &str) -> Self {
        self.0.env(FAULTS, faults);
        self
    }

    /// Started.
    pub(crate) fn start(mut self) -> Process {
        let mut child = self.0.spawn().unwrap();
        let out = lines_of(child.stdout.take().unwrap());
        let err = lines_of(child.stderr.take().unwrap());
        Process { child, out: Some(out), err, seen: String::new(), complaints: String::new() }
    }

    /// Run to its end.
    pub(crate) fn finish(self) -> Finished {
        self.start().finish()
    }
}

/// Lines as they are written; hangs up once nobody listens.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// A started program.
pub(crate) struct Process {
    child: Child,
    out: Option<Receiver<String>>,
    err: Receiver<String>,
    seen: String,
    complaints: String,
}

impl Process {
    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its output, `None` once it has closed it.
    pub(crate) fn next_line(&mut self) -> Option<String> {
        let line = next(self.out.as_ref().expect("nobody hung up"), Instant::now() + DEADLINE)?;
        self.seen += &line;
        Some(line)
    }

    /// The next event of a process that was started with `--json`.
    pub(crate) fn next_event(&mut self) -> Option<Json> {
        self.next_line().map(|line| event(&line))
    }

    /// The next event of this name.
    pub(crate) fn await_event(&mut self, name: &str) -> Json {
        while let Some(event) = self.next_event() {
            if event["event"] == name {
                return event;
            }
        }
        panic!("it ended before {name}: {}", self.seen);
    }

    /// The next complaint that contains `words`.
    pub(crate) fn await_complaint(&mut self, words: &str) {
        while let Some(line) = next(&self.err, Instant::now() + DEADLINE) {
            self.complaints += &line;
            if line.contains(words) {
                return;
            }
        }
        panic!("it ended before {words:?}: {}", self.complaints);
    }

    /// Takes in events for so long, or until its end.
    pub(crate) fn watch(&mut self, span: Duration) {
        let until = Instant::now() + span;
        let lines = self.out.as_ref().expect("nobody hung up");
        while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.seen += &line;
        }
    }

    /// Closes the reading end of its output.
    pub(crate) fn hang_up(&mut self) {
        self.out = None;
    }

    /// Sends a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Kills it as an accident would: no handler runs.
    pub(crate) fn kill(mut self) -> Finished {
        self.child.kill().unwrap();
        self.finish()
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        let until = Instant::now() + DEADLINE;
        while let Some(line) = self.out.as_ref().and_then(|lines| next(lines, until)) {
            self.seen += &line;
        }
        while let Some(line) = next(&self.err, until) {
            self.complaints += &line;
        }
        // It has closed both streams: it is at its end.
        let status = self.child.wait().unwrap();
        let (out, err) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.complaints));
        Finished { status, out, err }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn next(lines: &Receiver<String>, until: Instant) -> Option<String> {
    match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("nothing came for {DEADLINE:?}"),
    }
}

fn event(line: &str) -> Json {
    let event: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert!(event["event"].is_string(), "an event without a name: {line}");
    assert!(event["at"].is_u64(), "an event without a time: {line}");
    event
}

/// A program at its end.
#[derive(Debug)]
pub(crate) struct Finished {
    status: ExitStatus,
    /// What it wrote to standard output.
    pub(crate) out: String,
    /// What it wrote to standard error.
    pub(crate) err: String,
}

impl Finished {
    /// Its exit code; `None` if a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Itself, if this is its exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{self:#?}");
        self
    }

    /// Itself, if it complained in these words.
    #[track_caller]
    pub(crate) fn complains(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in {self:#?}");
        self
    }

    /// Its events, if it was started with `--json`.
    pub(crate) fn events(&self) -> Vec<Json> {
        self.out.lines().map(event).collect()
    }

    /// Its events of one name.
    pub(crate) fn events_named(&self, name: &str) -> Vec<Json> {
        self.events().into_iter().filter(|event| event["event"] == name).collect()
    }
}
