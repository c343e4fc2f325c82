//! The port under strangers, garbage and silence, over real sockets.

use std::io::ErrorKind;
use std::time::Instant;

use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::peers::{LinkError, Peers};
use crate::secret::Secret;
use crate::testing::{ANYWHERE, Log, PATIENCE, identity};

struct Node {
    port: Port,
    actors: mpsc::Receiver<ActorStream>,
    identity: Arc<Identity>,
}

impl Node {
    fn new(limits: Limits) -> Self {
        let router = Router::new()
            .route("/echo", post(|body: Bytes| async move { body }))
            .route("/hello", get(|| async { "hello" }));
        let identity = identity(&Secret::generate());
        let (sender, actors) = mpsc::channel(4);
        let port = Port::bind_with(ANYWHERE, &identity, router, sender, limits).unwrap();
        Self { port, actors, identity }
    }

    fn address(&self) -> String {
        self.port.local_addr().to_string()
    }

    async fn hello(&self) -> Result<Bytes, LinkError> {
        let (peers, address) = (Peers::new(Arc::clone(&self.identity)), self.address());
        let answer = peers.request(&address, Method::GET, "/hello", Bytes::new(), PATIENCE);
        answer.await.map(|answer| answer.body)
    }

    /// An authenticated connection to write HTTP on by hand.
    async fn dial(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.port.local_addr()).await.unwrap();
        self.identity.http_connector().connect(Identity::server_name(), stream).await.unwrap()
    }
}

/// Everything that arrives until the other side closes.
async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the port closes") {
        Ok(_) => {}
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof),
            "{error}"
        ),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_peer_with_the_secret_is_served() {
    let node = Node::new(LIMITS);
    assert_eq!(node.hello().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_stream_for_the_actors_carries_bytes_both_ways() {
    let mut node = Node::new(LIMITS);
    let peers = Peers::new(Arc::clone(&node.identity));
    let mut ours = peers.dial_actors(&node.address(), PATIENCE).await.unwrap();
    let mut theirs = timeout(PATIENCE, node.actors.recv()).await.unwrap().unwrap();
    assert_eq!(theirs.local, node.port.local_addr());
    assert_eq!(theirs.peer, ours.get_ref().0.local_addr().unwrap());
    let mut bytes = [0; 4];
    ours.write_all(b"ping").await.unwrap();
    theirs.stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"ping");
    theirs.stream.write_all(b"pong").await.unwrap();
    ours.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"pong");
}

#[tokio::test]
async fn actor_streams_that_nobody_takes_are_closed() {
    let node = Node::new(LIMITS);
    let peers = Peers::new(Arc::clone(&node.identity));
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(peers.dial_actors(&node.address(), PATIENCE).await.unwrap());
    }
    while node.actors.len() < 4 {
        tokio::task::yield_now().await;
    }
    let mut surplus = peers.dial_actors(&node.address(), PATIENCE).await.unwrap();
    assert_eq!(rest(&mut surplus).await, "");
}

#[tokio::test]
async fn another_secret_is_refused_and_said_once() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let node = Node::new(LIMITS);
    let stranger = Peers::new(identity(&Secret::generate()));
    for _ in 0..3 {
        let error = stranger
            .request(&node.address(), Method::GET, "/hello", Bytes::new(), PATIENCE)
            .await
            .unwrap_err();
        assert!(matches!(error, LinkError::OtherSecret { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("{} has another cluster secret", node.address()));
        let error = stranger.dial_actors(&node.address(), PATIENCE).await.unwrap_err();
        assert!(matches!(error, LinkError::OtherSecret { .. }), "{error:?}");
    }
    let line = log.line("refused").await;
    let words = "refused a connection from 127.0.0.1: it has another cluster secret, or none";
    assert!(line.contains(words), "{line}");
    assert_eq!(node.hello().await.unwrap(), "hello");
    assert_eq!(log.lines().len(), 1);
}

#[tokio::test]
async fn who_shows_no_certificate_is_refused() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let node = Node::new(LIMITS);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(node.identity.authority()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_HTTP.to_vec()];
    let stream = TcpStream::connect(node.port.local_addr()).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(Identity::server_name(), stream).await.unwrap();
    let error = stream.read_u8().await.unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
    let line = log.line("refused").await;
    assert!(line.contains("it has another cluster secret, or none"), "{line}");
}

#[tokio::test]
async fn silent_strangers_do_not_delay_a_peer() {
    let node = Node::new(LIMITS);
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(node.port.local_addr()).await.unwrap());
    }
    let start = Instant::now();
    assert_eq!(node.hello().await.unwrap(), "hello");
    assert!(start.elapsed() < LIMITS.handshake, "{:?}", start.elapsed());
}

#[tokio::test]
async fn more_silent_strangers_than_handshakes_delay_no_peer_and_are_cut_off() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let node = Node::new(Limits { handshakes: 2, ..LIMITS });
    let start = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(TcpStream::connect(node.port.local_addr()).await.unwrap());
    }
    assert_eq!(node.hello().await.unwrap(), "hello");
    assert!(start.elapsed() < LIMITS.handshake, "{:?}", start.elapsed());
    let line = log.line("refused").await;
    assert!(line.contains("there are too many handshakes, and this was the oldest"), "{line}");
    for mut stream in silent {
        assert_eq!(rest(&mut stream).await, "", "a silent stranger is cut off");
    }
    assert_eq!(log.lines().len(), 1);
}

#[tokio::test]
async fn garbage_is_refused_and_does_no_harm() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let node = Node::new(LIMITS);
    let http = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
    let huge_record = [&[0x16, 0x03, 0x01, 0xff, 0xff][..], &[0; 70_000]].concat();
    for bytes in [http, vec![0; 100_000], vec![0xff; 5], huge_record] {
        let mut stream = TcpStream::connect(node.port.local_addr()).await.unwrap();
        // The port may close before everything is written.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        rest(&mut stream).await;
    }
    let line = log.line("refused").await;
    assert!(line.contains("it speaks something else than TLS 1.3"), "{line}");
    assert_eq!(node.hello().await.unwrap(), "hello");
}

#[tokio::test]
async fn an_oversized_head_is_refused() {
    let node = Node::new(LIMITS);
    let mut stream = node.dial().await;
    let head = format!("GET /hello HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "x".repeat(100_000));
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(node.hello().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused() {
    let node = Node::new(LIMITS);
    let peers = Peers::new(Arc::clone(&node.identity));
    let (fits, address) = (Bytes::from(vec![7; BODY_BYTES_MAX]), node.address());
    let answer = peers.request(&address, Method::POST, "/echo", fits.clone(), PATIENCE);
    assert_eq!(answer.await.unwrap().body, fits);
    let mut stream = node.dial().await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: x\r\n{PROTOCOL_HEADER}: {PROTOCOL}\r\n\
         content-length: {}\r\n\r\n",
        BODY_BYTES_MAX + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![0; BODY_BYTES_MAX + 1]).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
}

#[tokio::test]
async fn another_protocol_is_answered_with_both_versions() {
    let node = Node::new(LIMITS);
    for (header, spoken) in [("wallaby-protocol: 9\r\n", "protocol 9"), ("", "no protocol version")]
    {
        for path in ["/hello", "/nowhere"] {
            let mut stream = node.dial().await;
            let head =
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let answer = rest(&mut stream).await;
            assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
            assert!(answer.contains("\r\nwallaby-protocol: 1\r\n"), "{answer}");
            let words = format!("the request names {spoken}, this node speaks protocol {PROTOCOL}");
            assert!(answer.contains(&words), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let head = Duration::from_millis(100);
    let node = Node::new(Limits { head, ..LIMITS });
    let mut nothing = node.dial().await;
    assert_eq!(rest(&mut nothing).await, "");
    let mut half = node.dial().await;
    half.write_all(b"GET /hello HTTP/1.1\r\nhost:").await.unwrap();
    assert_eq!(rest(&mut half).await, "");
    // The same after a request that was answered.
    let mut again = node.dial().await;
    let whole = b"GET /hello HTTP/1.1\r\nhost: x\r\nwallaby-protocol: 1\r\n\r\n";
    again.write_all(whole).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        answer.push(timeout(PATIENCE, again.read_u8()).await.unwrap().unwrap());
    }
    again.write_all(b"GET /he").await.unwrap();
    assert_eq!(rest(&mut again).await, "");
}

#[tokio::test]
async fn a_connection_that_rests_is_closed_but_not_at_once() {
    let idle = Duration::from_millis(300);
    let node = Node::new(Limits { idle, head: Duration::from_millis(50), ..LIMITS });
    let mut stream = node.dial().await;
    let start = Instant::now();
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\nwallaby-protocol: 1\r\n\r\n")
        .await
        .unwrap();
    assert!(rest(&mut stream).await.ends_with("hello"));
    assert!(start.elapsed() >= idle, "{:?}", start.elapsed());
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed() {
    let node = Node::new(Limits { connections: 1, ..LIMITS });
    let mut first = node.dial().await;
    let request = b"GET /hello HTTP/1.1\r\nhost: x\r\nwallaby-protocol: 1\r\n\r\n";
    first.write_all(request).await.unwrap();
    first.read_u8().await.unwrap();
    let mut second = node.dial().await;
    assert_eq!(rest(&mut second).await, "");
    drop(first);
    timeout(PATIENCE, async { while node.hello().await.is_err() {} }).await.unwrap();
}

#[tokio::test]
async fn a_closed_port_frees_its_address() {
    let node = Node::new(LIMITS);
    assert_eq!(node.hello().await.unwrap(), "hello");
    let address = node.port.local_addr();
    timeout(PATIENCE, node.port.close()).await.unwrap();
    assert!(matches!(node.hello().await.unwrap_err(), LinkError::Unreachable { .. }));
    let (sender, _actors) = mpsc::channel(1);
    Port::bind(address, Arc::clone(&node.identity), Router::new(), sender).unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let node = Node::new(LIMITS);
    let (sender, _actors) = mpsc::channel(1);
    let again =
        Port::bind(node.port.local_addr(), Arc::clone(&node.identity), Router::new(), sender);
    let error = again.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {}: ", node.address())), "{error}");
}
