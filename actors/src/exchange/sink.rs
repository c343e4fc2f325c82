//! The bytes of a blob on their way in, from a task: gathered to parts, and hashed and written
//! where blocking is allowed, while the next part comes. At most two parts are in memory.

use crate::blobs::{BlobError, BlobStore, Unfinished};
use bytes::Bytes;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::{JoinError, JoinHandle};
use wallaby_core::ids::Digest;

/// How much is written at once.
const PART_BYTES: usize = 1 << 20;

/// Where the bytes of one blob go. After its end and after an error every call fails.
pub(super) struct Sink {
    state: State,
    part: Vec<Bytes>,
    part_bytes: usize,
    length: u64,
}

enum State {
    Idle(Unfinished),
    Writing(JoinHandle<Result<Unfinished, BlobError>>),
    Ended,
}

impl Sink {
    /// Begins a blob as [`BlobStore::begin`] does.
    ///
    /// # Errors
    /// As [`BlobStore::begin`].
    pub(super) async fn begin(blobs: &Arc<BlobStore>, digest: Digest) -> Result<Self, BlobError> {
        let blobs = Arc::clone(blobs);
        blocking(move || blobs.begin(digest)).await.map(Self::new)
    }

    /// Begins a blob as [`BlobStore::begin_aside`] does.
    ///
    /// # Errors
    /// As [`BlobStore::begin_aside`].
    pub(super) async fn begin_aside(
        blobs: &Arc<BlobStore>,
        digest: Digest,
    ) -> Result<Self, BlobError> {
        let blobs = Arc::clone(blobs);
        blocking(move || blobs.begin_aside(digest)).await.map(Self::new)
    }

    fn new(unfinished: Unfinished) -> Self {
        let length = unfinished.length();
        Self { state: State::Idle(unfinished), part: Vec::new(), part_bytes: 0, length }
    }

    /// Bytes of the blob that are here, written or about to be.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Takes bytes; waits only if the disk is slower than they come.
    ///
    /// # Errors
    /// As [`Unfinished::write`], possibly for earlier bytes.
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        self.length += bytes.len() as u64;
        self.part_bytes += bytes.len();
        self.part.push(bytes);
        if self.part_bytes < PART_BYTES {
            return Ok(());
        }
        let unfinished = self.settled().await?;
        let part = std::mem::take(&mut self.part);
        self.part_bytes = 0;
        let writing = tokio::task::spawn_blocking(move || write_all(unfinished, &part));
        self.state = State::Writing(writing);
        Ok(())
    }

    /// Forgets all bytes.
    ///
    /// # Errors
    /// As [`Unfinished::restart`].
    pub(super) async fn restart(&mut self) -> Result<(), BlobError> {
        let mut unfinished = self.settled().await?;
        self.part.clear();
        (self.part_bytes, self.length) = (0, 0);
        let restarted = blocking(move || unfinished.restart().map(|()| unfinished)).await?;
        self.state = State::Idle(restarted);
        Ok(())
    }

    /// Ends the blob as [`Unfinished::finish`] does.
    ///
    /// # Errors
    /// As [`Unfinished::finish`].
    pub(super) async fn finish(&mut self, durable: bool) -> Result<u64, BlobError> {
        let unfinished = self.settled().await?;
        let part = std::mem::take(&mut self.part);
        blocking(move || write_all(unfinished, &part)?.finish(durable)).await
    }

    /// Writes what is here and lets the file go, to be gone on with if it was begun for that.
    ///
    /// # Errors
    /// As [`Unfinished::write`].
    pub(super) async fn close(&mut self) -> Result<(), BlobError> {
        let unfinished = self.settled().await?;
        let part = std::mem::take(&mut self.part);
        blocking(move || write_all(unfinished, &part).map(drop)).await
    }

    /// The blob when nothing is being written to it.
    async fn settled(&mut self) -> Result<Unfinished, BlobError> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Idle(unfinished) => Ok(unfinished),
            State::Writing(writing) => writing.await.unwrap_or_else(|gone| Err(broken_off(&gone))),
            State::Ended => Err(storage(io::Error::other("it ended before"))),
        }
    }
}

fn write_all(mut unfinished: Unfinished, part: &[Bytes]) -> Result<Unfinished, BlobError> {
    part.iter().try_for_each(|bytes| unfinished.write(bytes))?;
    Ok(unfinished)
}

/// Does what reads or writes files, where that is allowed.
///
/// # Errors
/// Those of `work`, and `Storage` if it did not come to its end.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|gone| Err(broken_off(&gone)))
}

fn broken_off(gone: &JoinError) -> BlobError {
    storage(io::Error::other(gone.to_string()))
}

fn storage(source: io::Error) -> BlobError {
    BlobError::Storage { path: PathBuf::from("a blob on its way in"), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[tokio::test]
    async fn no_more_than_a_part_waits_to_be_written() {
        let folder = TempDir::new().unwrap();
        let blobs = Arc::new(BlobStore::open_with_cache(folder.path(), 0).unwrap());
        let frame = Bytes::from(vec![7; 300_000]);
        let blob = frame.repeat(60);
        let digest = Digest::of(&blob);
        let mut sink = Sink::begin(&blobs, digest).await.unwrap();
        for count in 1..=60 {
            sink.write(frame.clone()).await.unwrap();
            assert!(sink.part_bytes < PART_BYTES);
            assert_eq!(sink.length(), 300_000 * count);
        }
        assert_eq!(sink.finish(true).await.unwrap(), 18_000_000);
        assert_eq!(*blobs.get(&digest).unwrap(), blob);
        let late = sink.write(frame.repeat(4).into()).await.unwrap_err();
        assert!(late.to_string().ends_with("it ended before"), "{late}");
    }

    #[tokio::test]
    async fn what_was_closed_is_gone_on_with() {
        let folder = TempDir::new().unwrap();
        let blobs = Arc::new(BlobStore::open(folder.path()).unwrap());
        let digest = Digest::of(b"one two");
        let mut sink = Sink::begin(&blobs, digest).await.unwrap();
        sink.write(Bytes::from("one ")).await.unwrap();
        sink.close().await.unwrap();
        let mut sink = Sink::begin(&blobs, digest).await.unwrap();
        assert_eq!(sink.length(), 4);
        sink.write(Bytes::from("two")).await.unwrap();
        assert_eq!(sink.finish(false).await.unwrap(), 7);
    }
}
