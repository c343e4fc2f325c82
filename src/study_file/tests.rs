//! The study file as its users meet it: whole texts in, studies or messages out.

mod effective;
mod mistakes;
mod robust;

use super::{Mistakes, StudyFile};
use wallaby_core::parameter::{Accepts, Parameter};
use wallaby_core::value::Value;

/// A study without mistakes, one key a line.
const STUDY: &str = "\
[study]
name = \"digits\"
[data]
path = \"digits.csv\"
target = \"label\"
[model]
[search]
[search.space]
[budget]
trials = 4
epochs = 5
";

fn families() -> Vec<(&'static str, Vec<Parameter>)> {
    let parameter = |name, accepts, default| Parameter { name, accepts, default, help: "" };
    let rate = Accepts::Float { low: 0.0, high: 10.0, open: true };
    let width = Accepts::Int { low: 1, high: 4096 };
    let hidden = Accepts::Ints { low: 1, high: 4096, length: 8 };
    let optimizer = Accepts::Words(&["adam", "sgd"]);
    let linear = vec![parameter("learning_rate", rate.clone(), 0.1.into())];
    let mlp = vec![
        parameter("learning_rate", rate, 1e-3.into()),
        parameter("width", width, 64.into()),
        parameter("hidden", hidden, Value::List(vec![64.into()])),
        parameter("optimizer", optimizer, "adam".into()),
        parameter("normalize", Accepts::Bool, false.into()),
    ];
    vec![("linear", linear), ("mlp", mlp)]
}

fn parse(text: &str, name: &str, overrides: &[&str]) -> Result<StudyFile, Mistakes> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    StudyFile::parse(text, name, &overrides, &families())
}

/// [`STUDY`] with the line `old` replaced by `new`.
fn study_with(old: &str, new: &str) -> String {
    let old = format!("{old}\n");
    assert_eq!(STUDY.matches(&old).count(), 1, "{old}");
    STUDY.replace(&old, &format!("{new}\n"))
}
