//! What reads bytes of others and is nobody else's business, for the fuzz targets (`fuzz/`). Each
//! function takes any bytes and asserts what holds for those that it accepts; no part of the
//! crate's interface.

use crate::cluster::fuzzing as letters;
use crate::exchange::fuzzing as exchange;
use crate::journal::fuzzing as journal;

/// What one node's post tells another's: accepted bytes are those that encoding gives.
pub fn envelope(bytes: &[u8]) {
    letters::envelope(bytes);
}

/// A letter: what was decoded is what its own bytes decode to.
pub fn letter(bytes: &[u8]) {
    letters::letter(bytes);
}

/// A call of the journal, of each kind.
pub fn call(bytes: &[u8]) {
    journal::call(bytes);
}

/// The text in a path, a `Range`, and the head of an answer.
pub fn transfer(text: &str) {
    exchange::transfer(text);
}

/// Envelopes, letters and calls to begin with, each with the name of its target.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    [letters::seeds(), journal::seeds(), exchange::seeds()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzz_targets_begin_with_and_its_damaged_forms_hold() {
        let seeds = seeds();
        assert!(seeds.len() >= 8);
        for (_, seed) in seeds {
            let mut damaged = seed.clone();
            for place in 0..seed.len() {
                damaged[place] ^= 0x81;
                for bytes in [&seed[..place], &damaged] {
                    envelope(bytes);
                    letter(bytes);
                    call(bytes);
                    transfer(&String::from_utf8_lossy(bytes));
                }
                damaged[place] ^= 0x81;
            }
        }
    }
}
