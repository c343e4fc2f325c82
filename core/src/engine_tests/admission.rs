//! Start-up, proposals, and the ends of a study.

use super::*;
use crate::space::{Domain, Space};
use crate::spec::SamplerKind;

/// A grid of `points` points.
fn grid(points: i64, trials: Option<u32>) -> Creation {
    let mut creation = creation(1, 1, 1);
    let domain = Domain::Choice((0..points).map(Into::into).collect());
    creation.spec.search.space = Space([("width".to_owned(), domain)].into());
    creation.spec.search.sampler = SamplerKind::Grid;
    creation.spec.budget.trials = trials;
    creation
}

/// Finishes every unit until the study has ended; how many trials it had, and why it ended.
fn run_out(creation: Creation, slots: u32) -> (usize, Phase) {
    let (mut leader, mut tries) = Leader::with_nodes(creation, [offer(slots, [0])]);
    while let Some(attempt) = tries.pop() {
        tries.extend(leader.complete(attempt, 0.5));
    }
    (leader.engine.study().trials.len(), leader.engine.study().phase.clone())
}

fn spent() -> Phase {
    Phase::Ended(Conclusion::TrialsSpent)
}

#[test]
fn a_leader_begins_with_its_term() {
    let (mut leader, commands) = Leader::begin(creation(2, 1, 1));
    assert_eq!(commands, [append(1, 0, [term_began(1)])]);
    assert_eq!(leader.persist(), [], "there is no node to propose trials for");
    assert_eq!(leader.tell(Event::Ticked), []);
}

#[test]
fn a_whole_study_of_one_trial_one_partition_and_one_epoch() {
    let (mut leader, _) = Leader::begin(creation(1, 1, 1));
    let commands = leader.wait(10).tell(joined(1, 1, offer(1, [0])));
    assert_eq!(commands, [append(2, 10, [proposed(0)])]);
    let commands = leader.wait(10).persist();
    assert_eq!(commands, [closing(begin(slot(1, 0), train(0, 1, 0), fence(1, 1)))]);

    let training = only(&commands);
    let commands = leader.wait(100).finish(training, 0.75);
    let trained = commit(training, 20, output(state(0, 1, 1), 0.75));
    assert_eq!(commands, [append(3, 120, [trained])]);
    let commands = leader.wait(10).persist();
    let validate = go_on(slot(1, 0), validation(0, 1), fence(1, 2), state(0, 1, 1), 1);
    assert_eq!(commands, [validate]);

    let measuring = only(&commands);
    let commands = leader.wait(50).finish(measuring, 0.5);
    let measured = commit(measuring, 130, output(state(0, 1, 1), 0.5));
    let over = Record::StudyEnded { cause: Conclusion::TrialsSpent };
    assert_eq!(commands, [append(4, 180, [measured, ended(0, End::Completed), over])]);
    assert_eq!(leader.persist(), [Command::Rest]);
    assert_eq!(leader.tell(Event::Ticked), [], "there is only one rest");
}

#[test]
fn nothing_starts_before_its_proposal_is_durable() {
    let (mut leader, _) = Leader::begin(creation(2, 1, 2));
    leader.tell(joined(1, 1, offer(2, [0, 1])));
    assert_eq!(leader.tell(Event::Ticked), []);
    assert_eq!(leader.tell(Event::Appended(Seq(1))), [], "only the term is durable");
    let first = begin(slot(1, 0), train(0, 1, 0), fence(1, 1));
    assert_eq!(leader.tell(Event::Appended(Seq(2))), [first]);
    let second = begin(slot(1, 1), train(1, 1, 1), fence(1, 2));
    assert_eq!(leader.tell(Event::Appended(Seq(3))), [second]);
}

#[test]
fn an_older_or_a_repeated_append_changes_nothing() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    leader.finish(tries[0], 0.5);
    assert_eq!(leader.tell(Event::Appended(Seq(1))), []);
    assert_eq!(leader.tell(Event::Appended(Seq(2))), []);
    assert_eq!(started(&leader.persist()).len(), 1);
    assert_eq!(leader.persist(), []);
}

#[test]
fn twice_as_many_trials_as_slots_are_under_way() {
    let (mut leader, _) = Leader::begin(creation(50, 1, 1));
    let commands = leader.tell(joined(1, 1, offer(3, [0])));
    assert_eq!(appended(&commands), (0..6).map(proposed).collect::<Vec<_>>());
    let commands = leader.tell(joined(2, 1, offer(1, [])));
    assert_eq!(appended(&commands), [proposed(6), proposed(7)]);
    assert_eq!(appended(&leader.tell(Event::Ticked)), []);
}

#[test]
fn the_last_trials_all_start() {
    let (mut leader, _) = Leader::begin(creation(4, 1, 1));
    let commands = leader.tell(joined(1, 1, offer(1, [0])));
    assert_eq!(appended(&commands), [proposed(0), proposed(1)]);
    let commands = leader.tell(Event::Ticked);
    assert_eq!(appended(&commands), [proposed(2), proposed(3)], "no remainder starts late");
}

#[test]
fn concurrency_bounds_the_trials_under_way() {
    let mut creation = creation(3, 1, 1);
    creation.spec.search.concurrency = Some(1);
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(4, [0])]);
    assert_eq!(leader.engine.study().trials.len(), 1);
    let validation = leader.complete(tries[0], 0.5)[0];
    let commands = leader.finish(validation, 0.5);
    let result = commit(validation, 0, output(state(0, 1, 1), 0.5));
    assert_eq!(commands, [append(4, 0, [result, ended(0, End::Completed), proposed(1)])]);
}

#[test]
fn no_more_trials_are_proposed_than_the_budget_has() {
    let mut creation = creation(3, 1, 1);
    creation.spec.search.concurrency = Some(9);
    let (mut leader, _) = Leader::begin(creation);
    let commands = leader.tell(joined(1, 1, offer(4, [0])));
    assert_eq!(appended(&commands), [proposed(0), proposed(1), proposed(2)]);
    assert_eq!(appended(&leader.tell(Event::Ticked)), []);
}

#[test]
fn a_grid_without_a_budget_is_searched_whole() {
    assert_eq!(run_out(grid(5, None), 2), (5, spent()));
}

#[test]
fn a_grid_ends_the_study_before_a_larger_budget_does() {
    assert_eq!(run_out(grid(3, Some(10)), 1), (3, spent()));
    assert_eq!(run_out(grid(10, Some(3)), 1), (3, spent()));
}

#[test]
fn a_sampler_without_proposals_ends_the_study() {
    let mut creation = grid(2, Some(4));
    let continuous = Domain::Float { low: 0.0, high: 1.0, log: false, points: None };
    creation.spec.search.space.0.insert("rate".to_owned(), continuous);
    assert_eq!(run_out(creation, 1), (0, spent()), "there is no grid over a continuous range");
}

#[test]
fn a_proposal_completes_the_fixed_settings_of_the_model() {
    let mut creation = grid(1, None);
    creation.spec.model = [("depth".to_owned(), 3.into())].into();
    let (leader, tries) = Leader::with_nodes(creation, [offer(1, [0])]);
    assert_eq!(tries.len(), 1);
    let config = &leader.engine.study().trials[0].config;
    assert_eq!(*config, [("depth".to_owned(), 3.into()), ("width".to_owned(), 0.into())].into());
}

#[test]
fn a_spent_wall_clock_ends_the_study_when_its_units_are_done() {
    let mut creation = creation(2, 3, 1);
    creation.spec.budget.wall_clock_seconds = Some(10);
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(1, [0])]);
    assert_eq!(leader.wait(10_000).tell(Event::Ticked), [], "a unit is under way");
    let commands = leader.finish(tries[0], 0.5);
    let records = [
        commit(tries[0], 0, output(state(0, 1, 1), 0.5)),
        ended(0, End::OutOfBudget),
        ended(1, End::OutOfBudget),
        Record::StudyEnded { cause: Conclusion::WallClockSpent },
    ];
    assert_eq!(commands, [append(4, 10_000, records)]);
    assert_eq!(leader.persist(), [Command::ReleaseState(state(0, 1, 1)), Command::Rest]);
}

#[test]
fn the_wall_clock_does_not_run_between_terms() {
    let mut creation = creation(1, 3, 1);
    creation.spec.budget.wall_clock_seconds = Some(10);
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(1, [0])]);
    leader.wait(6_000).complete(tries[0], 0.5);
    let (mut second, _) = leader.wait(60_000).successor();
    assert_eq!(second.settle(joined(1, 1, offer(1, [0]))).len(), 1, "4 of 10 seconds are left");
}

#[test]
fn a_wall_clock_of_ages_is_never_spent() {
    let mut creation = creation(1, 1, 1);
    creation.spec.budget.wall_clock_seconds = Some(u64::MAX);
    assert_eq!(run_out(creation, 1), (1, spent()));
}
