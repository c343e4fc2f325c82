//! Core's values as JSON, for everything that scripts read.

use serde_json::{Map, Number, Value as Json, json};
use std::collections::BTreeMap;
use wallaby_core::value::{Config, Value};

/// A hyper-parameter's value.
pub(crate) fn value(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Text(text) => json!(text),
        Value::List(list) => Json::Array(list.iter().map(self::value).collect()),
    }
}

/// A configuration.
pub(crate) fn config(config: &Config) -> Json {
    let pairs = config.iter().map(|(name, v)| (name.clone(), value(v)));
    Json::Object(pairs.collect::<Map<_, _>>())
}

/// Metrics.
pub(crate) fn metrics(metrics: &BTreeMap<String, f64>) -> Json {
    json!(metrics)
}
