//! A price from its parameters, with everything Stripe refuses about them. Texts in the tests are recorded ones; the
//! others are in Stripe's manner, since no record of them was found.

use std::collections::BTreeMap;

use super::prices_params::{BEHAVIORS, INTERVALS, MODES, ROUNDINGS, word};
use crate::rehearsal::call::Call;
use crate::rehearsal::catalogue::{Amounts, Catalogue, Custom, Decimal, Price, Recurring, Tier};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::form::Node;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::params::Params;

/// What kind of price amounts belong to.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) tiered: bool,
    pub(crate) recurring: bool,
}

/// A price of these parameters, not yet in any catalogue.
pub(crate) fn build(
    catalogue: &Catalogue,
    params: Params<'_>,
    id: &str,
    product: &str,
    created: i64,
) -> Result<Price, Refusal> {
    let currency = Call::currency(params.text("currency").unwrap_or_default(), "currency")?;
    let recurring = recurring(catalogue, params)?;
    let tiers_mode = tiers_mode(params, recurring.is_some())?;
    let shape = Shape {
        tiered: tiers_mode.is_some(),
        recurring: recurring.is_some(),
    };
    let base = amounts(params, shape, None)?;
    let options = options(params, shape, currency)?;
    let mut metadata = Metadata::default();
    metadata.merge(params.node("metadata"));
    let text = |name: &str| params.text(name).filter(|t| !t.is_empty()).map(Into::into);
    Ok(Price {
        id: id.into(),
        created,
        active: params.flag("active").unwrap_or(true),
        inline: false,
        product: product.into(),
        currency,
        base,
        options,
        tiers_mode,
        transform: transform(params, shape)?,
        recurring,
        lookup_key: text("lookup_key"),
        nickname: text("nickname"),
        metadata,
    })
}

fn recurring(catalogue: &Catalogue, params: Params<'_>) -> Result<Option<Recurring>, Refusal> {
    let Some(given) = params.hash("recurring").filter(|r| r.0.text().is_none()) else {
        return Ok(None);
    };
    let interval = word(INTERVALS, given.text("interval")).unwrap_or("month");
    let count = given.int("interval_count").unwrap_or(1);
    let most = match interval {
        "day" => 1095,
        "week" => 156,
        "month" => 36,
        _ => 3,
    };
    if !(1..=most).contains(&count) {
        let message =
            format!("Invalid interval count: with the interval {interval} it must be between 1 and {most}.");
        return Err(Refusal::invalid("recurring[interval_count]", message));
    }
    let metered = given.text("usage_type") == Some("metered");
    let meter = given.text("meter");
    match meter {
        None if metered => {
            let message =
                "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.";
            Err(Refusal::invalid("recurring[meter]", message.to_owned()))
        }
        Some(_) if !metered => {
            let message = "You can only specify `meter` if `usage_type` is `metered`.".to_owned();
            Err(Refusal::invalid("recurring[meter]", message))
        }
        Some(meter) if !catalogue.meters.iter().any(|m| **m == *meter) => Err(Refusal::missing(
            "billing meter",
            meter,
            "recurring[meter]",
            false,
        )),
        _ => Ok(Some(Recurring {
            interval,
            count,
            meter: meter.map(Into::into),
            metered,
        })),
    }
}

fn tiers_mode(params: Params<'_>, recurring: bool) -> Result<Option<&'static str>, Refusal> {
    let mode = word(MODES, params.text("tiers_mode"));
    match (params.text("billing_scheme") == Some("tiered"), mode) {
        (true, _) if !recurring => {
            let message = "Prices with `type=one_time` are not supported with tiered billing.".to_owned();
            Err(Refusal::invalid("interval", message))
        }
        (true, Some(mode)) => Ok(Some(mode)),
        (true, None) => Err(Refusal::invalid_code(
            "tiers_mode",
            "parameter_missing",
            "Missing required param: tiers_mode.".to_owned(),
        )),
        (false, Some(_)) => {
            let message = "You can only specify `tiers_mode` if `billing_scheme` is `tiered`.".to_owned();
            Err(Refusal::invalid("tiers_mode", message))
        }
        (false, None) => Ok(None),
    }
}

fn transform(params: Params<'_>, shape: Shape) -> Result<Option<(i64, &'static str)>, Refusal> {
    let Some(given) = params.hash("transform_quantity").filter(|t| t.0.text().is_none()) else {
        return Ok(None);
    };
    let by = given.int("divide_by").unwrap_or(1);
    if shape.tiered || by < 1 {
        let message = if shape.tiered {
            "You cannot specify `transform_quantity` if `billing_scheme` is `tiered`."
        } else {
            "This value must be greater than or equal to 1."
        };
        return Err(Refusal::invalid("transform_quantity", message.to_owned()));
    }
    let round = word(ROUNDINGS, given.text("round")).unwrap_or("up");
    Ok(Some((by, round)))
}

/// The other currencies given; the price's own is refused among them, as the live API does.
pub(crate) fn options(params: Params<'_>, shape: Shape, own: Cur) -> Result<BTreeMap<Cur, Amounts>, Refusal> {
    let mut options = BTreeMap::new();
    let given = params.node("currency_options").map(Node::children);
    for (code, node) in given.unwrap_or_default() {
        let name = format!("currency_options[{code}]");
        let cur = Call::currency(code, &name)?;
        if cur == own {
            let message = format!("`currency_options` may not contain the price's own currency, {code}.");
            return Err(Refusal::invalid(&name, message));
        }
        options.insert(cur, amounts(Params(node), shape, Some(&name))?);
    }
    Ok(options)
}

/// What one currency costs. `option`: the name of the currency option, `None` for the price itself.
fn amounts(params: Params<'_>, shape: Shape, option: Option<&str>) -> Result<Amounts, Refusal> {
    let name = |field: &str| option.map_or_else(|| field.to_owned(), |at| format!("{at}[{field}]"));
    let unit = decimal(params, "unit_amount", option)?;
    let custom = custom(params, option)?;
    let tiers = tiers(params, option)?;
    let given = [unit.is_some(), custom.is_some(), !tiers.is_empty()];
    if given.into_iter().filter(|g| *g).count() > 1 {
        let message = "You may only specify one of these parameters: unit_amount, custom_unit_amount, tiers.";
        let param = name("unit_amount");
        return Err(Refusal::invalid_code(
            &param,
            "parameters_exclusive",
            message.to_owned(),
        ));
    }
    let refused = |field: &str, message: &str| Err(Refusal::invalid(&name(field), message.to_owned()));
    if shape.tiered && tiers.is_empty() {
        return refused(
            "tiers",
            "Prices with `billing_scheme=tiered` require `tiers` to be set.",
        );
    }
    if !shape.tiered && !tiers.is_empty() {
        return refused(
            "tiers",
            "You can only specify `tiers` if `billing_scheme` is `tiered`.",
        );
    }
    if shape.recurring && custom.is_some() {
        return refused(
            "custom_unit_amount",
            "Prices with `type=recurring` cannot have a `custom_unit_amount`.",
        );
    }
    if !given.contains(&true) {
        let message = match option {
            None => "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
            Some(_) => "If the billing scheme is set to per_unit, the amount parameter must be set",
        };
        return refused("unit_amount", message);
    }
    Ok(Amounts {
        unit,
        custom,
        tiers,
        tax_behavior: word(BEHAVIORS, params.text("tax_behavior")).unwrap_or("unspecified"),
    })
}

/// An amount given as an integer or, under the name with `_decimal`, as a decimal.
fn decimal(params: Params<'_>, field: &str, at: Option<&str>) -> Result<Option<Decimal>, Refusal> {
    let name = at.map_or_else(|| field.to_owned(), |at| format!("{at}[{field}]"));
    let exact = params.text(&format!("{field}_decimal"));
    match (params.int(field), exact) {
        (Some(_), Some(_)) => {
            let message = format!("You may only specify one of these parameters: {field}, {field}_decimal.");
            Err(Refusal::invalid_code(&name, "parameters_exclusive", message))
        }
        (Some(amount), None) if amount < 0 => {
            let message = "This value must be greater than or equal to 0.".to_owned();
            Err(Refusal::invalid_code(&name, "parameter_invalid_integer", message))
        }
        (Some(amount), None) => Ok(Some(Decimal::of(&amount.to_string()))),
        (None, exact) => Ok(exact.map(Decimal::of)),
    }
}

fn custom(params: Params<'_>, at: Option<&str>) -> Result<Option<Custom>, Refusal> {
    let given = params.hash("custom_unit_amount");
    let Some(given) = given.filter(|c| c.flag("enabled") == Some(true)) else {
        return Ok(None);
    };
    let custom = Custom {
        minimum: given.int("minimum"),
        maximum: given.int("maximum"),
        preset: given.int("preset"),
    };
    let low = custom.minimum.unwrap_or(0);
    let high = custom.maximum.unwrap_or(i64::MAX);
    if low < 0 || low > high || custom.preset.is_some_and(|p| !(low..=high).contains(&p)) {
        let message = "The amounts of `custom_unit_amount` must hold 0 <= minimum <= preset <= maximum.";
        let name = at.map_or_else(String::new, |at| format!("{at}."));
        return Err(Refusal::invalid(
            &format!("{name}custom_unit_amount"),
            message.to_owned(),
        ));
    }
    Ok(Some(custom))
}

/// Tiers in order, the last without end.
fn tiers(params: Params<'_>, at: Option<&str>) -> Result<Vec<Tier>, Refusal> {
    let name = at.map_or_else(|| "tiers".to_owned(), |at| format!("{at}[tiers]"));
    let mut tiers: Vec<Tier> = Vec::new();
    for (n, given) in params.hashes("tiers").enumerate() {
        let at = format!("{name}[{n}]");
        let tier = Tier {
            up_to: given.int("up_to"),
            flat: decimal(given, "flat_amount", Some(&at))?,
            unit: decimal(given, "unit_amount", Some(&at))?,
        };
        if tier.flat.is_none() && tier.unit.is_none() {
            let message = "Each tier requires an `unit_amount` or a `flat_amount`.".to_owned();
            return Err(Refusal::invalid(&at, message));
        }
        tiers.push(tier);
    }
    let ascending = tiers.windows(2).all(|pair| {
        pair[0]
            .up_to
            .is_some_and(|low| pair[1].up_to.is_none_or(|high| low < high))
    });
    let from_one = tiers.first().is_none_or(|t| t.up_to.is_none_or(|n| n > 0));
    let unbounded = tiers.last().is_none_or(|t| t.up_to.is_none());
    if ascending && from_one && unbounded {
        return Ok(tiers);
    }
    let message =
        "Tiers must be in ascending order of `up_to`, and the last must have `up_to=inf`.".to_owned();
    Err(Refusal::invalid(&name, message))
}
