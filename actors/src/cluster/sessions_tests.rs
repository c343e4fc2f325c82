//! Sessions and the post between processes. Actors' registries are of a process, so every node is
//! one: this test's own program, started again with the test [`second_process`] alone, told what
//! to do by lines on its standard input, telling what happens by lines on its standard output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, Command as Process, Stdio};
use std::sync::{Arc, Mutex, mpsc as sync};
use std::time::{Duration, Instant};

use wallaby_links::port::Port;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

use super::*;
use crate::cluster::post::{LETTER_BYTES_MAX, Post, WINDOW_BYTES};

const SECRET: &str = "WALLABY_TEST_SESSIONS_SECRET";
const NAME: &str = "WALLABY_TEST_SESSIONS_NAME";
const LISTEN: &str = "WALLABY_TEST_SESSIONS_LISTEN";
const PATIENCE: Duration = Duration::from_secs(60);

/// A node in a process of its own.
struct Node {
    process: Child,
    input: ChildStdin,
    lines: sync::Receiver<String>,
    /// Lines that came before the one that was waited for.
    early: Vec<String>,
    name: String,
    address: String,
}

impl Node {
    fn start(secret: &str, name: &str) -> Self {
        Self::start_at(secret, name, "127.0.0.1:0")
    }

    fn start_at(secret: &str, name: &str, listen: &str) -> Self {
        let mut process = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "cluster::sessions::tests::second_process", "--nocapture"])
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

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// The next line that begins with `start`.
    fn hear(&mut self, start: &str) -> String {
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
    fn all(&mut self) -> Vec<String> {
        self.say("echo done");
        self.hear("done");
        std::mem::take(&mut self.early)
    }

    fn keep(&mut self, other: &Self) {
        self.say(&format!("keep {} {}", other.name, other.address));
    }

    fn signal(&self, signal: &str) {
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

fn secret() -> String {
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

/// Two nodes with a session, the first of which dialled.
fn pair() -> (String, Node, Node) {
    let secret = secret();
    let mut anna = Node::start(&secret, "anna#1");
    let mut bert = Node::start(&secret, "bert#1");
    anna.keep(&bert);
    bert.keep(&anna);
    anna.hear("up bert#1");
    bert.hear("up anna#1");
    (secret, anna, bert)
}

#[test]
fn letters_go_both_ways_in_order() {
    let (_, mut anna, mut bert) = pair();
    anna.say("send bert#1 100 500");
    bert.say("send anna#1 5000 500");
    assert_eq!(anna.hear("sent"), "sent 500 all");
    assert_eq!(bert.hear("sent"), "sent 500 all");
    for number in 0..500 {
        assert_eq!(bert.hear("letter"), format!("letter anna#1 100 {number}"));
        assert_eq!(anna.hear("letter"), format!("letter bert#1 5000 {number}"));
    }
}

#[test]
fn a_large_letter_goes() {
    let (_, mut anna, mut bert) = pair();
    anna.say(&format!("send bert#1 {LETTER_BYTES_MAX} 3"));
    assert_eq!(anna.hear("sent"), "sent 3 all");
    for number in 0..3 {
        assert_eq!(bert.hear("letter"), format!("letter anna#1 {LETTER_BYTES_MAX} {number}"));
    }
}

#[test]
fn both_keep_each_other_and_there_is_one_session() {
    let (_, mut anna, mut bert) = pair();
    for _ in 0..3 {
        anna.keep(&bert);
        bert.keep(&anna);
    }
    anna.say("send bert#1 8 1");
    bert.say("send anna#1 8 1");
    anna.hear("letter");
    bert.hear("letter");
    for said in [anna.all(), bert.all()] {
        assert!(!said.iter().any(|line| line.starts_with("up") || line.starts_with("down")));
    }
}

#[test]
fn nothing_listens_but_the_port() {
    let (_, mut anna, _bert) = pair();
    anna.say("listeners");
    let port = anna.address.rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(anna.hear("listeners"), format!("listeners [{port}]"));
}

#[test]
fn a_node_that_dies_is_down_at_once_and_its_next_boot_comes_up() {
    let (secret, mut anna, bert) = pair();
    let address = bert.address.clone();
    bert.signal("-KILL");
    anna.hear("down bert#1");
    anna.say("send bert#1 8 1");
    assert_eq!(anna.hear("sent"), "sent 0 NoSession");
    drop(bert);
    let mut next = Node::start_at(&secret, "bert#2", &address);
    anna.say("drop bert#1");
    anna.keep(&next);
    anna.hear("up bert#2");
    next.hear("up anna#1");
    anna.say("send bert#2 8 1");
    next.hear("letter anna#1");
}

#[test]
fn a_session_that_breaks_is_dialled_again() {
    let (_, mut anna, mut bert) = pair();
    // Of the two, anna dials; that bert ends the session is to her like any break.
    for _ in 0..3 {
        bert.say("drop anna#1");
        bert.hear("down anna#1");
        anna.hear("down bert#1");
        anna.hear("up bert#1");
        bert.hear("up anna#1");
    }
    anna.say("send bert#1 8 1");
    bert.hear("letter anna#1");
}

#[test]
fn a_dropped_node_is_dialled_no_more_until_it_is_kept_again() {
    let (_, mut anna, mut bert) = pair();
    anna.say("drop bert#1");
    anna.hear("down bert#1");
    bert.hear("down anna#1");
    // Long enough for several dials at the first pauses: nothing to wait for but time itself.
    let nothing = bert.lines.recv_timeout(Duration::from_millis(700));
    assert!(nothing.is_err(), "{nothing:?}");
    anna.keep(&bert);
    anna.hear("up bert#1");
    bert.hear("up anna#1");
}

#[test]
fn a_frozen_node_costs_a_window_is_dropped_at_once_and_comes_back() {
    let (_, mut anna, mut bert) = pair();
    bert.signal("-STOP");
    anna.say("send bert#1 65536 1000");
    let window = WINDOW_BYTES / (65536 + 64);
    assert_eq!(anna.hear("sent"), format!("sent {window} Backlogged"));
    let start = Instant::now();
    anna.say("drop bert#1");
    anna.hear("down bert#1");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    anna.keep(&bert);
    bert.signal("-CONT");
    anna.hear("up bert#1");
    bert.hear("down anna#1");
    bert.hear("up anna#1");
    anna.say("send bert#1 77 1");
    assert_eq!(anna.hear("sent"), "sent 1 all");
    bert.hear("letter anna#1 77 0");
}

#[test]
fn a_node_that_reads_nothing_holds_its_senders_back_and_loses_nothing() {
    let (_, mut anna, mut bert) = pair();
    bert.say("hold on");
    bert.all();
    anna.say("send bert#1 10000 10000");
    let first = anna.hear("sent");
    assert!(first.ends_with("Backlogged"), "{first}");
    let sent: u64 = first.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(sent * 10_000 <= WINDOW_BYTES && sent * 10_000 > WINDOW_BYTES / 2, "{sent}");
    bert.say("hold off");
    for number in 0..sent {
        assert_eq!(bert.hear("letter"), format!("letter anna#1 10000 {number}"));
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        anna.say("send bert#1 10000 1");
        if anna.hear("sent") == "sent 1 all" {
            break;
        }
        assert!(Instant::now() < deadline);
    }
    assert_eq!(bert.hear("letter"), "letter anna#1 10000 0");
}

#[test]
fn what_a_peer_cannot_decode_harms_neither() {
    let (_, mut anna, mut bert) = pair();
    for byte in [0, 1, 2, 255] {
        anna.say(&format!("wire bert#1 {byte}"));
    }
    anna.say("send bert#1 8 1");
    bert.hear("letter anna#1 8 0");
    assert!(!bert.all().iter().any(|line| line.starts_with("down")));
}

#[test]
fn a_node_of_another_cluster_gets_no_session() {
    let mut anna = Node::start(&secret(), "anna#1");
    let mut bert = Node::start(&secret(), "bert#1");
    anna.keep(&bert);
    let nothing = bert.lines.recv_timeout(Duration::from_millis(700));
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(anna.all(), Vec::<String>::new());
    assert_eq!(bert.all(), Vec::<String>::new());
}

#[test]
fn another_boot_at_the_address_is_not_taken_for_the_one_that_was_kept() {
    let secret = secret();
    let mut anna = Node::start(&secret, "anna#1");
    let mut bert = Node::start(&secret, "bert#2");
    anna.say(&format!("keep bert#1 {}", bert.address));
    anna.hear("up bert#2");
    bert.hear("up anna#1");
    anna.say("send bert#1 8 1");
    assert_eq!(anna.hear("sent"), "sent 0 NoSession");
    // That boot is gone for good, and with it not the session of the other.
    anna.keep(&bert);
    anna.say("drop bert#1");
    anna.say("send bert#2 8 1");
    assert_eq!(anna.hear("sent"), "sent 1 all");
    bert.hear("letter anna#1");
    assert!(!anna.all().iter().any(|line| line.starts_with("down")));
}

#[tokio::test]
async fn names_that_cannot_be_told_apart_are_refused() {
    let (_, streams) = mpsc::channel(1);
    let identity = Arc::new(Identity::new(&Secret::generate()).unwrap());
    let error = Sessions::start(SessionsArgs {
        name: "a@b".to_owned(),
        hostname: Ipv4Addr::LOCALHOST.to_string(),
        cookie: String::new(),
        peers: Peers::new(identity),
        streams,
    })
    .await
    .unwrap_err();
    assert!(error.to_string().starts_with("the node's name is \"a@b\""), "{error}");
}
