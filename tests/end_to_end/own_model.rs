//! A model from outside, as in `examples/own_model.rs`: the same program with one more family.

use crate::process::Invocation;
use crate::sandbox::Sandbox;
use std::path::{Path, PathBuf};

/// Examples are built beside the program by `cargo test`.
fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_wallaby")).with_file_name("examples/own_model");
    assert!(program.exists(), "{} is missing: cargo build --release --examples", program.display());
    program
}

#[test]
fn a_network_of_ones_own_is_searched_like_any_other() {
    let sandbox = Sandbox::new();
    let study =
        sandbox.read("study.toml").replace("hidden = [8]", "family = \"residual\"\nwidth = 8");
    sandbox.write("study.toml", study);
    let folder = sandbox.path("");
    let own = |arguments: &[&str]| Invocation::new(&program(), &folder, arguments);
    own(&["run", "study.toml", "--run", "run", "--quiet"]).finish().expect(0);
    own(&["verify", "run"]).finish().expect(0);
    let best = own(&["best", "run"]).finish().expect(0).out;
    assert!(best.contains("residual"), "{best}");

    // Without the family the study is not understood, and the run not continued.
    let refused = sandbox.study("other", &[]).finish().expect(3);
    refused.complains("model.family = \"residual\": expected one of mlp");
    sandbox.hashes("run");
}
