//! How letters between nodes look as bytes: a version, who sent it, what kind it is, and the rest.
//! The sender comes before everything that a version may change, so that a complaint can name it.

/// The version that this program writes and reads.
const VERSION: u8 = 1;
const LETTER: u8 = 0;
const CREDIT: u8 = 1;

/// How long the name of a sender may be, in bytes.
pub(super) const SENDER_BYTES_MAX: usize = 512;

/// What one node's post tells another's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Envelope {
    /// Something for the inbox.
    Letter(Vec<u8>),
    /// So many bytes of the receiver's earlier letters have left the sender's queue.
    Credit(u64),
}

/// Why bytes are no envelope.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EnvelopeError {
    #[error("it ends too early")]
    Short,
    #[error("its sender is not named in UTF-8")]
    Sender,
    #[error("its version is {found}, this program's is {VERSION}")]
    Version { found: u8 },
    #[error("it is of an unknown kind {0}")]
    Kind(u8),
}

impl Envelope {
    /// The envelope from `sender` as bytes. A name longer than [`SENDER_BYTES_MAX`] is cut; names
    /// are checked where they come from.
    pub(super) fn encode(&self, sender: &str) -> Vec<u8> {
        let name = &sender.as_bytes()[..sender.len().min(SENDER_BYTES_MAX)];
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        let rest = match self {
            Self::Letter(body) => body.len(),
            Self::Credit(_) => 8,
        };
        let mut bytes = Vec::with_capacity(4 + name.len() + rest);
        bytes.push(VERSION);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(name);
        match self {
            Self::Letter(body) => {
                bytes.push(LETTER);
                bytes.extend_from_slice(body);
            }
            Self::Credit(credited) => {
                bytes.push(CREDIT);
                bytes.extend_from_slice(&credited.to_le_bytes());
            }
        }
        bytes
    }

    /// The sender, as far as it is legible, and the envelope.
    pub(super) fn decode(bytes: &[u8]) -> (Option<String>, Result<Self, EnvelopeError>) {
        let Some((&version, rest)) = bytes.split_first() else {
            return (None, Err(EnvelopeError::Short));
        };
        let Some((sender, rest)) = split_sender(rest) else {
            return (None, Err(EnvelopeError::Short));
        };
        let Ok(sender) = std::str::from_utf8(sender) else {
            return (None, Err(EnvelopeError::Sender));
        };
        let envelope = if version == VERSION {
            decode_rest(rest)
        } else {
            Err(EnvelopeError::Version { found: version })
        };
        (Some(sender.to_owned()), envelope)
    }
}

fn split_sender(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_le_bytes(*length));
    if length > SENDER_BYTES_MAX { None } else { rest.split_at_checked(length) }
}

fn decode_rest(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
    match bytes.split_first() {
        None => Err(EnvelopeError::Short),
        Some((&LETTER, body)) => Ok(Envelope::Letter(body.to_vec())),
        Some((&CREDIT, credited)) => match credited.try_into() {
            Ok(credited) => Ok(Envelope::Credit(u64::from_le_bytes(credited))),
            Err(_) => Err(EnvelopeError::Short),
        },
        Some((&kind, _)) => Err(EnvelopeError::Kind(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        for envelope in [
            Envelope::Letter(vec![]),
            Envelope::Letter(vec![7; 100_000]),
            Envelope::Credit(0),
            Envelope::Credit(u64::MAX),
        ] {
            let (sender, decoded) = Envelope::decode(&envelope.encode("node1#17"));
            assert_eq!((sender.as_deref(), decoded), (Some("node1#17"), Ok(envelope)));
        }
    }

    #[test]
    fn the_bytes_of_version_1_stay() {
        let bytes = Envelope::Letter(vec![9, 8]).encode("a#1");
        assert_eq!(bytes, [1, 3, 0, b'a', b'#', b'1', 0, 9, 8]);
        let bytes = Envelope::Credit(258).encode("b");
        assert_eq!(bytes, [1, 1, 0, b'b', 1, 2, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_decoded_or_refused() {
        let whole = Envelope::Credit(5).encode("node1#17");
        for end in 0..whole.len() {
            let (_, cut) = Envelope::decode(&whole[..end]);
            assert_eq!(cut, Err(EnvelopeError::Short), "cut at {end}");
        }
        for place in 0..whole.len() {
            for value in 0..=u8::MAX {
                let mut bytes = whole.clone();
                bytes[place] = value;
                let _ = Envelope::decode(&bytes);
            }
        }
    }

    #[test]
    fn another_version_still_names_its_sender() {
        let mut bytes = Envelope::Letter(vec![1]).encode("node1#17");
        bytes[0] = 2;
        let (sender, refused) = Envelope::decode(&bytes);
        assert_eq!(sender.as_deref(), Some("node1#17"));
        assert_eq!(refused, Err(EnvelopeError::Version { found: 2 }));
    }
}
