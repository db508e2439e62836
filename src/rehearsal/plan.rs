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
}

impl WorldPlan {
    /// Customers of the old account.
    pub(crate) const fn total(&self) -> u32 {
        self.movers + self.without_method + self.stayers
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
        let movers = total - stayers - without_method;
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
        }
    }
}
