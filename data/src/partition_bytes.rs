//! A partition as bytes, the blob that nodes store and send. Version 1, little-endian:
//! magic `WLBP`, version `u16`, target kind `u16` (0 classes, 1 values), width `u32`,
//! rows `u64`; then the targets (`u32` or `f32`), then the features (`f32`), row after row.

use crate::partition::{Partition, Target};
use thiserror::Error;

const MAGIC: [u8; 4] = *b"WLBP";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 20;
const CLASSES: u16 = 0;
const VALUES: u16 = 1;

/// Why bytes are not a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PartitionError {
    /// Too short for a header, or of another kind.
    #[error("not a partition: the header is missing, expected it to start with WLBP")]
    NotAPartition,
    /// Written by another release.
    #[error("partition version {0}, expected {VERSION}")]
    Version(u16),
    /// A kind of target that this release does not know.
    #[error("partition target kind {0}, expected 0 (classes) or 1 (values)")]
    TargetKind(u16),
    /// Cut off, or followed by something else.
    #[error("partition of {rows} rows of width {width} has {found} bytes, expected {expected}")]
    Length {
        /// Rows, as the header says.
        rows: u64,
        /// Features of a row, as the header says.
        width: u32,
        /// Bytes given.
        found: usize,
        /// Bytes of such a partition.
        expected: u128,
    },
}

impl Partition {
    /// The blob of this partition; the same partition always gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        debug_assert_eq!(self.features.len(), self.rows() * self.width as usize);
        let numbers = self.features.len() + self.rows();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 4 * numbers);
        let kind = match &self.target {
            Target::Classes(_) => CLASSES,
            Target::Values(_) => VALUES,
        };
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(self.width.to_le_bytes());
        bytes.extend((self.rows() as u64).to_le_bytes());
        match &self.target {
            Target::Classes(rows) => bytes.extend(rows.iter().flat_map(|row| row.to_le_bytes())),
            Target::Values(rows) => bytes.extend(rows.iter().flat_map(|row| row.to_le_bytes())),
        }
        bytes.extend(self.features.iter().flat_map(|number| number.to_le_bytes()));
        bytes
    }

    /// The partition in a blob.
    ///
    /// # Errors
    /// Anything but the exact bytes of a partition; memory is taken only after the length fits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PartitionError> {
        let (header, body) =
            bytes.split_at_checked(HEADER_BYTES).ok_or(PartitionError::NotAPartition)?;
        if header[..4] != MAGIC {
            return Err(PartitionError::NotAPartition);
        }
        let version = u16::from_le_bytes(array(&header[4..6]));
        let kind = u16::from_le_bytes(array(&header[6..8]));
        let width = u32::from_le_bytes(array(&header[8..12]));
        let rows = u64::from_le_bytes(array(&header[12..20]));
        if version != VERSION {
            return Err(PartitionError::Version(version));
        }
        let expected = HEADER_BYTES as u128 + 4 * u128::from(rows) * (u128::from(width) + 1);
        if bytes.len() as u128 != expected {
            return Err(PartitionError::Length { rows, width, found: bytes.len(), expected });
        }
        let (target, features) = body.split_at(4 * rows as usize);
        let target = match kind {
            CLASSES => Target::Classes(words(target, u32::from_le_bytes)),
            VALUES => Target::Values(words(target, f32::from_le_bytes)),
            other => return Err(PartitionError::TargetKind(other)),
        };
        Ok(Self { width, features: words(features, f32::from_le_bytes), target })
    }
}

/// `bytes` as an array; the caller has cut them to its length.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the slice has the length of the array")
}

fn words<T>(bytes: &[u8], read: fn([u8; 4]) -> T) -> Vec<T> {
    bytes.chunks_exact(4).map(|word| read(array(word))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_partition() -> impl Strategy<Value = Partition> {
        (0u32..5, 0usize..9, any::<bool>(), any::<u32>()).prop_map(
            |(width, rows, classes, from)| {
                let number = |at: usize| f32::from_bits(from ^ at as u32) + 0.5;
                let finite = |at| if number(at).is_nan() { 0.25 } else { number(at) };
                Partition {
                    width,
                    features: (0..rows * width as usize).map(finite).collect(),
                    target: if classes {
                        Target::Classes((0..rows as u32).collect())
                    } else {
                        Target::Values((0..rows).map(finite).collect())
                    },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_partition_survives_its_bytes(partition in any_partition()) {
            prop_assert_eq!(Partition::from_bytes(&partition.to_bytes()), Ok(partition));
        }

        #[test]
        fn every_truncation_and_extension_is_refused(
            partition in any_partition(),
            cut in 1usize..40,
        ) {
            let mut bytes = partition.to_bytes();
            bytes.push(0);
            prop_assert!(Partition::from_bytes(&bytes).is_err());
            bytes.truncate(bytes.len().saturating_sub(1 + cut));
            prop_assert!(Partition::from_bytes(&bytes).is_err());
        }

        #[test]
        fn random_bytes_never_panic(
            header in any::<bool>(),
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            if header && bytes.len() >= 8 {
                bytes[..6].copy_from_slice(b"WLBP\x01\x00");
            }
            let _ = Partition::from_bytes(&bytes);
        }
    }

    #[test]
    fn the_bytes_of_a_partition_are_fixed() {
        let target = Target::Classes(vec![3]);
        let bytes = Partition { width: 1, features: vec![1.0], target }.to_bytes();
        let header = b"WLBP\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00";
        assert_eq!(bytes, [&header[..], b"\x03\x00\x00\x00", b"\x00\x00\x80\x3f"].concat());
    }

    #[test]
    fn other_versions_and_kinds_are_named() {
        let target = Target::Values(vec![]);
        let mut bytes = Partition { width: 1, features: vec![], target }.to_bytes();
        bytes[6] = 7;
        assert_eq!(Partition::from_bytes(&bytes), Err(PartitionError::TargetKind(7)));
        bytes[4] = 9;
        assert_eq!(Partition::from_bytes(&bytes), Err(PartitionError::Version(9)));
    }
}
