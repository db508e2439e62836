//! Reading a long list over many cursors at once, so that latency does not leave the allowed rate unused.
//!
//! A list is newest first, so one cursor is serial: at 200 ms it reaches a fifth of 25 requests a second. The list is
//! therefore cut by `created`. Where to cut is not known in advance, so it is decided page by page: a full page may
//! split what lies behind it into two halves, which are then read side by side (`split.rs`, where the bound
//! "calls ≤ 2 × pages" is proved). Nothing is asked twice and no range is left out: halves are disjoint and whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::{mpsc, watch};

use super::client::{Fetched, Reader};
use super::error::{Failure, PageFault};
use super::form::Form;
use super::page::{Listed, MAX_PAGES, PAGE_SIZE, Page};
use super::split::{Range, Seen, after_page};
use super::wire::List;

/// Cursors in use at once, by default: 25 requests a second at 300 ms need eight, at 600 ms fifteen.
pub const CURSORS: u32 = 16;

/// A running scan. Pages come in no particular order; each item once unless the list changes meanwhile
/// ([`super::page::dedupe`]). Dropping it stops the scan.
pub struct Scan<T> {
    pages: mpsc::Receiver<Result<Page<T>, Failure>>,
    shared: Arc<Shared>,
    ended: bool,
    // Tasks watch for this to go away.
    _alive: watch::Sender<()>,
}

struct Shared {
    reader: Reader,
    path: String,
    query: Form,
    most: u32,
    /// Ranges being read or waiting to be.
    open: AtomicU32,
    calls: AtomicU64,
}

/// What a range's task holds; when the last one is gone the receiver sees the end.
struct Ends<T> {
    pages: mpsc::Sender<Result<Page<T>, Failure>>,
    alive: watch::Receiver<()>,
}

impl<T> Clone for Ends<T> {
    fn clone(&self) -> Self {
        Self {
            pages: self.pages.clone(),
            alive: self.alive.clone(),
        }
    }
}

impl Reader {
    /// Starts reading the list at `path` over up to `cursors` cursors. `query` holds `expand` and filters other than
    /// `created` and paging. Must be called within a tokio runtime.
    #[must_use]
    pub fn scan<T: Listed>(&self, path: &str, query: &Form, cursors: u32) -> Scan<T> {
        let shared = Arc::new(Shared {
            reader: self.clone(),
            path: path.to_owned(),
            query: query.clone(),
            most: cursors.max(1),
            open: AtomicU32::new(1),
            calls: AtomicU64::new(0),
        });
        let (send, pages) = mpsc::channel(cursors.max(1) as usize);
        let (keep, alive) = watch::channel(());
        start(shared.clone(), Range::ALL, None, Ends { pages: send, alive });
        Scan {
            pages,
            shared,
            ended: false,
            _alive: keep,
        }
    }
}

impl<T: Listed> Scan<T> {
    /// The next page that arrived; `None` when the list is complete. After an error the scan is over.
    pub async fn next(&mut self) -> Option<Result<Page<T>, Failure>> {
        if self.ended {
            return None;
        }
        let page = self.pages.recv().await;
        self.ended = !matches!(page, Some(Ok(_)));
        // A task that died took its range with it: that is not a complete list.
        if page.is_none() && self.shared.open.load(Ordering::SeqCst) > 0 {
            return Some(Err(self.shared.fault(PageFault::Lost)));
        }
        page
    }

    /// Pages asked for so far, repeated requests not counted.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

fn start<T: Listed>(shared: Arc<Shared>, range: Range, cursor: Option<String>, ends: Ends<T>) {
    let clock = shared.reader.clock().clone();
    clock.spawn(async move {
        let mut alive = ends.alive.clone();
        tokio::select! {
            () = read_range(&shared, range, cursor, &ends) => {}
            // Nobody wants the pages any more; a request under way is given up with them.
            _ = alive.changed() => {}
        }
    });
}

async fn read_range<T: Listed>(
    shared: &Arc<Shared>,
    mut range: Range,
    mut cursor: Option<String>,
    ends: &Ends<T>,
) {
    loop {
        let page = match shared.read_page::<T>(range, cursor.as_deref()).await {
            Ok(page) => page,
            Err(failure) => {
                let _ = ends.pages.send(Err(failure)).await;
                return;
            }
        };
        let last = page
            .has_more
            .then(|| page.items.last().map(|item| item.id().to_owned()))
            .flatten();
        let next = last.is_some().then(|| shared.split(range, &page));
        if ends.pages.send(Ok(page)).await.is_err() {
            return;
        }
        let Some((rest, other)) = next else {
            shared.open.fetch_sub(1, Ordering::SeqCst);
            return;
        };
        if let Some(other) = other {
            start(shared.clone(), other, None, ends.clone());
        }
        (range, cursor) = (rest, last);
    }
}

impl Shared {
    async fn read_page<T: Listed>(&self, range: Range, cursor: Option<&str>) -> Result<Page<T>, Failure> {
        if self.calls.fetch_add(1, Ordering::SeqCst) >= MAX_PAGES {
            return Err(self.fault(PageFault::Endless(MAX_PAGES)));
        }
        let query = self
            .query
            .clone()
            .with_some("created[gte]", range.from)
            .with_some("created[lte]", range.to)
            .with("limit", PAGE_SIZE)
            .with_some("starting_after", cursor);
        let fetched: Fetched<List<T>> = self.reader.get_as(&self.path, &query).await?;
        let page = Page {
            items: fetched.value.data,
            has_more: fetched.value.has_more,
            reply: fetched.reply,
        };
        guard(range, cursor, &page).map_err(|fault| self.fault(fault))?;
        Ok(page)
    }

    /// Splits what is behind `page` if more cursors are wanted; the second half counts as open from here on.
    fn split<T: Listed>(&self, range: Range, page: &Page<T>) -> (Range, Option<Range>) {
        let Some(seen) = Seen::of(page.items.iter().map(Listed::created)) else {
            return (range, None);
        };
        let (rest, other) = after_page(range, seen);
        let taken = other.filter(|_| {
            let one_more = |open: u32| (open < self.most).then_some(open + 1);
            self.open
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more)
                .is_ok()
        });
        if taken.is_some() {
            (rest, taken)
        } else {
            (range, None)
        }
    }

    fn fault(&self, fault: PageFault) -> Failure {
        Failure::Page {
            path: self.path.clone(),
            fault,
        }
    }
}

fn guard<T: Listed>(range: Range, cursor: Option<&str>, page: &Page<T>) -> Result<(), PageFault> {
    let short = |id: &str| id.chars().take(100).collect::<String>();
    if page.has_more && page.items.is_empty() {
        return Err(PageFault::EmptyWithMore);
    }
    if let Some(stray) = page.items.iter().find(|item| !range.contains(item.created())) {
        return Err(PageFault::OutsideRange(short(stray.id())));
    }
    match cursor {
        Some(cursor) if page.items.iter().any(|item| item.id() == cursor) => {
            Err(PageFault::CursorRepeats(short(cursor)))
        }
        _ => Ok(()),
    }
}
