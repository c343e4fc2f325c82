//! Somebody who has the secret and sends letters, or what should be letters.

use super::super::harness::Cluster;
use super::super::waiting::{DEADLINE, await_some, holds};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;
use wallaby_actors::cluster::api_types::NodeInfo;
use wallaby_actors::cluster::post::{Post, PostError};
use wallaby_actors::cluster::sessions::{Sessions, SessionsArgs};
use wallaby_links::peers::Peers;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

type Stream = TlsStream<tokio::net::TcpStream>;

/// How long a node may take to end a session that is none.
const ENDS: Duration = Duration::from_secs(40);

pub(super) struct Insider {
    peers: Peers,
    post: Post,
    sessions: Sessions,
    // Last: the others live in it.
    runtime: Runtime,
}

impl Insider {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let secret = Secret::read(&cluster.sandbox.path("cluster.secret")).unwrap();
        let runtime = Runtime::new().unwrap();
        let (peers, post, sessions) = runtime.block_on(async {
            let peers = Peers::new(Arc::new(Identity::new(&secret).unwrap()));
            // Of two nodes that one dials whose name is the smaller.
            let name = "an-insider#1".to_owned();
            let (inbox, _) = mpsc::channel(1);
            let post = Post::start(&name, inbox).await.unwrap();
            let cookie = secret.derive("actors").iter().map(|b| format!("{b:02x}")).collect();
            let (_, streams) = mpsc::channel(1);
            let hostname = name.clone();
            let args = SessionsArgs { name, hostname, cookie, peers: peers.clone(), streams };
            (peers, post, Sessions::start(args).await.unwrap())
        });
        Self { peers, post, sessions, runtime }
    }

    async fn dial(&self, node: SocketAddr) -> Stream {
        self.peers.dial_actors(&node.to_string(), DEADLINE).await.unwrap()
    }

    /// Says these bytes on a connection, which the node then ends.
    #[track_caller]
    fn ends_after(&self, node: SocketAddr, bytes: &[u8]) {
        self.runtime.block_on(async {
            let mut stream = self.dial(node).await;
            let _ = stream.write_all(bytes).await;
            ends(&mut stream).await;
        });
    }

    /// Frames of the right form that hold nothing of sense.
    #[track_caller]
    pub(super) fn frames_of_garbage(&self, node: SocketAddr) {
        for seed in 0..10 {
            let mut frame = vec![0; 200];
            let mut noise = blake3::Hasher::new();
            noise.update(&[seed]).finalize_xof().fill(&mut frame);
            let whole = [&200_u64.to_be_bytes()[..], &frame].concat();
            self.ends_after(node, &whole);
        }
    }

    /// Frames that announce more than a session takes.
    #[track_caller]
    pub(super) fn frames_that_are_too_large(&self, node: SocketAddr) {
        for length in [3_u64 << 20, u64::from(u32::MAX), u64::MAX] {
            let whole = [&length.to_be_bytes()[..], &[0; 100_000]].concat();
            self.ends_after(node, &whole);
        }
    }

    /// Connections that never become sessions: more than there may be, a byte at a time.
    #[track_caller]
    pub(super) fn sessions_that_say_nothing(&self, node: SocketAddr, count: usize) {
        self.runtime.block_on(async {
            let mut streams = Vec::new();
            for _ in 0..count {
                let mut stream = self.dial(node).await;
                let _ = stream.write_all(&[0]).await;
                streams.push(stream);
            }
            for stream in &mut streams {
                ends(stream).await;
            }
        });
    }

    /// Letters from a session as it should be that nobody can read.
    #[track_caller]
    pub(super) fn unreadable_letters(&self, to: &NodeInfo, count: usize) {
        let session = format!("{}#{}", to.name, to.boot);
        self.sessions.keep(session.clone(), to.api.clone());
        for number in 0..count {
            let bytes = match number % 4 {
                0 => vec![],
                1 => vec![1; 100],
                2 => vec![0xff; 10_000],
                // An order with a list that has no end in sight.
                _ => [&[1, 0, 1, 1][..], &[0xff; 9]].concat(),
            };
            await_some("a letter goes", DEADLINE, || {
                match self.post.send(&session, bytes.clone()) {
                    Ok(()) => Ok(()),
                    Err(error @ (PostError::NoSession | PostError::Backlogged)) => {
                        Err(error.to_string())
                    }
                    Err(error) => panic!("{error}"),
                }
            });
        }
        self.sessions.drop(&session);
        await_some("there is no session any more", DEADLINE, || {
            let sent = self.post.send(&session, vec![]);
            holds(sent == Err(PostError::NoSession), || format!("{sent:?}"))
        });
    }
}

/// The node closes the connection. What it said before is of no interest.
async fn ends(stream: &mut Stream) {
    let mut said = Vec::new();
    let read = tokio::time::timeout(ENDS, stream.read_to_end(&mut said)).await;
    assert!(read.is_ok(), "a connection that is no session is still open after {ENDS:?}");
    assert!(said.len() < 10_000, "the node said {} bytes", said.len());
}
