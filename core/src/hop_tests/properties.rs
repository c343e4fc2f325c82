//! What holds of every plan, whatever the problem.

use super::*;
use proptest::prelude::*;

/// A cluster and trials, drawn small enough that slots, trials and partitions are contended.
#[derive(Debug, Clone)]
struct Drawn {
    view: View,
    busy: BTreeMap<SlotId, Busy>,
    candidates: Vec<Candidate>,
    slowness: BTreeMap<NodeId, f64>,
}

fn any_view() -> impl Strategy<Value = View> {
    let partitions = prop::collection::btree_map((0u32..5).prop_map(PartitionId), 0u32..3, 0..5);
    let standing = prop_oneof![
        6 => Just(Standing::Alive),
        1 => Just(Standing::Suspected),
        1 => Just(Standing::Draining),
        1 => Just(Standing::Full),
    ];
    let node = (0u32..4, partitions, any::<bool>(), standing);
    prop::collection::vec(node, 0..6).prop_map(|nodes| {
        let mut view = View::default();
        for (id, (slots, partitions, validation, standing)) in (1..).zip(nodes) {
            view.join(NodeId(id), 1, Offer { slots, partitions, validation });
            view.set_standing(NodeId(id), standing);
        }
        view
    })
}

fn any_candidate(trial: u32) -> impl Strategy<Value = Candidate> {
    let visited = prop::collection::btree_set((0u32..5).prop_map(PartitionId), 0..6);
    let place = prop::option::of((1u64..7).prop_map(NodeId));
    (visited, place, 0u64..5, 1.0f64..1000.0, 0.0f64..1e5).prop_map(
        move |(visited, place, since, cost, remaining)| {
            let visited: Vec<PartitionId> = visited.into_iter().collect();
            let steps = open_steps(Order::Free, TrialId(trial), &visited, 5);
            Candidate { trial: TrialId(trial), steps, place, since, cost, remaining }
        },
    )
}

fn any_problem() -> impl Strategy<Value = Drawn> {
    let slots = ((1u64..7), (0u32..4)).prop_map(|(node, index)| slot(node, index));
    let busy = prop::collection::btree_map(
        slots,
        (0.0f64..5000.0).prop_map(|millis| Busy { millis }),
        0..8,
    );
    let slowness = prop::collection::btree_map((1u64..7).prop_map(NodeId), 0.01f64..100.0, 0..4);
    let candidates: Vec<_> = (0..10).map(any_candidate).collect();
    let candidates = (candidates, 0usize..11).prop_map(|(mut all, len)| {
        all.truncate(len);
        all
    });
    (any_view(), busy, candidates, slowness).prop_map(|(view, busy, candidates, slowness)| Drawn {
        view,
        busy,
        candidates,
        slowness,
    })
}

/// The plan, where in rotation each trial has only its first open step.
fn solve(order: Order, drawn: &Drawn) -> Vec<Assignment> {
    let mut candidates = drawn.candidates.clone();
    if order == Order::Rotation {
        candidates.iter_mut().for_each(|candidate| candidate.steps.truncate(1));
    }
    let (view, busy, slowness) = (&drawn.view, &drawn.busy, &drawn.slowness);
    let (idle, arrivals) = (&BTreeMap::new(), Vec::new());
    plan(order, Problem { view, busy, idle, contended: false, candidates, arrivals, slowness })
}

/// The slots that are idle even after the plan.
fn idle_slots(drawn: &Drawn, plan: &[Assignment]) -> Vec<SlotId> {
    let taken =
        |slot: &SlotId| drawn.busy.contains_key(slot) || plan.iter().any(|a| a.slot == *slot);
    drawn.view.slots().filter(|slot| !taken(slot)).collect()
}

/// The trials that the plan leaves out.
fn waiting<'a>(drawn: &'a Drawn, plan: &'a [Assignment]) -> impl Iterator<Item = &'a Candidate> {
    let assigned = |trial| plan.iter().any(|a| a.trial == trial);
    drawn.candidates.iter().filter(move |candidate| !assigned(candidate.trial))
}

fn both_orders() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Rotation), Just(Order::Free)]
}

proptest! {
    #[test]
    fn every_slot_and_every_trial_is_used_at_most_once(
        order in both_orders(), drawn in any_problem(),
    ) {
        let plan = solve(order, &drawn);
        let slots: BTreeSet<SlotId> = plan.iter().map(|a| a.slot).collect();
        let trials: BTreeSet<TrialId> = plan.iter().map(|a| a.trial).collect();
        prop_assert_eq!((slots.len(), trials.len()), (plan.len(), plan.len()));
    }

    #[test]
    fn units_go_only_to_idle_slots_that_exist_and_to_where_the_data_is(
        order in both_orders(), drawn in any_problem(),
    ) {
        let slots: BTreeSet<SlotId> = drawn.view.slots().collect();
        for assignment in solve(order, &drawn) {
            prop_assert!(slots.contains(&assignment.slot));
            prop_assert!(!drawn.busy.contains_key(&assignment.slot));
            prop_assert!(drawn.view.holds(assignment.slot.node, assignment.step));
            let of = |c: &&Candidate| c.trial == assignment.trial;
            let candidate = drawn.candidates.iter().find(of).unwrap();
            match order {
                Order::Rotation => prop_assert_eq!(assignment.step, candidate.steps[0]),
                Order::Free => prop_assert!(candidate.steps.contains(&assignment.step)),
            }
        }
    }

    #[test]
    fn in_free_order_no_slot_idles_beside_a_trial_that_it_could_serve(drawn in any_problem()) {
        let plan = solve(Order::Free, &drawn);
        for idle in idle_slots(&drawn, &plan) {
            let mut waiting = waiting(&drawn, &plan);
            let served = |c: &Candidate| c.steps.iter().any(|s| drawn.view.holds(idle.node, *s));
            prop_assert!(!waiting.any(served), "{} idles", idle);
        }
    }

    #[test]
    fn in_rotation_no_slot_idles_beside_a_trial_whose_first_holder_it_is(drawn in any_problem()) {
        let plan = solve(Order::Rotation, &drawn);
        for idle in idle_slots(&drawn, &plan) {
            let mut waiting = waiting(&drawn, &plan);
            let holders = |c: &Candidate| drawn.view.holders(c.steps[0]);
            let first = |c: &Candidate| holders(c).first() == Some(&idle.node);
            let free_to_go = |c: &Candidate| c.place.is_none_or(|p| !holders(c).contains(&p));
            prop_assert!(!waiting.any(|c| first(c) && free_to_go(c)), "{} idles", idle);
        }
    }

    #[test]
    fn a_plan_does_not_depend_on_the_order_in_which_trials_are_listed(
        order in both_orders(), drawn in any_problem(),
    ) {
        let mut reversed = drawn.clone();
        reversed.candidates.reverse();
        prop_assert_eq!(solve(order, &drawn), solve(order, &reversed));
    }
}
