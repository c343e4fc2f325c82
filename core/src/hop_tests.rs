//! The planner: priorities one by one, properties of every plan, and how close whole studies
//! come to the shortest possible time.

#[path = "hop_tests/makespan.rs"]
mod makespan;
#[path = "hop_tests/properties.rs"]
mod properties;

use super::*;
use crate::membership::{Offer, Standing};
use crate::testing::{offer, slot};

/// One slot a node; each node holds these partitions as first holder.
fn view(holdings: &[&[u32]]) -> View {
    let mut view = View::default();
    for (node, partitions) in (1..).zip(holdings) {
        view.join(NodeId(node), 1, offer(1, partitions.iter().copied()));
    }
    view
}

/// One slot a node; each node holds these partitions with these ranks.
fn ranked_view(holdings: &[&[(u32, u32)]]) -> View {
    let mut view = View::default();
    for (node, held) in (1..).zip(holdings) {
        let partitions = held.iter().map(|(partition, rank)| (PartitionId(*partition), *rank));
        let (partitions, validation) = (partitions.collect(), true);
        view.join(NodeId(node), 1, Offer { slots: 1, partitions, validation });
    }
    view
}

/// A trial that has waited since its number, wants this partition, and is nowhere yet.
fn candidate(trial: u32, partition: u32) -> Candidate {
    let steps = vec![Step::Train(PartitionId(partition))];
    let since = URGENT + 1 + u64::from(trial);
    Candidate { trial: TrialId(trial), steps, place: None, since, cost: 100.0, remaining: 1000.0 }
}

fn at(place: u64, candidate: Candidate) -> Candidate {
    Candidate { place: Some(NodeId(place)), ..candidate }
}

/// A trial of the `free` order with these open partitions and so much work left.
fn free(trial: u32, open: &[u32], remaining: f64) -> Candidate {
    let steps = open.iter().map(|p| Step::Train(PartitionId(*p))).collect();
    Candidate { steps, remaining, ..candidate(trial, 0) }
}

/// The plan as (node, slot, trial, partition), with these slots busy for so many milliseconds.
fn planned(
    order: Order,
    view: &View,
    busy: &[(SlotId, f64)],
    candidates: Vec<Candidate>,
) -> Vec<(u64, u32, u32, u32)> {
    planned_after(order, view, busy, &[], candidates)
}

/// The same, where these slots have been idle for so many milliseconds.
fn planned_after(
    order: Order,
    view: &View,
    busy: &[(SlotId, f64)],
    idle: &[(SlotId, f64)],
    candidates: Vec<Candidate>,
) -> Vec<(u64, u32, u32, u32)> {
    let busy = busy.iter().map(|(slot, millis)| (*slot, Busy { millis: *millis })).collect();
    let (idle, slowness) = (idle.iter().copied().collect(), BTreeMap::new());
    let (busy, idle, slowness, arrivals) = (&busy, &idle, &slowness, Vec::new());
    let plan =
        plan(order, Problem { view, busy, idle, contended: false, candidates, arrivals, slowness });
    let row = |a: Assignment| match a.step {
        Step::Train(partition) => (a.slot.node.0, a.slot.index, a.trial.0, partition.0),
        Step::Validate => (a.slot.node.0, a.slot.index, a.trial.0, u32::MAX),
    };
    plan.into_iter().map(row).collect()
}

fn rotation(view: &View, candidates: Vec<Candidate>) -> Vec<(u64, u32, u32, u32)> {
    planned(Order::Rotation, view, &[], candidates)
}

#[test]
fn the_rotation_is_a_cycle_that_starts_at_the_trial_modulo_the_partitions() {
    let order = |trial, partitions| {
        rotation_order(TrialId(trial), partitions).map(|p| p.0).collect::<Vec<_>>()
    };
    assert_eq!(order(0, 4), [0, 1, 2, 3]);
    assert_eq!(order(2, 4), [2, 3, 0, 1]);
    assert_eq!(order(7, 4), [3, 0, 1, 2]);
    assert_eq!(order(9, 1), [0]);
    assert_eq!(order(9, 0), []);
}

#[test]
fn open_steps_are_one_in_rotation_and_all_unvisited_in_free() {
    let train = |partition| Step::Train(PartitionId(partition));
    let visited = [PartitionId(2)];
    let steps = |order, visited| open_steps(order, TrialId(6), visited, 4);
    assert_eq!(steps(Order::Rotation, &visited), [train(3)]);
    assert_eq!(steps(Order::Free, &visited), [train(3), train(0), train(1)]);
    let all = [0, 1, 2, 3].map(PartitionId);
    for order in [Order::Rotation, Order::Free] {
        assert_eq!(steps(order, &all), [Step::Validate]);
    }
}

#[test]
fn one_trial_one_slot_and_one_partition_make_one_assignment() {
    for order in [Order::Rotation, Order::Free] {
        let plan = planned(order, &view(&[&[0]]), &[], vec![candidate(0, 0)]);
        assert_eq!(plan, [(1, 0, 0, 0)]);
    }
}

#[test]
fn nothing_is_planned_without_idle_slots_or_without_trials() {
    let busy = [(slot(1, 0), 10.0)];
    for order in [Order::Rotation, Order::Free] {
        assert_eq!(planned(order, &view(&[&[0]]), &busy, vec![candidate(0, 0)]), []);
        assert_eq!(planned(order, &view(&[&[0]]), &[], vec![]), []);
        assert_eq!(planned(order, &View::default(), &[], vec![candidate(0, 0)]), []);
    }
}

#[test]
fn a_trial_that_must_hop_does_not_wait_for_ever() {
    let view = view(&[&[0, 1], &[2, 3]]);
    let hopping = |since| Candidate { since, ..at(2, candidate(0, 0)) };
    let staying = |trial, since| Candidate { since, ..at(1, candidate(trial, 1)) };
    let plan = |since| rotation(&view, vec![hopping(since), staying(1, 50), staying(2, 51)]);
    assert_eq!(plan(45), [(1, 0, 1, 1)], "a trial that stays goes first");
    assert_eq!(plan(30), [(1, 0, 0, 0)], "but not in every round");
}

#[test]
fn fewer_trials_than_slots_leave_slots_idle() {
    let view = view(&[&[0], &[1], &[2]]);
    assert_eq!(rotation(&view, vec![candidate(5, 2)]), [(3, 0, 5, 2)]);
    let free_plan = planned(Order::Free, &view, &[], vec![free(5, &[2, 0, 1], 1.0)]);
    assert_eq!(free_plan, [(3, 0, 5, 2)], "the first in its rotation");
}

#[test]
fn fewer_partitions_than_slots_fill_all_slots_of_the_holders() {
    let mut view = View::default();
    view.join(NodeId(1), 1, offer(3, [0]));
    view.join(NodeId(2), 1, offer(3, []));
    let candidates: Vec<Candidate> = (0..5).map(|trial| candidate(trial, 0)).collect();
    assert_eq!(rotation(&view, candidates), [(1, 0, 0, 0), (1, 1, 1, 0), (1, 2, 2, 0)]);
}

#[test]
fn a_trial_that_need_not_hop_goes_before_one_that_has_waited_longer() {
    let view = view(&[&[0], &[1]]);
    let candidates = vec![at(2, candidate(0, 0)), at(1, candidate(7, 0))];
    assert_eq!(rotation(&view, candidates), [(1, 0, 7, 0)]);
}

#[test]
fn of_trials_that_hop_the_one_that_has_waited_longest_goes_first() {
    let view = view(&[&[0], &[1]]);
    let since = |since, trial| Candidate { since, ..at(2, candidate(trial, 0)) };
    assert_eq!(rotation(&view, vec![since(8, 1), since(7, 2), since(9, 0)]), [(1, 0, 2, 0)]);
}

#[test]
fn of_trials_that_have_waited_equally_long_the_lower_number_goes_first() {
    let view = view(&[&[0], &[1]]);
    let since = |trial| Candidate { since: 7, ..at(2, candidate(trial, 0)) };
    assert_eq!(rotation(&view, vec![since(3), since(1), since(2)]), [(1, 0, 1, 0)]);
}

#[test]
fn a_new_trial_waits_its_turn_like_one_that_need_not_hop() {
    let view = view(&[&[0], &[1]]);
    let waiting = Candidate { since: 4, ..at(1, candidate(2, 0)) };
    let new = Candidate { since: 5, ..candidate(1, 0) };
    assert_eq!(rotation(&view, vec![new, waiting]), [(1, 0, 2, 0)]);
}

/// Node 1 is the first holder of partition 0, node 2 the second, node 3 the third.
fn replicated() -> View {
    let mut view = View::default();
    for (node, rank) in [(1, 0), (2, 1), (3, 2)] {
        let partitions = [(PartitionId(0), rank)].into();
        view.join(NodeId(node), 1, Offer { slots: 1, partitions, validation: true });
    }
    view
}

#[test]
fn the_first_holder_serves_until_it_is_gone_draining_suspected_or_full() {
    let mut view = replicated();
    assert_eq!(rotation(&view, vec![candidate(0, 0)]), [(1, 0, 0, 0)]);
    for standing in [Standing::Draining, Standing::Suspected, Standing::Full] {
        view.set_standing(NodeId(1), standing);
        assert_eq!(rotation(&view, vec![candidate(0, 0)]), [(2, 0, 0, 0)]);
    }
    view.leave(NodeId(2), 1);
    assert_eq!(rotation(&view, vec![candidate(0, 0)]), [(3, 0, 0, 0)]);
    view.leave(NodeId(3), 1);
    assert_eq!(rotation(&view, vec![candidate(0, 0)]), []);
}

#[test]
fn a_trial_stays_where_it_is_if_that_node_holds_its_partition() {
    let view = replicated();
    assert_eq!(rotation(&view, vec![at(3, candidate(0, 0))]), [(3, 0, 0, 0)]);
}

#[test]
fn a_detour_is_taken_only_if_the_wait_is_worth_it() {
    let view = replicated();
    let plan = |wait| {
        let busy = [(slot(1, 0), wait)];
        planned(Order::Rotation, &view, &busy, vec![candidate(0, 0)])
    };
    assert_eq!(plan(100.0), []);
    assert_eq!(plan(200.0), [], "twice its own duration is not yet too long");
    assert_eq!(plan(201.0), [(2, 0, 0, 0)]);
}

#[test]
fn a_detour_to_a_slow_node_must_be_worth_its_slowness() {
    let view = replicated();
    let busy = [(slot(1, 0), Busy { millis: 500.0 }), (slot(3, 0), Busy { millis: 1.0 })].into();
    let plan = |slowness: f64| {
        let slowness = [(NodeId(2), slowness)].into();
        let candidates = vec![candidate(0, 0)];
        plan(
            Order::Rotation,
            Problem {
                view: &view,
                busy: &busy,
                idle: &BTreeMap::new(),
                contended: false,
                candidates,
                arrivals: Vec::new(),
                slowness: &slowness,
            },
        )
    };
    assert_eq!(plan(3.0), []);
    assert_eq!(plan(2.0).len(), 1);
}

#[test]
fn those_who_queue_before_a_trial_count_as_its_wait() {
    let view = replicated();
    let queue = |len: u32| rotation(&view, (0..len).map(|trial| candidate(trial, 0)).collect());
    assert_eq!(queue(3), [(1, 0, 0, 0)], "the third waits for two: not more than twice its own");
    assert_eq!(queue(4), [(1, 0, 0, 0), (2, 0, 3, 0)]);
    assert_eq!(queue(5), [(1, 0, 0, 0), (2, 0, 4, 0), (3, 0, 3, 0)], "the longest wait first");
}

#[test]
fn a_slot_that_stays_idle_takes_a_trial_over_from_the_busiest_node() {
    let view = ranked_view(&[&[(0, 0)], &[(1, 0)], &[(0, 1), (1, 1)]]);
    let busy = [(slot(1, 0), 40.0), (slot(2, 0), 60.0)];
    let candidates = || vec![candidate(0, 0), candidate(1, 1)];
    let after = |millis| {
        planned_after(Order::Rotation, &view, &busy, &[(slot(3, 0), millis)], candidates())
    };
    assert_eq!(after(100.0), [], "a trial's unit: that may be a gap in the rotation");
    assert_eq!(after(101.0), [(3, 0, 1, 1)], "trial 1 would wait longer");
}

#[test]
fn a_lost_unit_is_made_up_for_before_all_others_in_both_orders() {
    let view = view(&[&[0], &[1]]);
    let lost = Candidate { since: URGENT, ..at(2, candidate(5, 0)) };
    let stays = Candidate { since: 1, ..at(1, candidate(1, 0)) };
    assert_eq!(rotation(&view, vec![stays, lost]), [(1, 0, 5, 0)]);
    let lost = Candidate { since: URGENT, ..free(5, &[0], 10.0) };
    let stays = Candidate { since: 1, ..free(1, &[0], 90.0) };
    assert_eq!(planned(Order::Free, &view, &[], vec![stays, lost]), [(1, 0, 5, 0)]);
}

#[test]
fn a_trial_that_is_put_off_makes_no_other_impatient() {
    let view = view(&[&[0], &[1]]);
    let put_off = Candidate { since: DEFERRED + 9, ..candidate(7, 0) };
    let hops = Candidate { since: 1, ..at(2, candidate(1, 0)) };
    let stays = Candidate { since: 2, ..at(1, candidate(2, 0)) };
    let all = vec![put_off.clone(), hops.clone(), stays];
    assert_eq!(rotation(&view, all), [(1, 0, 2, 0)]);
    assert_eq!(rotation(&view, vec![put_off, hops]), [(1, 0, 1, 0)], "and goes behind all");
}

#[test]
fn an_overdue_unit_is_expected_to_take_as_long_again_as_it_is_late() {
    assert_eq!(Busy::after(100.0, 40.0).millis, 60.0);
    assert_eq!(Busy::after(100.0, 350.0).millis, 250.0);
}

#[test]
fn in_free_order_the_longest_remaining_work_goes_first() {
    let view = view(&[&[0]]);
    let candidates = vec![free(0, &[0], 10.0), free(1, &[0], 30.0), free(2, &[0], 20.0)];
    assert_eq!(planned(Order::Free, &view, &[], candidates), [(1, 0, 1, 0)]);
}

#[test]
fn in_free_order_equal_work_goes_by_waiting_then_by_number() {
    let view = view(&[&[0]]);
    let since = |trial, since| Candidate { since, ..free(trial, &[0], 10.0) };
    let by_waiting = vec![since(0, 3), since(2, 1), since(1, 2)];
    assert_eq!(planned(Order::Free, &view, &[], by_waiting), [(1, 0, 2, 0)]);
    let by_number = vec![since(2, 1), since(1, 1)];
    assert_eq!(planned(Order::Free, &view, &[], by_number), [(1, 0, 1, 0)]);
}

#[test]
fn in_free_order_a_trial_prefers_its_place_then_its_rotation() {
    let view = view(&[&[0], &[1], &[2]]);
    let plan =
        |candidate, busy: &[(SlotId, f64)]| planned(Order::Free, &view, busy, vec![candidate]);
    let open = [2, 0, 1];
    assert_eq!(plan(at(2, free(0, &open, 1.0)), &[]), [(2, 0, 0, 1)], "no hop before a hop");
    assert_eq!(plan(free(0, &open, 1.0), &[]), [(3, 0, 0, 2)]);
    let elsewhere = at(2, free(0, &open, 1.0));
    let busy = [(slot(2, 0), 1.0)];
    assert_eq!(plan(elsewhere, &busy), [(3, 0, 0, 2)], "its place is busy");
    let done_here = at(2, free(0, &[2, 0], 1.0));
    assert_eq!(plan(done_here, &[]), [(3, 0, 0, 2)], "its place has nothing left for it");
}

#[test]
fn validation_runs_where_the_trial_is() {
    let view = view(&[&[0], &[1]]);
    for order in [Order::Rotation, Order::Free] {
        let validate = Candidate { steps: vec![Step::Validate], ..at(2, candidate(0, 0)) };
        assert_eq!(planned(order, &view, &[], vec![validate]), [(2, 0, 0, u32::MAX)]);
    }
}

#[test]
fn a_slot_is_kept_for_a_trial_that_the_cycle_sends_there_in_a_moment() {
    let view = view(&[&[0], &[1], &[2]]);
    let busy =
        BTreeMap::from([(slot(1, 0), Busy { millis: 10.0 }), (slot(3, 0), Busy { millis: 90.0 })]);
    let planned = |millis: f64, candidate: Candidate| {
        let step = Step::Train(PartitionId(1));
        let arrivals = vec![Arrival { step, millis, cost: 100.0 }];
        let (candidates, view, busy) = (vec![candidate], &view, &busy);
        let (idle, slowness) = (&BTreeMap::new(), &BTreeMap::new());
        let problem =
            Problem { view, busy, idle, contended: false, candidates, arrivals, slowness };
        plan(Order::Free, problem).len()
    };
    assert_eq!(planned(10.0, free(0, &[0, 1], 9.0)), 0, "worth the wait");
    assert_eq!(planned(50.0, free(0, &[0, 1], 9.0)), 1, "too long");
    assert_eq!(planned(10.0, free(0, &[1, 0], 9.0)), 1, "the cycle sends this one there now");
}
