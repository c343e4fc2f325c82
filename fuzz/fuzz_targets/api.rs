//! The JSON of the HTTP interface, in both directions.
#![no_main]

use serde::Serialize;
use serde::de::DeserializeOwned;
use wallaby_actors::cluster::api_types::{
    Created, ErrorBody, Hello, NodeInfo, PlanAnswer, PlanRequest, PriorityBody, RunningInfo,
    StudyInfo,
};

/// What is read is written so that it reads the same.
fn survives<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let text = serde_json::to_string(&value).expect("it can be written");
    let again: T = serde_json::from_str(&text).expect("it survives its text");
    assert_eq!(serde_json::to_string(&again).expect("it can be written"), text);
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    survives::<PlanRequest>(bytes);
    survives::<PriorityBody>(bytes);
    survives::<PlanAnswer>(bytes);
    survives::<Created>(bytes);
    survives::<ErrorBody>(bytes);
    survives::<Hello>(bytes);
    survives::<Vec<NodeInfo>>(bytes);
    survives::<Vec<RunningInfo>>(bytes);
    survives::<Vec<StudyInfo>>(bytes);
});
