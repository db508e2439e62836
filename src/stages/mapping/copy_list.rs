//! The list for the Dashboard's copy: one column of customer ids, no header (a header is answered by "Customer not
//! found", facts 4.1). PURE but for [`read`].

use std::collections::{BTreeMap, BTreeSet};

use super::{gather, plan};
use crate::domain::ids::{Digest, Role};
use crate::domain::plan::OutOfScope;
use crate::domain::scope::{Belongs, Candidate};
use crate::stages::{Reading, StageError};

/// The list, and what is behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyList {
    /// Customers to copy, in order of their ids.
    pub customers: BTreeSet<String>,
    /// Methods of these customers, per type; wallets by their own name.
    pub methods: BTreeMap<String, u64>,
    /// Customers of the region without any method: not in the list.
    pub without_method: u64,
    /// Customers who stay, by reason.
    pub outside: BTreeMap<String, u64>,
    /// Customers of the scope the new account has already: in the list, or left out of it when only late ones were
    /// wanted.
    pub there_already: u64,
}

impl CopyList {
    /// As the Dashboard wants it.
    #[must_use]
    pub fn text(&self) -> String {
        self.customers.iter().flat_map(|id| [id.as_str(), "\n"]).collect()
    }

    /// Of the text: what people compare before they upload it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("cutover-copy-list-v1", [self.text().as_bytes()])
    }
}

/// Reads the list back, as it was given to the copy. Blank lines are nothing; a header or another column is refused.
pub fn parse(file: &str, bytes: &[u8]) -> Result<BTreeSet<String>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| format!("{file}: is not UTF-8; give the list that was uploaded"))?;
    let mut ids = BTreeSet::new();
    for (n, line) in text.lines().enumerate() {
        let id = line.trim();
        if id.is_empty() {
            continue;
        }
        if !id.starts_with("cus_") || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(format!(
                "{file}, line {}: {} is not a customer id; the list has one id a line and no header",
                n + 1,
                crate::domain::text::safe(id)
            ));
        }
        ids.insert(id.to_owned());
    }
    Ok(ids)
}

/// Reads the accounts and makes the list for the scope in the settings; `late` leaves out who is on the new account
/// already.
pub async fn read(reading: &Reading, late: bool) -> Result<CopyList, StageError> {
    let (source, destination) = tokio::try_join!(
        gather::customers(reading, Role::Source),
        gather::customers(reading, Role::Destination)
    )?;
    let (mut list, mut outside) = (CopyList::default(), OutOfScope::default());
    let mut wanted = Vec::new();
    for (id, listed) in source {
        // Whether there is a method is what has to be found out; everything else decides who is asked.
        let belongs = listed.belongs_if_copied;
        plan::count_outside(&mut outside, belongs);
        if belongs != Belongs::InScope {
            continue;
        }
        if late && destination.contains_key(&id) {
            list.there_already += 1;
        } else {
            wanted.push(id);
        }
    }
    list.outside = outside.customers;
    let methods = gather::methods_of(reading, Role::Source, wanted).await?;
    for (id, methods) in methods {
        if methods.is_empty() {
            list.without_method += 1;
            continue;
        }
        for method in &methods {
            let kind = method.wallet.as_deref().unwrap_or(&method.kind);
            *list.methods.entry(kind.to_owned()).or_default() += 1;
        }
        list.there_already += u64::from(destination.contains_key(&id));
        list.customers.insert(id);
    }
    Ok(list)
}

/// Where a customer belongs, by the list page alone, with and without counting the copy as a method.
pub(super) fn belongs(
    reading: &Reading,
    id: &str,
    metadata: &BTreeMap<String, String>,
    has_default: bool,
) -> (Belongs, Belongs) {
    let decide = |has_method| {
        reading.settings.scope.decide(Candidate {
            id,
            metadata,
            has_method,
        })
    };
    (decide(has_default), decide(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_has_no_header() {
        let list = CopyList {
            customers: ["cus_2".to_owned(), "cus_1".to_owned()].into(),
            ..CopyList::default()
        };
        assert_eq!(list.text(), "cus_1\ncus_2\n");
        assert_eq!(parse("list.csv", list.text().as_bytes()).unwrap(), list.customers);
        let dressed = "\u{feff}cus_2\r\n\r\ncus_1";
        assert_eq!(parse("list.csv", dressed.as_bytes()).unwrap(), list.customers);
    }

    #[test]
    fn a_header_or_a_second_column_is_refused_by_line() {
        let said = parse("list.csv", b"customer\ncus_1\n").unwrap_err();
        assert!(said.starts_with("list.csv, line 1: customer is not"), "{said}");
        assert!(
            parse("list.csv", b"cus_1\ncus_2,x\n")
                .unwrap_err()
                .contains("line 2")
        );
    }
}
