//! Paths, ranges and heads of transfers for the fuzz targets; see [`crate::fuzzing`].

use super::announced::{Announced, BLOB_BYTES_MAX};
use super::routes::start_of;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderValue};
use http::{HeaderMap, StatusCode};
use wallaby_core::ids::Digest;

pub(crate) fn transfer(text: &str) {
    if let Some(digest) = Digest::from_hex(text) {
        assert_eq!(digest.to_string(), text.to_lowercase());
        assert!(text.bytes().all(|digit| digit.is_ascii_hexdigit()), "it becomes a file's name");
    }
    if let Ok(start) = start_of(text.as_bytes()) {
        assert!(start_of(format!("bytes={start}-").as_bytes()).is_ok_and(|again| again == start));
    }
    let Ok(value) = HeaderValue::from_str(text) else { return };
    for (status, name) in
        [(StatusCode::OK, CONTENT_LENGTH), (StatusCode::PARTIAL_CONTENT, CONTENT_RANGE)]
    {
        for from in [0, 3, u64::MAX] {
            let headers = HeaderMap::from_iter([(name.clone(), value.clone())]);
            match Announced::read(status, &headers, from) {
                Ok(Announced::Rest(bytes) | Announced::All(bytes)) => {
                    assert!(bytes <= BLOB_BYTES_MAX);
                }
                Err(_) => {}
            }
        }
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let digest = Digest::of(b"blob").to_string();
    let texts = [
        digest.as_str(),
        "bytes=17-",
        "bytes 3-6/7",
        "17179869184",
        "bytes 3-18446744073709551615/0",
    ];
    texts.iter().map(|text| ("transfer", text.as_bytes().to_vec())).collect()
}
