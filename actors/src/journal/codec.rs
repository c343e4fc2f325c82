//! The form in which anything of the journal is stored: version, initial of the table, checksum,
//! payload.
//! Knows bytes only; never what they mean or where they lie.

/// The newest version of the stored form, and of the file, that this build reads and writes.
pub(super) const VERSION: u32 = 1;

const CHECKSUM_BYTES: usize = 16;
const HEAD_BYTES: usize = 2 + CHECKSUM_BYTES;

/// What is wrong with stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Fewer bytes than version and checksum take.
    Short(usize),
    /// Written by a newer build.
    Newer(u32),
    /// The checksum differs.
    Checksum,
}

/// Wraps a payload for storing under `number` in `table`. The checksum covers all three, so that
/// bytes that lie in the wrong place are as damaged as bytes that changed.
pub(super) fn seal(table: &str, number: u64, payload: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEAD_BYTES + payload.len());
    sealed.extend([VERSION as u8, initial(table)]);
    sealed.extend_from_slice(&checksum(table, number, payload));
    sealed.extend_from_slice(payload);
    sealed
}

/// The payload of bytes that [`seal`] made for the same table and number.
pub(super) fn unseal<'a>(table: &str, number: u64, sealed: &'a [u8]) -> Result<&'a [u8], Flaw> {
    let Some((head, payload)) = sealed.split_at_checked(HEAD_BYTES) else {
        return Err(Flaw::Short(sealed.len()));
    };
    if claims(table, sealed) && head[2..] == checksum(table, number, payload) {
        return Ok(payload);
    }
    // The version stands outside the checksum, for a newer build may compute another one.
    match u32::from(head[0]) {
        version if version > VERSION => Err(Flaw::Newer(version)),
        _ => Err(Flaw::Checksum),
    }
}

/// Whether these bytes look as if they had been sealed for this table. Proves nothing.
pub(super) fn claims(table: &str, sealed: &[u8]) -> bool {
    sealed.starts_with(&[VERSION as u8, initial(table)])
}

fn initial(table: &str) -> u8 {
    table.as_bytes().first().copied().unwrap_or_default()
}

fn checksum(table: &str, number: u64, payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(table.len() as u64).to_le_bytes());
    hasher.update(table.as_bytes());
    hasher.update(&number.to_le_bytes());
    hasher.update(payload);
    let mut checksum = [0; CHECKSUM_BYTES];
    hasher.finalize_xof().fill(&mut checksum);
    checksum
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Flaw::Short(length) => write!(f, "{length} bytes, expected at least {HEAD_BYTES}"),
            Flaw::Newer(version) => write!(f, "format version {version}, expected {VERSION}"),
            Flaw::Checksum => f.write_str("checksum differs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_payload_comes_back_only_under_its_own_table_and_number() {
        let sealed = seal("log", 7, b"payload");
        assert_eq!(unseal("log", 7, &sealed), Ok(&b"payload"[..]));
        assert_eq!(unseal("log", 8, &sealed), Err(Flaw::Checksum));
        assert_eq!(unseal("entries", 7, &sealed), Err(Flaw::Checksum));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sealed = seal("log", 7, b"payload");
        for bit in 8..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal("log", 7, &damaged), Err(Flaw::Checksum), "bit {bit}");
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        let sealed = seal("log", 7, b"payload");
        for length in 0..HEAD_BYTES {
            assert_eq!(unseal("log", 7, &sealed[..length]), Err(Flaw::Short(length)));
        }
        for length in HEAD_BYTES..sealed.len() {
            assert_eq!(unseal("log", 7, &sealed[..length]), Err(Flaw::Checksum));
        }
    }

    #[test]
    fn a_newer_form_is_told_from_damage() {
        let mut newer = seal("log", 7, b"payload");
        newer[0] = 9;
        newer[2] ^= 1;
        assert_eq!(unseal("log", 7, &newer), Err(Flaw::Newer(9)));
    }
}
