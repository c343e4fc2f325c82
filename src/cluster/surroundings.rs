//! What is in no record of a study and belongs into its live view: the slots of all nodes, and
//! what they run. Asks the cluster twice a second; what it does not hear stays as it was.

use super::Client;
use crate::progress::Surroundings;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use wallaby_actors::cluster::api_types::{NodeInfo, RunningInfo};
use wallaby_actors::running::Running;
use wallaby_core::ids::{Moment, NodeId, SlotId};

const EVERY: Duration = Duration::from_millis(500);

/// The surroundings of a study, kept up to date until nobody looks any more.
pub(super) fn of_study(client: Arc<Client>, name: String) -> Surroundings {
    let (running, running_seen) = watch::channel(Vec::new());
    let (places, places_seen) = watch::channel(Vec::new());
    let (_, pausing) = watch::channel(false);
    tokio::spawn(async move {
        while !running.is_closed() {
            if let (Ok(nodes), Ok(units)) = (client.nodes().await, client.running(&name).await) {
                let (names, units) = arrange(&nodes, &units);
                places.send_replace(names);
                running.send_replace(units);
            }
            tokio::time::sleep(EVERY).await;
        }
    });
    Surroundings { running: running_seen, pausing, places: places_seen }
}

/// All slots in a row, by the names of their nodes, and the units by their place in that row.
fn arrange(nodes: &[NodeInfo], units: &[RunningInfo]) -> (Vec<String>, Vec<Running>) {
    let known = nodes.iter().flat_map(|node| {
        (0..node.slots).map(|index| (node.name.clone(), SlotId { node: NodeId(node.id), index }))
    });
    let mut slots: Vec<(String, SlotId)> = known.collect();
    for unit in units {
        if !slots.iter().any(|(_, slot)| *slot == unit.slot) {
            slots.push((unit.node.clone(), unit.slot));
        }
    }
    slots.sort();
    let place = |slot: SlotId| slots.iter().position(|(_, other)| *other == slot);
    let running = units.iter().filter_map(|unit| {
        let index = u32::try_from(place(unit.slot)?).ok()?;
        let slot = SlotId { node: unit.slot.node, index };
        Some(Running { slot, unit: unit.unit.into(), since: Moment(unit.since) })
    });
    let running = running.collect();
    (slots.iter().map(|(name, slot)| format!("{name}.{}", slot.index)).collect(), running)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallaby_actors::cluster::api_types::{NodeState, Role, UnitInfo};
    use wallaby_core::ids::{Epoch, TrialId};

    fn node(id: u64, name: &str, slots: u32) -> NodeInfo {
        NodeInfo {
            id,
            name: name.to_owned(),
            role: Role::Voter,
            pid: 1,
            slots,
            api: "a:1".to_owned(),
            state: NodeState::Alive,
            boot: 1,
            version: String::new(),
            partitions: 0,
            running: 0,
            numerics: String::new(),
            bytes: 0,
        }
    }

    fn unit(node: u64, name: &str, index: u32) -> RunningInfo {
        let unit = UnitInfo { trial: TrialId(index), epoch: Epoch(1), partition: None };
        let slot = SlotId { node: NodeId(node), index };
        RunningInfo { slot, node: name.to_owned(), unit, since: 5 }
    }

    #[test]
    fn slots_stand_in_a_row_by_the_names_of_their_nodes_also_those_of_nodes_just_gone() {
        let nodes = [node(2, "b", 1), node(1, "a", 2)];
        let units = [unit(2, "b", 0), unit(1, "a", 1), unit(9, "c", 3)];
        let (places, running) = arrange(&nodes, &units);
        assert_eq!(places, ["a.0", "a.1", "b.0", "c.3"]);
        let at: Vec<u32> = running.iter().map(|running| running.slot.index).collect();
        assert_eq!(at, [2, 1, 3]);
    }
}
