//! Text with one kind of line end, checked line by line: UTF-8, of bounded length, quotes closed.
//! The CSV reader behind it then counts lines as an editor does, whatever wrote the file.

use crate::quotes::Quotes;
use std::io::{self, BufRead, ErrorKind, Read};
use thiserror::Error;

/// The longest line accepted: a million cells of 64 bytes.
pub(crate) const LINE_BYTES_MAX: usize = 64 << 20;

/// A line that is no line of text; travels inside an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum LineError {
    /// Not UTF-8.
    #[error("line {0} is not UTF-8")]
    NotUtf8(u64),
    /// Over [`LINE_BYTES_MAX`].
    #[error("line {0} is too long")]
    TooLong(u64),
    /// The text ends within the quotes that open here.
    #[error("the quote of line {0} is not closed")]
    OpenQuote(u64),
}

/// Reads `inner`; every line comes out ended by a single `\n`, the last one too.
pub(crate) struct Lines<R> {
    inner: R,
    line: Vec<u8>,
    served: usize,
    number: u64,
    quotes: Quotes,
}

impl<R: BufRead> Lines<R> {
    /// `delimiter` stands between cells.
    pub(crate) fn new(inner: R, delimiter: u8) -> Self {
        Self { inner, line: Vec::new(), served: 0, number: 0, quotes: Quotes::new(delimiter) }
    }

    /// Fetches the next line; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.served = 0;
        self.number += 1;
        let limit = LINE_BYTES_MAX as u64 + 1;
        let length = self.inner.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        self.check(length).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if length > 0 {
            self.end_with_newline();
            self.quotes.follow(&self.line, self.number);
        }
        Ok(length > 0)
    }

    fn check(&self, length: usize) -> Result<(), LineError> {
        if length > LINE_BYTES_MAX {
            return Err(LineError::TooLong(self.number));
        }
        if std::str::from_utf8(&self.line).is_err() {
            return Err(LineError::NotUtf8(self.number));
        }
        match self.quotes.open_since() {
            Some(line) if length == 0 => Err(LineError::OpenQuote(line)),
            _ => Ok(()),
        }
    }

    fn end_with_newline(&mut self) {
        if self.line.ends_with(b"\n") {
            self.line.pop();
        }
        if self.line.ends_with(b"\r") {
            self.line.pop();
        }
        self.line.push(b'\n');
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.served == self.line.len() && !self.advance()? {
            return Ok(0);
        }
        let rest = &self.line[self.served..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.served += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Lines::new(bytes, b',').read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn every_line_ends_in_one_newline() {
        assert_eq!(read(b"a\r\nb\n\nc").unwrap(), "a\nb\n\nc\n");
        assert_eq!(read(b"").unwrap(), "");
        assert_eq!(read(b"\r\n").unwrap(), "\n");
    }

    #[test]
    fn bytes_that_are_not_text_are_found_on_their_line() {
        let error = read(b"a,b\n1,\xff\n").unwrap_err();
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<LineError>());
        assert_eq!(inner, Some(&LineError::NotUtf8(2)));
    }

    #[test]
    fn a_line_without_end_is_refused_rather_than_held_in_memory() {
        let endless = io::BufReader::new(io::repeat(b'1'));
        let error = io::copy(&mut Lines::new(endless, b','), &mut io::sink()).unwrap_err();
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<LineError>());
        assert_eq!(inner, Some(&LineError::TooLong(1)));
    }
}
