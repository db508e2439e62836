//! Who moves and who stays, decided before any stage (contract: "Who moves, who stays").
//!
//! In scope = region AND wave AND lists, then "has a payment method". The rule has a digest that every plan seals and
//! every approval shows. Out of scope is counted with its money and never touched.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ids::Digest;

/// The rule. Empty `regions` or `waves` match nobody and everybody respectively: a region must be named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeRule {
    /// Customer metadata key that holds the region.
    pub region_key: String,
    /// Regions that move.
    pub regions: BTreeSet<String>,
    /// Customer metadata key that holds the wave; unused while `waves` is empty.
    pub wave_key: String,
    /// Waves that move now; empty means no waves are used.
    pub waves: BTreeSet<String>,
    /// Customers that move whatever their region says.
    pub include: BTreeSet<String>,
    /// Customers that stay whatever else is said. Wins over `include`.
    pub exclude: BTreeSet<String>,
}

/// What is known about one customer when scope is decided.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The customer id.
    pub id: &'a str,
    /// The customer's metadata on the old account.
    pub metadata: &'a BTreeMap<String, String>,
    /// A default method on the old account, or the copy brought the customer to the new one.
    pub has_method: bool,
}

/// Where a customer belongs, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Belongs {
    /// Moves.
    InScope,
    /// Would move, but has no payment method: listed with its money for a decision.
    NoMethod,
    /// Another region: stays.
    OtherRegion,
    /// No region in metadata: stays, and is listed as unknown.
    UnknownRegion,
    /// Another wave: stays for now.
    OtherWave,
    /// Excluded by list: stays.
    Excluded,
}

impl ScopeRule {
    /// Decides one customer.
    #[must_use]
    pub fn decide(&self, who: Candidate<'_>) -> Belongs {
        if self.exclude.contains(who.id) {
            return Belongs::Excluded;
        }
        if !self.include.contains(who.id) {
            match who.metadata.get(&self.region_key) {
                None => return Belongs::UnknownRegion,
                Some(region) if !self.regions.contains(region) => return Belongs::OtherRegion,
                Some(_) => {}
            }
            let in_wave = || {
                who.metadata
                    .get(&self.wave_key)
                    .is_some_and(|wave| self.waves.contains(wave))
            };
            if !self.waves.is_empty() && !in_wave() {
                return Belongs::OtherWave;
            }
        }
        if who.has_method {
            Belongs::InScope
        } else {
            Belongs::NoMethod
        }
    }

    /// The digest of the rule: any change of any list changes it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Digest::of("cutover-scope-v1", [bytes.as_slice()])
    }

    /// One line for people: `region in {us}, all waves, 0 included, 2 excluded`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        let waves = if self.waves.is_empty() {
            "all waves".to_owned()
        } else {
            format!("wave in {{{}}}", list(&self.waves))
        };
        format!(
            "{} in {{{}}}, {waves}, {} included by list, {} excluded",
            self.region_key,
            list(&self.regions),
            self.include.len(),
            self.exclude.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    fn rule() -> ScopeRule {
        ScopeRule {
            region_key: "region".into(),
            regions: set(&["us"]),
            wave_key: "wave".into(),
            waves: set(&[]),
            include: set(&["cus_in"]),
            exclude: set(&["cus_out"]),
        }
    }

    fn decide(rule: &ScopeRule, id: &str, metadata: &[(&str, &str)], has_method: bool) -> Belongs {
        let metadata = metadata
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        rule.decide(Candidate {
            id,
            metadata: &metadata,
            has_method,
        })
    }

    #[test]
    fn every_customer_belongs_to_exactly_one_place() {
        let rule = rule();
        assert_eq!(
            decide(&rule, "cus_1", &[("region", "us")], true),
            Belongs::InScope
        );
        assert_eq!(
            decide(&rule, "cus_1", &[("region", "us")], false),
            Belongs::NoMethod
        );
        assert_eq!(
            decide(&rule, "cus_1", &[("region", "au")], true),
            Belongs::OtherRegion
        );
        assert_eq!(decide(&rule, "cus_1", &[], true), Belongs::UnknownRegion);
        assert_eq!(
            decide(&rule, "cus_in", &[("region", "au")], true),
            Belongs::InScope
        );
        assert_eq!(
            decide(&rule, "cus_out", &[("region", "us")], true),
            Belongs::Excluded
        );
        let waves = ScopeRule {
            waves: set(&["1"]),
            ..rule
        };
        assert_eq!(
            decide(&waves, "cus_1", &[("region", "us"), ("wave", "2")], true),
            Belongs::OtherWave
        );
        assert_eq!(
            decide(&waves, "cus_1", &[("region", "us"), ("wave", "1")], true),
            Belongs::InScope
        );
        assert_eq!(
            decide(&waves, "cus_1", &[("region", "us")], true),
            Belongs::OtherWave
        );
    }

    #[test]
    fn an_empty_rule_moves_nobody() {
        assert_ne!(
            decide(&ScopeRule::default(), "cus_1", &[("region", "us")], true),
            Belongs::InScope
        );
    }

    #[test]
    fn any_change_of_the_rule_changes_its_digest() {
        let changed = ScopeRule {
            exclude: set(&[]),
            ..rule()
        };
        assert_ne!(rule().digest(), changed.digest());
    }
}
