//! How fast a cluster of three real processes notices, recovers, moves and commits. Everything is
//! observed from outside, by the interface that every client has; nothing is asked of a node that
//! a user could not ask.

mod faults;
mod hops;
mod local;
mod memory;
mod row;
mod saturation;
mod slots;
mod study;
mod watch;

pub(crate) use row::Row;

use crate::cluster::block_on;
use crate::error::Error;
use crate::signals::Signals;
use hops::Hops;
use local::Local;
use std::time::Duration;
use study::Made;
use wallaby_train::Registry;

/// How often something is looked at.
const EVERY: Duration = Duration::from_millis(25);

/// How long anything may take before the measurement gives up.
const DEADLINE: Duration = Duration::from_secs(60);

/// Few and quick units: whoever is killed is in the middle of one.
const QUICK: Made = Made { name: "quick", rows: 120, features: 4, hidden: "[8]", trials: 3 };

/// Hardly any work: what is left is the cluster's.
const TINY: Made = Made { name: "tiny", rows: 60, features: 4, hidden: "[8]", trials: 6 };

/// As little work, and all of its trials under way.
const MANY: Made = Made { name: "many", rows: 60, features: 4, hidden: "[8]", trials: 10_000 };

/// 828,000 weights, each with the two moments of Adam, make a state of about 10 MB.
const LARGE: Made = Made { name: "large", rows: 60, features: 16, hidden: "[900, 900]", trials: 6 };

/// Computes all the time.
const BUSY: Made = Made { name: "busy", rows: 6000, features: 32, hidden: "[128]", trials: 6 };

/// What came of it.
pub(crate) struct Measured {
    pub(crate) rows: Vec<Row>,
    /// Why there are no more rows, if something failed.
    pub(crate) trouble: Option<Error>,
}

/// Measures everything, and with `full` also what takes long; `tell` hears what comes next.
/// `None` if a signal ended it.
///
/// # Errors
/// This process cannot listen to signals.
pub(crate) fn measure(
    full: bool,
    registry: &Registry,
    tell: &dyn Fn(&str),
) -> Result<Option<Measured>, Error> {
    block_on(async {
        // Before the first node, so that none is left behind.
        let mut signals =
            Signals::listen().map_err(|error| Error::Unexpected(error.to_string()))?;
        let mut rows = Vec::new();
        let run = async { run(full, registry, tell, &mut rows).await.err() };
        let ended = tokio::select! {
            trouble = run => Some(trouble),
            () = signals.next() => None,
        };
        Ok(ended.map(|trouble| Measured { rows, trouble }))
    })
}

/// Adds rows as they come: minutes of measuring are not lost by what fails after them.
async fn run(
    full: bool,
    registry: &Registry,
    tell: &dyn Fn(&str),
    rows: &mut Vec<Row>,
) -> Result<(), Error> {
    {
        tell("three nodes, units of 200 ms: kills and freezes");
        let mut local = Local::start("delay:200").await?;
        local.submit(&QUICK, registry).await?;
        rows.extend(faults::measure(&mut local, QUICK.name, tell).await?);
    }
    {
        tell("three new nodes: blobs, units per second");
        let local = Local::start("").await?;
        let mut hops = Hops::new(&local)?;
        rows.extend(hops.measure(&local, full, "", tell).await?);
        local.submit(&TINY, registry).await?;
        rows.push(slots::rate(&local, TINY.name, "units committed").await?);
        local.cancel(TINY.name).await?;
        tell("blobs while all slots compute");
        local.submit(&BUSY, registry).await?;
        slots::under_way(&local, BUSY.name, 3).await?;
        rows.extend(hops.measure(&local, full, " while training", tell).await?);
        local.cancel(BUSY.name).await?;
        rows.extend(memory::measure(&local).await?);
    }
    {
        tell("three new nodes, 10,000 trials under way");
        let local = Local::start("").await?;
        local.submit(&MANY, registry).await?;
        rows.push(slots::rate(&local, MANY.name, "units committed, 10,000 trials").await?);
        rows.push(memory::of_leader(&local, "memory, leader of 10,000 trials").await?);
    }
    {
        tell("three new nodes, units of 1 s, checkpoints of 10 MB");
        let local = Local::start("delay:1000").await?;
        local.submit(&LARGE, registry).await?;
        rows.extend(slots::shares(&local, LARGE.name).await?);
    }
    if full {
        tell("three new nodes, all cores saturated for five minutes");
        let local = Local::start("delay:200").await?;
        local.submit(&QUICK, registry).await?;
        rows.push(saturation::measure(&local, QUICK.name).await?);
    }
    Ok(())
}
