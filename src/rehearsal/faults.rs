//! What goes wrong, and when: rules of a scenario, decided by a hash of the request so that the order in which
//! concurrent requests arrive changes nothing.

use serde::Deserialize;

use super::ids::mix;
use super::world::Side;
use crate::domain::time::UtcMs;

/// A way to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    /// 429 with a limiter's reason; with `every_ms` and `for_ms` a storm in which every request is refused.
    RateLimited,
    /// 429 `lock_timeout`; nothing was done.
    LockTimeout,
    /// 409: the key is in use; nothing was done.
    KeyInUse,
    /// 500 stored under the key; nothing was done.
    ServerErrorBeforeCommit,
    /// 500 stored under the key; the change was made.
    ServerErrorAfterCommit,
    /// 502, 503 or 504 from a gateway; the request never arrived.
    BadGateway,
    /// 502, 503 or 504 from a gateway; the change was made and its true answer is stored.
    BadGatewayAfterCommit,
    /// The connection is reset; the request was never worked on.
    ResetBeforeCommit,
    /// The connection is reset; the change was made.
    ResetAfterCommit,
    /// Nothing is answered for long; the change is made at the end of that time.
    StallBeforeCommit,
    /// The change is made at once; nothing is answered for long.
    StallAfterCommit,
    /// The body arrives in small pieces.
    SlowBody,
    /// Status 200, and the connection breaks within the body; the change was made.
    TruncatedBody,
    /// The answer names another amount than was written.
    WrongAmount,
    /// The answer names the other mode.
    WrongLivemode,
    /// The answer names another customer.
    WrongCustomer,
    /// The answer is valid JSON of more than 8 MiB.
    OversizedBody,
    /// The answer is valid JSON, nested 400 deep.
    DeepBody,
    /// A list's last row comes twice.
    RepeatedRow,
    /// 302 to another path; nothing was done.
    Redirect,
    /// The keys are revoked from this request on: 401.
    RevokeKey,
    /// The keys may only read from this request on: 403 for a write.
    NarrowKey,
}

impl FaultKind {
    /// Whether the response is delayed by a stall.
    pub(crate) const fn stalls(self) -> bool {
        matches!(self, Self::StallBeforeCommit | Self::StallAfterCommit)
    }
}

/// Which requests a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum On {
    /// Everything but GET.
    #[default]
    Writes,
    /// GET only.
    Reads,
    /// Everything.
    All,
}

/// A `[[fault]]` of a scenario: conditions, and either a chance, an ordinal or a storm.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) kind: FaultKind,
    #[serde(default)]
    pub(crate) on: On,
    pub(crate) account: Option<Side>,
    pub(crate) method: Option<String>,
    /// With `*` for one segment.
    pub(crate) path: Option<String>,
    /// Chance in a thousand.
    pub(crate) per_mille: Option<u16>,
    /// The how manieth matching request, from 1.
    pub(crate) nth: Option<u32>,
    /// A storm begins so often …
    pub(crate) every_ms: Option<i64>,
    /// … and lasts so long.
    pub(crate) for_ms: Option<i64>,
}

impl Rule {
    /// What is wrong with the rule, as one sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        let storm = self.every_ms.is_some() || self.for_ms.is_some();
        let ways = [self.per_mille.is_some(), self.nth.is_some(), storm];
        if ways.iter().filter(|w| **w).count() != 1 {
            return Some("a fault needs exactly one of per_mille, nth, or every_ms with for_ms".into());
        }
        if storm && (self.kind != FaultKind::RateLimited || self.every_ms.is_none() || self.for_ms.is_none())
        {
            return Some("every_ms and for_ms go together and only with kind = \"rate_limited\"".into());
        }
        if self.every_ms.is_some_and(|ms| ms < 1) || self.for_ms.is_some_and(|ms| ms < 1) {
            return Some("every_ms and for_ms must be at least 1".into());
        }
        if self.per_mille.is_some_and(|p| p > 1000) {
            return Some("per_mille must be between 0 and 1000".into());
        }
        (self.nth == Some(0)).then(|| "nth counts from 1".into())
    }

    fn is_about(&self, side: Side, method: &str, path: &str) -> bool {
        let on = match self.on {
            On::All => true,
            On::Reads => method == "GET",
            On::Writes => self.method.is_some() || method != "GET",
        };
        on && self.account.is_none_or(|a| a == side)
            && self.method.as_deref().is_none_or(|m| m == method)
            && self.path.as_deref().is_none_or(|p| path_matches(p, path))
    }
}

/// Whether `path` has the pattern's segments, `*` standing for any one.
pub(crate) fn path_matches(pattern: &str, path: &str) -> bool {
    let (mut left, mut right) = (pattern.split('/'), path.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(p), Some(s)) if p == "*" || p == s => {}
            _ => return false,
        }
    }
}

/// One account's rules and how often each was met.
pub(crate) struct Faults {
    side: Side,
    seed: u64,
    start: UtcMs,
    rules: Vec<(Rule, u32, bool)>,
}

impl Faults {
    pub(crate) fn new(side: Side, seed: u64, start: UtcMs, rules: &[Rule]) -> Self {
        Self {
            side,
            seed,
            start,
            rules: rules.iter().map(|r| (r.clone(), 0, false)).collect(),
        }
    }

    /// What goes wrong with this request, and the number of the rule when it was a one-time fault.
    pub(crate) fn decide(
        &mut self,
        method: &str,
        path: &str,
        token: u64,
        now: UtcMs,
    ) -> Option<(FaultKind, Option<usize>)> {
        let (seed, side, start) = (self.seed, self.side, self.start);
        let mut found = None;
        for (number, (rule, met, fired)) in self.rules.iter_mut().enumerate() {
            if !rule.is_about(side, method, path) {
                continue;
            }
            *met += 1;
            let hit = if let Some(nth) = rule.nth {
                let hit = *met >= nth && !*fired;
                *fired |= hit && found.is_none();
                hit
            } else if let Some(chance) = rule.per_mille {
                let number = u64::try_from(number).unwrap_or(0);
                let roll = mix(&[b"fault", &number.to_be_bytes(), &token.to_be_bytes()]) % 1000;
                roll < u64::from(chance)
            } else {
                in_storm(rule, seed, now.since(start))
            };
            if hit && found.is_none() {
                found = Some((rule.kind, rule.nth.is_some().then_some(number)));
            }
        }
        found
    }

    /// Notes a one-time fault that happened before the world was restored, and says its kind.
    pub(crate) fn already(&mut self, number: usize) -> Option<FaultKind> {
        let (rule, _, fired) = self.rules.get_mut(number)?;
        *fired = true;
        Some(rule.kind)
    }
}

fn in_storm(rule: &Rule, seed: u64, since_start: i64) -> bool {
    let (Some(every), Some(lasts)) = (rule.every_ms, rule.for_ms) else {
        return false;
    };
    // The first storm comes within the first period, at an instant the seed decides.
    let period = u64::try_from(every).unwrap_or(1).max(1);
    let offset = i64::try_from(mix(&[b"storm", &seed.to_be_bytes()]) % period).unwrap_or(0);
    let at = since_start - offset;
    at >= 0 && at % every < lasts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(toml: &str) -> Vec<Rule> {
        #[derive(Deserialize)]
        struct File {
            fault: Vec<Rule>,
        }
        toml::from_str::<File>(toml).unwrap().fault
    }

    #[test]
    fn a_one_time_fault_happens_once_at_its_request() {
        let rules = rules("[[fault]]\nkind = \"bad_gateway\"\nnth = 2\npath = \"/v1/customers/*\"\n");
        let mut faults = Faults::new(Side::Source, 1, UtcMs(0), &rules);
        let mut seen = Vec::new();
        for n in 0..4 {
            seen.push(
                faults
                    .decide("POST", "/v1/customers/cus_1", n, UtcMs(0))
                    .is_some(),
            );
        }
        assert_eq!(seen, [false, true, false, false]);
        assert_eq!(faults.decide("GET", "/v1/customers/cus_1", 9, UtcMs(0)), None);
    }

    #[test]
    fn chances_depend_on_the_request_and_not_on_the_order() {
        let rules = rules("[[fault]]\nkind = \"reset_after_commit\"\nper_mille = 300\n");
        let decide = |order: &[u64]| -> Vec<(u64, bool)> {
            let mut faults = Faults::new(Side::Source, 1, UtcMs(0), &rules);
            let mut seen: Vec<_> = order
                .iter()
                .map(|t| (*t, faults.decide("POST", "/v1/x", *t, UtcMs(0)).is_some()))
                .collect();
            seen.sort_unstable();
            seen
        };
        let forward: Vec<u64> = (0..500).collect();
        let backward: Vec<u64> = (0..500).rev().collect();
        let seen = decide(&forward);
        assert_eq!(seen, decide(&backward));
        let hits = seen.iter().filter(|(_, hit)| *hit).count();
        assert!((100..200).contains(&hits), "{hits} of 500 at 30 %");
    }

    #[test]
    fn storms_come_and_go_with_the_clock() {
        let rules =
            rules("[[fault]]\nkind = \"rate_limited\"\non = \"all\"\nevery_ms = 1000\nfor_ms = 400\n");
        let mut faults = Faults::new(Side::Source, 1, UtcMs(0), &rules);
        let hit = (5000..8000)
            .filter(|ms| faults.decide("GET", "/v1/x", 0, UtcMs(*ms)).is_some())
            .count();
        assert_eq!(hit, 1200);
    }

    #[test]
    fn patterns_stand_for_whole_segments() {
        assert!(path_matches(
            "/v1/customers/*/balance_transactions",
            "/v1/customers/c/balance_transactions"
        ));
        assert!(!path_matches("/v1/customers/*", "/v1/customers"));
        assert!(!path_matches("/v1/customers/*", "/v1/customers/c/x"));
    }
}
