//! How many slots each study may use: weighted max-min fairness over whole slots.

use super::record::StudyId;
use std::collections::BTreeMap;

/// What a study could use and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Units that run or could start.
    pub(super) demand: usize,
    /// Its priority.
    pub(super) weight: u32,
}

/// Hands out `slots` one by one, each to the study that has least for its weight and still wants
/// one; the earlier study of equals. A study that has none yet comes before all that have some, so
/// that a low priority means little, not nothing.
pub(super) fn shares(claims: &BTreeMap<StudyId, Claim>, slots: usize) -> BTreeMap<StudyId, usize> {
    let mut shares: BTreeMap<StudyId, usize> = claims.keys().map(|study| (*study, 0)).collect();
    for _ in 0..slots {
        let hungry = claims.iter().filter(|(study, claim)| shares[*study] < claim.demand);
        // (share + 1) / weight, compared without division.
        let next = hungry.min_by(|(a, of_a), (b, of_b)| {
            let (has_a, has_b) = (shares[*a] as u64, shares[*b] as u64);
            let a = (has_a + 1) * u64::from(of_b.weight.max(1));
            let b = (has_b + 1) * u64::from(of_a.weight.max(1));
            (has_a > 0).cmp(&(has_b > 0)).then(a.cmp(&b))
        });
        let Some((study, _)) = next else { break };
        *shares.entry(*study).or_default() += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares_of(claims: &[(usize, u32)], slots: usize) -> Vec<usize> {
        let claims = claims.iter().zip(0..);
        let claims = claims.map(|((demand, weight), id)| {
            (StudyId(id), Claim { demand: *demand, weight: *weight })
        });
        shares(&claims.collect(), slots).into_values().collect()
    }

    #[test]
    fn equal_studies_share_equally_and_what_one_leaves_goes_to_the_others() {
        assert_eq!(shares_of(&[(9, 10), (9, 10)], 6), [3, 3]);
        assert_eq!(shares_of(&[(1, 10), (9, 10)], 6), [1, 5]);
        assert_eq!(shares_of(&[(2, 10), (1, 10)], 6), [2, 1]);
    }

    #[test]
    fn priorities_are_proportions() {
        assert_eq!(shares_of(&[(99, 30), (99, 10)], 8), [6, 2]);
        assert_eq!(shares_of(&[(99, 1), (99, 100)], 4), [1, 3]);
        assert_eq!(shares_of(&[(99, 1), (99, 100)], 1), [0, 1]);
    }
}
