//! What reads words of users and is nobody else's business, for the fuzz targets (`fuzz/`). Each
//! function takes any text and asserts what holds for those that it accepts; no part of the
//! library's interface.

use crate::filter::Filter;
use crate::sheet::Sheet;
use crate::study_file::StudyFile;
use wallaby_core::value::Value;
use wallaby_train::Registry;

/// An expression of `--where`: it has an answer for every row, and its opposite the opposite one.
pub fn filter(text: &str) {
    let sheet = sheet();
    let Ok(filter) = Filter::parse(text, &sheet) else { return };
    let Ok(opposite) = Filter::parse(&format!("not ({text})"), &sheet) else {
        // Only an expression that is as deep as they may be.
        return assert!(text.len() >= 60, "{text:?} has no opposite");
    };
    for row in &sheet.rows {
        assert_ne!(filter.accepts(row), opposite.accepts(row), "{text:?}");
    }
}

/// A study file, as JSON or TOML: what is accepted survives its canonical form.
pub fn study_file(text: &str, name: &str) {
    let registry = Registry::built_in();
    let families: Vec<_> = registry.families().map(|f| (f.name(), f.parameters())).collect();
    let Ok(study) = StudyFile::parse(text, name, &[], &families) else { return };
    let canonical = study.canonical();
    let again = StudyFile::parse(&canonical, "study.json", &[], &families)
        .unwrap_or_else(|mistakes| panic!("{mistakes:?} in the canonical form {canonical}"));
    assert_eq!(again.canonical(), canonical);
}

fn sheet() -> Sheet {
    let widths = Value::List(vec![Value::Int(128), Value::Int(64)]);
    Sheet {
        columns: ["trial", "end", "accuracy", "hidden"].map(str::to_owned).into(),
        rows: vec![
            vec![Some(Value::Int(0)), Some("completed".into()), Some(0.96.into()), Some(widths)],
            vec![Some(Value::Int(1)), Some("failed".into()), None, None],
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzz_targets_begin_with_holds() {
        for text in ["accuracy > 0.9 and not end == completed", "hidden = [128, 64] or trial<1"] {
            assert!(Filter::parse(text, &sheet()).is_ok(), "{text}");
            filter(text);
        }
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let digits = std::fs::read_to_string(examples.join("digits.toml")).unwrap();
        for end in (0..digits.len()).filter(|end| digits.is_char_boundary(*end)).step_by(7) {
            study_file(&digits[..end], "study.toml");
        }
        study_file(&digits, "study.toml");
    }
}
