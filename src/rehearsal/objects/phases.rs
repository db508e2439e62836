//! What a subscription is made of, as requests write it: items, coupons, taxes, collection. Schedules, subscriptions and
//! previews take the same words.

use super::payment_methods;
use crate::rehearsal::billing::{Collected, Phase, PhaseItem, Rhythm, next_after, rhythm_of, step};
use crate::rehearsal::call::Call;
use crate::rehearsal::catalogue::Price;
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::params::Params;
use crate::rehearsal::pools::Off;
use crate::rehearsal::redeem::check_coupon;
use crate::rehearsal::world::Account;

/// Most items of a subscription, most subscriptions of a customer, running or scheduled (docs.stripe.com/billing).
const ITEMS: usize = 20;
const SUBSCRIPTIONS: usize = 500;

/// Reads what requests say of phases: `at` is the name of the parameter that holds it, for refusals.
pub(crate) struct Reader<'a> {
    pub(crate) account: &'a Account,
    pub(crate) customer: u32,
    pub(crate) now: i64,
    /// Slot of the subscription whose discounts may be kept.
    pub(crate) subscription: Option<u32>,
    /// `billing_mode[type]` is `classic`, where all items have one interval.
    pub(crate) classic: bool,
    /// A currency that is said for all phases.
    pub(crate) said: Option<Cur>,
}

impl<'a> Reader<'a> {
    pub(crate) fn of(call: &'a Call<'_>, customer: u32) -> Self {
        Self {
            account: call.account,
            customer,
            now: call.now,
            subscription: None,
            classic: call.params.hash("billing_mode").and_then(|m| m.text("type")) == Some("classic"),
            said: None,
        }
    }

    /// All phases of a schedule, the first of which begins at `start` unless it says otherwise.
    pub(crate) fn phases(&self, params: Params<'_>, start: Option<i64>) -> Result<Vec<Phase>, Refusal> {
        let mut made: Vec<Phase> = Vec::new();
        let count = params.hashes("phases").count();
        for (n, given) in params.hashes("phases").enumerate() {
            let at = format!("phases[{n}]");
            let own = instant(given, "start_date", self.now);
            let begins = made.last().map(|phase| phase.end).or(own).or(start);
            if let (Some(own), Some(before)) = (own, made.last())
                && own != before.end
            {
                let message = "A phase must start when the one before it ends.".to_owned();
                return Err(Refusal::rejected(Some(&format!("{at}[start_date]")), message));
            }
            let Some(begins) = begins else {
                let name = format!("{at}[start_date]");
                let message = format!("Missing required param: {name}.");
                return Err(Refusal::invalid_code(&name, "parameter_missing", message));
            };
            let phase = self.phase(given, &at, begins, n + 1 == count)?;
            if n > 0 && phase.trial_end.is_some() {
                return Err(Refusal::unsimulated(&format!("{at}[trial_end]")));
            }
            made.push(phase);
        }
        if made.is_empty() {
            let message = "Missing required param: phases.".to_owned();
            return Err(Refusal::invalid_code("phases", "parameter_missing", message));
        }
        let mut currencies = made.iter().map(|phase| phase.currency);
        let first = currencies.next();
        if currencies.any(|cur| Some(cur) != first) {
            let message = "All phases of a subscription schedule must have the same currency.".to_owned();
            return Err(Refusal::rejected(Some("phases"), message));
        }
        Ok(made)
    }

    fn phase(&self, given: Params<'_>, at: &str, start: i64, last: bool) -> Result<Phase, Refusal> {
        let mut phase = self.terms(given, at, start)?;
        let rhythm = phase
            .items
            .first()
            .and_then(|item| rhythm_of(self.account, item.price));
        phase.end = self.end(given, at, (start, last), rhythm)?;
        phase.anchored = given.text("billing_cycle_anchor") == Some("phase_start");
        phase.trial_end = instant(given, "trial_end", self.now);
        if given.flag("trial") == Some(true) {
            phase.trial_end = Some(phase.end);
        }
        if phase.trial_end.is_some_and(|end| end <= start || end > phase.end) {
            let message = "The trial must end within its phase.".to_owned();
            return Err(Refusal::rejected(Some(&format!("{at}[trial_end]")), message));
        }
        Ok(phase)
    }

    fn end(
        &self,
        given: Params<'_>,
        at: &str,
        (start, last): (i64, bool),
        rhythm: Option<Rhythm>,
    ) -> Result<i64, Refusal> {
        let said = instant(given, "end_date", self.now);
        let duration = given.hash("duration").map(|duration| {
            let words = ["day", "week", "month", "year"];
            let word = duration.text("interval").unwrap_or_default();
            let rhythm = Rhythm {
                interval: words.into_iter().find(|w| *w == word).unwrap_or("month"),
                count: duration.int("interval_count").unwrap_or(1).max(1),
            };
            step(start, rhythm, 1)
        });
        let name = format!("{at}[end_date]");
        let end = match (said, duration) {
            (Some(_), Some(_)) => {
                let message = "You may only specify one of these parameters: duration, end_date.".to_owned();
                return Err(Refusal::invalid(&name, message));
            }
            (Some(end), None) | (None, Some(end)) => end,
            // The last one may leave it open: one period, as docs.stripe.com/billing/subscriptions/subscription-schedules
            // counts.
            (None, None) if last => {
                rhythm.map_or(start, |rhythm| next_after(start, rhythm, start.max(self.now)))
            }
            (None, None) => {
                let message = format!("Missing required param: {name}.");
                return Err(Refusal::invalid_code(&name, "parameter_missing", message));
            }
        };
        if end <= start || end <= self.now {
            let message = "The phase must end after it starts, and in the future.".to_owned();
            return Err(Refusal::rejected(Some(&name), message));
        }
        Ok(end)
    }

    /// Everything of a phase but its times; also what a subscription is made with.
    pub(crate) fn terms(&self, given: Params<'_>, at: &str, start: i64) -> Result<Phase, Refusal> {
        self.terms_in(given, at, start, self.said)
    }

    /// The same in a currency that is said elsewhere.
    pub(crate) fn terms_in(
        &self,
        given: Params<'_>,
        at: &str,
        start: i64,
        currency: Option<Cur>,
    ) -> Result<Phase, Refusal> {
        let items = given.hashes("items").enumerate();
        let items: Vec<PhaseItem> = items
            .map(|(n, item)| self.item(item, &join(at, &format!("items[{n}]"))))
            .collect::<Result<_, _>>()?;
        let currency = match currency {
            Some(currency) => currency,
            None => self.currency(given, &items, at)?,
        };
        self.fits(&items, currency, at)?;
        let once = given.hashes("add_invoice_items").enumerate();
        let once: Vec<(u32, u32)> = once
            .map(|(n, item)| self.once(item, &join(at, &format!("add_invoice_items[{n}]")), currency))
            .collect::<Result<_, _>>()?;
        let tax_rates = self.tax_rates(given, "default_tax_rates", at)?;
        let automatic_tax = given.hash("automatic_tax").and_then(|t| t.flag("enabled")) == Some(true);
        self.taxed(automatic_tax, !tax_rates.is_empty(), at)?;
        Ok(Phase {
            items,
            once,
            coupons: self.coupons(given, at, Some(currency))?,
            tax_rates,
            automatic_tax,
            collection: self.collection(given, at)?,
            method: self.method(given, at)?,
            proration: proration(given),
            description: given
                .text("description")
                .filter(|t| !t.is_empty())
                .map(Into::into),
            metadata: metadata(given),
            ..Phase::bare(start, start, currency)
        })
    }

    fn item(&self, given: Params<'_>, at: &str) -> Result<PhaseItem, Refusal> {
        let (slot, price) = self.price(given, at)?;
        let name = join(at, "price");
        let Some(recurring) = &price.recurring else {
            let message = "The price specified is set to `type=one_time` but this field only accepts prices with \
                           `type=recurring`.";
            return Err(Refusal::rejected(Some(&name), message.to_owned()));
        };
        let quantity = given.int("quantity");
        if recurring.metered && quantity.is_some() {
            let message = "You cannot set the quantity for metered plans.".to_owned();
            return Err(Refusal::rejected(Some(&join(at, "quantity")), message));
        }
        let quantity = if recurring.metered {
            0
        } else {
            quantity.unwrap_or(1)
        };
        Ok(PhaseItem {
            price: slot,
            quantity: whole(quantity, &join(at, "quantity"))?,
            coupons: self.coupons(given, at, None)?,
            tax_rates: self.tax_rates(given, "tax_rates", at)?,
            metadata: metadata(given),
        })
    }

    fn once(&self, given: Params<'_>, at: &str, cur: Cur) -> Result<(u32, u32), Refusal> {
        let (slot, price) = self.price(given, at)?;
        let name = join(at, "price");
        if price.recurring.is_some() {
            let message = "The price specified is set to `type=recurring` but this field only accepts prices with \
                           `type=one_time`.";
            return Err(Refusal::rejected(Some(&name), message.to_owned()));
        }
        sold_in(price, cur, &name)?;
        let quantity = given.int("quantity").unwrap_or(1);
        Ok((slot, whole(quantity, &join(at, "quantity"))?))
    }

    fn price(&self, given: Params<'_>, at: &str) -> Result<(u32, &'a Price), Refusal> {
        let name = join(at, "price");
        let Some(id) = given.text("price") else {
            let message = format!("Missing required param: {name}.");
            return Err(Refusal::invalid_code(&name, "parameter_missing", message));
        };
        let prices = &self.account.catalogue.prices;
        let found = prices.slot(id).and_then(|slot| Some((slot, prices.at(slot)?)));
        let (slot, price) = found.ok_or_else(|| Refusal::missing("price", id, &name, false))?;
        if !price.active {
            let message =
                "The price specified is inactive. This field only accepts active prices.".to_owned();
            return Err(Refusal::rejected(Some(&name), message));
        }
        Ok((slot, price))
    }

    /// What is asked for; or the one the customer is billed in, where the first price has it; or the first price's own.
    fn currency(&self, given: Params<'_>, items: &[PhaseItem], at: &str) -> Result<Cur, Refusal> {
        let prices = &self.account.catalogue.prices;
        let first = items.first().and_then(|item| prices.at(item.price));
        let Some(first) = first else {
            let name = join(at, "items");
            let message = format!("Missing required param: {name}.");
            return Err(Refusal::invalid_code(&name, "parameter_missing", message));
        };
        let locked = self.locked();
        let cur = match given.text("currency") {
            Some(text) => Call::currency(text, &join(at, "currency"))?,
            None => locked
                .filter(|cur| first.options.contains_key(cur))
                .unwrap_or(first.currency),
        };
        if let Some(locked) = locked.filter(|locked| *locked != cur) {
            let message = format!(
                "You cannot combine currencies on a single customer. This customer has an active subscription, \
                 subscription schedule, discount, quote, invoice item or active subscription mode checkout session \
                 with currency {}.",
                locked.as_str()
            );
            return Err(Refusal::rejected(Some("currency"), message));
        }
        Ok(cur)
    }

    /// The currency of a customer's running and scheduled subscriptions, or else of the customer.
    fn locked(&self) -> Option<Cur> {
        let customer = self.account.customers.at(self.customer)?;
        let billing = &self.account.billing;
        let live = billing.live_of(self.customer, &customer.id).into_iter();
        let running = live
            .filter_map(|slot| billing.subscriptions.at(slot))
            .map(|s| s.currency);
        let theirs = billing.schedules_of(self.customer);
        let scheduled = theirs
            .filter_map(|s| s.phases.first())
            .map(|phase| phase.currency);
        running.chain(scheduled).chain(customer.currency).next()
    }

    fn fits(&self, items: &[PhaseItem], cur: Cur, at: &str) -> Result<(), Refusal> {
        let name = join(at, "items");
        if items.len() > ITEMS {
            let message = format!("A subscription can have a maximum of {ITEMS} items.");
            return Err(Refusal::rejected(Some(&name), message));
        }
        let rhythm = |item: &PhaseItem| rhythm_of(self.account, item.price);
        for (n, item) in items.iter().enumerate() {
            let Some(price) = self.account.catalogue.prices.at(item.price) else {
                continue;
            };
            if items.iter().take(n).any(|other| other.price == item.price) {
                let message = format!(
                    "Cannot add multiple subscription items with the same plan: {}",
                    price.id
                );
                return Err(Refusal::rejected(Some(&name), message));
            }
            let same = items.first().map(rhythm) == Some(rhythm(item));
            if !same && !self.classic {
                return Err(Refusal::unsimulated(&name));
            }
            if !same {
                let message = "Currency and interval fields must match across all plans on this subscription. Found \
                               mismatched interval field.";
                return Err(Refusal::rejected(Some(&name), message.to_owned()));
            }
            sold_in(price, cur, &format!("{name}[{n}][price]"))?;
        }
        Ok(())
    }

    /// Slots of tax rates; all must be active.
    pub(crate) fn tax_rates(&self, given: Params<'_>, field: &str, at: &str) -> Result<Vec<u32>, Refusal> {
        let rates = &self.account.catalogue.tax_rates;
        let slot = |(n, id): (usize, &str)| {
            let name = join(at, &format!("{field}[{n}]"));
            let slot = rates
                .slot(id)
                .ok_or_else(|| Refusal::missing("tax rate", id, &name, false))?;
            if rates.at(slot).is_some_and(|rate| !rate.active) {
                let message =
                    format!("The tax rate {id} is inactive. This field only accepts active tax rates.");
                return Err(Refusal::rejected(Some(&name), message));
            }
            Ok(slot)
        };
        given.texts(field).into_iter().enumerate().map(slot).collect()
    }

    fn taxed(&self, automatic: bool, rates: bool, at: &str) -> Result<(), Refusal> {
        if automatic && rates {
            let message = "You cannot specify tax rates when automatic tax is enabled.".to_owned();
            return Err(Refusal::rejected(Some(&join(at, "default_tax_rates")), message));
        }
        let customer = self.account.customers.at(self.customer);
        if automatic && customer.is_none_or(|c| c.address.is_none()) {
            let message = "The customer's location isn't recognized. Set a valid customer address in order to \
                           automatically calculate tax.";
            let mut refused = Refusal::rejected(Some(&join(at, "automatic_tax")), message.to_owned());
            refused.code = Some("customer_tax_location_invalid");
            return Err(refused);
        }
        Ok(())
    }

    /// Slots of coupons that can be applied now.
    pub(crate) fn coupons(&self, given: Params<'_>, at: &str, cur: Option<Cur>) -> Result<Vec<u32>, Refusal> {
        let mut slots = Vec::new();
        for (n, one) in given.hashes("discounts").enumerate() {
            let name = join(at, &format!("discounts[{n}]"));
            let (slot, kept) = match (one.text("coupon"), one.text("discount")) {
                (Some(id), None) => {
                    let slot = self.account.pools.coupons().slot(id);
                    let param = format!("{name}[coupon]");
                    (
                        slot.ok_or_else(|| Refusal::missing("coupon", id, &param, false))?,
                        false,
                    )
                }
                (None, Some(id)) => (self.kept(id, &name)?, true),
                _ => {
                    let message = "You must specify exactly one of coupon and discount.".to_owned();
                    return Err(Refusal::invalid(&name, message));
                }
            };
            let coupon = self.account.pools.coupons().at(slot);
            if let Some(coupon) = coupon.filter(|_| !kept) {
                if !self.runs(slot) {
                    check_coupon(coupon, self.now)?;
                }
                if let (Off::Amount(own, _, others), Some(cur)) = (&coupon.off, cur)
                    && *own != cur
                    && !others.contains_key(&cur)
                {
                    let (id, has) = (&coupon.id, cur.as_str());
                    let message = format!("Coupon {id} has no amount in {has} and cannot be applied.");
                    return Err(Refusal::rejected(Some(&name), message));
                }
            }
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        if slots.len() > ITEMS {
            let message = format!("Invalid array: discounts may have at most {ITEMS} elements.");
            return Err(Refusal::rejected(Some(&join(at, "discounts")), message));
        }
        Ok(slots)
    }

    fn runs(&self, coupon: u32) -> bool {
        let Some(subscription) = self.subscription else {
            return false;
        };
        let discounts = self.account.pools.discounts();
        let running = self.account.pools.running(subscription, None, self.now);
        running
            .iter()
            .any(|slot| discounts.at(*slot).is_some_and(|d| d.coupon == coupon))
    }

    /// The coupon of a discount of this very subscription.
    fn kept(&self, id: &str, name: &str) -> Result<u32, Refusal> {
        let discounts = self.account.pools.discounts();
        let found = discounts.get(id).filter(|d| d.customer == self.customer);
        let found =
            found.ok_or_else(|| Refusal::missing("discount", id, &format!("{name}[discount]"), false))?;
        Ok(found.coupon)
    }

    /// `collection_method` with its days; `None`: not said.
    pub(crate) fn collection(&self, given: Params<'_>, at: &str) -> Result<Option<Collected>, Refusal> {
        let settings = given.hash("invoice_settings");
        let days = settings
            .and_then(|s| s.int("days_until_due"))
            .or_else(|| given.int("days_until_due"));
        let name = join(at, "days_until_due");
        match (given.text("collection_method"), days) {
            (None, None) => Ok(None),
            (Some("send_invoice"), Some(days)) => {
                self.has_email(at)?;
                Ok(Some(Collected::Sent(whole(days, &name)?)))
            }
            (Some("send_invoice"), None) => {
                let message =
                    "If invoice collection method is 'send_invoice', you must specify 'days_until_due'."
                        .to_owned();
                Err(Refusal::rejected(Some(&name), message))
            }
            (_, None) => Ok(Some(Collected::Charged)),
            (_, Some(_)) => {
                let message =
                    "You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.";
                Err(Refusal::rejected(Some(&name), message.to_owned()))
            }
        }
    }

    fn has_email(&self, at: &str) -> Result<(), Refusal> {
        let customer = self.account.customers.at(self.customer);
        if customer.is_some_and(|c| c.email.is_some()) {
            return Ok(());
        }
        let message = "Missing email. In order to create invoices that are sent to the customer, the customer must have \
                       a valid email.";
        Err(Refusal::rejected(
            Some(&join(at, "collection_method")),
            message.to_owned(),
        ))
    }

    /// Slot of `default_payment_method`, which must be attached to the customer.
    pub(crate) fn method(&self, given: Params<'_>, at: &str) -> Result<Option<u32>, Refusal> {
        let Some(id) = given.text("default_payment_method").filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let name = join(at, "default_payment_method");
        payment_methods::attached_in(self.account, self.customer, id, &name).map(Some)
    }

    /// A customer has room for so many.
    pub(crate) fn has_room(&self) -> Result<(), Refusal> {
        let Some(customer) = self.account.customers.at(self.customer) else {
            return Ok(());
        };
        let billing = &self.account.billing;
        let running = billing.live_of(self.customer, &customer.id).len();
        let scheduled = billing.schedules_of(self.customer);
        let waiting = scheduled.filter(|s| s.subscription.is_none()).count();
        if running + waiting < SUBSCRIPTIONS {
            return Ok(());
        }
        let message = format!(
            "Customer {} already has the maximum {SUBSCRIPTIONS} current subscriptions.",
            customer.id
        );
        let mut refused = Refusal::rejected(Some("customer"), message);
        refused.code = Some("customer_max_subscriptions");
        Err(refused)
    }
}

/// `proration_behavior`, `create_prorations` by default.
pub(crate) fn proration(given: Params<'_>) -> &'static str {
    match given.text("proration_behavior") {
        Some("none") => "none",
        Some("always_invoice") => "always_invoice",
        _ => "create_prorations",
    }
}

/// A time, or the instant of the request where it says `now`.
pub(crate) fn instant(given: Params<'_>, name: &str, now: i64) -> Option<i64> {
    match given.text(name) {
        Some("now") => Some(now),
        _ => given.int(name),
    }
}

fn metadata(given: Params<'_>) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.merge(given.node("metadata"));
    metadata
}

fn sold_in(price: &Price, cur: Cur, name: &str) -> Result<(), Refusal> {
    if price.currency == cur || price.options.contains_key(&cur) {
        return Ok(());
    }
    let message = format!(
        "The price specified only supports `{}`. This doesn't match the expected currency: `{}`.",
        price.currency.as_str(),
        cur.as_str()
    );
    Err(Refusal::rejected(Some(name), message))
}

fn whole(number: i64, name: &str) -> Result<u32, Refusal> {
    u32::try_from(number).map_err(|_| {
        let message = "This value must be greater than or equal to 0.".to_owned();
        Refusal::invalid_code(name, "parameter_invalid_integer", message)
    })
}

/// `phases[0]` and `items[0]` as `phases[0][items][0]`; nothing before it leaves it as it is.
pub(crate) fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        return name.to_owned();
    }
    match name.split_once('[') {
        Some((head, rest)) => format!("{at}[{head}][{rest}"),
        None => format!("{at}[{name}]"),
    }
}
