//! HTTP by hand on a connection of whoever has the secret: also what no client would say.

use super::super::harness::Cluster;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;
use tokio_rustls::client::TlsStream;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

type Stream = TlsStream<tokio::net::TcpStream>;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);

pub(super) struct Wire {
    runtime: Runtime,
    identity: Identity,
}

/// What came of a question.
pub(super) struct Answer {
    /// Of the first answer; 0 if the node closed without one.
    pub(super) status: u16,
    pub(super) text: String,
}

impl Wire {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let secret = Secret::read(&cluster.sandbox.path("cluster.secret")).unwrap();
        Self { runtime: Runtime::new().unwrap(), identity: Identity::new(&secret).unwrap() }
    }

    async fn dial(&self, node: SocketAddr) -> Stream {
        let stream = tokio::net::TcpStream::connect(node).await.unwrap();
        let connector = self.identity.http_connector();
        connector.connect(Identity::server_name(), stream).await.unwrap()
    }

    /// Says these bytes and reads the whole answer, both at the same time.
    pub(super) fn raw(&self, node: SocketAddr, said: &[&[u8]]) -> Answer {
        let heard = self.runtime.block_on(async {
            let (mut read, mut write) = tokio::io::split(self.dial(node).await);
            let saying = async {
                for bytes in said {
                    // The node may have answered and closed before everything is said.
                    if write.write_all(bytes).await.is_err() {
                        break;
                    }
                }
                let _ = write.flush().await;
                std::future::pending::<()>().await;
            };
            let mut heard = Vec::new();
            let hearing = tokio::time::timeout(ANSWER, read.read_to_end(&mut heard));
            tokio::select! {
                () = saying => {}
                outcome = hearing => {
                    // A reset is a close, if an answer came before it or none is needed.
                    let _ = outcome.expect("the node answers or closes");
                }
            }
            heard
        });
        let text = String::from_utf8_lossy(&heard).into_owned();
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Answer { status, text }
    }

    /// Asks with a sound head and this body, whose true length is told.
    pub(super) fn ask(&self, node: SocketAddr, line: &str, body: &[u8]) -> Answer {
        let length = format!("content-length: {}", body.len());
        self.ask_with(node, line, &[&length], body)
    }

    /// Asks with these headers.
    pub(super) fn ask_with(
        &self,
        node: SocketAddr,
        line: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Answer {
        let common = ["host: node", "wallaby-protocol: 1", "connection: close"];
        let headers = common.iter().chain(headers).map(|header| format!("{header}\r\n"));
        let head = format!("{line} HTTP/1.1\r\n{}\r\n", headers.collect::<String>());
        self.raw(node, &[head.as_bytes(), body])
    }

    /// Whether a node answers on a new connection.
    pub(super) fn hello(&self, node: SocketAddr) -> Result<(), String> {
        let answer = self.ask(node, "GET /v1/hello", b"");
        if answer.status == 200 { Ok(()) } else { Err(answer.text) }
    }

    /// Connections that have said half of a head.
    pub(super) fn half_open(&self, node: SocketAddr, count: usize) -> Vec<Stream> {
        self.runtime.block_on(async {
            let mut streams = Vec::new();
            for _ in 0..count {
                let mut stream = self.dial(node).await;
                stream.write_all(b"GET /v1/hello HTTP/1.1\r\nhost: no").await.unwrap();
                streams.push(stream);
            }
            streams
        })
    }
}
