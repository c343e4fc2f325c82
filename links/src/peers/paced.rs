//! A body that is sent, watched: whether it gets on, and whether it has the length it promised.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::BodyError;

/// When a body last got on.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Mutex<Instant>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Progress {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when nothing was sent for `idle`.
    pub(super) async fn stalled(&self, idle: Duration) {
        loop {
            let deadline = self.last() + idle;
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}

/// A body with a promised length.
pub(super) struct Paced<B> {
    body: Pin<Box<B>>,
    left: u64,
    progress: Progress,
}

impl<B> Paced<B> {
    pub(super) fn new(body: B, length: u64, progress: Progress) -> Self {
        Self { body: Box::pin(body), left: length, progress }
    }
}

impl<B> Body for Paced<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.body.as_mut().poll_frame(context);
        let Poll::Ready(frame) = polled else { return Poll::Pending };
        self.progress.note();
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                match self.left.checked_sub(bytes) {
                    Some(left) => {
                        self.left = left;
                        Some(Ok(frame))
                    }
                    None => Some(Err("the body is longer than was said".into())),
                }
            }
            Some(Err(error)) => Some(Err(error.into())),
            None if self.left > 0 => {
                Some(Err(format!("the body ends {} bytes too early", self.left).into()))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
