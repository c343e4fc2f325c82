//! Model families, unit execution and checkpoints on burn.
