//! Which row an id stands in: fingerprints and numbers of rows in one flat table, eight bytes a place. A fingerprint only
//! says where to look; whoever looks compares the ids themselves.
//!
//! Every look at it misses the processor's caches once, and that is most of what linting a large file costs. A caller
//! with several ids at hand says so with [`Table::touch`] first, and the misses are waited for together.

/// See the [module page](self).
#[derive(Default)]
pub(super) struct Table {
    /// 0: free. Else the upper half of the fingerprint, and in the lower half the row, counted from 1.
    places: Vec<u64>,
    used: usize,
    /// What of a fingerprint is not the number of its first place.
    shift: u32,
}

const ROW: u64 = 0xffff_ffff;
const LEAST: usize = 16;

impl Table {
    /// Makes room for this many rows.
    pub(super) fn reserve(&mut self, rows: usize) {
        let places = (self.used + rows).saturating_mul(4) / 3 + 1;
        if places > self.places.len() {
            self.grow(places.max(LEAST).next_power_of_two());
        }
    }

    /// Begins to fetch what [`Table::found_or`] will look at.
    pub(super) fn touch(&self, print: u64) -> u64 {
        self.places.get(self.first(print)).copied().unwrap_or_default()
    }

    /// The row of which `is` holds, if it is there.
    pub(super) fn found(&self, print: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.places.is_empty() {
            return None;
        }
        self.look(print, is).ok()
    }

    /// The same, or `next` is put there.
    pub(super) fn found_or(&mut self, print: u64, next: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        if (self.used + 1) * 4 > self.places.len() * 3 {
            self.grow((self.places.len() * 2).max(LEAST));
        }
        match self.look(print, is) {
            Ok(row) => Some(row),
            Err(free) => {
                self.places[free] = (print & !ROW) | (u64::from(next) + 1);
                self.used += 1;
                None
            }
        }
    }

    /// The row, or the free place where it would be. There is always one: a quarter is kept free.
    fn look(&self, print: u64, is: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mut at = self.first(print);
        loop {
            match self.places[at] {
                0 => return Err(at),
                place if place & !ROW == print & !ROW && is(row(place)) => return Ok(row(place)),
                _ => at = (at + 1) & (self.places.len() - 1),
            }
        }
    }

    fn first(&self, print: u64) -> usize {
        usize::try_from(print.checked_shr(self.shift).unwrap_or_default()).unwrap_or_default()
    }

    /// `places` is a power of two.
    fn grow(&mut self, places: usize) {
        let before = std::mem::replace(&mut self.places, vec![0; places]);
        self.shift = u64::BITS - places.trailing_zeros();
        for place in before.into_iter().filter(|place| *place != 0) {
            if let Err(free) = self.look(place, |_| false) {
                self.places[free] = place;
            }
        }
    }
}

fn row(place: u64) -> u32 {
    u32::try_from((place & ROW) - 1).unwrap_or(u32::MAX)
}
