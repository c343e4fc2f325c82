//! What the head of an answer says about the bytes to come. Pure.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName};
use http::{HeaderMap, StatusCode};

/// The largest blob that is moved, in bytes.
pub(super) const BLOB_BYTES_MAX: u64 = 16 << 30;

/// The bytes that follow the head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// So many, from the place that was asked for on.
    Rest(u64),
    /// So many, from the start of the blob on.
    All(u64),
}

impl Announced {
    /// Reads the head of the answer to the question for the bytes from the place `from` on.
    ///
    /// # Errors
    /// Why the bytes that follow are not wanted.
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, from: u64) -> Result<Self, String> {
        if status == StatusCode::PARTIAL_CONTENT {
            return part(headers, from);
        }
        if status != StatusCode::OK {
            return Err(format!("answered {status}, expected 200 or 206"));
        }
        match text(headers, CONTENT_LENGTH).and_then(|text| text.parse().ok()) {
            Some(length) if length > BLOB_BYTES_MAX => Err(too_large(length)),
            Some(length) if from == 0 => Ok(Self::Rest(length)),
            Some(length) => Ok(Self::All(length)),
            None => Err("answered without a length".to_owned()),
        }
    }
}

fn part(headers: &HeaderMap, from: u64) -> Result<Announced, String> {
    let range = text(headers, CONTENT_RANGE).unwrap_or_default();
    match parse_range(range) {
        Some((_, _, length)) if length > BLOB_BYTES_MAX => Err(too_large(length)),
        Some((first, last, length))
            if first == from && first <= last && length.checked_sub(1) == Some(last) =>
        {
            Ok(Announced::Rest(length - from))
        }
        _ => Err(format!("gave the part {range:?}, asked for bytes {from}-")),
    }
}

/// First byte, last byte and length of a header like `bytes 5-9/10`.
fn parse_range(range: &str) -> Option<(u64, u64, u64)> {
    let (part, length) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, length.parse().ok()?))
}

fn too_large(length: u64) -> String {
    format!("announced {length} bytes, expected at most {BLOB_BYTES_MAX}")
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        status: u16,
        header: Option<(HeaderName, &str)>,
        from: u64,
    ) -> Result<Announced, String> {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|(name, value)| (name, value.parse().unwrap())));
        Announced::read(StatusCode::from_u16(status).unwrap(), &headers, from)
    }

    #[test]
    fn an_answer_says_how_many_bytes_follow() {
        let length = Some((CONTENT_LENGTH, "7"));
        assert_eq!(read(200, length.clone(), 0), Ok(Announced::Rest(7)));
        assert_eq!(read(200, length, 3), Ok(Announced::All(7)));
        let range = Some((CONTENT_RANGE, "bytes 3-6/7"));
        assert_eq!(read(206, range, 3), Ok(Announced::Rest(4)));
    }

    #[test]
    fn an_answer_that_cannot_be_trusted_is_not_listened_to() {
        let large = (BLOB_BYTES_MAX + 1).to_string();
        let part = format!("bytes 0-{BLOB_BYTES_MAX}/{large}");
        let cases = [
            (200, None, 0),
            (200, Some((CONTENT_LENGTH, large.as_str())), 0),
            (206, Some((CONTENT_RANGE, part.as_str())), 0),
            (206, None, 3),
            (206, Some((CONTENT_RANGE, "bytes 2-6/7")), 3),
            (206, Some((CONTENT_RANGE, "bytes 3-5/7")), 3),
            (206, Some((CONTENT_RANGE, "bytes 3-18446744073709551615/0")), 3),
            (204, None, 0),
        ];
        for (status, header, from) in cases {
            assert!(read(status, header.clone(), from).is_err(), "{status} {header:?}");
        }
    }
}
