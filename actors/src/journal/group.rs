//! What one entry of the Raft log carries: entries that are committed together, and the term in
//! which somebody decided on them. Never looks into one of them.

use super::raft::LogId;
use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use wallaby_core::ids::Term;

/// Opaque entries that are committed together: one Raft entry, one fsync.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// The only term in which they may be committed, if that matters.
    pub(super) decided_in: Option<Term>,
    /// The entries in order.
    pub(super) entries: Vec<Vec<u8>>,
}

impl Group {
    /// Whether the entries count at this place of the log. Every member comes to the same answer.
    pub(super) fn counts_at(&self, place: &LogId) -> bool {
        self.decided_in.is_none_or(|term| term.0 == place.leader_id.term)
    }
}

// A group without a term is stored as its list of entries, as it was before there were terms. No
// such list is empty, so an empty one announces a term and, behind it, the entries.
impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(term) = self.decided_in else { return self.entries.serialize(serializer) };
        let mut parts = serializer.serialize_tuple(3)?;
        parts.serialize_element::<[Vec<u8>]>(&[])?;
        parts.serialize_element(&term)?;
        parts.serialize_element(&self.entries)?;
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(3, Parts)
    }
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Group;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries, or an empty list, a term and a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Group, A::Error> {
        let missing = |index| serde::de::Error::invalid_length(index, &Parts);
        let entries: Vec<Vec<u8>> = parts.next_element()?.ok_or_else(|| missing(0))?;
        if !entries.is_empty() {
            return Ok(Group { decided_in: None, entries });
        }
        let term = parts.next_element()?.ok_or_else(|| missing(1))?;
        let entries = parts.next_element()?.ok_or_else(|| missing(2))?;
        Ok(Group { decided_in: Some(term), entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_without_a_term_has_the_bytes_of_its_list_of_entries() {
        let entries = vec![vec![1, 2], Vec::new(), vec![3]];
        let plain = postcard::to_stdvec(&entries).unwrap();
        let group = Group { decided_in: None, entries };
        assert_eq!(postcard::to_stdvec(&group).unwrap(), plain);
        assert_eq!(postcard::from_bytes::<Group>(&plain).unwrap(), group);
    }

    #[test]
    fn a_term_survives_its_bytes_and_does_not_run_into_what_follows() {
        let group = Group { decided_in: Some(Term(300)), entries: vec![vec![7; 5], vec![8]] };
        let pair = (group.clone(), 99u8);
        let bytes = postcard::to_stdvec(&pair).unwrap();
        assert_eq!(postcard::from_bytes::<(Group, u8)>(&bytes).unwrap(), pair);
        for length in 0..bytes.len() {
            assert!(postcard::from_bytes::<(Group, u8)>(&bytes[..length]).is_err());
        }
    }
}
