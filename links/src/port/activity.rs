//! When a connection last did anything: what tells one that rests or dawdles from one at work.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Limits;

/// How long a deadline that came closer may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is known of a connection's activity, shared by its stream, its requests and its watch.
#[derive(Clone, Debug)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When bytes last moved, in either direction.
    moved: Instant,
    /// How many requests are under way.
    requests: usize,
    /// Since when the head of the next request is awaited or arriving.
    head_since: Option<Instant>,
}

impl Activity {
    /// Of a connection whose first request is to come now.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(State { moved: now, requests: 0, head_since: Some(now) })))
    }

    /// A request's head has arrived; it is under way until what this gives is dropped.
    pub(super) fn request(&self) -> UnderWay {
        let mut state = self.lock();
        state.requests += 1;
        state.head_since = None;
        UnderWay(self.clone())
    }

    /// Resolves when the connection has rested or dawdled too long.
    pub(super) async fn expired(&self, limits: Limits) {
        loop {
            let deadline = self.deadline(limits);
            let now = Instant::now();
            if deadline <= now {
                return;
            }
            tokio::time::sleep_until(deadline.min(now + LOOK_EVERY)).await;
        }
    }

    fn deadline(&self, limits: Limits) -> Instant {
        let state = self.lock();
        let idle = state.moved + limits.idle;
        state.head_since.map_or(idle, |since| idle.min(since + limits.head))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, bytes: usize, read: bool) {
        if bytes == 0 {
            return;
        }
        let mut state = self.lock();
        state.moved = Instant::now();
        if read && state.requests == 0 && state.head_since.is_none() {
            state.head_since = Some(state.moved);
        }
    }
}

/// A request that is under way, until its answer has been sent.
#[derive(Debug)]
pub(super) struct UnderWay(Activity);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().requests -= 1;
    }
}

/// A stream that tells its activity.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Activity,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Activity) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.activity.note(buffer.filled().len() - before, true);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.activity.note(written, false);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
