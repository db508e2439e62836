//! Texts of codes that are taken. PURE. Without regard to case; among active codes a text is one customer's once, and
//! one for everybody excludes every other (facts 3.5).

use std::collections::BTreeMap;

/// The codes of one text.
#[derive(Debug, Default)]
struct Holders<'a> {
    open: Vec<&'a str>,
    by_customer: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Texts and who holds them, by the ids of the codes. Looked up in the same time however many codes have one text.
#[derive(Debug, Default)]
pub struct Texts<'a>(BTreeMap<String, Holders<'a>>);

impl<'a> Texts<'a> {
    /// Adds the code `id` with `text`, for `customer` or for everybody.
    pub fn add(&mut self, text: &str, customer: Option<&'a str>, id: &'a str) {
        let holders = self.0.entry(text.to_lowercase()).or_default();
        match customer {
            Some(customer) => holders.by_customer.entry(customer).or_default().push(id),
            None => holders.open.push(id),
        }
    }

    /// Another code than `id` that keeps it from having `text` for `customer`.
    #[must_use]
    pub fn taken(&self, text: &str, customer: Option<&str>, id: &str) -> Option<&'a str> {
        let holders = self.0.get(&text.to_lowercase())?;
        let other = |ids: &Vec<&'a str>| ids.iter().copied().find(|other| *other != id);
        let restricted = || match customer {
            Some(customer) => holders.by_customer.get(customer).and_then(other),
            None => holders.by_customer.values().find_map(other),
        };
        other(&holders.open).or_else(restricted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_by_everybodys_code_and_by_the_same_customers() {
        let (one, two) = (Some("cus_1"), Some("cus_2"));
        let mut texts = Texts::default();
        texts.add("Spring", one, "promo_1");
        assert_eq!(texts.taken("SPRING", one, "promo_9"), Some("promo_1"));
        assert_eq!(texts.taken("SPRING", None, "promo_9"), Some("promo_1"));
        assert_eq!(texts.taken("SPRING", two, "promo_9"), None);
        assert_eq!(texts.taken("spring", one, "promo_1"), None);
        assert_eq!(texts.taken("SPRING2", one, "promo_9"), None);
        texts.add("sPRING", None, "promo_2");
        assert_eq!(texts.taken("spring", two, "promo_9"), Some("promo_2"));
        assert_eq!(texts.taken("spring", None, "promo_2"), Some("promo_1"));
    }
}
