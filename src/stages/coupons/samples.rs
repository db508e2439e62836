//! For tests: objects as Stripe writes them (spec `coupon`, `promotion_code`, `discount`), and what it makes of a form.
//! Written from the parameters' descriptions, apart from the code under test.

use serde_json::{Map, Value, json};

use super::effects::Effects;
use super::facts::{Code, Coupon, Drawer, Person, Read, World};
use super::plan::{Rules, rows};
use super::{Settings, read};
use crate::domain::ids::{AccountId, Accounts, Environment, StageId};
use crate::domain::mapped::IdMap;
use crate::domain::plan::{Header, OutOfScope, Plan};
use crate::domain::scope::ScopeRule;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::domain::write::{PlannedWrite, marker};

/// Now, in every test.
pub(super) const NOW: i64 = 1_790_000_000;

pub(super) fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

fn merge(mut base: Value, more: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut base, more) else {
        return base;
    };
    all.extend(more);
    base
}

pub(super) fn coupon_json(id: &str, more: Value) -> Value {
    let base = json!({
        "id": id, "object": "coupon", "amount_off": null, "created": 1_700_000_000, "currency": null,
        "duration": "once", "duration_in_months": null, "livemode": false, "max_redemptions": null, "metadata": {},
        "name": null, "percent_off": 25, "redeem_by": null, "times_redeemed": 0, "valid": true,
    });
    merge(base, more)
}

pub(super) fn code_json(id: &str, coupon: &str, more: Value) -> Value {
    let base = json!({
        "id": id, "object": "promotion_code", "active": true, "code": id.to_uppercase(), "created": 1_700_000_000,
        "customer": null, "customer_account": null, "expires_at": null, "livemode": false, "max_redemptions": null,
        "metadata": {}, "promotion": {"coupon": coupon, "type": "coupon"},
        "restrictions": {"first_time_transaction": false, "minimum_amount": null, "minimum_amount_currency": null},
        "times_redeemed": 0,
    });
    merge(base, more)
}

pub(super) fn wire<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

pub(super) fn coupon(value: &Value) -> Coupon {
    read::coupon(&wire(value), Read::default())
}

pub(super) fn code(value: &Value) -> Code {
    read::code(&wire(value), Read::default())
}

pub(super) fn drawer(objects: &[Value]) -> Drawer {
    let mut drawer = Drawer::default();
    for object in objects {
        if object["object"] == "coupon" {
            let coupon = coupon(object);
            drawer.coupons.insert(coupon.id.clone(), coupon);
        } else {
            let code = code(object);
            drawer.codes.insert(code.id.clone(), code);
        }
    }
    drawer
}

/// A world with these objects on the old account; `cus_m…` moves, everybody else stays.
pub(super) fn world(old: &[Value], new: &[Value]) -> World {
    let source = drawer(old);
    let owners = source.codes.values().filter_map(|code| code.customer.clone());
    let person = |id: &String| {
        let label = safe(&format!("Name of {id}"));
        if id.starts_with("cus_m") {
            Person::Mover { label }
        } else {
            Person::Stayer
        }
    };
    World {
        people: owners.map(|id| (id.clone(), person(&id))).collect(),
        source,
        destination: drawer(new),
        running: Vec::new(),
        now: NOW,
    }
}

pub(super) fn planned(world: &World) -> Plan {
    let (accounts, settings, ids) = (accounts(), Settings::default(), IdMap::default());
    let rules = Rules {
        accounts: &accounts,
        settings: &settings,
    };
    let planned = rows(world, &ids, rules);
    let header = Header {
        accounts: accounts.clone(),
        policy: settings.policy(),
        scope: ScopeRule::default().digest(),
        stage: StageId::Coupons,
    };
    let out = OutOfScope::default();
    Plan::seal(header, out, planned.changes, planned.findings, UtcMs(0)).unwrap()
}

pub(super) fn effect(op: &str, of: &str) -> String {
    Effects {
        accounts: &accounts(),
    }
    .id(op, of)
    .0
}

/// What Stripe makes of a creating form: the object with that id (a coupon has its own).
pub(super) fn created(write: &PlannedWrite, id: &str) -> Value {
    let mut tree = json!({});
    for (name, value) in write.form.iter().filter(|(name, _)| !name.starts_with("expand")) {
        let path: Vec<&str> = name.split(['[', ']']).filter(|part| !part.is_empty()).collect();
        graft(&mut tree, &path, value);
    }
    tree["metadata"][marker::EFFECT] = json!(write.effect.0);
    if write.path == "/v1/coupons" {
        let own = tree["id"].as_str().unwrap().to_owned();
        let bare = json!({"percent_off": null});
        return coupon_json(&own, merge(bare, tree));
    }
    let restrictions = tree.as_object_mut().unwrap().remove("restrictions");
    let mut code = code_json(id, "", tree);
    code["restrictions"] = merge(
        code["restrictions"].clone(),
        restrictions.unwrap_or_else(|| json!({})),
    );
    code
}

fn graft(at: &mut Value, path: &[&str], value: &str) {
    let (first, rest) = path.split_first().unwrap();
    if *first == "products" {
        let mut all = at["products"].as_array().cloned().unwrap_or_default();
        all.push(json!(value));
        at["products"] = json!(all);
    } else if rest.is_empty() {
        let is_text = matches!(
            *first,
            "id" | "name" | "code" | "customer" | "currency" | "duration" | "type" | "coupon"
        ) || *first == "minimum_amount_currency";
        at[*first] = if is_text {
            json!(value)
        } else {
            serde_json::from_str(value).unwrap()
        };
    } else if *first == "metadata" {
        at["metadata"][rest[0]] = json!(value);
    } else {
        if at[*first].is_null() {
            at[*first] = Value::Object(Map::new());
        }
        graft(&mut at[*first], rest, value);
    }
}
