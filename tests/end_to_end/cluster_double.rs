//! What stands in for a cluster where only the user's side is to be seen: one port with real TLS
//! that tells of one study, from the run folder of a run that was made before.

use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use wallaby::wallaby_core::ids::Digest;
use wallaby::wallaby_core::journal::Creation;
use wallaby_actors::journal::read_journal;
use wallaby_links::port::Port;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

/// What was asked, and what there is to tell.
pub(crate) struct Told {
    records: Vec<Vec<u8>>,
    blobs: PathBuf,
    /// Where the port is.
    address: Mutex<String>,
    /// Blobs that were brought.
    pub(crate) brought: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Studies that were created: name and what they are made of.
    pub(crate) created: Mutex<Vec<(String, Creation)>>,
    /// How often somebody asked for one of those.
    pub(crate) looks: AtomicU64,
    /// Requests that steer: method and path.
    pub(crate) steered: Mutex<Vec<String>>,
}

/// The port, open as long as this lives.
pub(crate) struct Double {
    pub(crate) told: Arc<Told>,
    _port: Port,
    _runtime: tokio::runtime::Runtime,
}

impl Double {
    /// Tells of the run in the folder `run` of the sandbox as of a study `small`, in which every
    /// unit is done. Its configuration is `cluster.toml` in the sandbox; its first seed is dead.
    pub(crate) fn of_run(sandbox: &Sandbox, run: &str) -> Self {
        let (records, _) = read_journal(&sandbox.path(format!("{run}/journal.redb"))).unwrap();
        let told = Arc::new(Told {
            records: records.into_iter().map(|(_, bytes)| bytes).collect(),
            blobs: sandbox.path(format!("{run}/blobs")),
            address: Mutex::default(),
            brought: Mutex::default(),
            created: Mutex::default(),
            looks: AtomicU64::default(),
            steered: Mutex::default(),
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _inside = runtime.enter();
        let secret = Secret::generate();
        secret.write_new(&sandbox.path("cluster.secret")).unwrap();
        let identity = Arc::new(Identity::new(&secret).unwrap());
        let (actors, _) = mpsc::channel(1);
        let any = "127.0.0.1:0".parse().unwrap();
        let port = Port::bind(any, identity, router(Arc::clone(&told)), actors).unwrap();
        let address = port.local_addr().to_string();
        let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = format!(
            "[cluster]\nsecret_file = \"cluster.secret\"\nseeds = [\"{dead}\", \"{address}\"]\n"
        );
        sandbox.write("cluster.toml", config);
        *told.address.lock().unwrap() = address;
        drop(_inside);
        Self { told, _port: port, _runtime: runtime }
    }
}

type Answer = Result<Response, (StatusCode, Json<Value>)>;

fn router(told: Arc<Told>) -> Router {
    Router::new()
        .route("/v1/nodes", get(nodes))
        .route("/v1/nodes/{name}/drain", post(steer))
        .route("/v1/studies", get(studies).post(create))
        .route("/v1/studies/plan", post(plan))
        .route("/v1/studies/{name}", get(study))
        .route("/v1/studies/{name}/records", get(records))
        .route("/v1/studies/{name}/running", get(|| async { Json(json!([])) }))
        .route("/v1/studies/{name}/{verb}", post(steer).put(steer))
        .route("/v1/blobs/{digest}", get(blob).put(bring))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(told)
}

async fn nodes(State(told): State<Arc<Told>>) -> Json<Value> {
    let api = told.address.lock().unwrap().clone();
    Json(json!([{"id": 1, "name": "node1", "role": "leader", "pid": 7, "slots": 2, "api": api,
        "state": "alive", "boot": 1, "version": "0.1.0", "partitions": 4, "running": 0,
        "numerics": "ab", "bytes": 1234, "a_field_of_a_newer_version": true}]))
}

fn info(told: &Told) -> Value {
    json!({"id": 0, "name": "small", "phase": "ended", "cause": "trials", "priority": 10,
        "trials_done": 6, "trials_max": 6, "units_done": 90, "metric": "accuracy", "best": {"trial": 1, "objective": 0.5},
        "slots_in_use": 0, "bytes_hopped": 10_000, "bytes_copied": 20, "created_at": 0,
        "records": told.records.len()})
}

async fn studies(State(told): State<Arc<Told>>) -> Json<Value> {
    Json(json!([info(&told)]))
}

fn known(name: &str) -> Result<(), (StatusCode, Json<Value>)> {
    let error = json!({"error": format!("there is no study {name:?}, expected one of small")});
    if name == "small" { Ok(()) } else { Err((StatusCode::NOT_FOUND, Json(error))) }
}

/// Of a study that was submitted: with every look one copy less of its data is to be made.
async fn study(State(told): State<Arc<Told>>, Path(name): Path<String>) -> Answer {
    let mut info = info(&told);
    let submitted = told.created.lock().unwrap().iter().any(|(known, _)| *known == name);
    if submitted {
        let looks = told.looks.fetch_add(1, Ordering::Relaxed);
        info["phase"] = json!("running");
        info["data_lacking"] = json!(2_u64.saturating_sub(looks));
    } else {
        known(&name)?;
    }
    Ok(Json(info).into_response())
}

/// Seven at a time, so that clients ask more than once.
async fn records(
    State(told): State<Arc<Told>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, u64>>,
) -> Answer {
    known(&name)?;
    let from = usize::try_from(query["from"]).unwrap();
    let framed = |record: &Vec<u8>| {
        [&u32::try_from(record.len()).unwrap().to_le_bytes(), record.as_slice()].concat()
    };
    let body: Vec<u8> = told.records.iter().skip(from).take(7).flat_map(framed).collect();
    Ok(body.into_response())
}

async fn blob(State(told): State<Arc<Told>>, Path(digest): Path<String>) -> Answer {
    let (first, rest) = digest.split_at(2);
    let missing = || (StatusCode::NOT_FOUND, Json(json!({"error": "no node has it"})));
    let paths = [told.blobs.join(first).join(rest), told.blobs.join(first).join(&digest)];
    let bytes = paths.iter().find_map(|path| std::fs::read(path).ok()).ok_or_else(missing)?;
    Ok(bytes.into_response())
}

async fn bring(State(told): State<Arc<Told>>, Path(digest): Path<String>, body: Bytes) -> Answer {
    assert_eq!(Digest::of(&body).to_string(), digest);
    told.brought.lock().unwrap().insert(digest, body.to_vec());
    Ok(StatusCode::CREATED.into_response())
}

async fn plan(State(told): State<Arc<Told>>, body: Bytes) -> Json<Value> {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let blobs = request["blobs"].as_array().unwrap();
    let address = told.address.lock().unwrap().clone();
    let holder = json!([{"name": "node1", "api": address}]);
    let brought = told.brought.lock().unwrap();
    let missing = |blob: &Value| !brought.contains_key(blob["digest"].as_str().unwrap());
    let missing: Vec<bool> = blobs.iter().map(missing).collect();
    Json(json!({"study": null, "holders": vec![holder; blobs.len()], "missing": missing}))
}

async fn create(
    State(told): State<Arc<Told>>,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    let creation = postcard::from_bytes(&body).unwrap();
    let name = query["name"].clone();
    told.created.lock().unwrap().push((name.clone(), creation));
    (StatusCode::CREATED, Json(json!({"name": name, "id": 1}))).into_response()
}

async fn steer(State(told): State<Arc<Told>>, request: axum::extract::Request) -> Response {
    let asked = format!("{} {}", request.method(), request.uri());
    told.steered.lock().unwrap().push(asked);
    StatusCode::OK.into_response()
}
