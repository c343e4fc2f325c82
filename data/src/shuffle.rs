//! A seeded shuffle whose result is the same on every machine and for every release.
//! Source: Durstenfeld, "Algorithm 235: Random permutation", CACM 7 (1964).

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The numbers from 0 to `length - 1` in an order that only `seed` decides.
pub(crate) fn permutation(length: usize, seed: [u8; 32]) -> Vec<usize> {
    let mut random = ChaCha8Rng::from_seed(seed);
    let mut order: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        order.swap(last, below(&mut random, last as u64 + 1) as usize);
    }
    order
}

/// A uniform number below `bound`. Draws past the last whole multiple of `bound` are thrown
/// away, so that no result is favoured.
fn below(random: &mut ChaCha8Rng, bound: u64) -> u64 {
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let draw = random.next_u64();
        if draw < fair {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_holds_every_number_once_and_depends_on_the_seed() {
        let mut order = permutation(1000, [1; 32]);
        assert_eq!(order, permutation(1000, [1; 32]));
        assert_ne!(order, permutation(1000, [2; 32]));
        order.sort_unstable();
        assert!(order.into_iter().eq(0..1000));
        assert!(permutation(0, [1; 32]).is_empty());
    }

    #[test]
    fn the_order_never_changes_between_releases() {
        assert_eq!(permutation(8, [7; 32]), [0, 7, 2, 1, 6, 5, 3, 4]);
    }

    #[test]
    fn every_place_is_equally_likely() {
        let mut firsts = [0u32; 4];
        for seed in 0..4000u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&seed.to_le_bytes());
            firsts[permutation(4, bytes)[0]] += 1;
        }
        assert!(firsts.iter().all(|count| (850..1150).contains(count)), "{firsts:?}");
    }
}
