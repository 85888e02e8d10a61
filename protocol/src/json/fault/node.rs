//! A JSON value that preserves duplicate members and deserializes into a type while tracking where
//! deserialization stopped.

use super::surrogates::MARK;
use super::{JsonFault, Step, step};
use core::fmt;
use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use std::vec;

pub(super) enum Node {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The path of the first text that contains the mark.
    pub(super) fn path_of_mark(&self) -> Option<Vec<Step>> {
        let below = |step: Step, node: &Node| {
            let mut path = node.path_of_mark()?;
            path.insert(0, step);
            Some(path)
        };
        match self {
            Node::Text(text) => text.contains(MARK).then(Vec::new),
            Node::Array(nodes) => nodes
                .iter()
                .enumerate()
                .find_map(|(index, node)| below(Step::Index(index), node)),
            Node::Object(members) => members.iter().find_map(|(name, node)| {
                let in_name = name.contains(MARK).then(|| vec![step(name)]);
                in_name.or_else(|| below(step(name), node))
            }),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = JsonFault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(value),
            Node::Unsigned(value) => visitor.visit_u64(value),
            Node::Signed(value) => visitor.visit_i64(value),
            Node::Float(value) => visitor.visit_f64(value),
            Node::Text(text) => visitor.visit_string(text),
            Node::Array(nodes) => visitor.visit_seq(Elements {
                nodes: nodes.into_iter().enumerate(),
            }),
            Node::Object(members) => visitor.visit_map(Members {
                members: members.into_iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonFault> {
        match self {
            Node::Null => visitor.visit_none(),
            node => visitor.visit_some(node),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonFault> {
        match self {
            Node::Text(text) => {
                let name: StrDeserializer<'_, JsonFault> = text.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            Node::Array(_) => Err(JsonFault::invalid_type(Unexpected::Seq, &"a string")),
            Node::Object(_) => Err(JsonFault::invalid_type(Unexpected::Map, &"a string")),
            Node::Null => Err(JsonFault::invalid_type(Unexpected::Unit, &"a string")),
            other => other.deserialize_any(TextVisitor).and_then(|()| {
                Err(JsonFault::invalid_type(
                    Unexpected::Other("a value"),
                    &"a string",
                ))
            }),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonFault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Accepts no value; its error names the type that was found instead of a text.
struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
}

struct Elements {
    nodes: core::iter::Enumerate<vec::IntoIter<Node>>,
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = JsonFault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, JsonFault> {
        let Some((index, node)) = self.nodes.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(node);
        read.map(Some)
            .map_err(|fault| fault.inside(Step::Index(index)))
    }
}

struct Members {
    members: vec::IntoIter<(String, Node)>,
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = JsonFault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, JsonFault> {
        let Some((name, node)) = self.members.next() else {
            return Ok(None);
        };
        let read: StrDeserializer<'_, JsonFault> = name.as_str().into_deserializer();
        let key = seed.deserialize(read)?;
        self.value = Some((name, node));
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonFault> {
        let (name, node) = self
            .value
            .take()
            .ok_or_else(|| JsonFault::custom("a value before its name"))?;
        seed.deserialize(node)
            .map_err(|fault| fault.inside(step(&name)))
    }
}
