//! How soon nodes that die or stand still are noticed, and their work goes on elsewhere.

use super::local::{Local, leader};
use super::row::{Row, spread};
use super::watch::{Tail, millis_since};
use super::{DEADLINE, EVERY};
use crate::cluster::Client;
use crate::error::Error;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wallaby_actors::cluster::api_types::{NodeInfo, NodeState, RunningInfo};
use wallaby_core::ids::{Moment, NodeId};
use wallaby_core::journal::{Entry, Record};
use wallaby_core::unit::{Failure, Unit};

/// How often each fault is made.
const TIMES: usize = 5;

/// How long it is waited for all that follows a fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a node suffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    Freeze,
}

/// Milliseconds; `None` for what did not happen in time.
#[derive(Debug, Default)]
struct Seen {
    /// From the fault to the record that the unit was lost.
    recorded: Option<f64>,
    /// From the fault to another node's word.
    not_alive: Option<f64>,
    /// From the record to the start of the try that counts.
    again: Option<f64>,
    /// Whether the unit's trial had to go back to an older checkpoint first.
    rolled_back: bool,
}

impl Seen {
    fn words(&self) -> String {
        let time = |millis: Option<f64>| {
            millis.map_or_else(|| "-".to_owned(), |millis| format!("{millis:.0} ms"))
        };
        let back = if self.rolled_back { ", after its trial was rolled back" } else { "" };
        let (recorded, not_alive, again) =
            (time(self.recorded), time(self.not_alive), time(self.again));
        format!("  loss recorded {recorded}, not alive {not_alive}, runs again {again}{back}")
    }
}

/// Kills trainers, then leaders, then freezes trainers.
///
/// # Errors
/// The cluster does not become whole again, or the study does not go on.
pub(super) async fn measure(
    local: &mut Local,
    study: &str,
    tell: &dyn Fn(&str),
) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    let killed = hurt_trainers(local, study, Fault::Kill, tell).await?;
    let mut elections = Vec::new();
    for time in 1..=TIMES {
        tell(&format!("kill -9 of the leader, {time} of {TIMES}"));
        elections.extend(kill_leader(local, study).await?);
    }
    // Last: the clock of a node that was frozen stands still meanwhile, and it may come to lead.
    let frozen = hurt_trainers(local, study, Fault::Freeze, tell).await?;
    for (name, seen, goal) in [("kill -9", &killed, 1500.0), ("SIGSTOP", &frozen, 2000.0)] {
        let recorded = all(seen, |seen| seen.recorded);
        let not_alive = all(seen, |seen| seen.not_alive);
        rows.extend(spread(&format!("{name}, loss recorded"), &recorded, TIMES, goal));
        rows.extend(spread(&format!("{name}, not alive"), &not_alive, TIMES, goal));
    }
    for (name, seen) in [("kill -9", &killed), ("SIGSTOP", &frozen)] {
        let again = all(seen, |seen| seen.again);
        rows.extend(spread(&format!("{name}, lost unit runs again"), &again, TIMES, 1000.0));
    }
    rows.extend(spread("new leader", &elections, TIMES, 2000.0));
    Ok(rows)
}

fn all(seen: &[Seen], which: impl Fn(&Seen) -> Option<f64>) -> Vec<f64> {
    seen.iter().filter_map(which).collect()
}

async fn hurt_trainers(
    local: &mut Local,
    study: &str,
    fault: Fault,
    tell: &dyn Fn(&str),
) -> Result<Vec<Seen>, Error> {
    let name = match fault {
        Fault::Kill => "kill -9",
        Fault::Freeze => "SIGSTOP",
    };
    let mut seen = Vec::new();
    for time in 1..=TIMES {
        tell(&format!("{name} of a trainer, {time} of {TIMES}"));
        let one = hurt_trainer(local, study, fault).await?;
        tell(&one.words());
        seen.push(one);
    }
    Ok(seen)
}

/// Hurts a node that does not lead in the middle of a unit, and watches the leader notice.
async fn hurt_trainer(local: &mut Local, study: &str, fault: Fault) -> Result<Seen, Error> {
    let nodes = local.whole().await?;
    let leader = leader(&nodes)?;
    let victim = begins_a_unit(local, study, |id| id != leader.id).await?;
    let mut tail = Tail::from_now(local, &leader.api, study).await?;
    let began = Instant::now();
    match fault {
        Fault::Kill => local.kill(&victim.node)?,
        Fault::Freeze => local.freeze(&victim.node)?,
    }
    let onlooker = local.client_of(&leader.api)?;
    let seen = watch(&onlooker, &mut tail, &victim, began).await;
    match fault {
        Fault::Kill => local.revive(&victim.node).await?,
        Fault::Freeze => local.thaw(&victim.node).await?,
    }
    Ok(seen)
}

/// Watches until all has been seen, or the patience is at its end.
async fn watch(onlooker: &Client, tail: &mut Tail, victim: &RunningInfo, began: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut loss = Loss::of(victim.slot.node);
    let complete = |seen: &Seen| seen.not_alive.is_some() && seen.again.is_some();
    while !complete(&seen) && began.elapsed() < PATIENCE {
        if seen.not_alive.is_none() {
            let nodes = onlooker.nodes().await;
            if nodes.is_ok_and(|nodes| !is_alive(&nodes, &victim.node)) {
                seen.not_alive = Some(millis_since(began));
            }
        }
        for entry in tail.more().await.unwrap_or_default() {
            loss.take_in(&entry);
        }
        if loss.unit.is_some() && seen.recorded.is_none() {
            seen.recorded = Some(millis_since(began));
        }
        (seen.again, seen.rolled_back) = (loss.again, loss.rolled_back);
        sleep(EVERY).await;
    }
    seen
}

fn is_alive(nodes: &[NodeInfo], name: &str) -> bool {
    nodes.iter().any(|node| node.name == name && node.state == NodeState::Alive)
}

/// What the records tell of a unit that a node takes with it. Pure.
#[derive(Debug)]
struct Loss {
    node: NodeId,
    unit: Option<(Unit, Moment)>,
    again: Option<f64>,
    rolled_back: bool,
}

impl Loss {
    fn of(node: NodeId) -> Self {
        Self { node, unit: None, again: None, rolled_back: false }
    }

    fn take_in(&mut self, entry: &Entry) {
        match (&entry.record, self.unit) {
            (Record::UnitFailed { unit, slot, failure: Failure::TrainerLost, .. }, None)
                if slot.node == self.node =>
            {
                self.unit = Some((*unit, entry.at));
            }
            (Record::UnitCommitted(commit), Some((unit, lost)))
                if commit.unit == unit && self.again.is_none() =>
            {
                self.again = Some(commit.started.millis_since(lost) as f64);
            }
            (Record::TrialRolledBack { trial, .. }, Some((unit, _)))
                if *trial == unit.trial && self.again.is_none() =>
            {
                self.rolled_back = true;
            }
            _ => {}
        }
    }
}

/// Waits for a unit to begin on a node whose number suits.
async fn begins_a_unit(
    local: &Local,
    study: &str,
    suits: impl Fn(u64) -> bool,
) -> Result<RunningInfo, Error> {
    let began = Instant::now();
    let mut before: Option<Vec<RunningInfo>> = None;
    while began.elapsed() < DEADLINE {
        let Ok(running) = local.client().running(study).await else {
            sleep(EVERY).await;
            continue;
        };
        let is_new = |unit: &&RunningInfo| {
            let before = before.as_ref();
            suits(unit.slot.node.0) && before.is_some_and(|before| !before.contains(unit))
        };
        if let Some(unit) = running.iter().find(is_new) {
            return Ok(unit.clone());
        }
        before = Some(running);
        sleep(EVERY).await;
    }
    Err(Error::TimedOut(format!("no unit of {study} began within {} s", DEADLINE.as_secs())))
}

/// Kills the leader; the milliseconds until another node gives out a record of the next term.
async fn kill_leader(local: &mut Local, study: &str) -> Result<Option<f64>, Error> {
    let nodes = local.whole().await?;
    let victim = leader(&nodes)?.name.clone();
    begins_a_unit(local, study, |_| true).await?;
    let survivor = nodes.iter().find(|node| node.name != victim);
    let survivor = survivor.ok_or_else(|| Error::Unexpected("a cluster of one".to_owned()))?;
    let mut tail = Tail::from_now(local, &survivor.api, study).await?;
    let began = Instant::now();
    local.kill(&victim)?;
    let mut elected = None;
    while elected.is_none() && began.elapsed() < PATIENCE {
        let more = tail.more().await.unwrap_or_default();
        if more.iter().any(|entry| matches!(entry.record, Record::TermBegan { .. })) {
            elected = Some(millis_since(began));
        } else {
            sleep(EVERY).await;
        }
    }
    local.revive(&victim).await?;
    Ok(elected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallaby_core::ids::{Digest, Epoch, Fence, PartitionId, SlotId, Term, TrialId};
    use wallaby_core::journal::Commit;
    use wallaby_core::unit::{Output, Step};

    #[test]
    fn the_unit_of_the_node_itself_is_followed_to_the_start_of_the_try_that_counts() {
        let unit = |trial| Unit {
            trial: TrialId(trial),
            epoch: Epoch(1),
            step: Step::Train(PartitionId(0)),
        };
        let slot = |node| SlotId { node: NodeId(node), index: 0 };
        let fence = |attempt| Fence { term: Term(1), attempt };
        let lost = |trial, node, at| Entry {
            at: Moment(at),
            record: Record::UnitFailed {
                unit: unit(trial),
                fence: fence(1),
                slot: slot(node),
                failure: Failure::TrainerLost,
            },
        };
        let done = |trial, started| {
            let output =
                Output { state: Digest([0; 32]), bytes: 1, metrics: [].into(), millis: 10 };
            let (unit, fence, slot) = (unit(trial), fence(2), slot(1));
            let commit = Commit { unit, fence, slot, started: Moment(started), output };
            Entry { at: Moment(started + 10), record: Record::UnitCommitted(commit) }
        };
        let mut loss = Loss::of(NodeId(2));
        for entry in [lost(0, 3, 90), lost(1, 2, 100), done(0, 120), done(1, 140), done(1, 190)] {
            loss.take_in(&entry);
        }
        assert_eq!(loss.unit, Some((unit(1), Moment(100))));
        assert_eq!((loss.again, loss.rolled_back), (Some(40.0), false));
    }
}
