//! What was seen before: fingerprints of old subscriptions, of customers with their prices and start, and of customers.
//!
//! Only fingerprints are kept, so that memory does not depend on how long ids are. A row is rejected for its old id when 96
//! bits of two independently keyed hashes agree with those of a row above. In a file of a million rows the chance that
//! any two different ids do so is below n²/2⁹⁷ < 10⁻¹⁶, a thousand times less than that of a bit flipping in memory while
//! the file is read, so a false rejection is not a case. The warning about same terms and the count of customers rest on
//! 64 bits: below 10⁻⁷ for a wrong warning or a count that is one too small.

use std::hint::black_box;

use super::check::Prints;

#[derive(Clone, Copy, Default)]
struct Slot {
    /// 0: empty.
    print: u64,
    more: u32,
    /// Where it was first, saturating.
    line: u32,
}

/// The same in twelve bytes, with 64 bits of fingerprint.
#[derive(Clone, Copy, Default)]
struct Small {
    print: [u32; 2],
    line: u32,
}

impl Small {
    fn new(print: u64, line: u32) -> Self {
        // Both halves fit by construction.
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default();
        Self {
            print: [half(print >> 32), half(print)],
            line,
        }
    }
}

trait Entry: Copy + Default {
    fn print(&self) -> u64;
    fn is(&self, other: &Self) -> bool;
}

impl Entry for Slot {
    fn print(&self) -> u64 {
        self.print
    }

    fn is(&self, other: &Self) -> bool {
        self.print == other.print && self.more == other.more
    }
}

impl Entry for Small {
    fn print(&self) -> u64 {
        u64::from(self.print[0]) << 32 | u64::from(self.print[1])
    }

    fn is(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl Entry for u64 {
    fn print(&self) -> u64 {
        *self
    }

    fn is(&self, other: &Self) -> bool {
        self == other
    }
}

/// Open addressing; the number of slots is a power of two, of which at most seven in eight are taken.
struct Table<E> {
    slots: Vec<E>,
    taken: usize,
}

const FIRST_SLOTS: usize = 1 << 10;

impl<E: Entry> Table<E> {
    fn new() -> Self {
        Self {
            slots: vec![E::default(); FIRST_SLOTS],
            taken: 0,
        }
    }

    fn home(&self, print: u64) -> usize {
        // The low bits are as good as any, and the table is never larger than memory.
        usize::try_from(print & (self.slots.len() as u64 - 1)).unwrap_or(0)
    }

    /// The one that is there already, or nothing after putting this one in.
    fn insert(&mut self, entry: E) -> Option<E> {
        if (self.taken + 1) * 8 > self.slots.len() * 7 {
            self.grow();
        }
        let mut at = self.home(entry.print());
        loop {
            let there = self.slots[at];
            if there.print() == 0 {
                self.slots[at] = entry;
                self.taken += 1;
                return None;
            }
            if there.is(&entry) {
                return Some(there);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    fn grow(&mut self) {
        let slots = vec![E::default(); self.slots.len() * 2];
        let before = std::mem::replace(&mut self.slots, slots);
        self.taken = 0;
        for entry in before.into_iter().filter(|entry| entry.print() != 0) {
            self.insert(entry);
        }
    }
}

/// What rows before this one were.
pub(super) struct Twins {
    old: Table<Slot>,
    terms: Table<Small>,
    customers: Table<u64>,
}

/// Lines of rows above that this one repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) old: Option<u32>,
    pub(super) terms: Option<u32>,
}

impl Twins {
    pub(super) fn new() -> Self {
        Self {
            old: Table::new(),
            terms: Table::new(),
            customers: Table::new(),
        }
    }

    /// Brings the places of coming rows into the cache, all at once instead of one miss after another.
    pub(super) fn touch<'a>(&self, coming: impl Iterator<Item = &'a Prints>) {
        let mut sum = 0_u64;
        for prints in coming {
            sum ^= self.old.slots[self.old.home(prints.old)].print;
            sum ^= self.terms.slots[self.terms.home(prints.terms)].print();
            sum ^= self.customers.slots[self.customers.home(prints.customer.max(1))];
        }
        black_box(sum);
    }

    /// Remembers a row and says what it repeats.
    pub(super) fn row(&mut self, prints: &Prints, line: u64) -> Seen {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let mut seen = Seen::default();
        if prints.old != 0 {
            let slot = Slot {
                print: prints.old,
                more: prints.old_more,
                line,
            };
            seen.old = self.old.insert(slot).map(|first| first.line);
        }
        if prints.terms != 0 {
            let slot = Small::new(prints.terms, line);
            seen.terms = self.terms.insert(slot).map(|first| first.line);
        }
        seen
    }

    /// Counts the customer of an accepted row.
    pub(super) fn customer(&mut self, print: u64) {
        self.customers.insert(print.max(1));
    }

    /// How many customers were counted.
    pub(super) fn customers(&self) -> u64 {
        self.customers.taken as u64
    }
}
