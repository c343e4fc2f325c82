//! Slots of nodes that hold less than their share of the data.

use super::*;
use crate::ids::PartitionId;
use crate::simulation::Random;
use std::collections::BTreeMap;

/// How long a unit takes, in milliseconds, give or take 3 %.
const UNIT_MILLIS: f64 = 620.0;

const TICK_MILLIS: u64 = 250;

/// Nodes of one slot compute a study in virtual time. Each holds these partitions at these ranks.
/// The part of the time that slots stand idle, from the first unit to the moment at which no trial
/// is left to begin.
fn idle_share(trials: u32, epochs: u32, nodes: &[&[(u32, u32)]]) -> f64 {
    let partitions = 8;
    let study = crate::testing::study(creation(trials, epochs, partitions), vec![]);
    let mut engine = Engine::new(study, Seq(1), Term(1), Digest::of(b"class"), Moment(0));
    let mut random = Random::new(3);
    let mut ends: BTreeMap<(u64, SlotId), Try> = BTreeMap::new();
    let (mut now, mut busy, mut until) = (0, 0.0, 0);
    let mut events: Vec<Event> = Vec::new();
    for (node, held) in (1..).zip(nodes) {
        let held = held.iter().map(|(partition, rank)| (PartitionId(*partition), *rank));
        let offer = Offer { slots: 1, partitions: held.collect(), validation: true };
        events.push(joined(node, 1, offer));
    }
    loop {
        while let Some(event) = events.pop() {
            engine.handle(Moment(now), event);
            while let Some(command) = engine.poll() {
                match command {
                    Command::Append { first, entries } => {
                        let last = Seq(first.0 + entries.len() as u64 - 1);
                        events.push(Event::Appended(last));
                    }
                    Command::StartUnit(start) => {
                        let millis = UNIT_MILLIS * (0.97 + 0.06 * random.real());
                        busy += millis;
                        ends.insert((now + millis as u64, start.attempt.slot), start.attempt);
                    }
                    Command::ReleaseState(_) | Command::Rest => {}
                }
            }
        }
        if engine.study().trials.len() < trials as usize {
            (until, busy) = (now, busy);
        } else {
            let running: f64 = ends.keys().map(|(end, _)| (end - now) as f64).sum();
            return 1.0 - (busy - running) / (until as f64 * nodes.len() as f64);
        }
        let tick = (now / TICK_MILLIS + 1) * TICK_MILLIS;
        match ends.first_key_value().map(|(key, _)| *key) {
            Some(key) if key.0 <= tick => {
                let attempt = ends.remove(&key).unwrap();
                now = key.0;
                let unit = attempt.unit;
                let state = match unit.step {
                    Step::Train(_) => Digest::of(format!("{unit}").as_bytes()),
                    Step::Validate => attempt.input.unwrap(),
                };
                let mut output = output(state, 0.5);
                output.millis = UNIT_MILLIS as u64;
                events.push(Event::UnitFinished(attempt, output));
            }
            _ => {
                now = tick;
                events.push(Event::Ticked);
            }
        }
    }
}

/// As data came to lie after nodes had gone and come: two of five nodes hold fewer first places
/// than the others. Their slots waited a unit's time before each trial that they took over.
#[test]
fn a_node_with_little_data_has_as_much_to_do_as_the_others() {
    let uneven: [&[(u32, u32)]; 5] = [
        &[(0, 0), (1, 0), (5, 1)],
        &[(2, 0), (3, 0), (0, 1), (6, 1)],
        &[(4, 0), (1, 1), (3, 1)],
        &[(7, 0), (2, 1), (4, 1)],
        &[(5, 0), (6, 0), (7, 1)],
    ];
    let share = idle_share(64, 4, &uneven);
    assert!(share < 0.05, "{share}");
}

#[test]
fn nodes_with_equal_shares_are_idle_for_next_to_no_time() {
    let even: [&[(u32, u32)]; 4] = [
        &[(0, 0), (1, 0), (2, 1), (4, 1)],
        &[(2, 0), (3, 0), (5, 1), (6, 1)],
        &[(4, 0), (5, 0), (0, 1), (7, 1)],
        &[(6, 0), (7, 0), (1, 1), (3, 1)],
    ];
    let share = idle_share(64, 4, &even);
    assert!(share < 0.03, "{share}");
}
