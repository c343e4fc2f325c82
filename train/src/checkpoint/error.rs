//! Why bytes are not the state of a model: every way in which a checkpoint is refused.

use super::FORMAT;
use thiserror::Error;

/// Why bytes are not the state of a model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The bytes are no safetensors file.
    #[error("not a safetensors file: {0}")]
    Unreadable(String),
    /// The file does not say what it is.
    #[error("metadata is {0}, expected one key \"wallaby\" with the header of a checkpoint")]
    Header(String),
    /// The file is of another version.
    #[error("format is {0:?}, expected {FORMAT:?}")]
    Format(String),
    /// The state belongs to another kind of model.
    #[error("{kind} is {found}, expected {expected}")]
    Mismatch {
        /// What differs: "family" or "optimizer".
        kind: &'static str,
        /// What the state says.
        found: String,
        /// What the configuration says.
        expected: String,
    },
    /// A tensor that the model has is not there.
    #[error("tensor {0} is missing")]
    Missing(String),
    /// Tensors are there that the model does not have.
    #[error("there are {found} tensors named {section}*, expected {expected}")]
    Surplus {
        /// The common beginning of their names.
        section: &'static str,
        /// How many there are.
        found: usize,
        /// How many the model has.
        expected: usize,
    },
    /// A tensor has another shape than in the model.
    #[error("tensor {name} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape in the model.
        expected: Vec<usize>,
    },
    /// A tensor does not hold single-precision numbers.
    #[error("tensor {name} holds {found}, expected F32")]
    Kind {
        /// The tensor's name.
        name: String,
        /// Its element type.
        found: String,
    },
    /// The content is not what was written.
    #[error("the content does not match its digest")]
    Damaged,
    /// The state could not be written.
    #[error("cannot be written: {0}")]
    Unwritable(String),
}
