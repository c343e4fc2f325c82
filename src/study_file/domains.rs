//! `[search.space]`: a domain for each searched parameter, every value of which the parameter
//! accepts. What a sampler asks of the whole space is checked here too.

use super::field::{Field, Words};
use super::model_section::{ModelSection, accepted, find};
use super::node::Content;
use super::report::Report;
use super::section::Section;
use wallaby_core::parameter::{Accepts, Parameter};
use wallaby_core::search::MAX_DIMENSIONS;
use wallaby_core::space::{Domain, POINTS_MAX, Space};
use wallaby_core::spec::{GRID_MAX, SamplerKind};
use wallaby_core::value::Value;

/// The words for scales; `true` is logarithmic.
pub(super) const SCALES: &Words<bool> = &[("linear", false), ("log", true)];

/// The space in `field`, for a model of `model` and a sampler.
pub(super) fn check(
    field: &Field<'_>,
    model: &ModelSection<'_>,
    sampler: SamplerKind,
    report: &mut Report,
) -> Space {
    let section = Section::inside(field, report);
    let Some(parameters) = model.parameters else { return Space::default() };
    let mut space = Space::default();
    for (name, entry) in section.fields() {
        let Some(parameter) = find(parameters, name, &[], &entry, report) else { continue };
        if model.fixed.contains_key(name) {
            let problem = format!("is fixed by model.{name} as well, expected one of the two");
            entry.remark(problem, report);
        }
        let domain = domain(parameter, &entry, report);
        if let Some(domain) = domain.filter(|domain| is_sound(domain, &entry, sampler, report)) {
            space.0.insert(name.to_owned(), domain);
        }
    }
    check_size(&space, field, sampler, report);
    space
}

fn domain(parameter: &Parameter, field: &Field<'_>, report: &mut Report) -> Option<Domain> {
    match &field.node.content {
        Content::List(items) => {
            let values = items.iter().map(|item| accepted(parameter, &field.item(item), report));
            // Collected first, so that every wrong item is reported.
            let values: Vec<Option<Value>> = values.collect();
            values.into_iter().collect::<Option<_>>().map(Domain::Choice)
        }
        Content::Table(_) => range(parameter, field, report),
        _ => {
            let or_range = if is_number(parameter) { " or a range { low, high }" } else { "" };
            let problem =
                format!("expected a list of choices{or_range}; a fixed value belongs in [model]");
            field.wrong(problem, report);
            None
        }
    }
}

fn is_number(parameter: &Parameter) -> bool {
    matches!(parameter.accepts, Accepts::Int { .. } | Accepts::Float { .. })
}

fn range(parameter: &Parameter, field: &Field<'_>, report: &mut Report) -> Option<Domain> {
    if !is_number(parameter) {
        let each = parameter.accepts.expected();
        field.wrong(format!("expected a list of choices, each {each}"), report);
        return None;
    }
    let section = Section::inside(field, report);
    section.refuse_others(&["low", "high", "scale", "points"], report);
    let mut bound = |key| {
        let field = section.require(key, &parameter.accepts.expected(), report)?;
        accepted(parameter, &field, report)
    };
    let (low, high) = (bound("low"), bound("high"));
    let log = section.get("scale").and_then(|field| field.word(SCALES, report)).unwrap_or(false);
    let points = section.get("points").and_then(|field| field.whole(1..=POINTS_MAX as u32, report));
    match (low?, high?) {
        (Value::Int(low), Value::Int(high)) => Some(Domain::Int { low, high, log, points }),
        (low, high) => {
            Some(Domain::Float { low: low.as_f64()?, high: high.as_f64()?, log, points })
        }
    }
}

fn is_sound(domain: &Domain, field: &Field<'_>, sampler: SamplerKind, report: &mut Report) -> bool {
    let grid = sampler == SamplerKind::Grid;
    let checked = if grid { domain.check_for_grid() } else { domain.check() };
    if let Err(error) = &checked {
        field.remark(error.to_string(), report);
    }
    checked.is_ok()
}

fn check_size(space: &Space, field: &Field<'_>, sampler: SamplerKind, report: &mut Report) {
    let parameters = space.0.len();
    match sampler {
        SamplerKind::Grid if space.grid_len().is_some_and(|points| points > GRID_MAX) => {
            let problem = format!(
                "the grid has more than {GRID_MAX} points, \
                 expected fewer by shorter lists or `points`"
            );
            field.remark(problem, report);
        }
        SamplerKind::Sobol if parameters > MAX_DIMENSIONS => {
            let problem = format!(
                "{parameters} parameters, \
                 expected at most {MAX_DIMENSIONS} for a Sobol sequence"
            );
            field.remark(problem, report);
        }
        _ => {}
    }
}
