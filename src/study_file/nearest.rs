//! "Did you mean": the known word nearest to a misspelt one.

/// The candidate that `word` most likely stands for: one that it begins, or else one at most a
/// third of its letters away (Damerau and Levenshtein's distance). Of several the nearest, then
/// one that holds the whole word (`gpu` is rather `wgpu` than `cpu`), then the first.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let letters = word.chars().count();
    let limit = (letters / 3).max(1);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, candidate);
    let near = candidates
        .clone()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.len())
        .min_by_key(|(distance, candidate)| (*distance, !candidate.contains(&word)));
    let begun = || candidates.clone().find(|candidate| letters > 2 && candidate.starts_with(&word));
    near.map(|(_, candidate)| candidate).or_else(begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_beginnings_are_understood_and_nonsense_is_not() {
        let known = ["grid", "random", "sobol", "learning_rate"];
        let guess = |word| nearest(word, known.into_iter());
        assert_eq!(guess("randm"), Some("random"));
        assert_eq!(guess("Sobol"), Some("sobol"));
        assert_eq!(guess("learnign_rate"), Some("learning_rate"));
        assert_eq!(guess("learn"), Some("learning_rate"));
        assert_eq!(guess("bayes"), None);
        assert_eq!(guess(""), None);
    }
}
