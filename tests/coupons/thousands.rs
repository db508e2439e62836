//! Thousands of codes on one coupon.

use crate::night::{Night, stage};

/// Codes of movers: on a limited coupon, on one without a limit.
const CODES: u64 = 3_000 + 500;
const A_PAGE: u64 = 100;

#[test]
fn thousands_of_codes_are_planned_from_list_pages_alone_and_each_keeps_its_own_limit() {
    let night = Night::of("coupons-thousands");
    let said = night
        .desk
        .call("plan coupons --json --out plan --run run")
        .ends(0);
    let summary = stage(&said);
    assert_eq!(
        (&summary["planned"], &summary["blocked"]),
        (&(CODES + 2).into(), &0.into())
    );
    // The codes once, and for everything else less than that again; one by one would be thousands.
    let gets = night.world.gets();
    assert!(gets < 2 * CODES / A_PAGE + 60, "{gets} requests");
    let rows = night.desk.rows("plan");
    let limits = |coupon: &str| {
        let all = rows.iter().filter(|row| row["subject"] == coupon);
        let codes = all.filter(|row| row["key"].as_str().unwrap().starts_with("code/"));
        let mut sent: Vec<String> = codes.map(new_limit).collect();
        let count = sent.len();
        sent.dedup();
        (count, sent)
    };
    assert_eq!(limits("BULK"), (3_000, vec!["2".to_owned()]));
    assert_eq!(limits("VOUCHERS"), (500, vec!["1".to_owned()]));
    let line = |id: &str| {
        let coupon = rows.iter().find(|row| row["key"] == format!("coupon/{id}"));
        new_limit(coupon.unwrap())
    };
    assert_eq!([line("BULK"), line("VOUCHERS")], ["4200", ""]);
    assert_eq!(night.world.writes(), 0);
}

/// `max_redemptions` of what is created, or nothing.
fn new_limit(row: &serde_json::Value) -> String {
    let writes = row["writes"].as_array().unwrap().iter();
    let mut created = writes.filter(|write| write["role"] == "destination");
    let form = created.next().unwrap()["form"].as_array().unwrap().iter();
    let mut limits = form.filter(|pair| pair[0] == "max_redemptions");
    limits
        .next()
        .map_or(String::new(), |pair| pair[1].as_str().unwrap().to_owned())
}
