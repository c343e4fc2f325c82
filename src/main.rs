//! The `wallaby` command with the model families that are built in.

use mimalloc::MiMalloc;
use std::process::ExitCode;
use wallaby::Registry;

/// Training allocates a tensor for every operation; see `ARCHITECTURE.md` for what this gives.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    wallaby::cli::main(Registry::built_in())
}
