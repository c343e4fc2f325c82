//! `wallaby bench dispatch`.

use super::Outcome;
use crate::bench::dispatch::{Measured, measure};
use crate::cli::{report, show};
use crate::error::Code;
use clap::Args;
use serde_json::{Value as Json, json};

const UNIT_MILLIS: [u64; 3] = [10, 100, 1000];

/// Time from a unit's end to the next unit's start on a slot, on the real actors
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby bench dispatch --slots 4

Trainers wait instead of computing; everything else is real: planner, messages, checkpoints on
disk, the durable journal. The slot is counted idle from the end of its first unit to its last.")]
pub(super) struct DispatchArgs {
    /// Number of slots
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    slots: u32,
    /// Milliseconds of a unit; may be given several times [default: 10, 100, 1000]
    #[arg(long = "unit", value_name = "MILLIS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    units: Vec<u64>,
    /// As a JSON array of {unit_ms, p50_ms, p99_ms, idle}
    #[arg(long)]
    json: bool,
}

pub(super) fn dispatch(args: &DispatchArgs) -> Outcome {
    let units = if args.units.is_empty() { UNIT_MILLIS.to_vec() } else { args.units.clone() };
    let mut rows = Vec::new();
    for unit_millis in units {
        let Some(measured) = measure(args.slots, unit_millis, &report)? else {
            // The folder is gone.
            std::process::exit(130);
        };
        rows.push(measured);
    }
    if args.json {
        show(&format!("{:#}\n", Json::Array(rows.iter().map(as_json).collect())));
    } else {
        show(&table(&rows));
    }
    Ok(Code::Done)
}

fn as_json(row: &Measured) -> Json {
    json!({"unit_ms": row.unit_millis, "p50_ms": row.p50_millis, "p99_ms": row.p99_millis,
        "idle": row.idle, "units": row.units})
}

fn table(rows: &[Measured]) -> String {
    let mut text = "unit ms  units   p50 ms   p99 ms   slot idle\n".to_owned();
    for row in rows {
        text += &format!(
            "{:>7}  {:>5}  {:>7.3}  {:>7.3}  {:>8.2} %\n",
            row.unit_millis,
            row.units,
            row.p50_millis,
            row.p99_millis,
            100.0 * row.idle,
        );
    }
    text
}
