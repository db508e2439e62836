//! Scenario files: what a world holds and what goes wrong in it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::faults::Rule;
use super::foreign::Actor;
use super::plan::WorldPlan;
use super::scenario_customers::{self, Listed};
use super::scenario_pools::{self, ListedCode, ListedCoupon, ListedDiscount, Named};
use super::scenario_subscriptions::ListedSubscription;
use crate::domain::time::UtcMs;

/// Names and texts of scenario files.
macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../assets/scenarios/", $name, ".toml")))),*]
    };
}

/// Scenarios that come with the program.
const EMBEDDED: &[(&str, &str)] = embedded![
    "midnight",
    "small",
    "disagree",
    "second-card-default",
    "same-email",
    "eleven-methods",
    "two-sepa",
    "deleted-customer",
    "hundred-and-one",
    "empty",
    "schools",
    "coupons",
    "coupons-thousands",
    "subscriptions",
    "faults-429",
    "faults-500",
    "faults-network",
    "faults-mixed",
];

/// Why a scenario could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither an embedded name nor a readable file.
    #[error("there is no scenario {wanted}: it is neither one of {} nor a file that can be read ({why})", names().join(", "))]
    NotFound {
        /// What was asked for.
        wanted: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The file is not a scenario.
    #[error("scenario {file}, line {line}: {problem}")]
    Malformed {
        /// The file, or the embedded name.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// A world and its faults. See `assets/scenarios/midnight.toml` for every setting with a comment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// One sentence for people.
    pub about: String,
    /// The instant the night begins, RFC 3339; everything in the world is older.
    starts_at: toml::value::Datetime,
    /// Counts.
    #[serde(default)]
    pub(crate) world: WorldPlan,
    /// Customers named one by one, besides those counted.
    #[serde(default, rename = "customer")]
    pub(crate) listed: Vec<Listed>,
    /// Subscriptions named one by one.
    #[serde(default, rename = "subscription")]
    pub(crate) subscriptions: Vec<ListedSubscription>,
    /// Coupons named one by one.
    #[serde(default, rename = "coupon")]
    pub(crate) coupons: Vec<ListedCoupon>,
    /// Promotion codes named one by one.
    #[serde(default, rename = "code")]
    pub(crate) codes: Vec<ListedCode>,
    /// Running discounts named one by one.
    #[serde(default, rename = "discount")]
    pub(crate) discounts: Vec<ListedDiscount>,
    /// How the accounts behave.
    #[serde(default)]
    pub(crate) behaviour: Behaviour,
    /// What goes wrong.
    #[serde(default, rename = "fault")]
    pub(crate) faults: Vec<Rule>,
    /// Who else works on the accounts.
    #[serde(default, rename = "foreign")]
    pub(crate) actors: Vec<Actor>,
    #[serde(skip)]
    pub(crate) start: UtcMs,
    /// What the file says of it.
    #[serde(skip)]
    written_start: UtcMs,
    #[serde(skip)]
    pub(crate) digest: u64,
}

/// How the accounts behave, apart from faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Behaviour {
    /// `GET /v1/account` answers 403 to a restricted key.
    pub(crate) account_refused_to_restricted_keys: bool,
    /// The PAN copy is done before the night begins; otherwise `Running::play_pan_copy` does it.
    pub(crate) pan_copy_at_start: bool,
    /// How long a stalled response takes.
    pub(crate) stall_ms: i64,
    /// How long a slow body takes.
    pub(crate) slow_body_ms: i64,
    /// Of a thousand requests an account gets, how many come just after somebody redeemed a code of it.
    pub(crate) redemptions_per_1000_requests: u32,
    /// The same, of coupons that the application applies without a code.
    pub(crate) direct_redemptions_per_1000_requests: u32,
    /// The Dashboard's toolkit asks for an hour before a start instead of a day.
    pub(crate) toolkit_in_sandbox: bool,
    /// Requests in flight before the concurrency limiter speaks; absent: a default by mode.
    pub(crate) in_flight: Option<usize>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            account_refused_to_restricted_keys: false,
            pan_copy_at_start: true,
            stall_ms: 90_000,
            slow_body_ms: 5_000,
            redemptions_per_1000_requests: 0,
            direct_redemptions_per_1000_requests: 0,
            toolkit_in_sandbox: false,
            in_flight: None,
        }
    }
}

/// Names of the embedded scenarios.
#[must_use]
pub fn names() -> Vec<&'static str> {
    EMBEDDED.iter().map(|(name, _)| *name).collect()
}

impl Scenario {
    /// The scenario of that embedded name, or else of that file.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        if let Some((name, text)) = EMBEDDED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(text, Path::new(name));
        }
        let path = PathBuf::from(name_or_path);
        let text = std::fs::read_to_string(&path).map_err(|why| ScenarioError::NotFound {
            wanted: name_or_path.to_owned(),
            why,
        })?;
        Self::parse(&text, &path)
    }

    /// Reads a scenario from its text; `file` is for the error.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ScenarioError> {
        let malformed = |line: usize, problem: String| ScenarioError::Malformed {
            file: file.display().to_string(),
            line,
            problem,
        };
        let mut scenario: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            malformed(line, one_line(error.message()))
        })?;
        let line_with = |word: &str| {
            text.lines()
                .position(|l| l.trim_start().starts_with(word))
                .map_or(1, |n| n + 1)
        };
        let instant = chrono::DateTime::parse_from_rfc3339(&scenario.starts_at.to_string());
        let Ok(instant) = instant else {
            let problem =
                "starts_at must be an instant with an offset, such as 2026-02-14T05:00:00Z".to_owned();
            return Err(malformed(line_with("starts_at"), problem));
        };
        scenario.start = UtcMs(instant.timestamp_millis());
        scenario.written_start = scenario.start;
        scenario.digest = super::ids::mix(&[text.as_bytes()]);
        if scenario.world.paying > scenario.world.movers {
            let problem = "paying may not be larger than movers: lower it".to_owned();
            return Err(malformed(line_with("paying"), problem));
        }
        if let Some((customer, problem)) = scenario_customers::problem(&scenario.listed) {
            let line = nth_line(text, "[[customer]]", customer);
            return Err(malformed(line, problem));
        }
        if let Some((header, row, problem)) = scenario_pools::problem(&scenario.pools(None)) {
            return Err(malformed(nth_line(text, header, row), problem));
        }
        if let Some((rule, problem)) = scenario
            .faults
            .iter()
            .enumerate()
            .find_map(|(n, r)| Some((n, r.problem()?)))
        {
            let line = nth_line(text, "[[fault]]", rule);
            return Err(malformed(line, problem));
        }
        if let Some((actor, problem)) = scenario
            .actors
            .iter()
            .enumerate()
            .find_map(|(n, a)| Some((n, a.problem()?)))
        {
            let line = nth_line(text, "[[foreign]]", actor);
            return Err(malformed(line, problem));
        }
        Ok(scenario)
    }

    /// The same world at another time: for accounts that live by the real clock, as everything in a world is so much
    /// older than its night. Ids do not depend on it.
    #[must_use]
    pub const fn beginning_at(mut self, start: UtcMs) -> Self {
        self.start = UtcMs::from_secs(start.secs());
        self
    }

    /// The instant the night begins: what a rehearsal's clock should start at.
    #[must_use]
    pub const fn starts_at(&self) -> UtcMs {
        self.start
    }

    /// The counts for `customers` customers in all; `None` leaves them as written.
    pub(crate) fn sized(&self, customers: Option<u32>) -> WorldPlan {
        customers.map_or(self.world, |total| self.world.scaled(total))
    }

    /// The customers named one by one; nobody in an empty world.
    pub(crate) fn named(&self, customers: Option<u32>) -> &[Listed] {
        match customers {
            Some(0) => &[],
            _ => &self.listed,
        }
    }

    /// Coupons and what hangs on them, named one by one; none in an empty world.
    pub(crate) fn pools(&self, customers: Option<u32>) -> Named<'_> {
        if customers == Some(0) {
            return Named::default();
        }
        Named {
            subscriptions: &self.subscriptions,
            coupons: &self.coupons,
            codes: &self.codes,
            discounts: &self.discounts,
            shift: self.start.secs() - self.written_start.secs(),
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset)
        .map_or(1, |head| head.matches('\n').count() + 1)
}

fn nth_line(text: &str, header: &str, n: usize) -> usize {
    let headers = text.lines().enumerate().filter(|(_, l)| l.trim() == header);
    headers.map(|(at, _)| at + 1).nth(n).unwrap_or(1)
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_scenario_is_well_formed_and_named_as_its_file() {
        for name in names() {
            assert_eq!(Scenario::load(name).unwrap().name, name);
        }
    }

    #[test]
    fn an_unknown_setting_is_refused_with_its_line() {
        let text = "name = \"x\"\nabout = \"\"\nstarts_at = 2026-02-14T05:00:00Z\n[world]\nmovres = 1\n";
        let error = Scenario::parse(text, Path::new("x.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("scenario x.toml, line 5: unknown field `movres`"),
            "{error}"
        );
    }

    #[test]
    fn a_fault_that_never_happens_is_refused_with_its_line() {
        let text = "name = \"x\"\nabout = \"\"\nstarts_at = 2026-02-14T05:00:00Z\n\n[[fault]]\nkind = \"bad_gateway\"\n";
        let error = Scenario::parse(text, Path::new("x.toml"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("scenario x.toml, line 5:"), "{error}");
    }

    #[test]
    fn a_customer_that_cannot_be_made_is_refused_with_its_line() {
        let text = "name = \"x\"\nabout = \"\"\nstarts_at = 2026-02-14T05:00:00Z\n[[customer]]\n[[customer]]\nid = \"x\"\n";
        let error = Scenario::parse(text, Path::new("x.toml"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("scenario x.toml, line 5: id"), "{error}");
    }

    #[test]
    fn an_absent_file_is_said_with_the_names_that_exist() {
        let error = Scenario::load("no/such.toml").unwrap_err().to_string();
        assert!(
            error.contains("no/such.toml") && error.contains("midnight"),
            "{error}"
        );
    }

    #[test]
    fn scaling_keeps_shares_and_the_total() {
        let midnight = Scenario::load("midnight").unwrap();
        for total in [0, 1, 2, 12, 100, 3425, 100_000] {
            let plan = midnight.sized(Some(total));
            assert_eq!(plan.total(), total);
            assert!(plan.paying <= plan.movers);
        }
        assert_eq!(midnight.sized(None).mixed_currency, 5);
        assert_eq!(midnight.sized(Some(100_000)).mixed_currency, 5);
        assert_eq!(midnight.sized(Some(0)), WorldPlan::default());
    }
}
