//! Questions about studies. A follower passes them on to the leader, so that everybody reads
//! what they have written; without a leader it answers what it can from its own library.

use super::super::api_types::{
    BestInfo, Created, Holder, PlanAnswer, PlanRequest, PriorityBody, RunningInfo, StudyInfo,
    StudyPhase, UnitInfo,
};
use super::super::leader::{Found, Moved, Planned, Question, Submitted};
use super::answers::Refusal;
use super::office::{Desk, Office};
use super::proxy::to_leader;
use crate::exchange::STAMP;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;
use wallaby_core::cluster::{Listed, PRIORITIES, PRIORITY, StudyId};
use wallaby_core::engine::{Event, Try};
use wallaby_core::ids::{Digest, Moment, NodeId, Stamp};
use wallaby_core::journal::{Conclusion, Creation, Pause};
use wallaby_core::study::Phase;

/// How long a reader may wait for the next record.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// About how many bytes of records one answer holds.
const RECORDS_BYTES_MAX: usize = 4 << 20;

/// How long a node may take to say whether it has a blob.
const HAS: Duration = Duration::from_secs(5);

type Running = Vec<(StudyId, Try, Moment)>;

/// Whether this node answers itself: as the leader, or as a voter when nobody leads.
enum Desked<'a> {
    Here(&'a Desk),
    Elsewhere,
}

fn desk(office: &Office) -> Desked<'_> {
    let elsewhere = office.leader_listing().is_some_and(|leader| leader.id() != office.id());
    match office.desk() {
        Some(desk) if office.leader().is_some() || !elsewhere => Desked::Here(desk),
        _ => Desked::Elsewhere,
    }
}

pub(super) async fn list(
    State(office): State<Office>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Desked::Here(desk) = desk(&office) else {
        return pass(&office, &headers, Method::GET, &uri, Bytes::new()).await;
    };
    let volatile = Volatile::ask(&office).await;
    let infos = desk.library.read(|catalog| {
        let studies = catalog.studies().filter(|(_, listed)| !listed.removed);
        studies.map(|(id, listed)| info(id, listed, &volatile)).collect::<Vec<_>>()
    });
    Ok(Json(infos).into_response())
}

pub(super) async fn show(
    State(office): State<Office>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Desked::Here(desk) = desk(&office) else {
        return pass(&office, &headers, Method::GET, &uri, Bytes::new()).await;
    };
    let volatile = Volatile::ask(&office).await;
    let found = desk
        .library
        .read(|catalog| catalog.named(&name).map(|(id, listed)| info(id, listed, &volatile)));
    Ok(Json(found.ok_or_else(|| unknown(&office, &name))?).into_response())
}

/// A study that this node does not know. Without a leader it may only not know it yet.
fn unknown(office: &Office, name: &str) -> Refusal {
    if office.leader().is_some() {
        return Refusal::no_study(name);
    }
    Refusal::no_leader(format!(
        "the cluster has no leader, and study {name:?} is not known here yet"
    ))
}

/// What only a leader knows; nothing if there is none here.
struct Volatile {
    running: Running,
    moved: BTreeMap<StudyId, Moved>,
    lacking: Option<BTreeMap<StudyId, u64>>,
}

impl Volatile {
    async fn ask(office: &Office) -> Self {
        Self {
            running: office.ask(Question::Running).await.unwrap_or_default(),
            moved: office.ask(Question::Traffic).await.unwrap_or_default(),
            lacking: office.ask(Question::Lacking).await.ok(),
        }
    }
}

fn info(id: StudyId, listed: &Listed, volatile: &Volatile) -> StudyInfo {
    let study = &listed.study;
    let (phase, cause) = match &study.phase {
        Phase::Running => (StudyPhase::Running, None),
        Phase::Paused(cause) => (StudyPhase::Paused, Some(pause_words(cause))),
        Phase::Ended(cause) => (StudyPhase::Ended, Some(end_words(*cause).to_owned())),
    };
    let moved = volatile.moved.get(&id).copied().unwrap_or_default();
    let best = study.best();
    StudyInfo {
        id: u64::from(id.0),
        name: study.creation.spec.name.clone(),
        phase,
        cause,
        priority: listed.priority,
        trials_done: study.trials.iter().filter(|trial| trial.end.is_some()).count() as u64,
        trials_max: study.creation.spec.trials_max(),
        units_done: study.commits,
        metric: study.creation.spec.objective.metric.clone(),
        best: best.map(|(trial, best)| BestInfo { trial: trial.0, objective: best.value }),
        slots_in_use: volatile.running.iter().filter(|(study, ..)| *study == id).count() as u32,
        bytes_hopped: moved.hopped,
        bytes_copied: moved.copied,
        data_lacking: volatile.lacking.as_ref().and_then(|lacking| lacking.get(&id).copied()),
        created_at: listed.created.0,
        records: listed.records,
    }
}

fn pause_words(cause: &Pause) -> String {
    match cause {
        Pause::Requested => "somebody paused it".to_owned(),
        Pause::StorageFull(words) | Pause::DataLost(words) | Pause::StorageBroken(words) => {
            words.clone()
        }
    }
}

fn end_words(cause: Conclusion) -> &'static str {
    match cause {
        Conclusion::TrialsSpent => "all trials have ended",
        Conclusion::WallClockSpent => "the wall-clock budget is spent",
        Conclusion::Cancelled => "somebody cancelled it",
    }
}

/// What a reader of records asks for.
#[derive(Deserialize)]
pub(super) struct Reading {
    #[serde(default)]
    from: u64,
    #[serde(default)]
    wait: u64,
}

pub(super) async fn records(
    State(office): State<Office>,
    Path(name): Path<String>,
    Query(reading): Query<Reading>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let wait = Duration::from_millis(reading.wait).min(WAIT_MAX);
    let Desked::Here(desk) = desk(&office) else {
        let (method, body) = (Method::GET, Bytes::new());
        return to_leader(&office, &headers, method, &uri, body, wait).await;
    };
    let id = desk.library.read(|catalog| catalog.named(&name).map(|(id, _)| id));
    let id = id.ok_or_else(|| unknown(&office, &name))?;
    let mut folded = desk.library.folded();
    let deadline = tokio::time::Instant::now() + wait;
    let entries = loop {
        folded.borrow_and_update();
        let entries = desk.library.entries(id, reading.from, RECORDS_BYTES_MAX);
        let over = tokio::time::timeout_at(deadline, folded.changed());
        if !entries.is_empty() || !matches!(over.await, Ok(Ok(()))) {
            break entries;
        }
    };
    let mut body = Vec::with_capacity(entries.iter().map(|entry| entry.len() + 4).sum());
    for entry in entries {
        body.extend((entry.len() as u32).to_le_bytes());
        body.extend_from_slice(&entry);
    }
    Ok(body.into_response())
}

pub(super) async fn creation(
    State(office): State<Office>,
    Path(id): Path<u32>,
) -> Result<Response, Refusal> {
    let none = || Refusal::new(StatusCode::NOT_FOUND, "this node does not know the study");
    let desk = office.desk().ok_or_else(none)?;
    let first = desk.library.entries(StudyId(id), 0, 1).into_iter().next().ok_or_else(none)?;
    Ok(first.to_vec().into_response())
}

pub(super) async fn running(
    State(office): State<Office>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if office.leader().is_none() {
        return pass(&office, &headers, Method::GET, &uri, Bytes::new()).await;
    }
    let id = study_named(&office, &name)?;
    let running = office.ask(Question::Running).await?;
    let of_study = running.into_iter().filter(|(study, ..)| *study == id);
    let mut infos: Vec<RunningInfo> = of_study
        .map(|(_, attempt, since)| RunningInfo {
            slot: attempt.slot,
            node: office.name_of(attempt.slot.node),
            unit: UnitInfo::from(attempt.unit),
            since: since.0,
        })
        .collect();
    infos.sort_by_key(|info| info.slot);
    Ok(Json(infos).into_response())
}

pub(super) async fn command(
    State(office): State<Office>,
    Path((name, command)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let event = match command.as_str() {
        "pause" => Event::PauseRequested,
        "resume" => Event::ResumeRequested,
        "cancel" => Event::CancelRequested,
        _ => {
            let error = format!("{command:?} is no command, expected pause, resume or cancel");
            return Err(Refusal::new(StatusCode::NOT_FOUND, error));
        }
    };
    if office.leader().is_none() {
        return pass(&office, &headers, Method::POST, &uri, Bytes::new()).await;
    }
    let study = study_named(&office, &name)?;
    let open = office.change(|answer| Question::Tell { study, event, answer }).await?;
    if open {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let error = format!("study {name:?} has ended, expected one that is under way");
    Err(Refusal::new(StatusCode::CONFLICT, error))
}

pub(super) async fn remove(
    State(office): State<Office>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if office.leader().is_none() {
        return pass(&office, &headers, Method::DELETE, &uri, Bytes::new()).await;
    }
    let study = study_named(&office, &name)?;
    if office.change(|answer| Question::Remove { study, answer }).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let error = format!("study {name:?} is under way: cancel it first");
    Err(Refusal::new(StatusCode::CONFLICT, error))
}

pub(super) async fn prioritise(
    State(office): State<Office>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let asked: PriorityBody = read_json(&body)?;
    if office.leader().is_none() {
        return pass(&office, &headers, Method::PUT, &uri, body).await;
    }
    let priority = checked_priority(asked.priority)?;
    let study = study_named(&office, &name)?;
    office.change(|answer| Question::Prioritise { study, priority, answer }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn checked_priority(priority: u32) -> Result<u32, Refusal> {
    if PRIORITIES.contains(&priority) {
        return Ok(priority);
    }
    let (first, last) = (PRIORITIES.start(), PRIORITIES.end());
    let error = format!("priority = {priority}: expected {first} to {last}");
    Err(Refusal::new(StatusCode::BAD_REQUEST, error))
}

pub(super) async fn plan(
    State(office): State<Office>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request: PlanRequest = read_json(&body)?;
    if office.leader().is_none() {
        return pass(&office, &headers, Method::POST, &uri, body).await;
    }
    let mut blobs = Vec::with_capacity(request.blobs.len());
    for blob in &request.blobs {
        blobs.push((read_digest(&blob.digest)?, blob.bytes));
    }
    let fingerprint = read_digest(&request.fingerprint)?;
    let study = office.desk().and_then(|desk| {
        desk.library.read(|catalog| {
            let (_, listed) = catalog.named(&request.name)?;
            Some(listed.study.creation.fingerprint)
        })
    });
    if study.is_some_and(|known| known != fingerprint) {
        return Err(name_taken(&request.name));
    }
    let planned = office.ask(|answer| Question::Plan { blobs, answer }).await?;
    require_reports(&planned)?;
    let holder = |id: &NodeId| {
        let listing = office.directory().numbered(*id)?;
        Some(Holder { name: listing.member.name, api: listing.member.address })
    };
    let holders: Vec<Vec<Holder>> =
        planned.placement.iter().map(|nodes| nodes.iter().filter_map(holder).collect()).collect();
    if holders.iter().any(Vec::is_empty) {
        let error = "no node has room for all the data: free some space, or add a node";
        return Err(Refusal::new(StatusCode::INSUFFICIENT_STORAGE, error));
    }
    let missing = planned.held.iter().map(Vec::is_empty).collect();
    let study = study.map(|_| request.name);
    Ok(Json(PlanAnswer { study, holders, missing }).into_response())
}

/// How a study is submitted.
#[derive(Deserialize)]
pub(super) struct Submission {
    name: Option<String>,
    priority: Option<u32>,
}

pub(super) async fn submit(
    State(office): State<Office>,
    Query(submission): Query<Submission>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    if office.leader().is_none() {
        return pass(&office, &headers, Method::POST, &uri, body).await;
    }
    let bad = |error: String| Refusal::new(StatusCode::BAD_REQUEST, error);
    let mut creation: Creation =
        postcard::from_bytes(&body).map_err(|error| bad(format!("not a study: {error}")))?;
    if let Some(name) = submission.name {
        creation.spec.name = name;
    }
    let name = creation.spec.name.clone();
    // Before it is recorded: what no leader can run would end every leader after this one too.
    creation.check().map_err(|error| bad(format!("not a study that can be run: {error}")))?;
    let priority = checked_priority(submission.priority.unwrap_or(PRIORITY))?;
    let held = find_data(&office, &creation).await?;
    let question =
        |answer| Question::Submit { creation: Box::new(creation), priority, held, answer };
    let (status, id) = match office.change(question).await? {
        Submitted::Begun(id) => (StatusCode::CREATED, id),
        Submitted::Known(id) => (StatusCode::OK, id),
        Submitted::NameTaken => return Err(name_taken(&name)),
        Submitted::DataMissing(blobs) => {
            let error = format!("{blobs} partitions of {name:?} are on no node: send them first");
            return Err(Refusal::new(StatusCode::CONFLICT, error));
        }
    };
    Ok((status, Json(Created { name, id: u64::from(id.0) })).into_response())
}

/// Where the data of a study lies that its submitter has sent.
async fn find_data(office: &Office, creation: &Creation) -> Result<Vec<Found>, Refusal> {
    let data = creation.manifest.partitions.iter().chain([&creation.manifest.validation]);
    let blobs: Vec<(Digest, u64)> = data.map(|blob| (blob.digest, blob.bytes)).collect();
    let digests: Vec<Digest> = blobs.iter().map(|(digest, _)| *digest).collect();
    let planned = office.ask(|answer| Question::Plan { blobs, answer }).await?;
    require_reports(&planned)?;
    let all: Vec<NodeId> = office.directory().all().iter().filter_map(|l| l.id()).collect();
    let mut asking = JoinSet::new();
    for ((digest, holders), held) in digests.iter().zip(planned.placement).zip(planned.held) {
        if held.is_empty() {
            let others = all.iter().filter(|id| !holders.contains(id)).copied();
            let nodes = holders.iter().copied().chain(others).collect();
            asking.spawn(find_blob(office.clone(), *digest, nodes));
        }
    }
    let found = asking.join_all().await;
    Ok(found.into_iter().flatten().collect())
}

/// Refuses for a moment: what is planned too early is planned without those who are to report.
fn require_reports(planned: &Planned) -> Result<(), Refusal> {
    let why = "not all nodes have told the new leader yet what they have room for; ask again";
    if planned.early { Err(Refusal::no_leader(why)) } else { Ok(()) }
}

/// The first of these nodes that has a blob.
async fn find_blob(office: Office, digest: Digest, nodes: Vec<NodeId>) -> Option<Found> {
    for node in nodes {
        let Some(listing) = office.directory().numbered(node) else { continue };
        let path = format!("/v1/blobs/{digest}");
        let (address, nothing) = (&listing.member.address, Bytes::new());
        let asked = office.peers().request(address, Method::HEAD, &path, nothing, HAS);
        if let Ok(answer) = asked.await {
            let stamp = answer.headers.get(STAMP).and_then(|stamp| stamp.to_str().ok());
            let stamp = stamp.and_then(|stamp| stamp.parse().ok()).unwrap_or_default();
            return Some((node, digest, Stamp(stamp)));
        }
    }
    None
}

fn name_taken(name: &str) -> Refusal {
    let error = format!(
        "there is another study {name:?}: its study file, its seed or its data differs; choose \
         another name with --name"
    );
    Refusal::new(StatusCode::CONFLICT, error)
}

fn study_named(office: &Office, name: &str) -> Result<StudyId, Refusal> {
    let found = office
        .desk()
        .and_then(|desk| desk.library.read(|catalog| catalog.named(name).map(|(id, _)| id)));
    found.ok_or_else(|| Refusal::no_study(name))
}

fn read_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let read = serde_json::from_slice(body);
    read.map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, format!("not the JSON expected: {error}"))
    })
}

fn read_digest(text: &str) -> Result<Digest, Refusal> {
    let bad = || format!("{text:?} is no digest: expected 64 hexadecimal digits");
    Digest::from_hex(text).ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, bad()))
}

async fn pass(
    office: &Office,
    headers: &HeaderMap,
    method: Method,
    uri: &Uri,
    body: Bytes,
) -> Result<Response, Refusal> {
    to_leader(office, headers, method, uri, body, Duration::ZERO).await
}
