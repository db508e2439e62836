//! How many customers of which kind a world has, and how that scales.

use serde::Deserialize;

/// How many customers of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WorldPlan {
    pub(crate) movers: u32,
    pub(crate) paying: u32,
    pub(crate) without_method: u32,
    pub(crate) stayers: u32,
    pub(crate) credits: u32,
    pub(crate) debits: u32,
    pub(crate) zero_decimal: u32,
    pub(crate) three_decimal: u32,
    pub(crate) second_currency: u32,
    pub(crate) mixed_currency: u32,
    pub(crate) long_ledgers: u32,
    pub(crate) ledger_disagrees: u32,
    pub(crate) cash_balances: u32,
    pub(crate) credit_grants: u32,
    pub(crate) hostile_names: u32,
    pub(crate) without_anything: u32,
    pub(crate) uncopyable_only: u32,
    pub(crate) uncopyable_default: u32,
    pub(crate) uncopyable_second: u32,
    pub(crate) late_customers: u32,
    pub(crate) late_methods: u32,
    pub(crate) duplicate_emails: u32,
    pub(crate) twin_cards: u32,
    pub(crate) eleven_methods: u32,
    pub(crate) deleted_movers: u32,
    pub(crate) tax_ids: u32,
    pub(crate) exempt: u32,
    pub(crate) reverse: u32,
    pub(crate) shipping: u32,
    pub(crate) locales: u32,
    pub(crate) descriptions: u32,
    pub(crate) footers: u32,
    /// Products of the old account: the first 13 are those of `catalogue_table`, any more are plain.
    pub(crate) products: u32,
    /// Prices of each plain product.
    pub(crate) prices_per_product: u32,
    /// Prices made with a subscription, which no list shows.
    pub(crate) inline_prices: u32,
    /// Live subscriptions of movers; absent: one for each that pays.
    pub(crate) subscriptions: Option<u32>,
    /// Live subscriptions of stayers; absent: one for every second.
    pub(crate) stayer_subscriptions: Option<u32>,
    /// Coupons with a code or two for one mover alone.
    pub(crate) personal_coupons: u32,
    /// The same of stayers.
    pub(crate) stayer_coupons: u32,
    /// Coupons with codes of several people.
    pub(crate) shared_coupons: u32,
    /// Coupons with a code for everybody.
    pub(crate) open_coupons: u32,
    /// Coupons without a code.
    pub(crate) direct_coupons: u32,
    /// Coupons and codes that cannot be used any more, or by nobody.
    pub(crate) dead_coupons: u32,
    /// Running discounts of movers.
    pub(crate) discounts: u32,
}

impl WorldPlan {
    /// Customers of the old account, those apart who come on top whatever its size: late, deleted and otherwise
    /// special people (see [`super::additions`]).
    pub(crate) const fn total(&self) -> u32 {
        self.movers + self.without_method + self.stayers + self.without_anything
    }

    /// Kinds keep their share; rare kinds never grow, and shrink to no less than one while there is room.
    pub(crate) fn scaled(&self, total: u32) -> Self {
        if total == 0 || self.total() == 0 {
            return Self::default();
        }
        let share = |count: u32| {
            let exact = u64::from(count) * u64::from(total) / u64::from(self.total());
            u32::try_from(exact).unwrap_or(u32::MAX)
        };
        let rare = |count: u32| match count {
            0 => 0,
            _ => share(count).clamp(1, count),
        };
        let stayers = share(self.stayers);
        let without_method = share(self.without_method);
        let without_anything = share(self.without_anything);
        let movers = total - stayers - without_method - without_anything;
        Self {
            movers,
            paying: share(self.paying).min(movers),
            without_method,
            stayers,
            credits: share(self.credits),
            debits: share(self.debits),
            zero_decimal: share(self.zero_decimal),
            three_decimal: share(self.three_decimal),
            second_currency: share(self.second_currency),
            mixed_currency: rare(self.mixed_currency),
            long_ledgers: rare(self.long_ledgers),
            ledger_disagrees: rare(self.ledger_disagrees),
            cash_balances: rare(self.cash_balances),
            credit_grants: rare(self.credit_grants),
            hostile_names: rare(self.hostile_names),
            without_anything,
            uncopyable_only: rare(self.uncopyable_only),
            uncopyable_default: rare(self.uncopyable_default),
            uncopyable_second: rare(self.uncopyable_second),
            late_customers: rare(self.late_customers),
            late_methods: rare(self.late_methods),
            duplicate_emails: rare(self.duplicate_emails),
            twin_cards: rare(self.twin_cards),
            eleven_methods: rare(self.eleven_methods),
            deleted_movers: rare(self.deleted_movers),
            tax_ids: rare(self.tax_ids),
            exempt: rare(self.exempt),
            reverse: rare(self.reverse),
            shipping: rare(self.shipping),
            locales: rare(self.locales),
            descriptions: rare(self.descriptions),
            footers: rare(self.footers),
            products: self.products,
            prices_per_product: self.prices_per_product,
            inline_prices: self.inline_prices,
            subscriptions: self.subscriptions.map(share),
            stayer_subscriptions: self.stayer_subscriptions.map(share),
            personal_coupons: share(self.personal_coupons),
            stayer_coupons: share(self.stayer_coupons),
            shared_coupons: rare(self.shared_coupons),
            open_coupons: rare(self.open_coupons),
            direct_coupons: rare(self.direct_coupons),
            dead_coupons: rare(self.dead_coupons),
            discounts: share(self.discounts),
        }
    }
}
