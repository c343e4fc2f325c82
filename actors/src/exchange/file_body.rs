//! The bytes of a blob on their way out, as the body of a request or an answer. Reads one part
//! ahead where blocking is allowed, so at most two parts are in memory, whatever the blob's size.

use super::meter::{Kind, Meter};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// How much is read at once.
pub(super) const PART_BYTES: u64 = 512 << 10;

/// A file's bytes from some place on to its end.
pub(super) struct FileBody {
    /// The part that is being read, and the file after it; `None` at the end and after an error.
    reading: Option<JoinHandle<io::Result<(File, Bytes)>>>,
    /// Bytes that are not handed out yet.
    left: u64,
    kind: Kind,
    meter: Arc<Meter>,
}

impl FileBody {
    /// The `length - from` bytes of a file of `length` from the place `from` on. Counts them as
    /// they go. From within a runtime only.
    pub(super) fn new(file: File, length: u64, from: u64, kind: Kind, meter: Arc<Meter>) -> Self {
        let left = length.saturating_sub(from);
        let mut body = Self { reading: None, left, kind, meter };
        if left > 0 {
            body.reading = Some(read(file, Some(from), left));
        }
        body
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read_out = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let (file, part) = match read_out.unwrap_or_else(|gone| Err(io::Error::other(gone))) {
            Ok(read_out) => read_out,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let bytes = part.len() as u64;
        self.left = self.left.saturating_sub(bytes);
        if self.left > 0 {
            self.reading = Some(read(file, None, self.left));
        }
        self.meter.sent(self.kind, bytes);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Reads the next part, after going to a place first if one is given.
fn read(mut file: File, place: Option<u64>, left: u64) -> JoinHandle<io::Result<(File, Bytes)>> {
    tokio::task::spawn_blocking(move || {
        if let Some(place) = place.filter(|place| *place > 0) {
            file.seek(SeekFrom::Start(place))?;
        }
        let wanted = left.min(PART_BYTES);
        let mut part = Vec::with_capacity(wanted as usize);
        (&file).take(wanted).read_to_end(&mut part)?;
        if (part.len() as u64) < wanted {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the blob's file became shorter"));
        }
        Ok((file, Bytes::from(part)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    #[tokio::test]
    async fn a_file_goes_out_in_parts_of_bounded_size() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|place| (place % 251) as u8).collect();
        for from in [0, 1, 2_999_999] {
            let meter = Arc::new(Meter::default());
            let (length, counted) = (bytes.len() as u64, Arc::clone(&meter));
            let mut body = FileBody::new(file_of(&bytes), length, from, Kind::Other, counted);
            assert_eq!(body.size_hint().exact(), Some(length - from));
            let mut sent = Vec::new();
            while let Some(frame) = body.frame().await {
                let part = frame.unwrap().into_data().unwrap();
                assert!((1..=PART_BYTES).contains(&(part.len() as u64)));
                sent.extend_from_slice(&part);
            }
            assert!(body.is_end_stream());
            assert_eq!(sent, bytes[from as usize..]);
            assert_eq!(meter.snapshot().other.sent, length - from);
        }
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_an_error_and_not_an_end() {
        let meter = Arc::new(Meter::default());
        let body = FileBody::new(file_of(b"four"), 5, 0, Kind::Other, meter);
        let error = body.collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}
