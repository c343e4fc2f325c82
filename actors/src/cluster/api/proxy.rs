//! Requests that another node must answer: passed on, and the answer passed back.

use super::answers::Refusal;
use super::office::Office;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use std::time::Duration;
use wallaby_links::peers::LinkError;

/// How long the leader may take beyond what a request itself waits for.
const ANSWER: Duration = Duration::from_secs(15);

/// The header of a request that was passed on: it is not passed on again.
const PASSED_ON: &str = "wallaby-passed-on";

/// How long a node may take to say whether it has a blob.
const HAS: Duration = Duration::from_secs(5);

/// Whether a request was passed on by another node.
pub(super) fn was_passed_on(headers: &HeaderMap) -> bool {
    headers.contains_key(PASSED_ON)
}

/// Passes a request on to the leader, letter for letter, and its answer back. An address that was
/// taken apart and put together again might be another one: names in it are decoded.
pub(super) async fn to_leader(
    office: &Office,
    headers: &HeaderMap,
    method: Method,
    uri: &Uri,
    body: Bytes,
    waits: Duration,
) -> Result<Response, Refusal> {
    if was_passed_on(headers) {
        return Err(Refusal::no_leader("the leader has just changed; ask again"));
    }
    let none = || Refusal::no_leader("the cluster has no leader at the moment");
    let leader = office.leader_listing().filter(|leader| leader.id() != office.id());
    let address = leader.ok_or_else(none)?.member.address;
    let path_and_query = uri.path_and_query().map_or("/", |whole| whole.as_str());
    let marks = [(PASSED_ON, "1".to_owned())];
    let asked =
        office.peers().open(&address, method, path_and_query, &marks, body, ANSWER + waits).await;
    pass_back(asked)
}

fn pass_back(
    asked: Result<http::Response<hyper::body::Incoming>, LinkError>,
) -> Result<Response, Refusal> {
    match asked {
        Ok(answer) => {
            let (parts, body) = answer.into_parts();
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = parts.status;
            for (name, value) in &parts.headers {
                if name == header::CONTENT_TYPE || name == header::CONTENT_LENGTH {
                    response.headers_mut().insert(name.clone(), value.clone());
                }
            }
            Ok(response)
        }
        Err(LinkError::Refused { status, words, .. }) => Err(Refusal::new(status, words)),
        Err(error) => Err(Refusal::no_leader(format!("the leader does not answer: {error}"))),
    }
}

/// Answers `GET /v1/blobs/…?anywhere=1` from whichever node has the blob.
pub(super) async fn anywhere(
    State(office): State<Office>,
    request: Request,
    next: Next,
) -> Response {
    let uri = request.uri().clone();
    let wanted = uri.query().is_some_and(|query| query.split('&').any(|part| part == "anywhere=1"));
    if !wanted || request.method() != Method::GET || was_passed_on(request.headers()) {
        return next.run(request).await;
    }
    let answer = next.run(request).await;
    if answer.status() != StatusCode::NOT_FOUND {
        return answer;
    }
    let mut silent = Vec::new();
    for address in office.directory().present() {
        let marks = [(PASSED_ON, "1".to_owned())];
        let asked =
            office.peers().open(&address, Method::GET, uri.path(), &marks, Bytes::new(), HAS);
        match asked.await {
            Err(LinkError::Refused { status: StatusCode::NOT_FOUND, .. }) => {}
            Err(_) => silent.push(address),
            found => return pass_back(found).into_response(),
        }
    }
    if !silent.is_empty() {
        let silent = silent.join(", ");
        let error = format!("nobody who answers has this blob, and {silent} may have it");
        return Refusal::no_leader(error).into_response();
    }
    Refusal::new(StatusCode::NOT_FOUND, "no node that is there has this blob").into_response()
}
