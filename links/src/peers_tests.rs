//! The client against ports that come, go, lie and hang, over real sockets.

use axum::Router;
use axum::body::Body as AxumBody;
use axum::http::HeaderMap as Headers;
use axum::routing::{get, post, put};
use http_body::Frame;
use tokio::sync::mpsc;

use super::*;
use crate::port::Port;
use crate::secret::Secret;
use crate::testing::{ANYWHERE, PATIENCE, identity};

fn routes() -> Router {
    let refuse = || async {
        let body = axum::Json(serde_json::json!({ "error": "no leader at the moment" }));
        (StatusCode::SERVICE_UNAVAILABLE, body)
    };
    Router::new()
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/put", put(|body: Bytes| async move { body.len().to_string() }))
        .route(
            "/range",
            get(|headers: Headers| async move { format!("{:?}", headers.get("range")) }),
        )
        .route("/refuse", get(refuse))
        .route("/plain", get(|| async { (StatusCode::IM_A_TEAPOT, "short and stout\n") }))
        .route("/never", get(std::future::pending::<String>))
        .route("/half", get(|| async { AxumBody::new(Chunks(vec![Some(b"half"), None])) }))
        .route("/huge", get(|| async { vec![0; ANSWER_BYTES_MAX + 1] }))
}

fn serve(identity: &Arc<Identity>, listen: std::net::SocketAddr) -> Port {
    let (sender, _) = mpsc::channel(1);
    Port::bind(listen, Arc::clone(identity), routes(), sender).unwrap()
}

fn pair() -> (Port, Peers, String) {
    let identity = identity(&Secret::generate());
    let port = serve(&identity, ANYWHERE);
    let address = port.local_addr().to_string();
    (port, Peers::new(identity), address)
}

impl Peers {
    async fn get(&self, address: &str, path: &str) -> Result<Answer, LinkError> {
        self.request(address, Method::GET, path, Bytes::new(), PATIENCE).await
    }
}

/// Chunks until they are used up; at `None`, nothing more for ever.
struct Chunks(Vec<Option<&'static [u8]>>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        use std::task::Poll;
        match self.0.first() {
            None => Poll::Ready(None),
            Some(None) => Poll::Pending,
            Some(Some(chunk)) => {
                let frame = Frame::data(Bytes::from_static(chunk));
                self.0.remove(0);
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }
}

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let (_port, peers, address) = pair();
    let body = Bytes::from(vec![42; 1_000_000]);
    let answer = peers.request(&address, Method::POST, "/echo?x=1", body.clone(), PATIENCE).await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body), (StatusCode::OK, body));
    assert_eq!(answer.headers.get(PROTOCOL_HEADER).unwrap(), PROTOCOL);
}

#[tokio::test]
async fn a_name_is_an_address_too() {
    let (_port, peers, address) = pair();
    let address = address.replace("127.0.0.1", "localhost");
    let answer = peers.request(&address, Method::POST, "/echo", "x".into(), PATIENCE).await;
    assert_eq!(answer.unwrap().body, "x");
}

#[tokio::test]
async fn a_refusal_brings_its_words() {
    let (_port, peers, address) = pair();
    let error = peers.get(&address, "/refuse").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(error.to_string().ends_with(": no leader at the moment"), "{error}");
    let error = peers.get(&address, "/plain").await.unwrap_err();
    assert!(error.to_string().ends_with(": short and stout"), "{error}");
    let error = peers.get(&address, "/nowhere").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let (port, peers, address) = pair();
    port.close().await;
    for address in [&address, "no.such.host.invalid:7701", "127.0.0.1", "a b:1", ""] {
        let error = peers.get(address, "/echo").await.unwrap_err();
        assert!(matches!(error, LinkError::Unreachable { .. }), "{address}: {error:?}");
        assert_eq!(error.address(), address);
        let error = peers.dial_actors(address, PATIENCE).await.unwrap_err();
        assert!(matches!(error, LinkError::Unreachable { .. }), "{address}: {error:?}");
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_times_out() {
    let (_port, peers, address) = pair();
    let wait = Duration::from_millis(50);
    let error = peers.request(&address, Method::GET, "/never", Bytes::new(), wait).await;
    let error = error.unwrap_err();
    assert!(matches!(error, LinkError::TimedOut { .. }), "{error:?}");
    let silent = tokio::net::TcpListener::bind(ANYWHERE).await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = peers.dial_actors(&address, wait).await.unwrap_err();
    assert!(matches!(error, LinkError::TimedOut { .. }), "{error:?}");
    let error = peers.request(&address, Method::GET, "/", Bytes::new(), wait).await.unwrap_err();
    assert!(matches!(error, LinkError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_can_be_read_as_it_comes() {
    let (_port, peers, address) = pair();
    let range = [("range", "bytes=7-".to_owned())];
    let mut answer =
        peers.open(&address, Method::GET, "/range", &range, Bytes::new(), PATIENCE).await.unwrap();
    let frame = answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), r#"Some("bytes=7-")"#);
    let mut answer =
        peers.open(&address, Method::GET, "/half", &[], Bytes::new(), PATIENCE).await.unwrap();
    let frame = answer.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "half");
    let wait = Duration::from_millis(50);
    let error = peers.request(&address, Method::GET, "/half", Bytes::new(), wait).await;
    assert!(matches!(error.unwrap_err(), LinkError::TimedOut { .. }));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let (_port, peers, address) = pair();
    let error = peers.get(&address, "/huge").await.unwrap_err();
    assert!(error.to_string().contains("more than 67108864 bytes"), "{error}");
}

#[tokio::test]
async fn a_body_is_sent_as_it_comes() {
    let (_port, peers, address) = pair();
    let body = Chunks(vec![Some(b"abc"), Some(b"de"), Some(b"f")]);
    let answer = peers.put(&address, "/put", 6, body, PATIENCE).await.unwrap();
    assert_eq!(answer.body, "6");
    let answer = peers.put(&address, "/put", 0, Chunks(vec![]), PATIENCE).await.unwrap();
    assert_eq!(answer.body, "0");
}

#[tokio::test]
async fn a_body_of_another_length_or_that_stops_is_an_error() {
    let (_port, peers, address) = pair();
    let short = Chunks(vec![Some(b"abc")]);
    let error = peers.put(&address, "/put", 6, short, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("the body ends 3 bytes too early"), "{error}");
    let long = Chunks(vec![Some(b"abc"), Some(b"de")]);
    let error = peers.put(&address, "/put", 4, long, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("longer than was said"), "{error}");
    let stuck = Chunks(vec![Some(b"abc"), None]);
    let idle = Duration::from_millis(50);
    let error = peers.put(&address, "/put", 6, stuck, idle).await.unwrap_err();
    assert!(matches!(error, LinkError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn the_pool_survives_a_restart_of_its_peer() {
    let identity = identity(&Secret::generate());
    let peers = Peers::new(Arc::clone(&identity));
    let mut port = serve(&identity, ANYWHERE);
    let (listen, address) = (port.local_addr(), port.local_addr().to_string());
    for _ in 0..5 {
        for _ in 0..4 {
            let answer = peers.get(&address, "/range").await.unwrap();
            assert_eq!(answer.body, "None");
        }
        port.close().await;
        port = serve(&identity, listen);
    }
}

#[tokio::test]
async fn another_protocol_is_named() {
    let identity = identity(&Secret::generate());
    let listener = tokio::net::TcpListener::bind(ANYWHERE).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let acceptor = identity.acceptor();
    let answers = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        for header in ["wallaby-protocol: 2\r\n", ""] {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await.unwrap();
            let answer = format!(
                "HTTP/1.1 200 OK\r\n{header}connection: close\r\ncontent-length: 0\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let peers = Peers::new(identity);
    for words in ["it speaks protocol 2", "it names no protocol version"] {
        let error = peers.get(&address, "/").await.unwrap_err();
        assert!(matches!(error, LinkError::OtherProtocol { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
    answers.await.unwrap();
}
