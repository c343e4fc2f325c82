//! Where every random number of a study comes from: seeds derived by hashing names.
//! There is no generator with hidden state; the same names always give the same seed.

use crate::ids::{Epoch, PartitionId, TrialId};

/// A 256-bit seed, enough for ChaCha and for splitting into further seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// The root of a study's randomness.
    pub fn of_study(study_seed: u64) -> Self {
        Self(*Hasher::new("study").number(study_seed).finish().as_bytes())
    }

    /// An independent seed named by `label` below this one.
    pub fn child(&self, label: &str) -> Self {
        Self(*Hasher::new("child").bytes(&self.0).bytes(label.as_bytes()).finish().as_bytes())
    }

    /// The seed of a trial: initial weights and, through [`Seed::child`], its configuration.
    pub fn of_trial(study_seed: u64, trial: TrialId) -> Self {
        let hasher = Hasher::new("trial").number(study_seed).number(u64::from(trial.0));
        Self(*hasher.finish().as_bytes())
    }

    /// The seed of one unit (shuffle, dropout, augmentation): a function of study, trial, epoch
    /// and partition, and of nothing else.
    pub fn of_unit(study_seed: u64, trial: TrialId, epoch: Epoch, partition: PartitionId) -> Self {
        let hasher = Hasher::new("unit")
            .number(study_seed)
            .number(u64::from(trial.0))
            .number(u64::from(epoch.0))
            .number(u64::from(partition.0));
        Self(*hasher.finish().as_bytes())
    }

    /// The first 64 bits, for generators that take a small seed.
    pub fn to_u64(self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(first)
    }

    /// A number in [0, 1) with 53 random bits.
    pub fn unit_interval(self) -> f64 {
        (self.to_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Length-prefixed hashing under a domain name, so that no two kinds of seed can meet.
struct Hasher(blake3::Hasher);

impl Hasher {
    fn new(domain: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(&format!("wallaby seed v1 {domain}")))
    }

    fn number(mut self, number: u64) -> Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let mut next = self.number(bytes.len() as u64);
        next.0.update(bytes);
        next
    }

    fn finish(self) -> blake3::Hash {
        self.0.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_of_different_names_differ() {
        let unit = |t, e, p| Seed::of_unit(7, TrialId(t), Epoch(e), PartitionId(p));
        let all = [unit(0, 1, 2), unit(0, 2, 1), unit(1, 0, 2), unit(2, 1, 0)];
        for (at, seed) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != seed));
        }
        assert_ne!(Seed::of_study(7), Seed::of_trial(7, TrialId(0)));
        assert_ne!(Seed::of_study(7).child("ab"), Seed::of_study(7).child("a").child("b"));
    }

    #[test]
    fn the_unit_interval_is_half_open() {
        assert!(Seed([255; 32]).unit_interval() < 1.0);
        assert_eq!(Seed([0; 32]).unit_interval(), 0.0);
    }
}
