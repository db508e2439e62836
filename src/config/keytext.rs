//! Recognising a Stripe secret in any text, so that it can be refused without being repeated.

use std::ops::Range;

/// Beginnings of Stripe's secrets (facts 2.1, 2.9). `pk_…` is public and not here.
const PREFIXES: [&str; 6] = [
    "sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_org_", "whsec_",
];
/// Characters after the prefix from which on it is a secret rather than a mention of the prefix.
const LEAST_TAIL: usize = 6;

/// Whether a Stripe API key or webhook secret stands anywhere in `text`.
#[must_use]
pub fn holds_key(text: &str) -> bool {
    find_key(text).is_some()
}

/// Where the first Stripe API key or webhook secret stands in `text`, in bytes.
#[must_use]
pub fn find_key(text: &str) -> Option<Range<usize>> {
    let found = PREFIXES.iter().flat_map(|prefix| {
        text.match_indices(prefix).filter_map(|(start, _)| {
            let tail = &text[start + prefix.len()..];
            let length = tail.bytes().take_while(u8::is_ascii_alphanumeric).count();
            (length >= LEAST_TAIL).then(|| start..start + prefix.len() + length)
        })
    });
    found.min_by_key(|range| range.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_wherever_it_stands_and_a_mention_of_a_prefix_is_not_one() {
        let keys = [
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "x = \"rk_test_4eC39H\"",
            "# old: whsec_abcdef123",
            "--set=source.key=sk_org_abcdef",
        ];
        let mentions = [
            "rk_live_…",
            "sk_test_",
            "STRIPE_SK_LIVE_KEY",
            "pk_live_4eC39HqLyj",
            "ask_livestock",
            "",
        ];
        assert!(keys.iter().all(|text| holds_key(text)));
        assert!(!mentions.iter().any(|text| holds_key(text)));
        assert_eq!(find_key("a rk_test_4eC39H b"), Some(2..16));
    }
}
