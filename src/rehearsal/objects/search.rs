//! `GET /v1/customers/search`: eventually consistent, as at Stripe, and therefore no proof of anything
//! (docs.stripe.com/search).

use serde_json::{Value, json};

use super::customer_view;
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::ids;
use crate::rehearsal::params::{P, Ty, opt, req};
use crate::rehearsal::world::Customer;

/// What searching takes.
pub(crate) const PARAMS: &[P] = &[
    opt("expand", Ty::Texts),
    opt("limit", Ty::Int),
    opt("page", Ty::Id),
    req("query", Ty::Text(5000)),
];
/// Longest time until a customer is found, seconds.
const LAG_MAX: u64 = 60;

/// One condition: all must hold.
struct Term {
    field: String,
    part: bool,
    value: String,
}

/// `GET /v1/customers/search`: `field:"value"`, `field~"part"` and `metadata["key"]:"value"`, joined by AND.
pub(crate) fn customers(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Customer)?;
    let query = call.params.text("query").unwrap_or_default();
    let terms = parse(query).ok_or_else(|| {
        let message =
            "We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"`.";
        Refusal::invalid("query", message.to_owned())
    })?;
    let limit = usize::try_from(call.params.int("limit").unwrap_or(10).clamp(1, 100)).unwrap_or(10);
    let rows = call.account.customers.rows();
    let end = match call.params.text("page") {
        None => rows.len(),
        Some(page) => page.parse().map_err(|_| {
            let message = format!("Invalid page: {page}");
            Refusal::invalid("page", message)
        })?,
    };
    let rows = rows.get(..end).unwrap_or(rows).iter().enumerate().rev();
    let found = rows.filter(|(_, c)| !c.deleted && visible(c, call.now) && terms.iter().all(|t| t.holds(c)));
    let found: Vec<_> = found.take(limit + 1).collect();
    let next = found
        .get(limit)
        .and(found.get(limit - 1))
        .map(|(slot, _)| slot.to_string());
    let shown = found.iter().take(limit);
    let data: Vec<Value> = shown
        .map(|(_, c)| customer_view::show(call.account, c, &expand))
        .collect();
    Ok(json!({
        "object": "search_result",
        "url": "/v1/customers/search",
        "has_more": next.is_some(),
        "next_page": next,
        "data": data,
    }))
}

/// Every customer takes its own time to be found.
fn visible(customer: &Customer, now: i64) -> bool {
    let lag = 1 + ids::mix(&[b"lag", customer.id.as_bytes()]) % LAG_MAX;
    customer.created.saturating_add_unsigned(lag) <= now
}

impl Term {
    fn holds(&self, customer: &Customer) -> bool {
        let text = match self.field.as_str() {
            "email" => customer.email.as_deref(),
            "name" => customer.name.as_deref(),
            field => customer
                .metadata
                .get(field.strip_prefix("metadata:").unwrap_or_default()),
        };
        let text = text.unwrap_or_default().to_lowercase();
        let wanted = self.value.to_lowercase();
        if self.part {
            text.contains(&wanted)
        } else {
            text == wanted
        }
    }
}

fn parse(query: &str) -> Option<Vec<Term>> {
    query.split(" AND ").map(|term| parse_term(term.trim())).collect()
}

fn parse_term(term: &str) -> Option<Term> {
    let (field, rest) = match term.strip_prefix("metadata[") {
        None => {
            let at = term.find([':', '~'])?;
            let field = &term[..at];
            ["email", "name"].contains(&field).then_some(())?;
            (field.to_owned(), &term[at..])
        }
        Some(rest) => {
            let (key, rest) = rest.split_once(']')?;
            (format!("metadata:{}", unquote(key)?), rest)
        }
    };
    let part = rest.starts_with('~');
    let value = unquote(rest.get(1..)?)?.to_owned();
    Some(Term { field, part, value })
}

fn unquote(text: &str) -> Option<&str> {
    let text = text.trim();
    let quote = text.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    text.strip_prefix(quote)?.strip_suffix(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_conditions_joined_by_and() {
        let terms = parse("email:'a@b.c' AND metadata[\"region\"]:\"us\" AND name~\"ad\"").unwrap();
        assert_eq!(terms.len(), 3);
        assert_eq!(
            (terms[1].field.as_str(), terms[1].value.as_str()),
            ("metadata:region", "us")
        );
        assert!(terms[2].part && !terms[0].part);
        for nonsense in ["", "email", "email:a", "phone:'1'", "metadata[region]:'us'"] {
            assert!(parse(nonsense).is_none(), "{nonsense}");
        }
    }
}
