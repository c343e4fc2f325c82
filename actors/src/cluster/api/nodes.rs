//! Questions about nodes. Who is there is answered from gossip, by any node.

use super::super::api_types::{NodeInfo, NodeState, Role};
use super::super::directory::{Listing, Presence, keys};
use super::super::leader::Question;
use super::answers::Refusal;
use super::office::Office;
use super::proxy::to_leader;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use std::time::Duration;
use wallaby_core::ids::NodeId;

pub(super) async fn list(State(office): State<Office>) -> Json<Vec<NodeInfo>> {
    let leader = office.leader_listing().and_then(|listing| listing.id());
    let all = office.directory().all();
    let mut nodes: Vec<NodeInfo> =
        all.iter().filter(|listing| listing.id().is_some()).map(|l| info(l, leader)).collect();
    nodes.sort_by_key(|node| (node.id, node.boot));
    Json(nodes)
}

/// Refuses to let a voter go whom the others need to be a majority.
fn require_majority_without(office: &Office, leaving: NodeId) -> Result<(), Refusal> {
    let voters = office.leadership().map(|now| now.voters).unwrap_or_default();
    if !voters.contains(&leaving) {
        return Ok(());
    }
    let stays = |voter: &&NodeId| {
        let listing = office.directory().numbered(**voter);
        **voter != leaving
            && listing.is_some_and(|listing| {
                listing.presence == Presence::Alive
                    && listing.value(keys::STANDING) != Some("draining")
            })
    };
    let staying = voters.iter().filter(stays).count();
    if staying > voters.len() / 2 {
        return Ok(());
    }
    let (all, name) = (voters.len(), office.name_of(leaving));
    let error = format!(
        "without {name:?} only {staying} of {all} voters would be there, expected more than half: \
         start another voter first"
    );
    Err(Refusal::new(StatusCode::CONFLICT, error))
}

fn info(listing: &Listing, leader: Option<NodeId>) -> NodeInfo {
    let text = |key| listing.value(key).unwrap_or_default().to_owned();
    let there = listing.presence != Presence::Left;
    let role = match listing.value(keys::ROLE) {
        _ if leader == listing.id() && there => Role::Leader,
        // One that led when it was last heard of leads no more.
        Some("leader" | "voter") => Role::Voter,
        Some("learner") => Role::Learner,
        _ => Role::Trainer,
    };
    let state = match (listing.presence, listing.value(keys::STANDING)) {
        (Presence::Left, _) => NodeState::Left,
        (Presence::Suspected, _) => NodeState::Suspected,
        (Presence::Alive, Some("draining")) => NodeState::Draining,
        (Presence::Alive, Some("full")) => NodeState::Full,
        (Presence::Alive, _) => NodeState::Alive,
    };
    NodeInfo {
        id: listing.id().map_or(0, |id| id.0),
        name: listing.member.name.clone(),
        role,
        pid: listing.number(keys::PID).unwrap_or_default(),
        slots: listing.number(keys::SLOTS).unwrap_or_default(),
        api: listing.member.address.clone(),
        state,
        boot: listing.member.boot,
        version: text(keys::VERSION),
        partitions: listing.number(keys::PARTITIONS).unwrap_or_default(),
        // What a node said last counts as long as it is there.
        running: match listing.presence {
            Presence::Left => 0,
            _ => listing.number(keys::RUNNING).unwrap_or_default(),
        },
        numerics: text(keys::NUMERICS),
        bytes: listing.number(keys::BYTES).unwrap_or_default(),
    }
}

pub(super) async fn drain(
    State(office): State<Office>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if office.leader().is_none() {
        let (body, wait) = (Default::default(), Duration::ZERO);
        return to_leader(&office, &headers, Method::POST, &uri, body, wait).await;
    }
    let listing = office.directory().named(&name).filter(|l| l.presence != Presence::Left);
    let node = listing.and_then(|listing| listing.id());
    let unknown = || {
        let error = format!("there is no node {name:?}; `wallaby nodes` lists them");
        Refusal::new(StatusCode::NOT_FOUND, error)
    };
    let node = node.ok_or_else(unknown)?;
    require_majority_without(&office, node)?;
    let known = office.ask(|answer| Question::Drain { node, answer }).await?;
    if known { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(unknown()) }
}
