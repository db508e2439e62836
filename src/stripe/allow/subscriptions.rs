//! What the writes of subscriptions may carry, and must. PURE.
//!
//! A subscription of the old account is only ever stopped, or let go on: nothing that changes what it sells. Nothing is
//! cancelled with a bill or a credit (facts 3.9: cancelling a schedule does both unless told otherwise). A schedule of
//! the new account begins at an instant that was given, never `now`, and prorates nothing.

use std::collections::BTreeSet;

use super::Misfit;

pub(super) const SCHEDULES: &str = "/v1/subscription_schedules";
pub(super) const SCHEDULE: &str = "/v1/subscription_schedules/{}";
pub(super) const CANCEL: &str = "/v1/subscription_schedules/{}/cancel";
pub(super) const RELEASE: &str = "/v1/subscription_schedules/{}/release";
pub(super) const SUBSCRIPTION: &str = "/v1/subscriptions/{}";

/// Name and value, decoded.
type Pairs = Vec<(String, String)>;

fn pairs(body: &str) -> Pairs {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

/// An update of an old subscription: stopped, given back, marked.
pub(super) fn update(body: &str) -> Result<(), Misfit> {
    let may = |name: &str, value: &str| match name {
        "cancel_at_period_end" => ["true", "false"].contains(&value),
        "pause_collection[behavior]" => value == "keep_as_draft",
        "pause_collection" => value.is_empty(),
        "cancellation_details[comment]" => true,
        // Never the owner's keys, and never all of them at once.
        _ => name.starts_with("metadata[cutover_"),
    };
    only(&pairs(body), may)
}

/// A cancellation, of a schedule or a subscription: both falses and nothing else.
pub(super) fn cancel(body: &str) -> Result<(), Misfit> {
    let pairs = pairs(body);
    only(&pairs, |name, value| {
        ["invoice_now", "prorate"].contains(&name) && value == "false"
    })?;
    lacks(&pairs, "invoice_now")?;
    lacks(&pairs, "prorate")
}

/// A schedule of the old account lets go as it is.
pub(super) fn release(body: &str) -> Result<(), Misfit> {
    only(&pairs(body), |_, _| false)
}

/// A new schedule.
pub(super) fn create(body: &str) -> Result<(), Misfit> {
    let pairs = pairs(body);
    only(&pairs, |name, value| match name {
        "customer" => true,
        "start_date" => is_instant(value),
        "billing_mode[type]" => ["classic", "flexible"].contains(&value),
        _ => in_both(name, value),
    })?;
    lacks(&pairs, "customer")?;
    lacks(&pairs, "start_date")?;
    prorates_nothing(&pairs)
}

/// Other content for a schedule that has not begun: all phases again, with the instant of the first.
pub(super) fn change(body: &str) -> Result<(), Misfit> {
    let pairs = pairs(body);
    only(&pairs, |name, value| match name {
        "phases[0][start_date]" => is_instant(value),
        "proration_behavior" => value == "none",
        _ if phase_field(name).is_some_and(|(_, field)| field == "[currency]") => false,
        _ => in_both(name, value),
    })?;
    lacks(&pairs, "phases[0][start_date]")?;
    lacks(&pairs, "proration_behavior")?;
    prorates_nothing(&pairs)
}

fn only(pairs: &Pairs, may: impl Fn(&str, &str) -> bool) -> Result<(), Misfit> {
    let bad = pairs.iter().find(|(name, value)| !may(name, value));
    bad.map_or(Ok(()), |(name, _)| Err(Misfit::Carries(name.clone())))
}

fn lacks(pairs: &Pairs, wanted: &'static str) -> Result<(), Misfit> {
    if pairs.iter().any(|(name, _)| name == wanted) {
        return Ok(());
    }
    Err(Misfit::Lacks(wanted))
}

fn is_instant(value: &str) -> bool {
    value.parse::<i64>().is_ok_and(|at| at > 0)
}

fn in_both(name: &str, value: &str) -> bool {
    match name {
        "end_behavior" => ["cancel", "release"].contains(&value),
        _ if name.starts_with("metadata[") => true,
        _ => phase_field(name).is_some_and(|(_, field)| in_a_phase(field, value)),
    }
}

/// `phases[3][items][0][price]` is `3` and `[items][0][price]`.
fn phase_field(name: &str) -> Option<(usize, &str)> {
    let (at, field) = name.strip_prefix("phases[")?.split_once(']')?;
    Some((at.parse().ok()?, field))
}

fn in_a_phase(field: &str, value: &str) -> bool {
    match field {
        "[proration_behavior]" => value == "none",
        "[end_date]" => is_instant(value),
        "[collection_method]"
        | "[invoice_settings][days_until_due]"
        | "[default_payment_method]"
        | "[automatic_tax][enabled]"
        | "[currency]"
        | "[description]" => true,
        _ => match below(field) {
            Some(("metadata", _)) => true,
            Some(("default_tax_rates", rest)) => nth(rest) == Some(""),
            Some(("discounts", rest)) => nth(rest) == Some("[coupon]"),
            Some(("items", rest)) => nth(rest).is_some_and(in_an_item),
            _ => false,
        },
    }
}

fn in_an_item(field: &str) -> bool {
    match below(field) {
        Some(("price" | "quantity", "") | ("metadata", _)) => true,
        Some(("tax_rates", rest)) => nth(rest) == Some(""),
        Some(("discounts", rest)) => nth(rest) == Some("[coupon]"),
        _ => false,
    }
}

/// `[items][0]` is `items` and `[0]`.
fn below(field: &str) -> Option<(&str, &str)> {
    field.strip_prefix('[')?.split_once(']')
}

/// What stands behind the index of an array.
fn nth(field: &str) -> Option<&str> {
    let (at, rest) = below(field)?;
    at.parse::<usize>().ok().map(|_| rest)
}

/// Every phase there is says so itself: a phase that says nothing prorates.
fn prorates_nothing(pairs: &Pairs) -> Result<(), Misfit> {
    let phases: BTreeSet<usize> = pairs
        .iter()
        .filter_map(|(name, _)| phase_field(name).map(|(at, _)| at))
        .collect();
    let says = |at: &usize| {
        let name = format!("phases[{at}][proration_behavior]");
        pairs.iter().any(|(have, _)| *have == name)
    };
    if phases.is_empty() {
        return Err(Misfit::Lacks("phases"));
    }
    if phases.iter().all(says) {
        return Ok(());
    }
    Err(Misfit::Lacks("proration_behavior of every phase"))
}

#[cfg(test)]
mod tests {
    use crate::stripe::allow::{Method, Role, check, check_form};

    fn fits(role: Role, method: Method, path: &str, body: &str) -> bool {
        check(role, method, path).is_ok_and(|endpoint| check_form(role, endpoint, body).is_ok())
    }

    /// Whether the account that may be written this way may, and the other never.
    fn only_on(role: Role, method: Method, path: &str, body: &str) -> bool {
        let other = match role {
            Role::Source => Role::Destination,
            Role::Destination => Role::Source,
        };
        assert!(check(other, method, path).is_err(), "{method} {path} of {other}");
        fits(role, method, path, body)
    }

    const PHASE: &str = "phases[0][items][0][price]=price_1&phases[0][items][0][quantity]=2\
                         &phases[0][proration_behavior]=none";

    fn refused(role: Role, method: Method, path: &str, bodies: &[String]) {
        for body in bodies {
            assert!(!fits(role, method, path, body), "{method} {path} {body}");
        }
    }

    #[test]
    fn an_old_subscription_is_only_stopped_given_back_and_marked() {
        let update = |body: &str| only_on(Role::Source, Method::Post, "/v1/subscriptions/sub_1", body);
        for body in [
            "cancel_at_period_end=true&metadata[cutover_became]=s&metadata[cutover_handover]=5",
            "cancel_at_period_end=false&metadata%5Bcutover_became%5D=",
            "pause_collection[behavior]=keep_as_draft",
            "pause_collection=&cancellation_details[comment]=moved",
        ] {
            assert!(update(body), "{body}");
        }
        for body in [
            "cancel_at=5",
            "cancel_at_period_end=maybe",
            "pause_collection[behavior]=void",
            "pause_collection[behavior]=mark_uncollectible",
            "pause_collection[resumes_at]=5",
            "items[0][price]=price_1",
            "proration_behavior=none",
            "default_payment_method=pm_1",
            "trial_end=now",
            "billing_cycle_anchor=now",
            "metadata=",
            "metadata[plan]=gold",
            "metadata%5Bplan%5D=gold",
            "cancellation_details[feedback]=other",
            "expand[]=latest_invoice",
        ] {
            assert!(!update(body), "{body}");
            let behind = format!("cancel_at_period_end=true&{body}");
            assert!(!update(&behind), "{behind}");
        }
    }

    #[test]
    fn nothing_is_cancelled_with_a_bill_or_a_credit() {
        let both = "invoice_now=false&prorate=false";
        let schedule = "/v1/subscription_schedules/sub_sched_1/cancel";
        assert!(only_on(Role::Destination, Method::Post, schedule, both));
        assert!(only_on(
            Role::Source,
            Method::Delete,
            "/v1/subscriptions/sub_1",
            both
        ));
        let wrong = [
            "",
            "invoice_now=false",
            "prorate=false",
            "invoice_now=true&prorate=false",
            "invoice_now=false&prorate=true",
            "invoice_now=false&prorate=false&prorate=true",
            "invoice_now=false&prorate=false&expand[]=a",
            "invoice_now=&prorate=",
        ]
        .map(str::to_owned);
        refused(Role::Destination, Method::Post, schedule, &wrong);
        refused(Role::Source, Method::Delete, "/v1/subscriptions/sub_1", &wrong);
    }

    #[test]
    fn an_old_schedule_only_lets_go_as_it_is() {
        let path = "/v1/subscription_schedules/sub_sched_1/release";
        assert!(only_on(Role::Source, Method::Post, path, ""));
        refused(
            Role::Source,
            Method::Post,
            path,
            &["preserve_cancel_date=true".to_owned()],
        );
        for path in [
            "/v1/subscription_schedules",
            "/v1/subscription_schedules/sub_sched_1",
        ] {
            assert!(check(Role::Source, Method::Post, path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_new_schedule_begins_at_a_given_instant_and_prorates_nothing_in_any_phase() {
        let path = "/v1/subscription_schedules";
        let begins = "customer=cus_1&start_date=1700000000";
        let good = format!(
            "{begins}&end_behavior=release&billing_mode[type]=classic&{PHASE}&phases[0][end_date]=1800000000\
             &phases[0][discounts][0][coupon]=c&phases[0][items][0][discounts][0][coupon]=c\
             &phases[0][items][0][tax_rates][0]=txr_1&phases[0][items][0][metadata][a]=b\
             &phases[0][default_tax_rates][1]=txr_1&phases[0][automatic_tax][enabled]=true\
             &phases[0][collection_method]=send_invoice&phases[0][invoice_settings][days_until_due]=30\
             &phases[0][default_payment_method]=pm_1&phases[0][currency]=usd&phases[0][description]=x\
             &phases[0][metadata][a]=b&metadata[a]=b"
        );
        assert!(only_on(Role::Destination, Method::Post, path, &good));
        let more = [
            "start_date=now",
            "from_subscription=sub_1",
            "default_settings[description]=x",
            "end_behavior=renew",
            "metadata=",
            "phases[0][start_date]=5",
            "phases[0][trial]=true",
            "phases[0][trial_end]=5",
            "phases[0][add_invoice_items][0][price]=price_1",
            "phases[0][proration_behavior]=create_prorations",
            "phases[0][billing_cycle_anchor]=phase_start",
            "phases[0][discounts][0][promotion_code]=p",
            "phases[0][discounts]=",
            "phases[0][items][0][price_data][currency]=usd",
            "phases[0][items][0][billing_thresholds][usage_gte]=5",
            "phases[0][items][0]=x",
            "phases[0][transfer_data][destination]=acct_1",
            "phases[0][application_fee_percent]=5",
            "phases[0][on_behalf_of]=acct_1",
            "phases[1][items][0][price]=price_1",
            "phases[x][proration_behavior]=none",
            "proration_behavior=none",
        ];
        let mut wrong: Vec<String> = more.iter().map(|more| format!("{good}&{more}")).collect();
        wrong.extend([
            begins.to_owned(),
            format!("customer=cus_1&{PHASE}"),
            format!("start_date=5&{PHASE}"),
            format!("customer=cus_1&start_date=now&{PHASE}"),
            format!("customer=cus_1&start_date=&{PHASE}"),
            format!("{begins}&phases[0][items][0][price]=price_1"),
        ]);
        refused(Role::Destination, Method::Post, path, &wrong);
    }

    #[test]
    fn a_schedule_is_changed_whole_and_prorates_nothing() {
        let path = "/v1/subscription_schedules/sub_sched_1";
        let good = format!("{PHASE}&phases[0][start_date]=5&proration_behavior=none&end_behavior=cancel");
        assert!(only_on(Role::Destination, Method::Post, path, &good));
        refused(
            Role::Destination,
            Method::Post,
            path,
            &[
                PHASE.to_owned(),
                format!("{PHASE}&phases[0][start_date]=5"),
                format!("{PHASE}&proration_behavior=none"),
                format!("{PHASE}&phases[0][start_date]=now&proration_behavior=none"),
                format!("{good}&proration_behavior=always_invoice"),
                format!("{good}&default_settings[collection_method]=send_invoice"),
                format!("{good}&phases[1][items][0][price]=price_2"),
                format!("{good}&phases[0][end_date]=now"),
                format!("{good}&phases[0][currency]=usd"),
                "phases[0][start_date]=5&proration_behavior=none".to_owned(),
                "metadata[a]=b".to_owned(),
            ],
        );
    }
}
