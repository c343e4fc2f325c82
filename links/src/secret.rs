//! The cluster's secret: 32 bytes from which every key of the cluster follows. Whoever has them
//! belongs to the cluster; there is no other way in. It is never shown, logged or sent.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The length of a secret in bytes.
pub const SECRET_BYTES: usize = 32;

/// How much of a secret's file is looked at, in bytes: its digits and generous white space.
const FILE_BYTES_MAX: u64 = 4096;

/// The secret that all nodes and clients of one cluster share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET_BYTES]);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// What was given is not a secret.
    #[error("a cluster secret is 64 hex digits, not {found}")]
    Malformed {
        /// What was found, without showing it.
        found: String,
    },
    /// A file does not hold a secret.
    #[error("{} holds no cluster secret: expected 64 hex digits, found {found}", path.display())]
    NotInFile {
        /// The file.
        path: PathBuf,
        /// What was found, without showing it.
        found: String,
    },
    /// A file cannot be read.
    #[error("cannot read the cluster secret {}, a file with 64 hex digits: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Secret {
    /// A new secret from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0; SECRET_BYTES];
        rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(&mut bytes)
            .expect("the operating system gives random bytes");
        Self(bytes)
    }

    /// The secret that 64 hex digits, in either case, stand for; white space around them is
    /// ignored.
    ///
    /// # Errors
    /// What was found instead. The digits themselves are never in the error.
    pub fn from_hex(digits: &str) -> Result<Self, SecretError> {
        parse(digits).map(Self).map_err(|found| SecretError::Malformed { found })
    }

    /// Reads a secret from a file with 64 hex digits; white space around them is ignored. Warns
    /// if others than the file's owner may read it.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(&file, FILE_BYTES_MAX), &mut bytes)
            .map_err(unreadable)?;
        let text = String::from_utf8_lossy(&bytes);
        let secret = parse(&text)
            .map_err(|found| SecretError::NotInFile { path: path.to_owned(), found })?;
        warn_if_readable_by_others(path, &file);
        Ok(Self(secret))
    }

    /// Writes the secret into a new file that only its owner may read (mode 0600), and makes it
    /// durable.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub fn write_new(&self, path: &Path) -> io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        writeln!(file, "{}", hex(&self.0))?;
        file.sync_all()
    }

    /// The key for one purpose: keys for different purposes say nothing about each other, nor
    /// about the secret. Source: BLAKE3 paper, section 6.2, key derivation.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(&format!("wallaby 2026 {purpose}"), &self.0)
    }

    /// The name of the cluster of this secret: 16 hex digits, which may be shown.
    #[must_use]
    pub fn cluster_id(&self) -> String {
        hex(&self.derive("cluster id")[..8])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes, or what is wrong with the text in words that do not show it.
fn parse(text: &str) -> Result<[u8; SECRET_BYTES], String> {
    let digits = text.trim();
    if digits.is_empty() {
        return Err("nothing".to_owned());
    }
    if let Some(place) = digits.chars().position(|digit| !digit.is_ascii_hexdigit()) {
        return Err(format!("something else at character {}", place + 1));
    }
    if digits.len() != 2 * SECRET_BYTES {
        return Err(format!("{} hex digits", digits.len()));
    }
    let mut bytes = [0; SECRET_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        *byte = (nibble(pair[0]) << 4) | nibble(pair[1]);
    }
    Ok(bytes)
}

/// The value of a hex digit.
fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit.to_ascii_lowercase() - b'a') + 10,
    }
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path, file: &std::fs::File) {
    let mode =
        file.metadata().map(|data| std::os::unix::fs::PermissionsExt::mode(&data.permissions()));
    if let Ok(mode) = mode
        && mode & 0o077 != 0
    {
        tracing::warn!(
            path = %path.display(),
            "the cluster secret may be read by others than its owner; chmod 600 helps"
        );
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path, _: &std::fs::File) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.secret");
        let secret = Secret::generate();
        secret.write_new(&path).unwrap();
        assert_eq!(Secret::read(&path).unwrap(), secret);
        #[cfg(unix)]
        {
            let data = std::fs::metadata(&path).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let error = secret.write_new(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(Secret::read(&path).unwrap(), secret);
    }

    #[test]
    fn white_space_and_case_do_not_matter() {
        let text = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
        let spaced = Secret::from_hex(&format!("\t {}\r\n\n", text.to_uppercase())).unwrap();
        assert_eq!(spaced, Secret::from_hex(text).unwrap());
        assert_eq!(spaced.0[..4], [0x00, 0x11, 0x22, 0x33]);
        assert_eq!(spaced.0[28..], [0xcc, 0xdd, 0xee, 0xff]);
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_shown() {
        for (text, found) in [
            ("", "nothing"),
            (" \n", "nothing"),
            ("abc", "3 hex digits"),
            (&"f".repeat(63), "63 hex digits"),
            (&"f".repeat(65), "65 hex digits"),
            ("0123 4567", "something else at character 5"),
            ("hunter2", "something else at character 1"),
            ("déadbeef", "something else at character 2"),
        ] {
            let error = Secret::from_hex(text).unwrap_err().to_string();
            assert_eq!(error, format!("a cluster secret is 64 hex digits, not {found}"));
        }
    }

    #[test]
    fn an_error_names_the_file_and_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster.secret");
        let error = Secret::read(&path).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()) && error.contains("64 hex digits"));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        let error = Secret::read(&path).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()) && error.contains("64 hex digits"));
        std::fs::write(&path, "7".repeat(100_000)).unwrap();
        assert!(Secret::read(&path).is_err(), "a huge file is not read to its end");
    }

    #[test]
    fn nothing_of_a_secret_is_in_its_debug_output() {
        assert_eq!(format!("{:?}", Secret::generate()), "Secret(..)");
    }

    #[test]
    fn keys_differ_by_purpose_and_secret_and_stay_the_same_between_versions() {
        let secret = Secret([7; 32]);
        assert_ne!(secret.derive("a"), secret.derive("b"));
        assert_ne!(secret.derive("a"), Secret([8; 32]).derive("a"));
        assert_eq!(secret.cluster_id().len(), 16);
        assert_eq!(secret.cluster_id(), Secret([7; 32]).cluster_id());
    }
}
