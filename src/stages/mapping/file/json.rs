//! The mapping as JSON, as an import from another processor gives it (docs: PAN import):
//! `{"<old customer>": {"id": "cus_…", "cards": {"<old card>": {"id": "card_…", "last4": …}}}}`. Read in one pass and
//! never held as a tree. Lists under other names than `cards` are read alike.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::{FileError, Origin, Raw, Reading};
use crate::domain::text::safe;

pub(super) fn read(reading: &mut Reading, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    reading.is(name, Origin::Processor)?;
    let mut refused = None;
    let all = Customers {
        reading,
        name,
        refused: &mut refused,
    };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = all.deserialize(&mut json).and_then(|()| json.end());
    match (refused, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(FileError {
            file: name.to_owned(),
            place: Some(format!("line {}, column {}", error.line(), error.column())),
            why: format!(
                "is not the JSON mapping of an import ({}); fetch the file again",
                safe(&error.to_string())
            ),
        }),
    }
}

struct Customers<'r> {
    reading: &'r mut Reading,
    name: &'r str,
    refused: &'r mut Option<FileError>,
}

impl<'de> DeserializeSeed<'de> for Customers<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Customers<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of old customers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut entry = 0;
        while let Some(customer) = map.next_key::<Cow<'de, str>>()? {
            entry += 1;
            let Customer { id, methods } = map.next_value()?;
            let mut row = |source: &str, new_source: &str| {
                let raw = Raw {
                    customer: customer.as_bytes(),
                    source: source.as_bytes(),
                    new_customer: id.as_bytes(),
                    new_source: new_source.as_bytes(),
                    line: entry,
                };
                self.reading.row(self.name, raw).map_err(|error| {
                    *self.refused = Some(error);
                    A::Error::custom("refused")
                })
            };
            if methods.is_empty() {
                row("", "")?;
            }
            for (old, new) in &methods {
                row(old, new)?;
            }
        }
        Ok(())
    }
}

/// One customer: its new id, and its methods, old and new.
#[derive(Default)]
struct Customer {
    id: String,
    methods: Vec<(String, String)>,
}

impl<'de> serde::Deserialize<'de> for Customer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(OneCustomer)
    }
}

struct OneCustomer;

impl<'de> Visitor<'de> for OneCustomer {
    type Value = Customer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `id` and `cards`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Customer, A::Error> {
        let mut customer = Customer::default();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match name.as_ref() {
                "id" => customer.id = map.next_value()?,
                "cards" | "bank_accounts" | "sources" | "payment_methods" => {
                    let methods: Methods = map.next_value()?;
                    customer.methods.extend(methods.0);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(customer)
    }
}

/// `{"<old>": {"id": "<new>", …}}`; an old id that stands there twice is seen twice.
struct Methods(Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Methods;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of old methods")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Methods, A::Error> {
                #[derive(serde::Deserialize)]
                struct New {
                    #[serde(default)]
                    id: String,
                }
                let mut all = Vec::new();
                while let Some((old, new)) = map.next_entry::<String, New>()? {
                    all.push((old, new.id));
                }
                Ok(Methods(all))
            }
        }
        from.deserialize_map(All)
    }
}
