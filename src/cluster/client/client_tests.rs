//! Against little servers on real ports with real TLS.

use super::*;
use axum::Json;
use axum::Router;
use axum::http::StatusCode as Status;
use axum::response::IntoResponse;
use axum::routing::get;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;
use wallaby_actors::cluster::api_types::ErrorBody;
use wallaby_links::port::Port;

/// A node that answers `/v1/studies` with what `answer` says.
fn node<A, R>(secret: &Secret, answer: A) -> (Port, String)
where
    A: Fn() -> R + Clone + Send + Sync + 'static,
    R: IntoResponse + Send + 'static,
{
    let router = Router::new().route("/v1/studies", get(move || std::future::ready(answer())));
    let identity = Arc::new(Identity::new(secret).unwrap());
    let (actors, _) = mpsc::channel(1);
    let port = Port::bind("127.0.0.1:0".parse().unwrap(), identity, router, actors).unwrap();
    let address = port.local_addr().to_string();
    (port, address)
}

/// A client of these addresses; the secret lies in the folder.
fn client(folder: &Path, secret: &Secret, seeds: &[String]) -> Client {
    let secret_file = folder.join("cluster.secret");
    if !secret_file.exists() {
        secret.write_new(&secret_file).unwrap();
    }
    let config = ClusterConfig { secret_file, seeds: seeds.to_vec() };
    Client::new(config).unwrap().with_patience(Duration::from_millis(400))
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn words(text: &str) -> Json<ErrorBody> {
    Json(ErrorBody { error: text.to_owned() })
}

#[tokio::test]
async fn a_dead_node_is_passed_over_and_the_one_that_answered_comes_first() {
    let (folder, secret) = (tempfile::tempdir().unwrap(), Secret::generate());
    let (_port, address) = node(&secret, || Json(serde_json::json!([])));
    let dead = nobody();
    let client = client(folder.path(), &secret, &[dead.clone(), address.clone()]);
    assert_eq!(client.studies().await.unwrap(), []);
    assert_eq!(*client.addresses(), [address, dead]);
}

#[tokio::test]
async fn nodes_that_were_heard_of_are_asked_when_the_seeds_are_gone() {
    let (folder, secret) = (tempfile::tempdir().unwrap(), Secret::generate());
    let (_port, address) = node(&secret, || Json(serde_json::json!([])));
    let client = client(folder.path(), &secret, &[nobody()]);
    client.learn([address.as_str(), address.as_str()].into_iter());
    assert_eq!(client.studies().await.unwrap(), []);
    assert_eq!(client.addresses().len(), 2);
}

#[tokio::test]
async fn nobody_who_answers_is_an_error_that_names_every_address() {
    let (folder, secret) = (tempfile::tempdir().unwrap(), Secret::generate());
    let (first, second) = (nobody(), nobody());
    let client = client(folder.path(), &secret, &[first.clone(), second.clone()]);
    let error = client.studies().await.unwrap_err();
    assert!(error.is_outage());
    assert_eq!(error.code(), crate::error::Code::Unreachable);
    let said = error.to_string();
    assert!(said.starts_with("no node of the cluster answers:\n"), "{said}");
    assert!(said.contains(&first) && said.contains(&second), "{said}");
}

#[tokio::test]
async fn a_node_of_another_cluster_is_named_with_the_file_of_the_secret() {
    let (folder, secret) = (tempfile::tempdir().unwrap(), Secret::generate());
    let (_port, address) = node(&Secret::generate(), || Json(serde_json::json!([])));
    let client = client(folder.path(), &secret, &[nobody(), address.clone()]);
    let error = client.studies().await.unwrap_err();
    assert_eq!(error.code(), crate::error::Code::NotAdmitted);
    let said = error.to_string();
    assert!(said.starts_with(&format!("{address} has another cluster secret than ")), "{said}");
    assert!(said.contains("cluster.secret"), "{said}");
}

#[tokio::test]
async fn an_election_is_waited_for_and_a_cluster_without_leader_is_not_waited_for_forever() {
    let (folder, secret) = (tempfile::tempdir().unwrap(), Secret::generate());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (port, address) = node(&secret, move || match count.fetch_add(1, Ordering::SeqCst) {
        0 => (Status::SERVICE_UNAVAILABLE, words("there is no leader")).into_response(),
        _ => Json(serde_json::json!([])).into_response(),
    });
    let client = client(folder.path(), &secret, &[address]);
    assert_eq!(client.studies().await.unwrap(), []);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    drop(port);
    let leaderless = || (Status::SERVICE_UNAVAILABLE, words("there is no leader"));
    let (_port, address) = node(&secret, leaderless);
    *client.addresses() = vec![nobody(), address];
    let error = client.studies().await.unwrap_err();
    assert!(
        matches!(&error, ClusterError::NoLeader { words, .. } if words == "there is no leader")
    );
    assert_eq!(error.code(), crate::error::Code::Unreachable);
}

#[tokio::test]
async fn a_refusal_is_final_and_told_in_the_words_of_the_node() {
    let (folder, secret) = (tempfile::tempdir().unwrap(), Secret::generate());
    let refusal = || (Status::NOT_FOUND, words("there is no study \"x\""));
    let (_port, address) = node(&secret, refusal);
    let client = client(folder.path(), &secret, &[address]);
    let error = client.studies().await.unwrap_err();
    assert_eq!(error.to_string(), "there is no study \"x\"");
    assert_eq!(error.code(), crate::error::Code::Usage);
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_names_the_node() {
    let (folder, secret) = (tempfile::tempdir().unwrap(), Secret::generate());
    let (_port, address) = node(&secret, || "[{");
    let client = client(folder.path(), &secret, std::slice::from_ref(&address));
    let error = client.studies().await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{address} answered something else than expected")),
        "{error}"
    );
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("cluster.secret");
    let config = ClusterConfig { secret_file: secret_file.clone(), seeds: Vec::new() };
    let error = Client::new(config).err().unwrap().to_string();
    assert!(error.contains(secret_file.to_str().unwrap()), "{error}");
}
