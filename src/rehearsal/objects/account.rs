//! `GET /v1/account`: which account a key belongs to (schema `account`).

use serde_json::json;

use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;

/// `GET /v1/account`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::Account)?;
    let account = &*call.account;
    let host = account.name.to_lowercase().replace(' ', "-");
    Ok(json!({
        "id": account.id,
        "object": "account",
        "business_profile": {
            "annual_revenue": null,
            "estimated_worker_count": null,
            "mcc": "8299",
            "minority_owned_business_designation": null,
            "name": account.name,
            "product_description": null,
            "support_address": null,
            "support_email": format!("help@{host}.example"),
            "support_phone": null,
            "support_url": null,
            "url": format!("https://{host}.example"),
        },
        "business_type": "company",
        "capabilities": { "card_payments": "active", "transfers": "active" },
        "charges_enabled": true,
        "controller": { "type": "account" },
        "country": account.country,
        "created": account.created,
        "default_currency": account.currency.as_str(),
        "details_submitted": true,
        "email": format!("billing@{host}.example"),
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": false,
            "url": format!("/v1/accounts/{}/external_accounts", account.id),
        },
        "metadata": {},
        "payouts_enabled": true,
        "settings": {
            "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
            "card_payments": {
                "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kana": null,
                "statement_descriptor_prefix_kanji": null,
            },
            "dashboard": { "display_name": account.name, "timezone": "Etc/UTC" },
            "invoices": { "default_account_tax_ids": null, "hosted_payment_method_save": "offer" },
            "payments": {
                "statement_descriptor": account.name.to_uppercase(),
                "statement_descriptor_kana": null,
                "statement_descriptor_kanji": null,
            },
        },
        "type": "standard",
    }))
}

/// `GET /v1/accounts/{account}`: only one's own.
pub(crate) fn retrieve_by_id(call: &mut Call<'_>) -> Answer {
    if call.arg(0) == call.account.id {
        return retrieve(call);
    }
    Err(Refusal::missing("account", call.arg(0), "account", true))
}
