//! What a journal asks of the links between its members: carry some bytes there, and the answer
//! back. Knows neither what the bytes mean nor where a member is.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use thiserror::Error;
use wallaby_core::ids::NodeId;

/// A future that can be moved between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What members ask each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Store these entries of the log; without any, a heartbeat.
    Append,
    /// Elect me.
    Vote,
    /// Take these records of a snapshot, for the log no longer reaches back to where you are.
    Snapshot,
}

/// Carries calls to the other members of a journal. The other side hands the body to
/// [`Journal::answer`](super::Journal::answer).
///
/// Bodies are small: at most 1 MiB and the largest single append. The journal copes with calls
/// that are lost, late, repeated or out of order, but not with bodies that changed on the way.
pub trait Transport: Send + Sync + 'static {
    /// Asks a member, and returns its answer within `timeout` or not at all.
    fn send(
        &self,
        to: NodeId,
        call: Call,
        body: Vec<u8>,
        timeout: Duration,
    ) -> BoxFuture<Result<Vec<u8>, TransportError>>;
}

/// Why a call has no answer. Only for the first is it sure that the member did not hear it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransportError {
    /// There is no way to the member at present; not tried again for a moment.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It did not answer in time.
    #[error("did not answer in time")]
    TimedOut,
    /// It answered that it could not.
    #[error("refused: {0}")]
    Refused(String),
}

/// The links of a member that stands alone.
pub(super) struct Alone;

impl Transport for Alone {
    fn send(
        &self,
        _: NodeId,
        _: Call,
        _: Vec<u8>,
        _: Duration,
    ) -> BoxFuture<Result<Vec<u8>, TransportError>> {
        let found = "this journal has one member".to_owned();
        Box::pin(async { Err(TransportError::Unreachable(found)) })
    }
}
