//! A node in a process of its own. Actors' registries are of a process, so every node is one: this
//! test's own program, started again with the test [`second_process`] alone, told what to do by
//! lines on its standard input, telling what happens by lines on its standard output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command as Process, Stdio};
use std::sync::{Arc, Mutex, mpsc as sync};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use wallaby_links::peers::Peers;
use wallaby_links::port::Port;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

use crate::cluster::post::Post;
use crate::cluster::sessions::{SessionChange, Sessions, SessionsArgs};

const SECRET: &str = "WALLABY_TEST_SESSIONS_SECRET";
const NAME: &str = "WALLABY_TEST_SESSIONS_NAME";
const LISTEN: &str = "WALLABY_TEST_SESSIONS_LISTEN";
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The node.
pub(super) struct Node {
    process: Child,
    input: ChildStdin,
    lines: sync::Receiver<String>,
    /// Lines that came before the one that was waited for.
    early: Vec<String>,
    pub(super) name: String,
    pub(super) address: String,
}

impl Node {
    pub(super) fn start(secret: &str, name: &str) -> Self {
        Self::start_at(secret, name, "127.0.0.1:0")
    }

    pub(super) fn start_at(secret: &str, name: &str, listen: &str) -> Self {
        let mut process = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "cluster::sessions::tests::test_node::second_process", "--nocapture"])
            .env(SECRET, secret)
            .env(NAME, name)
            .env(LISTEN, listen)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = sync::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test harness writes into the same lines.
                if let Some((_, said)) = line.split_once('@') {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        let name = name.to_owned();
        let mut node =
            Self { process, input, lines, early: Vec::new(), name, address: String::new() };
        let listening = node.hear("listening ");
        node.address = listening["listening ".len()..].to_owned();
        node
    }

    pub(super) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// The next line that begins with `start`.
    pub(super) fn hear(&mut self, start: &str) -> String {
        if let Some(place) = self.early.iter().position(|line| line.starts_with(start)) {
            return self.early.remove(place);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.starts_with(start) => return line,
                Ok(line) => self.early.push(line),
                Err(error) => {
                    panic!("{}: no line {start:?} ({error}), but {:?}", self.name, self.early)
                }
            }
        }
    }

    /// What came until everything that was said before has been done.
    pub(super) fn all(&mut self) -> Vec<String> {
        self.say("echo done");
        self.hear("done");
        std::mem::take(&mut self.early)
    }

    /// Awaits that nothing happens for so long: what must not happen has no moment to wait for.
    pub(super) fn hears_nothing_for(&mut self, time: Duration) {
        assert_eq!(self.early, Vec::<String>::new());
        let nothing = self.lines.recv_timeout(time);
        assert!(nothing.is_err(), "{nothing:?}");
    }

    pub(super) fn keep(&mut self, other: &Self) {
        self.say(&format!("keep {} {}", other.name, other.address));
    }

    pub(super) fn signal(&self, signal: &str) {
        let status =
            Process::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn secret() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    Secret::generate().write_new(&path).unwrap();
    std::fs::read_to_string(&path).unwrap()
}

fn say(line: &str) {
    // One write, so that lines of several tasks do not mix.
    let _ = std::io::stdout().write_all(format!("@{line}\n").as_bytes());
}

/// Not a test of its own, but the program of a [`Node`].
#[test]
fn second_process() {
    let (Ok(secret), Ok(name), Ok(listen)) =
        (std::env::var(SECRET), std::env::var(NAME), std::env::var(LISTEN))
    else {
        return;
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(node(Secret::from_hex(&secret).unwrap(), name, listen.parse().unwrap()));
}

async fn node(secret: Secret, name: String, listen: SocketAddr) {
    let identity = Arc::new(Identity::new(&secret).unwrap());
    let (sender, streams) = mpsc::channel(16);
    let port = Port::bind(listen, Arc::clone(&identity), Default::default(), sender).unwrap();
    let (letters, inbox) = mpsc::channel(4);
    let post = Post::start(&name, letters).await.unwrap();
    let sessions = Sessions::start(SessionsArgs {
        hostname: port.local_addr().to_string(),
        name,
        cookie: "cookie".to_owned(),
        peers: Peers::new(identity),
        streams,
    })
    .await
    .unwrap();
    let mut events = sessions.events();
    tokio::spawn(async move {
        while let Some(change) = events.recv().await {
            match change {
                SessionChange::Up(name) => say(&format!("up {name}")),
                SessionChange::Down(name) => say(&format!("down {name}")),
            }
        }
    });
    let (hold, held) = tokio::sync::watch::channel(false);
    tokio::spawn(read_inbox(inbox, held));
    say(&format!("listening {}", port.local_addr()));
    let input = Arc::new(Mutex::new(BufReader::new(std::io::stdin())));
    loop {
        let input = Arc::clone(&input);
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            input.lock().unwrap().read_line(&mut line).map(|_| line)
        });
        let line = line.await.unwrap().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["keep", name, address] => sessions.keep(name, address),
            ["drop", name] => sessions.drop(name),
            ["hold", on] => {
                hold.send_replace(on == "on");
            }
            ["send", to, size, times] => send(&post, to, size, times),
            ["wire", to, byte] => wire(to, byte.parse().unwrap()),
            ["listeners"] => say(&format!("listeners {:?}", listeners())),
            ["echo", word] => say(word),
            _ => return,
        }
    }
}

async fn read_inbox(
    mut inbox: mpsc::Receiver<(String, Vec<u8>)>,
    mut held: tokio::sync::watch::Receiver<bool>,
) {
    while held.wait_for(|held| !held).await.is_ok() {
        let Some((from, body)) = inbox.recv().await else { return };
        let number = body.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        say(&format!("letter {from} {} {number}", body.len()));
    }
}

/// Sends letters that begin with their number, until one is refused.
fn send(post: &Post, to: &str, size: &str, times: &str) {
    let size: usize = size.parse().unwrap();
    let mut sent = 0;
    let end = loop {
        if sent == times.parse::<u64>().unwrap() {
            break "all".to_owned();
        }
        let mut body = vec![0; size];
        if let Some(number) = body.first_chunk_mut() {
            *number = sent.to_le_bytes();
        }
        match post.send(to, body) {
            Ok(()) => sent += 1,
            Err(error) => break format!("{error:?}"),
        }
    };
    say(&format!("sent {sent} {end}"));
}

/// Brings undecodable bytes to a peer's post.
fn wire(to: &str, byte: u8) {
    for member in ractor::pg::get_members(&format!("wallaby-post/{to}")) {
        let _ = member.send_serialized(ractor::message::SerializedMessage::Cast {
            variant: "unknown".to_owned(),
            args: vec![byte; 40],
            metadata: None,
        });
    }
}

/// The ports of IPv4 and IPv6 on which this process listens.
fn listeners() -> Vec<u16> {
    let mut inodes = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir("/proc/self/fd").unwrap().flatten() {
        if let Ok(link) = std::fs::read_link(entry.path())
            && let Some(inode) = link.to_string_lossy().strip_prefix("socket:[")
        {
            inodes.insert(inode.trim_end_matches(']').to_owned());
        }
    }
    let mut ports = Vec::new();
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let listening = fields.get(3) == Some(&"0A");
            if listening && fields.get(9).is_some_and(|inode| inodes.contains(*inode)) {
                let port = fields[1].rsplit_once(':').unwrap().1;
                ports.push(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports
}
