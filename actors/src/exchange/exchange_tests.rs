//! Claims about blobs between nodes, over real sockets and mutual TLS.

use super::test_node::*;
use super::*;
use crate::test_disk::SmallDisk;
use axum::body::Body;
use std::sync::atomic::{AtomicUsize, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_of_any_size_moves_once_and_is_then_at_hand() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    for length in [0, 1, 1000, 5 << 20] {
        let blob = bytes(length as u64, length);
        let digest = giver.put(blob.clone());
        let before = (giver.flow().sent, taker.flow().received);
        let fetched = taker.fetch(digest, &[&giver.address]).await.unwrap();
        assert!(fetched.moved && fetched.bytes == length as u64, "{fetched:?}");
        assert_eq!(*taker.blobs.get(&digest).unwrap(), blob);
        let again = taker.fetch(digest, &[&giver.address]).await.unwrap();
        assert!(!again.moved && again.bytes == length as u64, "{again:?}");
        let moved = (giver.flow().sent - before.0, taker.flow().received - before.1);
        assert_eq!(moved, (length as u64, length as u64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_move_and_are_verified() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    let digest = giver.put(bytes(1, 200_000_000));
    let fetched = taker.fetch(digest, &[&giver.address]).await.unwrap();
    assert_eq!((fetched.bytes, taker.flow().received), (200_000_000, 200_000_000));
    assert_eq!(taker.blobs.read(&digest).unwrap().len(), 200_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_transfer_is_gone_on_with_by_the_next_source() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    let blob = bytes(1, 3_000_000);
    let digest = giver.put(blob.clone());
    let begins = blob.clone();
    let (_port, breaks) = cluster
        .source(move |_| answer(begins.len(), 0, Unreliable::breaking(&begins[..2_000_000])));
    taker.fetch(digest, &[&breaks, &giver.address]).await.unwrap();
    assert_eq!(*taker.blobs.get(&digest).unwrap(), blob);
    let rest = giver.flow().sent;
    assert!((1_000_000..3_000_000).contains(&rest), "{rest}");
    assert_eq!(taker.flow().received, 3_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_breaks_again_and_again_is_asked_for_the_rest_each_time() {
    let cluster = Cluster::new();
    let taker = cluster.node();
    let blob = bytes(1, 3_000_000);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (given, places) = (blob.clone(), Arc::clone(&asked));
    let (_port, source) = cluster.source(move |from| {
        places.lock().unwrap().push(from);
        let until = given.len().min(from as usize + 900_000);
        let body = Unreliable::breaking(&given[from as usize..until]);
        answer(given.len(), from, body)
    });
    taker.fetch(Digest::of(&blob), &[&source]).await.unwrap();
    let asked = asked.lock().unwrap();
    assert!(asked.len() >= 4 && asked.is_sorted(), "{asked:?}");
    assert_eq!(taker.flow().received, 3_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_fetch_left_is_used_by_the_next_one() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    let blob = bytes(1, 2_000_000);
    let digest = giver.put(blob.clone());
    let begins = blob.clone();
    let (_port, breaks) = cluster.source(move |from| match from {
        0 => answer(begins.len(), 0, Unreliable::breaking(&begins[..1_500_000])),
        _ => http::Response::builder().status(503).body(Body::from("busy")).unwrap(),
    });
    let failed = taker.fetch(digest, &[&breaks]).await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        format!(
            "blob {digest} cannot be fetched: {breaks}: it refuses with 503 Service Unavailable: busy"
        )
    );
    let here = taker.flow().received;
    assert!(here > 0);
    taker.fetch(digest, &[&giver.address]).await.unwrap();
    assert_eq!(giver.flow().sent, 2_000_000 - here);
    assert_eq!(*taker.blobs.get(&digest).unwrap(), blob);
}

/// A source that gives bytes which are not those of the blob, as often as it is asked.
fn liar(cluster: &Cluster, lie: Vec<u8>) -> (wallaby_links::port::Port, String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (port, address) = cluster.source(move |from| {
        count.fetch_add(1, Ordering::Relaxed);
        answer(lie.len(), from, Body::from(lie[from as usize..].to_vec()))
    });
    (port, address, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_wrong_bytes_is_asked_once_and_another_gives_the_blob() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    let blob = bytes(1, 1_000_000);
    let digest = giver.put(blob.clone());
    let (_port, liar, asked) = liar(&cluster, bytes(2, 1_000_000));
    taker.fetch(digest, &[&liar, &giver.address]).await.unwrap();
    assert_eq!(*taker.blobs.get(&digest).unwrap(), blob);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(giver.flow().sent, 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bytes_at_the_start_do_not_spoil_what_an_honest_source_gives() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    let blob = bytes(1, 2_000_000);
    let digest = giver.put(blob.clone());
    let (_port, half) =
        cluster.source(move |_| answer(2_000_000, 0, Unreliable::breaking(&vec![0; 1_500_000])));
    taker.fetch(digest, &[&half, &giver.address]).await.unwrap();
    assert_eq!(*taker.blobs.get(&digest).unwrap(), blob);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_source_is_left_for_the_next_one() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node_with(SHORT_PATIENCE));
    let blob = bytes(1, 1_000_000);
    let digest = giver.put(blob.clone());
    let begins = blob.clone();
    let (_first, silent) =
        cluster.source(move |_| answer(begins.len(), 0, Unreliable::silent(&begins[..700_000])));
    taker.fetch(digest, &[&silent, &giver.address]).await.unwrap();
    assert_eq!(*taker.blobs.get(&digest).unwrap(), blob);
    assert!(giver.flow().sent < 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_tells_what_each_source_said() {
    let cluster = Cluster::new();
    let (without, taker) = (cluster.node(), cluster.node());
    let digest = Digest::of(b"nowhere");
    let (port, gone) = cluster.source(|_| http::Response::new(Body::empty()));
    port.close().await;
    let (_port, liar, _) = liar(&cluster, b"a lie".to_vec());
    let sources = [without.address.as_str(), &gone, &liar, &liar];
    let failed = taker.fetch(digest, &sources).await.unwrap_err();
    let FetchError::Sources { said, .. } = &failed else { panic!("{failed}") };
    let why: Vec<_> = said.iter().map(|said| (said.source.as_str(), said.why.as_str())).collect();
    let wrong = format!("gave wrong bytes: 5 bytes came as blob {digest}");
    assert_eq!(why[0], (without.address.as_str(), "does not have it"));
    assert!(why[1].0 == gone && why[1].1.starts_with("cannot reach it: "), "{failed}");
    assert!(why[2].0 == liar && why[2].1.starts_with(&wrong), "{failed}");
    assert_eq!(why.len(), 3);
    let nobody = taker.fetch(digest, &[]).await.unwrap_err().to_string();
    assert_eq!(nobody, format!("blob {digest} cannot be fetched: no node is known to have it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_want_a_blob_share_one_transfer() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    let digest = giver.put(bytes(1, 4_000_000));
    let sources = [giver.address.clone()];
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (exchange, sources) = (taker.exchange.clone(), sources.clone());
            tokio::spawn(async move {
                exchange.fetch(digest, &sources, true, Kind::Partition).await.unwrap()
            })
        })
        .collect();
    let mut moved = 0;
    for call in calls {
        moved += usize::from(call.await.unwrap().moved);
    }
    assert_eq!((moved, giver.flow().sent), (1, 4_000_000));
    assert!(taker.exchange.inner.under_way().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_a_better_source_is_not_bound_to_the_failure_of_others() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node_with(SHORT_PATIENCE));
    let blob = bytes(1, 100_000);
    let digest = giver.put(blob.clone());
    let (_port, silent) =
        cluster.source(move |_| answer(100_000, 0, Unreliable::silent(&blob[..10])));
    let exchange = taker.exchange.clone();
    let hopeless =
        tokio::spawn(async move { exchange.fetch(digest, &[silent], false, Kind::Other).await });
    until(|| !taker.exchange.inner.under_way().is_empty()).await;
    assert!(taker.fetch(digest, &[&giver.address]).await.unwrap().moved);
    let failed = hopeless.await.unwrap();
    assert!(matches!(failed, Err(FetchError::Sources { .. })), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_source_gives_three_blobs_at_a_time() {
    let cluster = Cluster::new();
    let taker = cluster.node_with(LIMIT);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let together = Arc::new(tokio::sync::Barrier::new(3));
    let blobs: Vec<Vec<u8>> = (0..12).map(|number| bytes(number, 1000)).collect();
    let digests: Vec<Digest> = blobs.iter().map(|blob| Digest::of(blob)).collect();
    let (count, peak) = (Arc::clone(&now), Arc::clone(&most));
    let held: BTreeMap<String, Vec<u8>> =
        blobs.iter().map(|blob| (Digest::of(blob).to_string(), blob.clone())).collect();
    let handler = move |axum::extract::Path(name): axum::extract::Path<String>| {
        let blob = held[&name].clone();
        let (count, peak, together) =
            (Arc::clone(&count), Arc::clone(&peak), Arc::clone(&together));
        async move {
            peak.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait().await;
            count.fetch_sub(1, Ordering::SeqCst);
            blob
        }
    };
    let port =
        cluster.serve(axum::Router::new().route("/v1/blobs/{digest}", axum::routing::get(handler)));
    let source = [port.local_addr().to_string()];
    let mut fetches = tokio::task::JoinSet::new();
    for digest in digests {
        let (exchange, source) = (taker.exchange.clone(), source.clone());
        fetches.spawn(async move { exchange.fetch(digest, &source, false, Kind::Other).await });
    }
    let all = tokio::time::timeout(LIMIT, fetches.join_all()).await.expect("three come together");
    assert!(all.into_iter().all(|fetched| fetched.unwrap().moved));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_blob_is_there_and_is_not_sent_twice() {
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.node());
    for length in [0, 3_000_000] {
        let blob = bytes(1, length);
        let digest = giver.put(blob.clone());
        for _ in 0..2 {
            giver.exchange.push(digest, &taker.address, Kind::Checkpoint).await.unwrap();
            assert_eq!(*taker.blobs.get(&digest).unwrap(), blob);
        }
    }
    assert_eq!(giver.meter.snapshot().checkpoint, Flow { sent: 3_000_000, received: 0 });
    assert_eq!(taker.meter.snapshot().checkpoint, Flow { sent: 0, received: 3_000_000 });
    let absent = Digest::of(b"absent");
    let failed = giver.exchange.push(absent, &taker.address, Kind::Other).await.unwrap_err();
    assert!(matches!(failed, FetchError::Store { .. }), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_to_both_sides_and_gets_its_space_back() {
    let Some(disk) = SmallDisk::mount() else { return };
    let cluster = Cluster::new();
    let (giver, taker) = (cluster.node(), cluster.small_node(&disk));
    let digest = giver.put(bytes(1, 20_000_000));
    let failed = taker.fetch(digest, &[&giver.address]).await.unwrap_err();
    assert!(failed.is_full(), "{failed}");
    assert_eq!(files_below(disk.path()), 0);
    let failed = giver.exchange.push(digest, &taker.address, Kind::Other).await.unwrap_err();
    let FetchError::Push { status, why, .. } = &failed else { panic!("{failed}") };
    assert_eq!(*status, Some(507), "{failed}");
    assert!(why.contains("no space left"), "{failed}");
    assert_eq!(files_below(disk.path()), 0);
    let small = giver.put(bytes(2, 1_000_000));
    taker.fetch(small, &[&giver.address]).await.unwrap();
}

/// `cargo test --release -p wallaby-actors gigabyte -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_gigabyte_over_loopback() {
    let cluster = Cluster::new();
    let giver = cluster.node();
    let digest = giver.put(bytes(1, 1 << 30));
    for durable in [false, false, true] {
        let taker = cluster.node();
        let sources = [giver.address.clone()];
        let fetched =
            taker.exchange.fetch(digest, &sources, durable, Kind::Partition).await.unwrap();
        let rate = fetched.bytes as f64 / 1e6 / fetched.millis as f64;
        let line = format!("1 GiB, durable {durable}: {} ms, {rate:.2} GB/s\n", fetched.millis);
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    }
}
