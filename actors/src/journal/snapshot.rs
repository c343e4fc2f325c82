//! The content of a snapshot, as it travels to a member that lags behind.
//! Reads the records only when somebody wants the bytes: most snapshots are never sent.

use super::codec;
use super::error::{JournalError, Place};
use super::store::Store;
use super::tables::{RECORDS, decode, encode};
use std::io::{self, Cursor, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

const SEAL: &str = "snapshot";

/// A snapshot's bytes, or where to get them.
#[derive(Default)]
pub(super) struct Body {
    source: Option<(Arc<Store>, u64)>,
    bytes: Cursor<Vec<u8>>,
}

impl Body {
    /// The first `records` records of this store.
    pub(super) fn of_records(store: Arc<Store>, records: u64) -> Self {
        Self { source: Some((store, records)), bytes: Cursor::default() }
    }

    /// All bytes, wherever reading stands.
    pub(super) fn into_bytes(mut self) -> Result<Vec<u8>, JournalError> {
        self.load()?;
        Ok(self.bytes.into_inner())
    }

    fn load(&mut self) -> Result<&mut Cursor<Vec<u8>>, JournalError> {
        if let Some((store, records)) = self.source.take() {
            self.bytes = Cursor::new(pack(&store, records)?);
        }
        Ok(&mut self.bytes)
    }

    fn loaded(self: Pin<&mut Self>) -> io::Result<Pin<&mut Cursor<Vec<u8>>>> {
        self.get_mut().load().map(Pin::new).map_err(io::Error::other)
    }
}

fn pack(store: &Store, count: u64) -> Result<Vec<u8>, JournalError> {
    let mut records = Vec::new();
    store.read(|view| {
        view.visit(&RECORDS, ..count, |_, payload| {
            records.push(payload.to_vec());
            Ok(())
        })
    })?;
    Ok(codec::seal(SEAL, 0, &encode(&records)))
}

/// The records inside a snapshot's bytes. `path` is only for the error: the journal that the
/// records were meant for.
pub(super) fn unpack(path: &Path, bytes: &[u8]) -> Result<Vec<Vec<u8>>, JournalError> {
    let place = Place::Field(SEAL);
    let payload = codec::unseal(SEAL, 0, bytes).map_err(|flaw| JournalError::Damaged {
        path: path.to_owned(),
        place,
        found: flaw.to_string(),
    })?;
    decode(path, place, payload)
}

impl AsyncRead for Body {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.loaded()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Body {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.loaded()?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.loaded()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.loaded()?.poll_shutdown(context)
    }
}

impl AsyncSeek for Body {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.loaded()?.start_seek(position)
    }

    fn poll_complete(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        self.loaded()?.poll_complete(context)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.source {
            Some((_, records)) => write!(f, "Body({records} records)"),
            None => write!(f, "Body({} bytes)", self.bytes.get_ref().len()),
        }
    }
}
