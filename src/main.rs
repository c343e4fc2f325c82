//! The `wallaby` command.
fn main() {}
