//! Lists: cursor pages one after the other, with guards against a list that never ends.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::marker::PhantomData;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;

use super::client::{Fetched, Reader};
use super::error::{Failure, PageFault};
use super::form::Form;
use super::reply::Reply;
use super::wire::List;

/// Items per page: the most Stripe gives.
pub const PAGE_SIZE: usize = 100;
/// More pages than this are a fault: a hundred million items.
pub const MAX_PAGES: u64 = 1_000_000;

/// What a list needs to know of its items.
pub trait Listed: DeserializeOwned + Send + 'static {
    /// The id, used as cursor.
    fn id(&self) -> &str;
    /// Creation time, whole seconds since the epoch.
    fn created(&self) -> i64;
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Whether the list goes on behind this page.
    pub has_more: bool,
    /// As it came.
    pub reply: Reply,
}

/// A list being read page by page. One page is in memory at a time.
pub struct Pages<T> {
    reader: Reader,
    path: String,
    query: Form,
    cursors: HashSet<String>,
    cursor: Option<String>,
    done: bool,
    items: PhantomData<fn() -> T>,
}

impl Reader {
    /// Reads the list at `path`, pages of [`PAGE_SIZE`], newest first. `query` holds filters and `expand`, no paging.
    #[must_use]
    pub fn list<T: Listed>(&self, path: &str, query: &Form) -> Pages<T> {
        Pages {
            reader: self.clone(),
            path: path.to_owned(),
            query: query.clone(),
            cursors: HashSet::new(),
            cursor: None,
            done: false,
            items: PhantomData,
        }
    }
}

impl<T: Listed> Pages<T> {
    /// Starts behind an item already seen, which must still exist.
    #[must_use]
    pub fn starting_after(mut self, id: &str) -> Self {
        self.cursor = Some(id.to_owned());
        self
    }

    /// The next page, or `None` behind the last one. After an error there is no next page.
    pub async fn next_page(&mut self) -> Result<Option<Page<T>>, Failure> {
        if self.done {
            return Ok(None);
        }
        self.done = true;
        let query = self
            .query
            .clone()
            .with("limit", PAGE_SIZE)
            .with_some("starting_after", self.cursor.as_deref());
        let fetched: Fetched<List<T>> = self.reader.get_as(&self.path, &query).await?;
        let page = Page {
            items: fetched.value.data,
            has_more: fetched.value.has_more,
            reply: fetched.reply,
        };
        self.advance(&page).map_err(|fault| Failure::Page {
            path: self.path.clone(),
            fault,
        })?;
        Ok(Some(page))
    }

    /// All items, as they arrive.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, Failure>> {
        let pages = stream::try_unfold(self, |mut pages| async move {
            let page = pages.next_page().await?;
            Ok::<_, Failure>(page.map(|page| (page.items, pages)))
        });
        pages.map_ok(|items| stream::iter(items).map(Ok)).try_flatten()
    }

    /// All pages, collected. For lists that are short by nature: one customer's ledger, one customer's methods.
    pub async fn collect_pages(mut self) -> Result<Vec<Page<T>>, Failure> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.push(page);
        }
        Ok(all)
    }

    fn advance(&mut self, page: &Page<T>) -> Result<(), PageFault> {
        if !page.has_more {
            return Ok(());
        }
        let last = page.items.last().ok_or(PageFault::EmptyWithMore)?;
        if !self.cursors.insert(last.id().to_owned()) || self.cursor.as_deref() == Some(last.id()) {
            return Err(PageFault::CursorRepeats(last.id().chars().take(100).collect()));
        }
        if self.cursors.len() as u64 >= MAX_PAGES {
            return Err(PageFault::Endless(MAX_PAGES));
        }
        self.cursor = Some(last.id().to_owned());
        self.done = false;
        Ok(())
    }
}

/// Drops items whose id was seen before and returns how many: an item can come twice when the list moves while it is
/// read (reliability 3.1 row 17).
pub fn dedupe<T: Listed, S: BuildHasher>(seen: &mut HashSet<String, S>, items: &mut Vec<T>) -> usize {
    let before = items.len();
    items.retain(|item| seen.insert(item.id().to_owned()));
    before - items.len()
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
