//! Claims about the routes, as bytes on an authenticated connection: also what no client of ours
//! would say.

use super::test_node::*;
use super::*;
use crate::test_disk::SmallDisk;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wallaby_links::tls::Identity;

/// A connection to a node, and what is said on it.
struct Wire<'a> {
    cluster: &'a Cluster,
    node: &'a TestNode,
}

/// An answer, cut at the blank line.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|field| field.0.eq_ignore_ascii_case(name)).map(|field| field.1).next()
    }

    /// The sentence of a refusal.
    fn error(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        json["error"].as_str().unwrap().to_owned()
    }
}

impl Wire<'_> {
    /// Sends a request line, headers and a body, stops sending, and reads all of the answer.
    async fn say(&self, line: &str, headers: &[&str], body: &[u8]) -> Answer {
        let socket = TcpStream::connect(&self.node.address).await.unwrap();
        let tls = self.cluster.identity.http_connector();
        let mut stream = tls.connect(Identity::server_name(), socket).await.unwrap();
        let common = ["host: node", "wallaby-protocol: 1", "connection: close"];
        let headers = common.iter().chain(headers).map(|header| format!("{header}\r\n"));
        let head = format!("{line} HTTP/1.1\r\n{}\r\n", headers.collect::<String>());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        stream.flush().await.unwrap();
        let mut said = Vec::new();
        let heard = tokio::time::timeout(LIMIT, stream.read_to_end(&mut said)).await.unwrap();
        assert!(heard.is_ok() || !said.is_empty(), "{heard:?}");
        let end = said.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(said[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: said[end + 4..].to_vec() }
    }
}

fn folder_of(node: &TestNode) -> &std::path::Path {
    node.folder.as_ref().unwrap().path()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_given_whole_or_from_a_place_on() {
    let cluster = Cluster::new();
    let node = cluster.node();
    let wire = Wire { cluster: &cluster, node: &node };
    let blob = bytes(1, 2_000_000);
    let digest = node.put(blob.clone());
    let whole = wire.say(&format!("GET /v1/blobs/{digest}"), &[], b"").await;
    assert_eq!((whole.status, &whole.body), (200, &blob));
    assert_eq!(whole.header("etag"), Some(format!("\"{digest}\"").as_str()));
    assert_eq!(whole.header("content-length"), Some("2000000"));
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
    for from in [0, 1, 1_048_576, 1_999_999] {
        let range = format!("range: bytes={from}-");
        let rest = wire.say(&format!("GET /v1/blobs/{digest}"), &[&range], b"").await;
        assert_eq!((rest.status, &rest.body[..]), (206, &blob[from..]));
        let part = format!("bytes {from}-1999999/2000000");
        assert_eq!(rest.header("content-range"), Some(part.as_str()));
    }
    let head = wire.say(&format!("HEAD /v1/blobs/{digest}?durable=1"), &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("2000000"));
    let shouted = digest.to_string().to_uppercase();
    assert_eq!(wire.say(&format!("HEAD /v1/blobs/{shouted}"), &[], b"").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_past_the_end_and_one_of_another_form_are_refused() {
    let cluster = Cluster::new();
    let node = cluster.node();
    let wire = Wire { cluster: &cluster, node: &node };
    let digest = node.put(b"seven b".to_vec());
    let line = format!("GET /v1/blobs/{digest}");
    for from in ["7", "8", "18446744073709551615"] {
        let past = wire.say(&line, &[&format!("range: bytes={from}-")], b"").await;
        assert_eq!((past.status, past.header("content-range")), (416, Some("bytes */7")));
        let expected = format!("blob {digest} has 7 bytes, none from {from} on");
        assert_eq!(past.error(), expected);
    }
    for range in [
        "bytes=-3",
        "bytes=1-2",
        "bytes=0-1,3-",
        "bytes=+1-",
        "lines=1-",
        "bytes=99999999999999999999-",
    ] {
        let odd = wire.say(&line, &[&format!("range: {range}")], b"").await;
        assert_eq!(odd.status, 400, "{range}");
        assert_eq!(odd.error(), format!("range \"{range}\": expected bytes=N-"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_digest_reaches_no_file() {
    let cluster = Cluster::new();
    let node = cluster.node();
    let wire = Wire { cluster: &cluster, node: &node };
    let digits = "a".repeat(63);
    let garbage = [
        "x",
        "..",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "%ff%fe",
        "%00",
        &digits,
        &format!("{digits}g"),
        &format!("{digits}aa"),
        &format!("{digits}%2f"),
        &"a".repeat(5000),
    ];
    for name in garbage {
        for method in ["GET", "HEAD", "PUT"] {
            let line = format!("{method} /v1/blobs/{name}");
            let refused = wire.say(&line, &["content-length: 0"], b"").await;
            assert_eq!(refused.status, 400, "{line}");
            if method != "HEAD" {
                assert!(refused.error().ends_with("expected 64 hexadecimal digits"));
            }
        }
    }
    let nowhere = wire.say("GET /v1/blobs/../../../etc/passwd", &[], b"").await;
    assert_eq!(nowhere.status, 404);
    let digest = Digest::of(b"absent");
    let absent = wire.say(&format!("GET /v1/blobs/{digest}"), &[], b"").await;
    assert_eq!(
        (absent.status, absent.error()),
        (404, format!("blob {digest} is not in the store"))
    );
    let other = wire.say(&format!("DELETE /v1/blobs/{digest}"), &[], b"").await;
    assert_eq!((other.status, other.header("allow")), (405, Some("GET, HEAD, PUT")));
    assert!(other.error().contains("PUT"));
    assert_eq!(files_below(folder_of(&node)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_put_is_kept_once_and_only_if_its_bytes_are_right() {
    let cluster = Cluster::new();
    let node = cluster.node();
    let wire = Wire { cluster: &cluster, node: &node };
    let blob = bytes(1, 1_500_000);
    let digest = Digest::of(&blob);
    let line = format!("PUT /v1/blobs/{digest}?kind=checkpoint");
    let length = format!("content-length: {}", blob.len());

    let mut wrong = blob.clone();
    wrong[700_000] ^= 1;
    let refused = wire.say(&line, &[&length], &wrong).await;
    let found = Digest::of(&wrong);
    let expected = format!("1500000 bytes came as blob {digest}, but their digest is {found}");
    assert_eq!((refused.status, refused.error()), (422, expected));
    assert_eq!(files_below(folder_of(&node)), 0);

    assert_eq!(wire.say(&line, &[&length], &blob).await.status, 201);
    assert_eq!(*node.blobs.get(&digest).unwrap(), blob);
    let received = node.meter.snapshot().checkpoint.received;
    assert_eq!(received, 3_000_000);
    assert_eq!(wire.say(&line, &["content-length: 9999999999"], b"").await.status, 200);
    assert_eq!(node.meter.snapshot().checkpoint.received, received);
    assert_eq!(files_below(folder_of(&node)), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_says_its_length_and_it_is_bounded() {
    let cluster = Cluster::new();
    let node = cluster.node();
    let wire = Wire { cluster: &cluster, node: &node };
    let line = format!("PUT /v1/blobs/{}", Digest::of(b"blob"));
    let unknown = wire.say(&line, &["transfer-encoding: chunked"], b"4\r\nblob\r\n0\r\n\r\n").await;
    assert_eq!(unknown.status, 411);
    let large = wire.say(&line, &["content-length: 17179869185"], b"").await;
    assert_eq!(large.status, 413);
    assert_eq!(large.error(), "content-length 17179869185: expected at most 17179869184 bytes");
    assert_eq!(files_below(folder_of(&node)), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_put_leaves_nothing() {
    let cluster = Cluster::new();
    let node = cluster.node();
    let blob = bytes(1, 3_000_000);
    let socket = TcpStream::connect(&node.address).await.unwrap();
    let tls = cluster.identity.http_connector();
    let mut stream = tls.connect(Identity::server_name(), socket).await.unwrap();
    let digest = Digest::of(&blob);
    let head = format!(
        "PUT /v1/blobs/{digest} HTTP/1.1\r\nhost: node\r\nwallaby-protocol: 1\r\n\
         content-length: 3000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&blob[..2_000_000]).await.unwrap();
    stream.flush().await.unwrap();
    until(|| files_below(folder_of(&node)) == 1).await;
    drop(stream);
    until(|| files_below(folder_of(&node)) == 0).await;
    assert!(!node.blobs.contains(&digest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_to_a_full_disk_is_answered_507() {
    let Some(disk) = SmallDisk::mount() else { return };
    let cluster = Cluster::new();
    let node = cluster.small_node(&disk);
    let wire = Wire { cluster: &cluster, node: &node };
    let blob = bytes(1, 8_000_000);
    let digest = Digest::of(&blob);
    let line = format!("PUT /v1/blobs/{digest}");
    let refused = wire.say(&line, &["content-length: 8000000"], &blob).await;
    assert_eq!(refused.status, 507);
    assert!(refused.error().starts_with("no space left for blob"), "{}", refused.error());
    assert_eq!(files_below(disk.path()), 0);
}
