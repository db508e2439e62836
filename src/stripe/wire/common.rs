//! Shapes that several objects share.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// An expandable reference as its id: Stripe sends the id, the whole object when expanded, or null.
pub(super) fn id_of<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    from.deserialize_any(IdOf)
}

/// As [`id_of`], for references that are always present.
pub(super) fn some_id_of<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    id_of(from)?.ok_or_else(|| serde::de::Error::custom("expected an id or an object with an id"))
}

/// Null as the type's default: Stripe sends both for "nothing".
pub(super) fn or_default<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

struct IdOf;

impl<'de> Visitor<'de> for IdOf {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id, an object with an id, or null")
    }

    fn visit_str<E>(self, id: &str) -> Result<Self::Value, E> {
        Ok(Some(id.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut id = None;
        while let Some(name) = object.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == "id" {
                id = object.next_value()?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(id)
    }
}

/// A reference of which more than the id is wanted, where it was expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expandable<T> {
    /// As it is sent.
    Id(String),
    /// As it is sent when expanded.
    Object(Box<T>),
}

impl<T> Expandable<T> {
    /// The id; `of` says where the object has it.
    pub fn id<'a>(&'a self, of: impl FnOnce(&'a T) -> &'a str) -> &'a str {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => of(object),
        }
    }

    /// The object, where it was expanded.
    #[must_use]
    pub fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Expandable<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ExpandableOf(PhantomData))
    }
}

struct ExpandableOf<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ExpandableOf<T> {
    type Value = Expandable<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id or an object")
    }

    fn visit_str<E>(self, id: &str) -> Result<Self::Value, E> {
        Ok(Expandable::Id(id.to_owned()))
    }

    // Not an untagged enum: that would buffer the object, and a number's own text (Decimal) would be lost.
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        let object = T::deserialize(MapAccessDeserializer::new(object))?;
        Ok(Expandable::Object(Box::new(object)))
    }
}

/// An enum of wire strings that keeps what it does not know.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $text, "`")] $variant,)*
            /// A string this program does not know; it decides nothing (reliability 3.1 row 20).
            Other(String),
        }

        impl $name {
            /// The string on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                Ok(match text.as_ref() {
                    $($text => Self::$variant,)*
                    _ => Self::Other(text.into_owned()),
                })
            }
        }
    };
}
pub(super) use open_enum;
