//! Requests of whoever has the secret and has lost its wits: heads, paths, questions, studies and
//! bodies that are refused, each with the status that says why.

use super::wire::Wire;
use std::net::SocketAddr;
use wallaby::wallaby_core::ids::Digest;
use wallaby::wallaby_core::journal::{Blob, Creation, Manifest};
use wallaby::wallaby_core::space::{Domain, Space};
use wallaby::wallaby_core::spec::{
    Budget, Direction, Objective, Order, PolicyKind, SamplerKind, Search, Spec,
};

#[track_caller]
fn refused(wire: &Wire, node: SocketAddr, line: &str, body: &[u8], statuses: &[u16]) {
    let answer = wire.ask(node, line, body);
    let start: String = line.chars().take(100).collect();
    assert!(statuses.contains(&answer.status), "{start}: {}", answer.text);
    assert!(!answer.text.contains("secret_file"), "{start}: {}", answer.text);
}

/// Heads that HTTP, or this protocol of it, does not know.
pub(super) fn heads(wire: &Wire, node: SocketAddr) {
    let line = "GET /v1/hello";
    let many: Vec<String> = (0..100).map(|number| format!("x-{number}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = format!("long: {}", "x".repeat(100_000));
    let contradicting = ["content-length: 3", "content-length: 5"];
    for (headers, statuses) in [
        (&many[..], &[431][..]),
        (&[long.as_str()], &[431]),
        (&["content-length: -1"], &[400]),
        (&["content-length: 99999999999999999999999"], &[400]),
        (&contradicting, &[400]),
        (&["transfer-encoding: gzip"], &[400]),
        (&["bad header"], &[400]),
        (&["wallaby-protocol: 2"], &[200, 426]),
    ] {
        let answer = wire.ask_with(node, line, headers, b"");
        assert!(statuses.contains(&answer.status), "{:?}: {}", headers[0], answer.text);
    }
    let other =
        wire.raw(node, &[b"GET /v1/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"]);
    assert_eq!(other.status, 426, "{}", other.text);
    for garbage in
        [&[0; 1000][..], b"\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
    {
        let answer = wire.raw(node, &[garbage]);
        assert!(matches!(answer.status, 0 | 400 | 505), "{}", answer.text);
    }
}

/// Whatever a path may say, no file is reached but blobs by their digests.
pub(super) fn paths(wire: &Wire, node: SocketAddr) {
    let digits = "a".repeat(63);
    let names = [
        "x".to_owned(),
        "..".to_owned(),
        "%2e%2e%2f%2e%2e%2fcluster.toml".to_owned(),
        "%2Fetc%2Fpasswd".to_owned(),
        "..%5c..%5cnode.toml".to_owned(),
        "%00".to_owned(),
        "%ff%fe".to_owned(),
        format!("{digits}g"),
        format!("{digits}aa"),
        format!("{digits}%00"),
        format!("{}%2f..%2f..%2fnode.lock", "a".repeat(64)),
        "a".repeat(10_000),
    ];
    for name in &names {
        for method in ["GET", "PUT"] {
            refused(wire, node, &format!("{method} /v1/blobs/{name}"), b"", &[400]);
        }
        refused(wire, node, &format!("GET /v1/blobs/{name}?anywhere=1"), b"", &[400]);
    }
    for path in [
        "/v1/blobs/../../../etc/passwd",
        "/v1/blobs/aa/../../node.toml",
        "//etc/passwd",
        "/..",
        "/v1/blobs/",
        "http://elsewhere/v1/blobs/../x",
    ] {
        refused(wire, node, &format!("GET {path}"), b"", &[400, 404]);
    }
    for line in ["GET etc/passwd", "GET /v1/blobs/\0", "GET /v1/blobs/a b", "GET *"] {
        refused(wire, node, line, b"", &[0, 400, 404]);
    }
    refused(wire, node, &format!("GET /v1/blobs/{}", "a".repeat(80_000)), b"", &[0, 414, 431]);
    let absent = Digest::of(b"absent");
    refused(wire, node, &format!("GET /v1/blobs/{absent}"), b"", &[404]);
    let wrong = wire.ask(node, &format!("PUT /v1/blobs/{absent}"), b"something else");
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    for length in ["17179869185", "18446744073709551615"] {
        let header = format!("content-length: {length}");
        let line = format!("PUT /v1/blobs/{absent}");
        let large = wire.ask_with(node, &line, &[&header], b"");
        assert!(matches!(large.status, 411 | 413 | 431), "{}", large.text);
    }
    // A name that holds another address: passed on as it is, not as what it might also mean.
    refused(wire, node, "POST /v1/studies/digits%2Fcancel%3F/pause", b"", &[404]);
    refused(wire, node, "POST /v1/nodes/node1%2Fdrain%3F/drain", b"", &[404]);
    for name in ["a%20b", "a%0Ab", "%00", "%F0%9F%A6%98", "a%2Fb"] {
        refused(wire, node, &format!("GET /v1/studies/{name}"), b"", &[404]);
        refused(wire, node, &format!("GET /v1/studies/{name}/running"), b"", &[404]);
        refused(wire, node, &format!("GET /v1/studies/{name}/records"), b"", &[404]);
    }
}

/// Questions that are none.
pub(super) fn questions(wire: &Wire, node: SocketAddr, id: u64) {
    refused(wire, node, "GET /v1/studies/digits/records?from=-1", b"", &[400]);
    refused(wire, node, "GET /v1/studies/digits/records?from=x&wait=y", b"", &[400]);
    let none = wire.ask(node, "GET /v1/studies/digits/records?from=18446744073709551615", b"");
    assert_eq!(none.status, 200, "{}", none.text);
    refused(wire, node, "GET /v1/creations/4294967295", b"", &[404]);
    refused(wire, node, "GET /v1/creations/4294967296", b"", &[400]);
    refused(wire, node, "POST /v1/studies/digits/explode", b"", &[404]);
    refused(wire, node, "DELETE /v1/studies/digits%2F..", b"", &[404]);
    refused(wire, node, "DELETE /v1/nodes/node1", b"", &[404]);
    refused(wire, node, "POST /v1/hello", b"", &[405]);
    let deep = "[".repeat(200_000);
    let long = format!("\"{}\"", "9".repeat(1_000_000));
    for body in ["", "{", "null", "{}", "{\"priority\":-1}", "{\"priority\":1e99}", &deep, &long] {
        refused(wire, node, "PUT /v1/studies/digits/priority", body.as_bytes(), &[400]);
        refused(wire, node, "POST /v1/studies/plan", body.as_bytes(), &[400]);
    }
    for priority in ["0", "101", "4294967295"] {
        let body = format!("{{\"priority\":{priority}}}");
        refused(wire, node, "PUT /v1/studies/digits/priority", body.as_bytes(), &[400]);
    }
    let plan = br#"{"name":"x","fingerprint":"zz","blobs":[{"digest":"../x","bytes":1}]}"#;
    refused(wire, node, "POST /v1/studies/plan", plan, &[400]);
    for call in ["append", "vote", "snapshot"] {
        let line = format!("POST /v1/raft/{call}?to={id}");
        for body in [&b""[..], &[0xff; 100], &[0x80; 5000], b"\x01\x02\x03 and more than that"] {
            refused(wire, node, &line, body, &[400]);
        }
        refused(wire, node, &format!("POST /v1/raft/{call}?to=999"), b"", &[421]);
        refused(wire, node, &format!("POST /v1/raft/{call}?to=x"), b"", &[400]);
        refused(wire, node, &format!("POST /v1/raft/{call}"), b"", &[400]);
    }
    refused(wire, node, &format!("POST /v1/raft/explode?to={id}"), b"", &[404]);
}

/// Descriptions of studies that are no such, or of studies that nobody could run.
pub(super) fn studies(wire: &Wire, node: SocketAddr) {
    let line = "POST /v1/studies";
    refused(wire, node, line, b"", &[400]);
    refused(wire, node, line, &[0xff; 1000], &[400]);
    refused(wire, node, line, &lists_without_end(), &[400]);
    let broken: [fn(&mut Creation); 9] = [
        |creation| creation.spec.name = "../x".to_owned(),
        |creation| creation.spec.name = "a\nb".to_owned(),
        |creation| creation.manifest.partitions.clear(),
        |creation| creation.spec.budget.epochs = u32::MAX,
        |creation| creation.spec.budget.trials = None,
        |creation| creation.spec.search.concurrency = Some(u32::MAX),
        |creation| creation.spec.search.policy = PolicyKind::Asha { min_epochs: 0, eta: 0 },
        |creation| drop(creation.spec.search.space.0.insert("x".into(), Domain::Choice(vec![]))),
        |creation| {
            let all = Domain::Int { low: 0, high: i64::MAX, log: false, points: None };
            creation.spec.search.sampler = SamplerKind::Grid;
            creation.spec.search.space.0.insert("x".to_owned(), all);
        },
    ];
    for breaks in broken {
        let mut creation = creation();
        breaks(&mut creation);
        refused(wire, node, line, &postcard::to_stdvec(&creation).unwrap(), &[400]);
    }
    let unknown_data = postcard::to_stdvec(&creation()).unwrap();
    refused(wire, node, line, &unknown_data, &[409]);
    refused(wire, node, "POST /v1/studies?name=a%2Fb", &unknown_data, &[400]);
    refused(wire, node, "POST /v1/studies?priority=0", &unknown_data, &[400]);
}

/// A study whose data nobody has.
fn creation() -> Creation {
    let blob = |name: &str| Blob { digest: Digest::of(name.as_bytes()), rows: 1, bytes: 1 };
    let search = Search {
        space: Space::default(),
        sampler: SamplerKind::Random,
        policy: PolicyKind::None,
        concurrency: None,
    };
    let spec = Spec {
        name: "nonsense".to_owned(),
        seed: 1,
        family: "mlp".to_owned(),
        model: Default::default(),
        search,
        objective: Objective { metric: "loss".to_owned(), direction: Direction::Minimize },
        budget: Budget { trials: Some(1), epochs: 1, wall_clock_seconds: None },
        order: Order::Rotation,
    };
    let (partitions, validation) = (vec![blob("partition")], blob("validation"));
    let manifest = Manifest { partitions, validation, problem: String::new() };
    Creation { spec, manifest, document: String::new(), fingerprint: Digest::of(b"nonsense") }
}

/// A study whose model has a list of a list of a list …
fn lists_without_end() -> Vec<u8> {
    let mut bytes = postcard::to_stdvec(&("nonsense", 1_u64, "mlp")).unwrap();
    // A map of one parameter.
    bytes.extend([1, 1, b'x']);
    bytes.extend([4, 1].repeat(4 << 20));
    bytes
}

/// Bodies that are longer than their route takes.
pub(super) fn bodies(wire: &Wire, node: SocketAddr, id: u64) {
    let small = vec![b'x'; (4 << 20) + 1];
    refused(wire, node, "PUT /v1/studies/digits/priority", &small, &[413]);
    let large = vec![b'x'; (16 << 20) + 1];
    refused(wire, node, "POST /v1/studies", &large, &[413]);
    refused(wire, node, "POST /v1/studies/plan", &large, &[413]);
    let huge = vec![b'x'; (64 << 20) + 1];
    refused(wire, node, &format!("POST /v1/raft/append?to={id}"), &huge, &[413]);
    // Nobody reads a body here: the answer does not wait for it.
    refused(wire, node, "POST /v1/nowhere", &large, &[404]);
}
