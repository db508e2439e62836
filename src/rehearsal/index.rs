//! A lean index from text to slots: 16 bytes an entry instead of a copy of the text. The caller compares the text, so a
//! collision of hashes costs a comparison and never an error.

use std::collections::HashMap;

use super::ids::mix;

/// Slots by hash of a text.
#[derive(Clone, Default)]
pub(crate) struct Index {
    first: HashMap<u64, u32>,
    /// Further slots of hashes that have one already: duplicates are rare.
    more: HashMap<u64, Vec<u32>>,
}

impl Index {
    /// Adds a slot for a text.
    pub(crate) fn insert(&mut self, text: &str, slot: u32) {
        let hash = mix(&[text.as_bytes()]);
        if *self.first.entry(hash).or_insert(slot) != slot {
            self.more.entry(hash).or_default().push(slot);
        }
    }

    /// Takes a slot away from a text.
    pub(crate) fn remove(&mut self, text: &str, slot: u32) {
        let hash = mix(&[text.as_bytes()]);
        let mut slots = self.slots(text);
        slots.retain(|s| *s != slot);
        self.first.remove(&hash);
        self.more.remove(&hash);
        for slot in slots {
            self.insert(text, slot);
        }
    }

    /// Slots that may hold the text, ascending.
    pub(crate) fn slots(&self, text: &str) -> Vec<u32> {
        let hash = mix(&[text.as_bytes()]);
        let first = self.first.get(&hash).copied();
        let more = self.more.get(&hash).map(Vec::as_slice).unwrap_or_default();
        let mut slots: Vec<u32> = first.into_iter().chain(more.iter().copied()).collect();
        slots.sort_unstable();
        slots
    }

    /// The slot for which `is` holds.
    pub(crate) fn find(&self, text: &str, is: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = mix(&[text.as_bytes()]);
        let first = self.first.get(&hash).copied()?;
        if is(first) {
            return Some(first);
        }
        self.more.get(&hash)?.iter().copied().find(|slot| is(*slot))
    }

    /// Gives back what growing by doubling took too much.
    pub(crate) fn shrink(&mut self) {
        self.first.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_kept_in_order_and_taken_away_one_by_one() {
        let mut index = Index::default();
        for slot in [5, 2, 9] {
            index.insert("a@example.com", slot);
        }
        assert_eq!(index.slots("a@example.com"), [2, 5, 9]);
        index.remove("a@example.com", 5);
        assert_eq!(index.slots("a@example.com"), [2, 9]);
        assert_eq!(index.slots("b@example.com"), [0; 0]);
        assert_eq!(index.find("a@example.com", |s| s == 9), Some(9));
    }
}
