//! The state of a trial as bytes: weights, moments and step count in the safetensors format,
//! sealed by a digest. Equal states give equal bytes: names are sorted, and all else stands in one
//! metadata key. Decides nothing about models; it checks names and shapes it is given.

use crate::weights::{Shapes, Tensors};
use burn::tensor::TensorData;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

mod error;

pub use error::CheckpointError;

/// The one metadata key.
const KEY: &str = "wallaby";

/// The format of this version.
const FORMAT: &str = "wallaby checkpoint 1";

/// Groups of tensors in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Weights,
    FirstMoments,
    SecondMoments,
}

impl Section {
    const ALL: [Self; 3] = [Self::Weights, Self::FirstMoments, Self::SecondMoments];

    fn prefix(self) -> &'static str {
        match self {
            Self::Weights => "weights.",
            Self::FirstMoments => "first_moments.",
            Self::SecondMoments => "second_moments.",
        }
    }
}

/// What a checkpoint says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    format: String,
    pub(crate) family: String,
    pub(crate) optimizer: String,
    pub(crate) steps: u64,
    /// BLAKE3 of the fields above and of all tensors with their names and shapes.
    digest: String,
}

/// A state to be written.
pub(crate) struct State<'a> {
    pub(crate) family: &'a str,
    pub(crate) optimizer: &'a str,
    pub(crate) steps: u64,
    pub(crate) weights: &'a Tensors,
    pub(crate) first: &'a Tensors,
    pub(crate) second: &'a Tensors,
}

impl State<'_> {
    /// The bytes of a checkpoint.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, CheckpointError> {
        let sections = Section::ALL.into_iter().zip([self.weights, self.first, self.second]);
        let mut views = BTreeMap::new();
        for (section, tensors) in sections {
            for (path, data) in tensors {
                views.insert(format!("{}{path}", section.prefix()), view(data)?);
            }
        }
        let mut header = Header {
            format: FORMAT.to_owned(),
            family: self.family.to_owned(),
            optimizer: self.optimizer.to_owned(),
            steps: self.steps,
            digest: String::new(),
        };
        header.digest = digest(&header, &views);
        write(views, &header)
    }
}

/// A checkpoint whose digest is right; its tensors are read on demand.
#[derive(Debug)]
pub(crate) struct Checkpoint<'a> {
    pub(crate) header: Header,
    tensors: BTreeMap<String, TensorView<'a>>,
}

impl<'a> Checkpoint<'a> {
    /// Reads a checkpoint of any family.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let unreadable =
            |error: safetensors::SafeTensorError| CheckpointError::Unreadable(error.to_string());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let header = header(metadata.metadata().as_ref())?;
        let file = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        let tensors: BTreeMap<_, _> = file.tensors().into_iter().collect();
        if digest(&header, &tensors) != header.digest {
            return Err(CheckpointError::Damaged);
        }
        Ok(Self { header, tensors })
    }

    /// Reads a checkpoint of this family.
    pub(crate) fn open(bytes: &'a [u8], family: &str) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(bytes)?;
        same("family", &checkpoint.header.family, family)?;
        Ok(checkpoint)
    }

    /// Checks that the moments are those of this optimizer.
    pub(crate) fn expect_optimizer(&self, optimizer: &str) -> Result<(), CheckpointError> {
        same("optimizer", &self.header.optimizer, optimizer)
    }

    /// The tensors of a section, which must be exactly those of `expected`.
    pub(crate) fn section(
        &self,
        section: Section,
        expected: &Shapes,
    ) -> Result<Tensors, CheckpointError> {
        let read = |(path, shape): (&String, &Vec<usize>)| {
            Ok((path.clone(), self.read(format!("{}{path}", section.prefix()), shape)?))
        };
        let tensors = expected.iter().map(read).collect::<Result<Tensors, _>>()?;
        let found = self.named(section).count();
        if found != expected.len() {
            let section = section.prefix();
            return Err(CheckpointError::Surplus { section, found, expected: expected.len() });
        }
        Ok(tensors)
    }

    fn read(&self, name: String, expected: &[usize]) -> Result<TensorData, CheckpointError> {
        let Some(view) = self.tensors.get(&name) else {
            return Err(CheckpointError::Missing(name));
        };
        if view.dtype() != Dtype::F32 {
            return Err(CheckpointError::Kind { name, found: view.dtype().to_string() });
        }
        if view.shape() != expected {
            let (found, expected) = (view.shape().to_vec(), expected.to_vec());
            return Err(CheckpointError::Shape { name, found, expected });
        }
        let (numbers, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(TensorData::new(values, expected.to_vec()))
    }

    /// Paths and tensors of a section.
    fn named(&self, section: Section) -> impl Iterator<Item = (&str, &TensorView<'a>)> {
        let strip = move |(name, view)| Some((str::strip_prefix(name, section.prefix())?, view));
        self.tensors.iter().map(|(name, view)| (name.as_str(), view)).filter_map(strip)
    }
}

/// The weights of a state alone, as a safetensors file that other tools read. Names are field
/// paths (`layers.0.weight`); a linear layer's weight is `[inputs, outputs]`, the transpose of
/// PyTorch's, and the metadata says so.
///
/// # Errors
/// `state` is not a checkpoint.
pub fn weights_only(state: &[u8]) -> Result<Vec<u8>, CheckpointError> {
    #[derive(Serialize)]
    struct WeightsHeader<'a> {
        format: &'static str,
        family: &'a str,
        linear_weight: &'static str,
    }
    let checkpoint = Checkpoint::parse(state)?;
    let weights = checkpoint.named(Section::Weights);
    let views = weights.map(|(path, view)| (path.to_owned(), view.clone())).collect();
    let family = &checkpoint.header.family;
    let linear_weight = "[inputs, outputs]";
    write(views, &WeightsHeader { format: "wallaby weights 1", family, linear_weight })
}

fn same(kind: &'static str, found: &str, expected: &str) -> Result<(), CheckpointError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.to_owned(), expected.to_owned());
    Err(CheckpointError::Mismatch { kind, found, expected })
}

fn header(metadata: Option<&HashMap<String, String>>) -> Result<Header, CheckpointError> {
    let bad = |found: &str| CheckpointError::Header(found.to_owned());
    let metadata = metadata.ok_or_else(|| bad("missing"))?;
    let text = metadata.get(KEY).filter(|_| metadata.len() == 1).ok_or_else(|| bad("foreign"))?;
    let header: Header = serde_json::from_str(text).map_err(|_| bad("unreadable"))?;
    if header.format != FORMAT {
        return Err(CheckpointError::Format(header.format));
    }
    Ok(header)
}

fn view(data: &TensorData) -> Result<TensorView<'_>, CheckpointError> {
    TensorView::new(Dtype::F32, data.shape().as_slice().to_vec(), data.as_bytes())
        .map_err(|error| CheckpointError::Unwritable(error.to_string()))
}

fn write(
    views: BTreeMap<String, TensorView<'_>>,
    header: &impl Serialize,
) -> Result<Vec<u8>, CheckpointError> {
    let header = serde_json::to_string(header)
        .map_err(|error| CheckpointError::Unwritable(error.to_string()))?;
    safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)])))
        .map_err(|error| CheckpointError::Unwritable(error.to_string()))
}

/// Every part goes in with its length, so that no two different states have one input.
fn digest(header: &Header, tensors: &BTreeMap<String, TensorView<'_>>) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    };
    add(header.family.as_bytes());
    add(header.optimizer.as_bytes());
    add(&header.steps.to_le_bytes());
    for (name, view) in tensors {
        add(name.as_bytes());
        view.shape().iter().for_each(|length| add(&(*length as u64).to_le_bytes()));
        add(view.data());
    }
    hasher.finalize().to_string()
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
