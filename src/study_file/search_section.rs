//! `[search]`: sampler, policy, concurrency, space.

use super::domains;
use super::field::{Field, Words};
use super::model_section::ModelSection;
use super::node::Content;
use super::report::Report;
use super::section::Section;
use std::ops::RangeInclusive;
use wallaby_core::space::Space;
use wallaby_core::spec::{CONCURRENCY, ETA, MIN_TRIALS, PolicyKind, SamplerKind, Search};

/// The words for samplers.
pub(super) const SAMPLERS: &Words<SamplerKind> =
    &[("grid", SamplerKind::Grid), ("random", SamplerKind::Random), ("sobol", SamplerKind::Sobol)];

/// The words for policies, with the settings they have if nothing is said.
pub(super) const POLICIES: &Words<PolicyKind> = &[
    ("none", PolicyKind::None),
    ("median", PolicyKind::Median { grace_epochs: 1, min_trials: 5 }),
    ("asha", PolicyKind::Asha { min_epochs: 1, eta: 3 }),
];

/// The sampler alone: the budget depends on it.
pub(super) fn sampler(section: &Section<'_>, report: &mut Report) -> SamplerKind {
    let sampler = section.get("sampler").and_then(|field| field.word(SAMPLERS, report));
    sampler.unwrap_or(SamplerKind::Random)
}

/// The rest of the section; no policy waits for more than `epochs`.
pub(super) fn check(
    section: &Section<'_>,
    sampler: SamplerKind,
    model: &ModelSection<'_>,
    epochs: u32,
    report: &mut Report,
) -> Search {
    section.refuse_unknown(report);
    let policy = section.get("policy").and_then(|field| policy(&field, epochs, report));
    let concurrency = section.get("concurrency");
    let space = section.get("space");
    Search {
        sampler,
        policy: policy.unwrap_or(PolicyKind::None),
        concurrency: concurrency.and_then(|field| field.whole(CONCURRENCY, report)),
        space: match space {
            Some(field) => domains::check(&field, model, sampler, report),
            None => Space::default(),
        },
    }
}

/// A word, or a table of a name and settings.
fn policy(field: &Field<'_>, epochs: u32, report: &mut Report) -> Option<PolicyKind> {
    if !matches!(field.node.content, Content::Table(_)) {
        return field.word(POLICIES, report);
    }
    let section = Section::inside(field, report);
    let name = section.require("name", "one of none, median, asha", report)?;
    let kind = name.word(POLICIES, report)?;
    let mut setting = |key, range: RangeInclusive<u32>, default: u32| {
        let given = section.get(key).and_then(|field| field.whole(range, report));
        given.unwrap_or(default)
    };
    let kind = match kind {
        PolicyKind::None => PolicyKind::None,
        PolicyKind::Median { grace_epochs, min_trials } => PolicyKind::Median {
            grace_epochs: setting("grace_epochs", 1..=epochs, grace_epochs),
            min_trials: setting("min_trials", MIN_TRIALS, min_trials),
        },
        PolicyKind::Asha { min_epochs, eta } => PolicyKind::Asha {
            min_epochs: setting("min_epochs", 1..=epochs, min_epochs),
            eta: setting("eta", ETA, eta),
        },
    };
    section.refuse_others(settings_of(&kind), report);
    Some(kind)
}

fn settings_of(policy: &PolicyKind) -> &'static [&'static str] {
    match policy {
        PolicyKind::None => &["name"],
        PolicyKind::Median { .. } => &["name", "grace_epochs", "min_trials"],
        PolicyKind::Asha { .. } => &["name", "min_epochs", "eta"],
    }
}
