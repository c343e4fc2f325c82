//! Whoever does not have the secret, on the TCP port.

use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wallaby_links::secret::Secret;
use wallaby_links::tls::{ALPN_ACTORS, ALPN_HTTP, Identity};

/// How long a node may take to close what it refuses.
const CLOSES: Duration = Duration::from_secs(30);

/// The first bytes of a handshake: a record that promises 512 bytes.
const HELLO: [u8; 9] = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc];

/// Connections that say nothing.
pub(super) fn silent(node: SocketAddr, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(node).unwrap()).collect()
}

/// Connections that have begun a handshake.
pub(super) fn dawdling(node: SocketAddr, count: usize) -> Vec<TcpStream> {
    let streams = silent(node, count);
    for mut stream in &streams {
        let _ = stream.write_all(&HELLO[..1]);
    }
    streams
}

/// Says one byte after the other on all of them, as slowly as takes so long.
pub(super) fn drip(streams: &mut [TcpStream], time: Duration) {
    let pause = time / HELLO.len() as u32;
    for byte in HELLO {
        for stream in &mut *streams {
            // Most are closed by now.
            let _ = stream.write_all(&[byte]);
        }
        std::thread::park_timeout(pause);
    }
}

/// The node closes all of them, having said nothing, or nothing but an alert.
#[track_caller]
pub(super) fn all_are_closed(streams: Vec<TcpStream>) {
    let until = Instant::now() + CLOSES;
    for mut stream in streams {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).unwrap();
        let mut said = Vec::new();
        match stream.read_to_end(&mut said) {
            Ok(_) => {}
            Err(error) => assert!(
                !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ),
                "a connection of a stranger is still open after {CLOSES:?}"
            ),
        }
        assert!(said.len() < 100, "the node said {} bytes to a stranger", said.len());
    }
}

/// What is no TLS, or no sound one.
pub(super) fn garbage(node: SocketAddr) {
    let noise = |seed: u8, length: usize| {
        let mut bytes = vec![0; length];
        let mut source = blake3::Hasher::new();
        source.update(&[seed]).finalize_xof().fill(&mut bytes);
        bytes
    };
    let http = b"GET /v1/hello HTTP/1.1\r\nhost: x\r\nwallaby-protocol: 1\r\n\r\n".to_vec();
    let huge_record = [&[0x16, 0x03, 0x01, 0xff, 0xff][..], &[0; 70_000]].concat();
    let empty_records = [0x16, 0x03, 0x01, 0x00, 0x00].repeat(20_000);
    let mut all = vec![http, huge_record, empty_records, vec![0; 8_000_000]];
    all.extend((0..20).map(|seed| noise(seed, 1 << (seed / 2 + 4))));
    let streams = all.iter().map(|bytes| {
        let mut stream = TcpStream::connect(node).unwrap();
        stream.set_write_timeout(Some(CLOSES)).unwrap();
        // The node may close before everything is written.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        stream
    });
    all_are_closed(streams.collect());
}

/// No certificate, one that signs itself, and one of another secret: for both protocols.
pub(super) fn certificates(node: SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let other = Identity::new(&Secret::generate()).unwrap();
    for protocol in [ALPN_HTTP, ALPN_ACTORS, b"h2"] {
        for certificate in [None, Some(self_signed())] {
            let connector =
                tokio_rustls::TlsConnector::from(Arc::new(config(protocol, certificate)));
            runtime.block_on(refused(node, connector));
        }
    }
    runtime.block_on(refused(node, other.http_connector()));
    runtime.block_on(refused(node, other.actors_connector()));
}

/// The handshake fails, or what comes after it: a client of TLS 1.3 is done before the server is.
async fn refused(node: SocketAddr, connector: tokio_rustls::TlsConnector) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let stream = tokio::net::TcpStream::connect(node).await.unwrap();
    let Ok(mut stream) = connector.connect(Identity::server_name(), stream).await else { return };
    let _ = stream.write_all(b"GET /v1/hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut said = Vec::new();
    let read = tokio::time::timeout(CLOSES, stream.read_to_end(&mut said)).await;
    read.expect("the node closes").expect_err("the node refuses the certificate");
    assert_eq!(said, b"");
}

type Certificate = (CertificateDer<'static>, PrivatePkcs8KeyDer<'static>);

/// With the name that the cluster's certificates have.
fn self_signed() -> Certificate {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["node.wallaby".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()))
}

/// A client that takes every server for the right one.
fn config(protocol: &[u8], certificate: Option<Certificate>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous));
    let mut config = match certificate {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            config.with_client_auth_cert(vec![certificate], key.into()).unwrap()
        }
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    config
}

#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
