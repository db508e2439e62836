use serde::Deserialize;

use super::common::id_of;
use super::{Coupon, Expandable};

/// A coupon at work (spec `discount`), as its subscription, item or customer shows it; it has no list of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Discount {
    /// `di_…`
    pub id: String,
    /// What it came of; `None` for a shape this program does not know.
    pub source: Option<DiscountSource>,
    /// The code that was typed.
    #[serde(default, deserialize_with = "id_of")]
    pub promotion_code: Option<String>,
    /// Seconds; 0 where it is not said.
    #[serde(default)]
    pub start: i64,
    /// Seconds; `None`: it has no end of its own.
    pub end: Option<i64>,
}

/// Part of [`Discount`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DiscountSource {
    /// The coupon as it was then; an id unless expanded.
    pub coupon: Option<Expandable<Coupon>>,
}

impl Discount {
    /// Id of the coupon.
    #[must_use]
    pub fn coupon_id(&self) -> Option<&str> {
        let coupon = self.source.as_ref()?.coupon.as_ref()?;
        Some(coupon.id(|coupon| &coupon.id))
    }

    /// The coupon, where it was expanded.
    #[must_use]
    pub fn coupon(&self) -> Option<&Coupon> {
        self.source.as_ref()?.coupon.as_ref()?.object()
    }
}
