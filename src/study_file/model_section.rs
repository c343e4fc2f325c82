//! `[model]`: the family and its fixed parameters. Knows parameters by their declaration only.

use super::field::Field;
use super::nearest::nearest;
use super::node::{Content, Node, Table};
use super::report::Report;
use super::section::{Section, refuse};
use wallaby_core::parameter::{Accepts, Parameter};
use wallaby_core::value::{Config, Value};

/// The families a study may name, with the parameters of each.
pub type Families<'a> = &'a [(&'static str, Vec<Parameter>)];

const FAMILY_DEFAULT: &str = "mlp";

/// The section, read from the file.
pub(super) struct ModelSection<'a> {
    pub(super) family: &'static str,
    /// `None` if the family is not known: then nothing can be said of parameters.
    pub(super) parameters: Option<&'a [Parameter]>,
    /// The parameters that are given.
    pub(super) fixed: Config,
}

/// The section and every value in it.
pub(super) fn check<'a>(
    root: &Table,
    families: Families<'a>,
    report: &mut Report,
) -> ModelSection<'a> {
    let section = Section::of(root, "model", report);
    let Some((family, parameters)) = family(&section, families, report) else {
        return ModelSection { family: "", parameters: None, fixed: Config::new() };
    };
    let mut fixed = Config::new();
    for (name, field) in section.fields().filter(|(name, _)| *name != "family") {
        let parameter = find(parameters, name, &["family"], &field, report);
        if let Some(value) = parameter.and_then(|parameter| accepted(parameter, &field, report)) {
            fixed.insert(name.to_owned(), value);
        }
    }
    ModelSection { family, parameters: Some(parameters), fixed }
}

fn family<'a>(
    section: &Section<'_>,
    families: Families<'a>,
    report: &mut Report,
) -> Option<&'a (&'static str, Vec<Parameter>)> {
    let words: Vec<_> = families.iter().map(|family| (family.0, family)).collect();
    let default = words.iter().find(|(name, _)| *name == FAMILY_DEFAULT).map(|(_, family)| *family);
    if default.is_some() && section.get("family").is_none() {
        return default;
    }
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    let given = section.require("family", &format!("one of {}", names.join(", ")), report)?;
    given.word(&words, report)
}

/// The parameter `name`; reported as an unknown key if there is none. `besides` are the keys
/// that may stand in the same table.
pub(super) fn find<'a>(
    parameters: &'a [Parameter],
    name: &str,
    besides: &[&str],
    field: &Field<'_>,
    report: &mut Report,
) -> Option<&'a Parameter> {
    let found = parameters.iter().find(|parameter| parameter.name == name);
    if found.is_none() {
        let names = parameters.iter().map(|parameter| parameter.name);
        let known: Vec<&str> = besides.iter().copied().chain(names).collect();
        refuse(name, field, &known, report);
    }
    found
}

/// The value of `field`, if `parameter` accepts it.
pub(super) fn accepted(
    parameter: &Parameter,
    field: &Field<'_>,
    report: &mut Report,
) -> Option<Value> {
    let value = value_of(field.node).map(|value| in_its_form(value, &parameter.accepts));
    let accepted = value.filter(|value| parameter.accepts.contains(value));
    if accepted.is_none() {
        let hint = word_hint(&parameter.accepts, field);
        field.wrong_with_hint(format!("expected {}", parameter.accepts.expected()), hint, report);
    }
    accepted
}

fn word_hint(accepts: &Accepts, field: &Field<'_>) -> Option<String> {
    match (accepts, &field.node.content) {
        (Accepts::Words(words), Content::Text(text)) => {
            nearest(text, words.iter().copied()).map(|word| format!("{word:?}"))
        }
        _ => None,
    }
}

/// `None` for what no parameter takes: a table, a date, a null, a number past 64 bits.
fn value_of(node: &Node) -> Option<Value> {
    match &node.content {
        Content::Bool(flag) => Some(Value::Bool(*flag)),
        Content::Int(number) => i64::try_from(*number).ok().map(Value::Int),
        Content::Float(number) => Some(Value::Float(*number)),
        Content::Text(text) => Some(Value::Text(text.clone())),
        Content::List(items) => items.iter().map(value_of).collect::<Option<_>>().map(Value::List),
        Content::Foreign(_) | Content::Table(_) => None,
    }
}

/// One value in one form, `1` and `1.0` alike: so that doubles are seen, and that the effective
/// study does not depend on how its author writes numbers.
fn in_its_form(value: Value, accepts: &Accepts) -> Value {
    match (accepts, value) {
        (Accepts::Int { .. }, value) => whole(value),
        (Accepts::Float { .. }, Value::Int(number)) => Value::Float(number as f64),
        (Accepts::Ints { .. }, Value::List(items)) => {
            Value::List(items.into_iter().map(whole).collect())
        }
        (_, value) => value,
    }
}

fn whole(value: Value) -> Value {
    value.as_i64().map_or(value, Value::Int)
}
