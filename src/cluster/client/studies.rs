//! What a client asks of studies: to take one, to tell of it, to steer it.

use super::{
    ANSWER_WAIT, Client, ClusterError, ORDER_WAIT, Question, decode, records, refused, words,
};
use crate::cluster::Blob;
use bytes::{Bytes, BytesMut};
use http::Method;
use http_body_util::{BodyExt, Full};
use std::convert::Infallible;
use std::time::Duration;
use wallaby_actors::cluster::api_types::{
    Created, Holder, PlanAnswer, PlanRequest, PriorityBody, RunningInfo, StudyInfo,
};
use wallaby_core::ids::Digest;
use wallaby_core::journal::{Creation, Entry};
use wallaby_links::peers::LinkError;

/// How long a transfer may stand still.
const IDLE: Duration = Duration::from_secs(20);

/// What can be told to a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steer {
    /// Start no more units.
    Pause,
    /// Go on.
    Resume,
    /// End.
    Cancel,
}

impl Client {
    /// Where a study's data is to go.
    ///
    /// # Errors
    /// No answer, or another study of that name.
    pub(crate) async fn plan(&self, request: &PlanRequest) -> Result<PlanAnswer, ClusterError> {
        let body = serde_json::to_vec(request).expect("texts and numbers are JSON");
        let (path, wait) = ("/v1/studies/plan", ORDER_WAIT);
        let question = Question { method: Method::POST, path, body: body.into(), wait };
        let (address, answer) = self.ask(question).await?;
        let plan: PlanAnswer = decode(&address, &answer.body)?;
        let blobs = request.blobs.len();
        if plan.holders.len() != blobs || plan.missing.len() != blobs {
            let what = format!("a plan that is not of {blobs} blobs");
            return Err(ClusterError::Garbled { address, what });
        }
        Ok(plan)
    }

    /// Brings a blob to the first of its holders that takes it.
    ///
    /// # Errors
    /// None does; the last one's reason.
    pub(crate) async fn put(&self, blob: &Blob, holders: &[Holder]) -> Result<(), ClusterError> {
        let path = format!("/v1/blobs/{}", blob.digest);
        let mut tried = Vec::new();
        for holder in holders {
            let body =
                Full::<Bytes>::new(blob.bytes.clone()).map_err(|never: Infallible| match never {});
            let length = blob.bytes.len() as u64;
            match self.peers.put(&holder.api, &path, length, body, IDLE).await {
                Ok(_) => return Ok(()),
                Err(LinkError::Refused { status, words, .. }) if status.is_client_error() => {
                    return Err(refused(status, words));
                }
                Err(trouble) => tried.push((holder.api.clone(), words(&trouble))),
            }
        }
        Err(ClusterError::NoAnswer { tried })
    }

    /// Creates a study whose data is there; one that is there already is left as it is.
    ///
    /// # Errors
    /// No answer, or another study of that name.
    pub(crate) async fn create(
        &self,
        name: &str,
        priority: Option<u32>,
        creation: &Creation,
    ) -> Result<Created, ClusterError> {
        let priority = priority.map(|priority| format!("&priority={priority}"));
        let path = format!("/v1/studies?name={}{}", segment(name), priority.unwrap_or_default());
        let body = postcard::to_stdvec(creation).expect("a creation has a length for all it holds");
        let question =
            Question { method: Method::POST, path: &path, body: body.into(), wait: ORDER_WAIT };
        let (address, answer) = self.ask(question).await?;
        decode(&address, &answer.body)
    }

    /// All studies.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn studies(&self) -> Result<Vec<StudyInfo>, ClusterError> {
        self.get("/v1/studies").await
    }

    /// One study.
    ///
    /// # Errors
    /// No answer, or no such study.
    pub(crate) async fn study(&self, name: &str) -> Result<StudyInfo, ClusterError> {
        self.get(&of(name, "")).await
    }

    /// What the slots run of a study.
    ///
    /// # Errors
    /// No answer, or no such study.
    pub(crate) async fn running(&self, name: &str) -> Result<Vec<RunningInfo>, ClusterError> {
        self.get(&of(name, "/running")).await
    }

    /// The records of a study from number `from` on; if there is none yet, waits up to `wait` for
    /// the first. May be none, and need not be all.
    ///
    /// # Errors
    /// No answer, no such study, or records that this version does not know.
    pub(crate) async fn records(
        &self,
        name: &str,
        from: u64,
        wait: Duration,
    ) -> Result<Vec<Entry>, ClusterError> {
        let path = of(name, &format!("/records?from={from}&wait={}", wait.as_millis()));
        let wait = ANSWER_WAIT + wait;
        let question = Question { method: Method::GET, path: &path, body: Bytes::new(), wait };
        let (address, answer) = self.ask(question).await?;
        records::decode(&answer.body).map_err(|what| ClusterError::Garbled { address, what })
    }

    /// Tells a study what to do.
    ///
    /// # Errors
    /// No answer, no such study, or one that has ended.
    pub(crate) async fn steer(&self, name: &str, steer: Steer) -> Result<(), ClusterError> {
        let verb = match steer {
            Steer::Pause => "/pause",
            Steer::Resume => "/resume",
            Steer::Cancel => "/cancel",
        };
        self.order(Method::POST, &of(name, verb), Bytes::new()).await
    }

    /// Removes a study that has ended.
    ///
    /// # Errors
    /// No answer, no such study, or one that is under way.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), ClusterError> {
        self.order(Method::DELETE, &of(name, ""), Bytes::new()).await
    }

    /// Gives a study another share of the slots.
    ///
    /// # Errors
    /// No answer, no such study, or one that has ended.
    pub(crate) async fn set_priority(&self, name: &str, priority: u32) -> Result<(), ClusterError> {
        let body = serde_json::to_vec(&PriorityBody { priority }).expect("a number is JSON");
        self.order(Method::PUT, &of(name, "/priority"), body.into()).await
    }

    /// A blob, from whichever node has it, verified.
    ///
    /// # Errors
    /// No answer, or no node has it.
    pub(crate) async fn blob(&self, digest: Digest) -> Result<Vec<u8>, ClusterError> {
        let path = format!("/v1/blobs/{digest}?anywhere=1");
        let addresses = self.addresses().clone();
        let mut tried = Vec::new();
        for address in addresses {
            match self.download(&address, &path).await {
                Ok(bytes) if Digest::of(&bytes) == digest => return Ok(bytes),
                Ok(_) => tried.push((address, format!("other bytes than those of {digest}"))),
                Err(LinkError::Refused { status, .. }) if status.as_u16() == 404 => {
                    return Err(ClusterError::NoBlob { digest: digest.to_string() });
                }
                Err(trouble) => tried.push((address, words(&trouble))),
            }
        }
        Err(ClusterError::NoAnswer { tried })
    }

    /// The whole body of an answer of any size, as long as it gets on.
    async fn download(&self, address: &str, path: &str) -> Result<Vec<u8>, LinkError> {
        let open = self.peers.open(address, Method::GET, path, &[], Bytes::new(), IDLE);
        let mut body = open.await?.into_body();
        let mut whole = BytesMut::new();
        loop {
            let timed_out = |_| LinkError::TimedOut { address: address.to_owned(), after: IDLE };
            let frame = tokio::time::timeout(IDLE, body.frame()).await.map_err(timed_out)?;
            let Some(frame) = frame else { return Ok(whole.into()) };
            let broken = |detail: String| LinkError::Broken { address: address.to_owned(), detail };
            if let Ok(data) = frame.map_err(|error| broken(error.to_string()))?.into_data() {
                whole.extend_from_slice(&data);
            }
        }
    }
}

fn of(study: &str, rest: &str) -> String {
    format!("/v1/studies/{}{rest}", segment(study))
}

/// A name as a part of a path or a query: what may not stand there is written as `%XX`.
pub(super) fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let write = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    name.bytes().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_place_in_a_path() {
        assert_eq!(of("digits-2", "/pause"), "/v1/studies/digits-2/pause");
        assert_eq!(segment("../a b?é"), "..%2Fa%20b%3F%C3%A9");
    }
}
