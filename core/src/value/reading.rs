//! Reads values of bounded depth. Lists may hold lists, and a reader that follows them wherever
//! they lead ends with its stack: a few million bytes from a peer would do.

use super::Value;
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;

/// Lists in lists at most.
const DEPTH_MAX: u8 = 8;
/// Items for which room is made before they are there.
const ITEMS_AHEAD: usize = 64;

/// The variants of [`Value`] in their order, which is their number in the journal.
#[derive(Deserialize)]
#[serde(variant_identifier)]
enum Kind {
    Bool,
    Int,
    Float,
    Text,
    List,
}

const KINDS: &[&str] = &["Bool", "Int", "Float", "Text", "List"];

/// A value that may hold lists of this depth.
struct Within(u8);

/// The items of a list, which may hold lists of this depth.
struct Items(u8);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Within(DEPTH_MAX).deserialize(deserializer)
    }
}

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_enum("Value", KINDS, self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (kind, content) = access.variant()?;
        match kind {
            Kind::Bool => content.newtype_variant().map(Value::Bool),
            Kind::Int => content.newtype_variant().map(Value::Int),
            Kind::Float => content.newtype_variant().map(Value::Float),
            Kind::Text => content.newtype_variant().map(Value::Text),
            Kind::List => match self.0.checked_sub(1) {
                Some(depth) => content.newtype_variant_seed(Items(depth)).map(Value::List),
                None => Err(A::Error::custom(format!("lists nested deeper than {DEPTH_MAX}"))),
            },
        }
    }
}

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Value>, A::Error> {
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or(0).min(ITEMS_AHEAD));
        while let Some(item) = items.next_element_seed(Within(self.0))? {
            list.push(item);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: u8) -> Value {
        (0..depth).fold(Value::Int(7), |inner, _| Value::List(vec![inner]))
    }

    #[test]
    fn the_bytes_of_every_kind_of_value_stay() {
        let values: [(Value, &[u8]); 6] = [
            (true.into(), &[0, 1]),
            (Value::Int(-3), &[1, 5]),
            (0.5.into(), &[2, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f]),
            ("ab".into(), &[3, 2, b'a', b'b']),
            (Value::List(vec![]), &[4, 0]),
            (Value::List(vec![Value::Int(1), false.into()]), &[4, 2, 1, 2, 0, 0]),
        ];
        for (value, bytes) in values {
            assert_eq!(postcard::to_stdvec(&value).unwrap(), bytes);
            assert_eq!(postcard::from_bytes(bytes), Ok(value));
        }
    }

    #[test]
    fn lists_without_end_are_refused_and_do_not_take_the_stack_with_them() {
        let deepest = postcard::to_stdvec(&nested(DEPTH_MAX)).unwrap();
        assert_eq!(postcard::from_bytes(&deepest), Ok(nested(DEPTH_MAX)));
        let deeper = postcard::to_stdvec(&nested(DEPTH_MAX + 1)).unwrap();
        assert!(postcard::from_bytes::<Value>(&deeper).is_err());
        // A list of one list of one list …, as long as the largest description of a study.
        assert!(postcard::from_bytes::<Value>(&[4, 1].repeat(8 << 20)).is_err());
        assert!(postcard::from_bytes::<Value>(&[5, 0]).is_err());
    }
}
