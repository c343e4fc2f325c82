//! The records of a study on their way: each with its length before it. Pure.

use wallaby_core::journal::Entry;

/// The records of an answer, in their order.
///
/// # Errors
/// Bytes that are no records, or a record of a newer version, in words.
pub(super) fn decode(mut bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let cut = || format!("it ends within record {} of the answer", entries.len());
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| cut())?;
        let (record, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        let entry = Entry::decode(record)
            .map_err(|error| format!("record {} of the answer: {error}", entries.len()))?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wallaby_core::ids::Moment;
    use wallaby_core::journal::Record;

    fn framed(entry: &Entry) -> Vec<u8> {
        let bytes = entry.encode();
        let mut framed = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
        framed.extend(bytes);
        framed
    }

    #[test]
    fn records_come_out_as_they_went_in_and_a_torn_answer_is_named() {
        let entry = Entry { at: Moment(7), record: Record::StudyResumed };
        let whole = [framed(&entry), framed(&entry)].concat();
        assert_eq!(decode(&whole).unwrap(), [entry.clone(), entry]);
        assert_eq!(decode(&[]).unwrap(), []);
        let torn = decode(&whole[..whole.len() - 1]).unwrap_err();
        assert_eq!(torn, "it ends within record 1 of the answer");
        let odd = decode(&[2, 0, 0, 0, 0xff, 0xff]).unwrap_err();
        assert!(odd.starts_with("record 0 of the answer: "), "{odd}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
        }
    }
}
