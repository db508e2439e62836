use serde::Deserialize;

/// The envelope of every list (facts 2.7).
#[derive(Clone, Debug, Deserialize)]
pub struct List<T> {
    /// Newest first.
    pub data: Vec<T>,
    /// Whether more is behind the last item.
    pub has_more: bool,
}
