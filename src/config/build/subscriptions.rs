//! The subscriptions stage.

use super::Values;
use crate::config::layers::instant;
use crate::config::{Route, SubscriptionsConfig};
use crate::domain::time::UtcMs;

impl Values<'_> {
    pub(super) fn subscriptions(&self) -> SubscriptionsConfig {
        let time = |setting| self.value(setting).and_then(instant).map(UtcMs);
        SubscriptionsConfig {
            route: match self.text("subscriptions.route").0.as_str() {
                "api" => Route::Api,
                _ => Route::Csv,
            },
            upload_by: time("subscriptions.upload_by"),
            margin_hours: self.number("subscriptions.margin_hours"),
            window_ends: time("subscriptions.window_ends"),
            first_batch: self.number("subscriptions.first_batch"),
            preview_sample: self.number("subscriptions.preview_sample"),
        }
    }
}
