//! The HTTP interface of a node: for the other nodes, and for users by way of the client. Any
//! node answers everything; what only the leader knows is asked of the leader.

mod answers;
mod nodes;
mod office;
mod proxy;
mod studies;

pub(crate) use office::Office;

use super::api_types::{Hello, Voter};
use super::transport::named_call;
use crate::exchange;
use answers::Refusal;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post, put};
use bytes::Bytes;
use serde::Deserialize;
use wallaby_core::ids::NodeId;

/// How large a call of the journal may be: 1 MiB, or one append that is larger.
const RAFT_BYTES_MAX: usize = 64 << 20;

/// How large the description of a study may be.
const CREATION_BYTES_MAX: usize = 16 << 20;

/// All routes of a node.
pub(crate) fn router(office: Office) -> Router {
    let blobs = exchange::routes(office.blobs(), office.meter());
    let raft = post(raft).layer(DefaultBodyLimit::max(RAFT_BYTES_MAX));
    let submit =
        get(studies::list).post(studies::submit).layer(DefaultBodyLimit::max(CREATION_BYTES_MAX));
    let blobs = blobs.layer(axum::middleware::from_fn_with_state(office.clone(), proxy::anywhere));
    Router::new()
        .route("/v1/hello", get(hello))
        .route("/v1/raft/{call}", raft)
        .route("/v1/nodes", get(nodes::list))
        .route("/v1/nodes/{name}/drain", post(nodes::drain))
        .route("/v1/creations/{id}", get(studies::creation))
        .route("/v1/studies", submit)
        .route(
            "/v1/studies/plan",
            post(studies::plan).layer(DefaultBodyLimit::max(CREATION_BYTES_MAX)),
        )
        .route("/v1/studies/{name}", get(studies::show).delete(studies::remove))
        .route("/v1/studies/{name}/records", get(studies::records))
        .route("/v1/studies/{name}/running", get(studies::running))
        .route("/v1/studies/{name}/priority", put(studies::prioritise))
        .route("/v1/studies/{name}/{command}", post(studies::command))
        .fallback(nothing)
        .with_state(office)
        .merge(blobs)
}

async fn nothing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is nothing at this address")
}

async fn hello(State(office): State<Office>) -> Json<Hello> {
    let leadership = office.leadership();
    let leader = office.leader_listing();
    let voters = leadership.as_ref().map(|now| now.voters.clone()).unwrap_or_default();
    let voter = |id: NodeId| Voter { id: id.0, name: office.name_of(id) };
    Json(Hello {
        protocol: super::api_types::PROTOCOL,
        version: office.version().to_owned(),
        name: office.name().to_owned(),
        id: office.id().map_or(0, |id| id.0),
        boot: office.boot(),
        founded: !voters.is_empty() || leader.is_some(),
        voters: voters.into_iter().map(voter).collect(),
        leader: leader.as_ref().and_then(|listing| listing.id()).map(|id| id.0),
        term: leadership.map_or(0, |now| now.term.0),
    })
}

/// Whom a call of the journal is for.
#[derive(Deserialize)]
struct Addressee {
    to: u64,
}

async fn raft(
    State(office): State<Office>,
    Path(call): Path<String>,
    Query(addressee): Query<Addressee>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "expected append, vote or snapshot");
    let call = named_call(&call).ok_or_else(unknown)?;
    if office.id() != Some(NodeId(addressee.to)) {
        let found = format!("this is not node {}", addressee.to);
        return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, found));
    }
    let none = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "this node keeps no journal");
    let journal = office.journal().ok_or_else(none)?;
    let answer = journal.answer(call, &body).await;
    let answer =
        answer.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(answer.into_response())
}
