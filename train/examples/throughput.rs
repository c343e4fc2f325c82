//! Measures training on one thread: rows a second, and what a unit costs beside its rows
//! (restoring, saving, one step). `cargo run --release -p wallaby-train --example throughput`.

#![allow(clippy::print_stdout)]

use std::time::Instant;
use wallaby_core::parameter::complete;
use wallaby_core::seed::Seed;
use wallaby_core::value::{Config, Value};
use wallaby_data::{Partition, Problem};
use wallaby_train::{Device, Family, Mlp, Neural, Unit, UnitError, synthetic};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often a unit is run; the fastest counts.
const REPEATS: usize = 7;

fn main() -> Result<(), UnitError> {
    measure(64, &[128], 32, 20_000)?;
    measure(784, &[256, 128], 128, 12_800)?;
    measure(64, &[32], 32, 20_000)
}

fn measure(inputs: usize, hidden: &[i64], batch: i64, rows: usize) -> Result<(), UnitError> {
    let (problem, partition) = synthetic::classification(1, rows, inputs, 10);
    let (_, one_row) = synthetic::classification(1, 1, inputs, 10);
    let config = config(hidden, batch);
    let (pass, state) = fastest(&config, &problem, &partition, None)?;
    let (overhead, _) = fastest(&config, &problem, &one_row, Some(&state))?;
    println!(
        "{inputs}-{hidden:?}-10, batch {batch}: {:.0} rows/s, {:.2} ms a unit, {} bytes",
        rows as f64 / pass,
        overhead * 1e3,
        state.len(),
    );
    Ok(())
}

fn config(hidden: &[i64], batch: i64) -> Config {
    let hidden = Value::List(hidden.iter().copied().map(Value::Int).collect());
    let given = [("hidden", hidden), ("batch_size", Value::Int(batch))];
    let given = given.map(|(name, value)| (name.to_owned(), value)).into();
    complete(&Neural(Mlp).parameters(), &given)
}

/// Seconds of the fastest of some equal units, and their state.
fn fastest(
    config: &Config,
    problem: &Problem,
    partition: &Partition,
    state: Option<&[u8]>,
) -> Result<(f64, Vec<u8>), UnitError> {
    let device = Device::cpu();
    let seed = Seed::of_study(1);
    let unit = Unit { config, problem, trial_seed: seed, unit_seed: seed, state, device: &device };
    let (mut seconds, mut after) = (f64::INFINITY, Vec::new());
    for _ in 0..REPEATS {
        let start = Instant::now();
        after = Neural(Mlp).train(&unit, partition)?.state;
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    Ok((seconds, after))
}
