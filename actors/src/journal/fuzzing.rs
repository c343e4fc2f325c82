//! Calls of the journal for the fuzz targets; see [`crate::fuzzing`].

use super::answering::{check_order, read};
use super::raft::Types;
use super::snapshot::Piece;
use super::tables::encode;
use openraft::raft::{AppendEntriesRequest, VoteRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) fn call(bytes: &[u8]) {
    if let Some(request) = survives::<AppendEntriesRequest<Types>>(bytes) {
        let _ = check_order(&request);
    }
    survives::<VoteRequest<u64>>(bytes);
    survives::<Piece>(bytes);
}

/// The request in these bytes, which is what its own bytes hold.
fn survives<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let request: T = read(bytes).ok()?;
    let again = encode(&request);
    let decoded: T = read(&again).expect("a call survives its bytes");
    assert_eq!(encode(&decoded), again);
    Some(request)
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    use openraft::Vote;
    let vote = VoteRequest { vote: Vote::new(3, 1), last_log_id: None };
    let append = AppendEntriesRequest::<Types> {
        vote: Vote::new_committed(3, 1),
        prev_log_id: None,
        entries: vec![],
        leader_commit: None,
    };
    let piece = Piece {
        vote: Vote::new_committed(3, 1),
        meta: Default::default(),
        records: 2,
        first: 0,
        content: vec![vec![1, 2, 3], vec![]],
    };
    vec![("call", encode(&vote)), ("call", encode(&append)), ("call", encode(&piece))]
}
