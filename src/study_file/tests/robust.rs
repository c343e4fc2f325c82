//! Whatever stands in a study file: an answer, never a panic.

use super::*;
use crate::study_file::section::SECTIONS;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// Keys that mean something somewhere, and one that does not.
fn any_key() -> impl Strategy<Value = String> {
    let sections = SECTIONS
        .iter()
        .flat_map(|(section, keys)| [*section].into_iter().chain(keys.iter().copied()));
    let inner = ["low", "high", "scale", "points", "eta", "min_epochs", "grace_epochs"];
    let parameters = ["learning_rate", "width", "hidden", "optimizer", "normalize", "nonsense"];
    let keys: Vec<&str> = sections.chain(inner).chain(parameters).collect();
    prop::sample::select(keys).prop_map(str::to_owned)
}

fn any_leaf() -> impl Strategy<Value = Json> {
    let words = ["", "asha", "median", "grid", "sobol", "log", "adam", "mlp", "10m", "é", "-1"];
    prop_oneof![
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-3i64..20).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(words.to_vec()).prop_map(Json::from),
        Just(Json::Null),
    ]
}

fn any_tree() -> impl Strategy<Value = Json> {
    any_leaf().prop_recursive(4, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(any_key(), inner, 0..8)
                .prop_map(|table| Json::Object(table.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A sound study in which some keys are given any value at all.
fn any_spoilt_study() -> impl Strategy<Value = Json> {
    let places =
        SECTIONS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| (*section, *key)));
    let places: Vec<_> = places.chain([("model", "hidden"), ("model", "optimizer")]).collect();
    let change = (prop::sample::select(places), any_tree());
    prop::collection::vec(change, 0..4).prop_map(|changes| {
        let mut study = json!({
            "study": { "name": "s" },
            "data": { "path": "d.csv", "target": 0 },
            "model": {},
            "search": { "space": { "width": { "low": 1, "high": 9 } } },
            "objective": {},
            "budget": { "trials": 2, "epochs": 2 },
            "run": {},
        });
        for ((section, key), value) in changes {
            study[section][key] = value;
        }
        study
    })
}

/// A study that parses is one that survives its canonical form.
fn check(text: &str, name: &str, overrides: &[&str]) {
    match parse(text, name, overrides) {
        Ok(study) => {
            let again = parse(&study.canonical(), "study.json", &[]).unwrap();
            assert_eq!(again.canonical(), study.canonical());
        }
        Err(mistakes) => assert!(mistakes.iter().count() > 0),
    }
}

proptest! {
    #[test]
    fn random_text_gets_an_answer(text in "\\PC{0,200}", json in any::<bool>()) {
        check(&text, if json { "s.json" } else { "s.toml" }, &[]);
    }

    #[test]
    fn random_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        check(&text, "s.toml", &[]);
        check(&text, "s.json", &[]);
    }

    #[test]
    fn random_trees_get_an_answer(tree in any_tree()) {
        check(&tree.to_string(), "s.json", &[]);
        if let Ok(text) = toml::to_string(&tree) {
            check(&text, "s.toml", &[]);
        }
    }

    #[test]
    fn spoilt_studies_get_an_answer(study in any_spoilt_study()) {
        check(&study.to_string(), "s.json", &[]);
        if let Ok(text) = toml::to_string(&study) {
            check(&text, "s.toml", &[]);
        }
    }

    #[test]
    fn random_overrides_get_an_answer(key in "[a-z.]{0,20}", value in "\\PC{0,20}") {
        check(STUDY, "s.toml", &[&format!("{key}={value}"), &value]);
        check(STUDY, "s.toml", &[&format!("search.space.{key}={value}")]);
    }

    #[test]
    fn a_cut_or_changed_study_gets_an_answer(at in 0usize..200, byte in any::<char>()) {
        let at = at.min(STUDY.len());
        check(&STUDY[..at], "s.toml", &[]);
        check(&format!("{}{byte}{}", &STUDY[..at], &STUDY[at..]), "s.toml", &[]);
    }
}

#[test]
fn deep_nesting_is_an_error_of_syntax() {
    for (name, open) in [("s.toml", "a = ["), ("s.json", "{\"a\":")] {
        let text = format!("{open}{}", "[".repeat(100_000));
        assert!(parse(&text, name, &[]).is_err());
    }
    let dotted = format!("{} = 1", vec!["a"; 200_000].join("."));
    assert!(parse(&dotted, "s.toml", &[]).is_err());
    let value = "[".repeat(100_000);
    assert!(parse(STUDY, "s.toml", &[&format!("model.hidden={value}")]).is_err());
}
