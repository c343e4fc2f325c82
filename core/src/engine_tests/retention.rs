//! Checkpoints: kept as long as something may go on from them, released when that is durable.

use super::*;

/// The checkpoints that these commands release.
fn released(commands: &[Command]) -> Vec<Digest> {
    let release = |command: &Command| match command {
        Command::ReleaseState(state) => Some(*state),
        _ => None,
    };
    commands.iter().filter_map(release).collect()
}

fn kept(leader: &Leader) -> Vec<Digest> {
    leader.engine.kept_states().collect()
}

fn sorted(states: impl Into<Vec<Digest>>) -> Vec<Digest> {
    let mut states = states.into();
    states.sort();
    states
}

/// A lone trial over four partitions on one node after so many of its units, and its next try.
fn after(units: usize) -> (Leader, Try) {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 3, 4), [offer(1, 0..4)]);
    let attempt = leader.advance(tries[0], units, 0.5);
    (leader, attempt)
}

#[test]
fn a_checkpoint_is_released_when_the_second_one_after_it_is_durable() {
    let (mut leader, attempt) = after(2);
    assert_eq!(kept(&leader), sorted([state(0, 1, 1), state(0, 1, 2)]));
    let commands = leader.finish(attempt, 0.5);
    assert_eq!(released(&commands), [], "the journal does not have it yet");
    let before = Seq(leader.journal.len() as u64 - 2);
    assert_eq!(released(&leader.tell(Event::Appended(before))), [], "only what came before it");
    assert_eq!(released(&leader.persist()), [state(0, 1, 1)]);
    assert_eq!(kept(&leader), sorted([state(0, 1, 2), state(0, 1, 3)]));
}

#[test]
fn what_waits_for_its_release_still_counts_as_kept() {
    let (mut leader, attempt) = after(2);
    leader.finish(attempt, 0.5);
    let all = sorted([state(0, 1, 1), state(0, 1, 2), state(0, 1, 3)]);
    assert_eq!(sorted(kept(&leader)), all);
}

#[test]
fn the_state_that_an_epoch_began_with_is_kept_until_the_next_epoch_has_its_own() {
    // The best epoch is the first one; later ones are worse.
    let (mut leader, mut attempt) = after(5);
    for visited in 1..=4 {
        attempt = leader.complete(attempt, 0.9)[0];
        assert!(kept(&leader).contains(&state(0, 1, 4)), "{visited} visited in epoch 2");
    }
    attempt = leader.complete(attempt, 0.1)[0];
    assert_eq!(attempt.unit, train(0, 3, 0));
    let commands = leader.finish(attempt, 0.9);
    assert_eq!(released(&commands), []);
    assert_eq!(released(&leader.persist()), [state(0, 1, 4), state(0, 2, 3)]);
}

#[test]
fn the_best_state_outlives_its_trial_until_a_better_one_is_durable() {
    let mut creation = creation(2, 1, 1);
    creation.spec.search.concurrency = Some(1);
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(1, [0])]);
    let (first, second) = (state(0, 1, 1), state(1, 1, 1));
    let next = leader.advance(tries[0], 2, 0.5);
    assert_eq!((next.unit, kept(&leader)), (train(1, 1, 0), vec![first]));

    let validation = leader.advance(next, 1, 0.5);
    assert_eq!(kept(&leader), sorted([first, second]));
    assert_eq!(released(&leader.finish(validation, 0.25)), []);
    assert_eq!(leader.persist(), [Command::ReleaseState(first), Command::Rest]);
    assert_eq!(kept(&leader), [second]);
}

#[test]
fn a_trial_that_is_not_the_best_leaves_nothing_behind() {
    let mut creation = creation(2, 1, 2);
    creation.spec.search.concurrency = Some(1);
    let (mut leader, tries) = Leader::with_nodes(creation, [offer(1, [0, 1])]);
    let next = leader.advance(tries[0], 3, 0.5);
    let validation = leader.advance(next, 2, 0.5);
    leader.finish(validation, 0.75);
    let release = [state(1, 1, 1), state(1, 1, 2)].map(Command::ReleaseState);
    assert_eq!(leader.persist(), [&release[..], &[Command::Rest]].concat());
    assert_eq!(kept(&leader), [state(0, 1, 2)]);
}

#[test]
fn a_failed_trial_leaves_its_best_state_if_that_is_the_best_of_all() {
    let (mut leader, attempt) = after(6);
    leader.finish(attempt, f64::NAN);
    let commands = leader.persist();
    assert_eq!(released(&commands), [state(0, 2, 1)]);
    assert_eq!(kept(&leader), [state(0, 1, 4)]);
}

#[test]
fn a_state_that_two_trials_have_is_released_when_neither_needs_it() {
    let (mut leader, tries) = Leader::with_nodes(creation(2, 1, 2), [offer(2, [0, 1])]);
    let shared = Digest::of(b"the same bits");
    for attempt in tries {
        leader.tell(Event::UnitFinished(attempt, output(shared, 0.5)));
    }
    let tries = started(&leader.persist());
    assert_eq!(kept(&leader), [shared]);
    leader.finish(tries[0], f64::NAN);
    assert_eq!(released(&leader.persist()), [], "the other trial goes on from it");
    leader.finish(tries[1], f64::NAN);
    assert_eq!(leader.persist(), [Command::ReleaseState(shared), Command::Rest]);
}

#[test]
fn a_roll_back_leaves_its_states_to_be_made_again() {
    let nodes = [offer(1, [0, 1, 2]), offer(1, [3])];
    let (mut leader, tries) = Leader::with_nodes(creation(1, 2, 4), nodes);
    leader.advance(tries[0], 4, 0.5);
    let commands = leader.tell(left(2, 1));
    assert_eq!(released(&commands), []);
    assert_eq!(released(&leader.persist()), [], "a release could meet the new copy");
    assert_eq!(kept(&leader), [state(0, 1, 3)]);
}

/// A lone trial over six partitions of node 1, beside another node, after so many of its units.
fn beside_another_node(units: usize) -> (Leader, Try) {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 2, 6), [offer(1, 0..6), offer(1, [])]);
    let attempt = leader.advance(tries[0], units, 0.5);
    (leader, attempt)
}

#[test]
fn the_newest_checkpoint_that_lies_twice_stays_until_a_newer_one_does() {
    let (mut leader, attempt) = beside_another_node(1);
    leader.tell(Event::StateStored { node: NodeId(2), state: state(0, 1, 1) });
    let attempt = leader.advance(attempt, 3, 0.5);
    let uncopied = [state(0, 1, 1), state(0, 1, 3), state(0, 1, 4)];
    assert_eq!(kept(&leader), sorted(uncopied), "3 and 4 are on node 1 alone");
    leader.tell(Event::StateStored { node: NodeId(2), state: state(0, 1, 4) });
    leader.finish(attempt, 0.5);
    let released = released(&leader.persist());
    assert_eq!(sorted(released), sorted([state(0, 1, 1), state(0, 1, 3)]));
}

#[test]
fn as_long_as_nothing_lies_twice_nothing_is_given_up() {
    let (leader, _) = beside_another_node(5);
    let all: Vec<Digest> = (1..=5).map(|visited| state(0, 1, visited)).collect();
    assert_eq!(kept(&leader), sorted(all));
}

#[test]
fn a_new_leader_waits_for_the_other_nodes_before_it_calls_anything_safe() {
    let (mut leader, attempt) = beside_another_node(1);
    leader.tell(Event::StateStored { node: NodeId(2), state: state(0, 1, 1) });
    leader.advance(attempt, 2, 0.5);
    let (mut second, _) = leader.successor();
    second.engine.expect_nodes(2);
    second.tell(joined(1, 1, offer(1, 0..6)));
    second.tell(Event::StateStored { node: NodeId(1), state: state(0, 1, 3) });
    let next = only(&second.persist());
    second.complete(next, 0.5);
    assert!(kept(&second).contains(&state(0, 1, 1)), "node 2 is still to tell that it has it");
}

#[test]
fn a_node_that_takes_several_uncopied_checkpoints_with_it_costs_only_those() {
    let (mut leader, attempt) = beside_another_node(2);
    leader.tell(Event::StateStored { node: NodeId(2), state: state(0, 1, 2) });
    let lost = leader.advance(attempt, 3, 0.5);
    let records = appended(&leader.tell(left(1, 1)));
    assert_eq!(records, [failed(lost, Failure::TrainerLost), rolled_back(0, 1, 2)]);
}

#[test]
fn a_checkpoint_that_was_let_go_is_not_kept_again_after_a_roll_back() {
    let (mut leader, attempt) = beside_another_node(2);
    leader.tell(Event::StateStored { node: NodeId(2), state: state(0, 1, 2) });
    let attempt = leader.advance(attempt, 1, 0.5);
    let newest = state(0, 1, 3);
    let failure = Failure::StateUnusable { state: newest, detail: "bad hash".to_owned() };
    leader.tell(Event::UnitFailed(attempt, failure));
    leader.persist();
    assert_eq!(kept(&leader), [state(0, 1, 2)], "1 is gone");
}
