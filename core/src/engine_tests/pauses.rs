//! Pauses and resumptions that somebody asks for.

use super::*;

fn paused() -> Record {
    Record::StudyPaused { cause: Pause::Requested }
}

#[test]
fn a_pause_waits_for_the_units_under_way_and_starts_no_others() {
    let (mut leader, tries) = Leader::with_nodes(creation(3, 1, 1), [offer(2, [0])]);
    let [first, second] = tries[..] else { panic!("expected two starts, got {tries:?}") };
    assert_eq!(leader.tell(Event::PauseRequested), []);
    let result = leader.output_of(first, 0.5);
    let commands = leader.tell(Event::UnitFinished(first, result.clone()));
    assert_eq!(commands, [append(5, 0, [commit(first, 0, result)])]);
    assert_eq!(leader.persist(), []);

    let result = leader.output_of(second, 0.5);
    let commands = leader.tell(Event::UnitFinished(second, result.clone()));
    assert_eq!(commands, [append(6, 0, [commit(second, 0, result), paused()])]);
    assert_eq!(leader.persist(), [Command::Rest]);
    assert_eq!(leader.tell(Event::PauseRequested), [], "it is paused already");
    assert_eq!(leader.tell(Event::Ticked), []);
}

#[test]
fn a_resumed_study_goes_on_where_it_was() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    leader.tell(Event::PauseRequested);
    assert_eq!(leader.complete(tries[0], 0.5), []);
    let commands = leader.wait(500).tell(Event::ResumeRequested);
    assert_eq!(commands, [append(5, 500, [Record::StudyResumed])]);
    let next = go_on(slot(1, 0), train(0, 1, 1), fence(1, 2), state(0, 1, 1), 1);
    assert_eq!(leader.persist(), [closing(next)], "and not before that is durable");
    assert_eq!(leader.engine.study().active_millis, 0);
}

#[test]
fn a_study_that_was_resumed_can_pause_and_rest_again() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    leader.tell(Event::PauseRequested);
    leader.complete(tries[0], 0.5);
    let next = leader.settle(Event::ResumeRequested)[0];
    leader.tell(Event::PauseRequested);
    leader.finish(next, 0.5);
    assert_eq!(leader.persist(), [Command::Rest]);
}

#[test]
fn a_pause_can_be_called_off_before_it_begins() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    leader.tell(Event::PauseRequested);
    assert_eq!(leader.tell(Event::ResumeRequested), []);
    assert_eq!(leader.complete(tries[0], 0.5).len(), 1);
}

#[test]
fn a_pause_without_units_under_way_begins_at_once() {
    let (mut leader, _) = Leader::begin(creation(1, 1, 1));
    assert_eq!(leader.tell(Event::PauseRequested), [append(2, 0, [paused()])]);
    assert_eq!(leader.tell(joined(1, 1, offer(1, [0]))), [], "nothing is proposed");
    assert_eq!(leader.persist(), [Command::Rest]);
    let commands = leader.tell(Event::ResumeRequested);
    assert_eq!(commands, [append(3, 0, [Record::StudyResumed, proposed(0)])]);
}

#[test]
fn a_lost_unit_does_not_keep_a_study_from_pausing() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    leader.tell(Event::PauseRequested);
    let commands = leader.tell(left(1, 1));
    assert_eq!(commands, [append(3, 0, [failed(tries[0], Failure::TrainerLost), paused()])]);
}

#[test]
fn a_paused_study_stays_paused_under_a_new_leader() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 2), [offer(1, [0, 1])]);
    leader.tell(Event::PauseRequested);
    leader.complete(tries[0], 0.5);
    let (mut second, _) = leader.successor();
    assert_eq!(second.tell(joined(1, 1, offer(1, [0, 1]))), []);
    assert_eq!(second.persist(), [Command::Rest]);
    assert_eq!(second.settle(Event::ResumeRequested).len(), 1);
}

#[test]
fn the_last_result_ends_a_study_that_was_about_to_pause() {
    let (mut leader, tries) = Leader::with_nodes(creation(1, 1, 1), [offer(1, [0])]);
    let validation = leader.complete(tries[0], 0.5)[0];
    leader.tell(Event::PauseRequested);
    leader.finish(validation, 0.5);
    assert_eq!(leader.engine.study().phase, Phase::Ended(Conclusion::TrialsSpent));
    assert_eq!(leader.persist(), [Command::Rest]);
    assert_eq!(leader.tell(Event::ResumeRequested), [Command::Rest], "it stays ended");
}
