//! The stream under one session. It can be cut from outside, and it ends by itself when nothing
//! comes for longer than a peer that lives is silent: sessions ping each other every few seconds,
//! but would never act on a missing answer.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use ractor_cluster::{BoxRead, BoxWrite, ClusterBidiStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

/// How long a peer may be silent. Its pings come every 1 to 5 s.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// A stream for a session, under a label that names it in what the session reports.
pub(super) struct Line {
    label: String,
    read: BoxRead,
    write: BoxWrite,
}

/// Cuts its line when dropped.
#[derive(Debug)]
pub(super) struct Cut {
    read: oneshot::Sender<()>,
    write: oneshot::Sender<()>,
}

impl Cut {
    /// Whether nobody uses the line any more.
    pub(super) fn is_over(&self) -> bool {
        self.read.is_closed() && self.write.is_closed()
    }
}

/// How many lines have been opened: what labels are made from.
pub(super) type Lines = Arc<AtomicU64>;

/// A line over `stream` with a label of its own, and what cuts it.
pub(super) fn open<S>(lines: &Lines, stream: S) -> (Line, Cut)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    Line::new(format!("line {}", lines.fetch_add(1, Ordering::Relaxed)), stream, SILENCE_MAX)
}

impl Line {
    fn new<S>(label: String, stream: S, silence_max: Duration) -> (Self, Cut)
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (read, write) = tokio::io::split(stream);
        let (cut_read, read_cut) = oneshot::channel();
        let (cut_write, write_cut) = oneshot::channel();
        let silence = Box::pin(tokio::time::sleep(silence_max));
        let read = Box::new(ReadEnd { read, cut: read_cut, silence, silence_max });
        let write = Box::new(WriteEnd { write, cut: write_cut });
        (Self { label, read, write }, Cut { read: cut_read, write: cut_write })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }
}

impl ClusterBidiStream for Line {
    fn split(self: Box<Self>) -> (BoxRead, BoxWrite) {
        (self.read, self.write)
    }

    fn peer_label(&self) -> Option<String> {
        Some(self.label.clone())
    }
}

struct ReadEnd<R> {
    read: R,
    cut: oneshot::Receiver<()>,
    silence: Pin<Box<Sleep>>,
    silence_max: Duration,
}

impl<R: AsyncRead + Unpin> AsyncRead for ReadEnd<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        check(&mut self.cut, context)?;
        let polled = Pin::new(&mut self.read).poll_read(context, buffer);
        if polled.is_ready() {
            let end = Instant::now() + self.silence_max;
            self.silence.as_mut().reset(end);
            return polled;
        }
        if self.silence.as_mut().poll(context).is_ready() {
            let words = format!("the peer was silent for {:?}", self.silence_max);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, words)));
        }
        Poll::Pending
    }
}

struct WriteEnd<W> {
    write: W,
    cut: oneshot::Receiver<()>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for WriteEnd<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        check(&mut self.cut, context)?;
        Pin::new(&mut self.write).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        check(&mut self.cut, context)?;
        Pin::new(&mut self.write).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(context)
    }
}

/// An error once the line is cut; until then, whoever polls is woken by the cut.
fn check(cut: &mut oneshot::Receiver<()>, context: &mut Context<'_>) -> io::Result<()> {
    // A receiver that has had its answer must not be polled again.
    if cut.is_terminated() || Pin::new(cut).poll(context).is_ready() {
        return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the session was ended"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn line(silence_max: Duration) -> (BoxRead, BoxWrite, Cut, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(16);
        let (line, cut) = Line::new("label".to_owned(), ours, silence_max);
        let (read, write) = Box::new(line).split();
        (read, write, cut, theirs)
    }

    #[tokio::test]
    async fn a_cut_wakes_who_reads_and_who_writes() {
        let (mut read, mut write, cut, _theirs) = line(SILENCE_MAX);
        let reads = tokio::spawn(async move { read.read_u8().await });
        let writes = tokio::spawn(async move { write.write_all(&[0; 100]).await });
        tokio::task::yield_now().await;
        assert!(!reads.is_finished() && !writes.is_finished(), "nothing was cut yet");
        drop(cut);
        let aborted = io::ErrorKind::ConnectionAborted;
        assert_eq!(reads.await.unwrap().unwrap_err().kind(), aborted);
        assert_eq!(writes.await.unwrap().unwrap_err().kind(), aborted);
    }

    #[tokio::test]
    async fn a_peer_that_falls_silent_is_given_up_so_long_after_its_last_byte() {
        let silence = Duration::from_millis(50);
        let (mut read, _write, _cut, mut theirs) = line(silence);
        for _ in 0..1000 {
            theirs.write_u8(7).await.unwrap();
            assert_eq!(read.read_u8().await.unwrap(), 7);
        }
        let last = Instant::now();
        assert_eq!(read.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // The clock of timers has a resolution of 1 ms.
        assert!(last.elapsed() + Duration::from_millis(2) >= silence);
    }
}
