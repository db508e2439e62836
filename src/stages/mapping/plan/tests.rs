use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::change::Verdict;
use crate::domain::ids::{AccountId, Environment};
use crate::domain::text::safe;
use crate::stages::mapping::effects::DEFAULT;
use crate::stages::mapping::facts::{Method, Side};
use crate::stages::mapping::worklist::work_of;

const COPY: i64 = 1_000;

fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

pub(super) fn card(id: &str) -> Method {
    Method {
        id: id.into(),
        created: 10,
        kind: "card".into(),
        brand: "visa".into(),
        last4: "4242".into(),
        expires: Some((2030, 12)),
        wallet: None,
        customer: Some("cus_1".into()),
    }
}

pub(super) fn of_kind(id: &str, kind: &str) -> Method {
    Method {
        kind: kind.into(),
        brand: String::new(),
        expires: None,
        ..card(id)
    }
}

pub(super) fn side(default: Option<&str>, methods: Vec<Method>) -> Side {
    Side {
        created: 5,
        default_method: default.map(Into::into),
        methods: Some(methods),
        ..Side::default()
    }
}

pub(super) fn facts(source: Side, destination: Option<Side>) -> CustomerFacts {
    CustomerFacts {
        id: "cus_1".into(),
        new_id: "cus_1".into(),
        label: safe("N"),
        belongs: Belongs::InScope,
        source,
        destination,
    }
}

pub(super) fn mapping(rows: &str) -> Mapping {
    let text = format!("customer_id_old,source_id_old,customer_id_new,source_id_new\n{rows}");
    Mapping::read([("mapping.csv", text.as_bytes())]).unwrap()
}

pub(super) fn with_rules<T>(mapping: &Mapping, act: impl FnOnce(Rules<'_>) -> T) -> T {
    let settings = Settings {
        copied_at: Some(UtcMs::from_secs(COPY)),
        ..Settings::default()
    };
    act(Rules {
        accounts: &accounts(),
        mapping,
        settings: &settings,
        now: UtcMs::from_secs(1_770_000_000),
    })
}

fn rows_of(facts: &CustomerFacts, map: &str) -> Vec<Change> {
    with_rules(&mapping(map), |rules| customer(facts, rules).0)
}

fn default_row(facts: &CustomerFacts, map: &str) -> Change {
    rows_of(facts, map)
        .into_iter()
        .find(|row| row.key.0.ends_with("/default"))
        .unwrap()
}

pub(super) const ONE: &str = "cus_1,pm_1,cus_1,pm_9\n";

#[test]
fn the_default_follows_the_map() {
    let facts = facts(
        side(Some("pm_1"), vec![card("pm_1")]),
        Some(side(None, vec![card("pm_9")])),
    );
    let rows = rows_of(&facts, ONE);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(
        (row.verdict, row.rule.as_str()),
        (Verdict::Planned, "default_follows_map")
    );
    assert_eq!(row.writes[0].form, [(DEFAULT.to_owned(), "pm_9".to_owned())]);
    assert_eq!(row.writes[0].path, "/v1/customers/cus_1");
    assert!(
        !row.writes[0].marked,
        "a marker on a customer would be overwritten by the next"
    );
}

#[test]
fn of_two_cards_the_default_is_followed_also_when_it_is_the_second() {
    let facts = facts(
        side(Some("pm_2"), vec![card("pm_1"), card("pm_2")]),
        Some(side(None, vec![card("pm_8"), card("pm_9")])),
    );
    let row = default_row(&facts, "cus_1,pm_1,cus_1,pm_8\ncus_1,pm_2,cus_1,pm_9\n");
    assert_eq!(row.writes[0].form[0].1, "pm_9");
}

#[test]
fn invoice_settings_come_before_default_source() {
    let mut source = side(Some("pm_2"), vec![card("card_1"), card("pm_2")]);
    source.default_source = Some("card_1".into());
    let there = side(None, vec![card("card_8"), card("pm_9")]);
    let map = "cus_1,card_1,cus_1,card_8\ncus_1,pm_2,cus_1,pm_9\n";
    let both = facts(source.clone(), Some(there.clone()));
    assert_eq!(default_row(&both, map).writes[0].form[0].1, "pm_9");
    source.default_method = None;
    let only_source = facts(source, Some(there));
    assert_eq!(default_row(&only_source, map).writes[0].form[0].1, "card_8");
}

#[test]
fn what_is_not_certain_is_blocked_and_offers_the_copied_methods() {
    let old = || side(Some("pm_1"), vec![card("pm_1")]);
    let there = |methods| Some(side(None, methods));
    let brand = Method {
        brand: "amex".into(),
        ..card("pm_9")
    };
    let renewed = Method {
        expires: Some((2033, 1)),
        ..card("pm_9")
    };
    let elsewhere = Method {
        customer: Some("cus_2".into()),
        ..card("pm_9")
    };
    let other_default = side(Some("pm_x"), vec![card("pm_9"), card("pm_x")]);
    let young = Method {
        created: COPY + 1,
        ..card("pm_1")
    };
    let cases: Vec<(CustomerFacts, &str, &str)> = vec![
        (facts(old(), there(vec![brand])), ONE, "methods_differ"),
        (facts(old(), there(vec![renewed])), ONE, "expiry_differs"),
        (facts(old(), there(vec![elsewhere])), ONE, "target_elsewhere"),
        (facts(old(), there(vec![card("pm_7")])), ONE, "target_missing"),
        (
            facts(old(), there(vec![card("pm_9")])),
            "cus_2,pm_1,cus_2,pm_9\n",
            "target_elsewhere",
        ),
        (
            facts(old(), there(vec![card("pm_9")])),
            "cus_1,,cus_1,\n",
            "not_in_mapping",
        ),
        (facts(old(), Some(other_default)), ONE, "other_default"),
        (
            facts(side(None, vec![card("pm_1")]), there(vec![card("pm_9")])),
            ONE,
            "no_default",
        ),
        (
            facts(
                side(Some("pm_1"), vec![of_kind("pm_1", "sepa_debit")]),
                there(vec![card("pm_9")]),
            ),
            "cus_1,,cus_1,\n",
            "default_left_behind",
        ),
        (
            facts(side(Some("pm_1"), vec![young]), there(vec![card("pm_9")])),
            "cus_1,,cus_1,\n",
            "default_after_copy",
        ),
        (
            facts(side(Some("ba_1"), vec![]), there(vec![card("pm_9")])),
            "cus_1,ba_1,cus_1,pm_9\n",
            "default_unreadable",
        ),
    ];
    for (facts, map, rule) in cases {
        let row = default_row(&facts, map);
        assert_eq!((row.verdict, row.rule.as_str()), (Verdict::Blocked, rule));
        assert!(row.writes.is_empty(), "{rule}");
        let offered = facts.destination.as_ref().unwrap().methods();
        for method in offered
            .iter()
            .filter(|m| facts.destination.as_ref().unwrap().default_method.as_deref() != Some(&m.id))
        {
            let choice = row
                .choices
                .iter()
                .find(|choice| choice.name == format!("use_{}", method.id))
                .unwrap();
            assert_eq!(choice.writes[0].form[0].1, method.id, "{rule}");
            assert!(choice.sign_off, "{rule}");
        }
        assert!(work_of(&row).is_some(), "{rule}");
    }
}

#[test]
fn a_default_that_is_set_already_needs_nothing() {
    let there = side(Some("pm_9"), vec![card("pm_9")]);
    let row = default_row(&facts(side(Some("pm_1"), vec![card("pm_1")]), Some(there)), ONE);
    assert_eq!(
        (row.verdict, row.rule.as_str()),
        (Verdict::Noop, "already_default")
    );
}

#[test]
fn two_sepa_debits_go_to_support_and_a_late_card_to_a_second_copy() {
    let late = Method {
        created: COPY + 1,
        ..card("pm_4")
    };
    let source = side(
        Some("pm_1"),
        vec![
            card("pm_1"),
            of_kind("pm_2", "sepa_debit"),
            of_kind("pm_3", "sepa_debit"),
            late,
        ],
    );
    let rows = rows_of(&facts(source, Some(side(None, vec![card("pm_9")]))), ONE);
    let rules: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| (row.key.0.as_str(), row.rule.as_str()))
        .collect();
    assert_eq!(rules["cus_1/method/pm_2"], "left_behind");
    assert_eq!(rules["cus_1/method/pm_3"], "left_behind");
    assert_eq!(rules["cus_1/method/pm_4"], "method_after_copy");
    assert_eq!(rules["cus_1/default"], "default_follows_map");
    let work: Vec<_> = rows.iter().filter_map(work_of).collect();
    assert_eq!(work.len(), 3);
    assert!(
        work.iter().all(|work| work.usable),
        "a card that works is on the new account"
    );
    assert!(rows.iter().all(|row| row.verdict != Verdict::Blocked));
}

#[test]
fn eleven_methods_are_all_compared() {
    let old: Vec<Method> = (0..11).map(|n| card(&format!("pm_o{n}"))).collect();
    let mut new: Vec<Method> = (0..11).map(|n| card(&format!("pm_n{n}"))).collect();
    new[10].last4 = "0000".into();
    let lines = (0..11).map(|n| format!("cus_1,pm_o{n},cus_1,pm_n{n}\n"));
    let map = lines.collect::<Vec<_>>().concat();
    let rows = rows_of(&facts(side(Some("pm_o3"), old), Some(side(None, new))), &map);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[1].key.0, "cus_1/method/pm_o10");
    assert_eq!(rows[1].rule, "methods_differ");
}

#[test]
fn who_is_not_on_the_new_account_is_blocked_by_why() {
    let mut late = facts(side(Some("pm_1"), vec![card("pm_1")]), None);
    late.source.created = COPY + 1;
    let early = facts(side(Some("pm_1"), vec![card("pm_1")]), None);
    for (facts, map, rule) in [
        (&late, "cus_2,,cus_2,\n", "late_customer"),
        (&early, "cus_2,,cus_2,\n", "not_copied"),
        (&early, ONE, "not_on_destination"),
    ] {
        let rows = rows_of(facts, map);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].verdict, rows[0].rule.as_str()), (Verdict::Blocked, rule));
        assert_eq!(rows[0].choices[0].name, "second_copy");
    }
}

#[test]
fn a_customer_who_changed_ids_in_a_self_serve_copy_is_blocked_whole() {
    let mut facts = facts(
        side(Some("pm_1"), vec![card("pm_1")]),
        Some(side(None, vec![card("pm_9")])),
    );
    facts.new_id = "cus_7".into();
    let rows = rows_of(&facts, "cus_1,pm_1,cus_7,pm_9\n");
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].verdict, rows[0].rule.as_str()),
        (Verdict::Blocked, "customer_id_changed")
    );
    assert!(rows[0].writes.is_empty() && rows[0].update.is_none());
}

#[test]
fn who_stays_has_no_row() {
    for belongs in [
        Belongs::OtherRegion,
        Belongs::Excluded,
        Belongs::NoMethod,
        Belongs::OtherWave,
    ] {
        let mut facts = facts(
            side(Some("pm_1"), vec![card("pm_1")]),
            Some(side(None, vec![card("pm_9")])),
        );
        facts.belongs = belongs;
        assert!(rows_of(&facts, ONE).is_empty());
    }
}

fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

#[test]
fn only_what_the_old_account_has_is_written_and_lists_are_written_whole() {
    let mut source = side(Some("pm_1"), vec![card("pm_1")]);
    source.fields = fields(&[
        ("name", "N"),
        ("description", "d"),
        ("tax_exempt", "none"),
        ("preferred_locales[0]", "de"),
        ("preferred_locales[1]", "en"),
        ("shipping[name]", "S"),
        ("invoice_prefix", "AAA"),
        ("next_invoice_sequence", "7"),
    ]);
    source.metadata = fields(&[("region", "us"), ("cutover_of", "x")]);
    source.tax_ids = vec![("au_abn".into(), "12".into()), ("eu_vat".into(), "DE1".into())];
    let mut there = side(Some("pm_9"), vec![card("pm_9")]);
    there.fields = fields(&[
        ("name", "N"),
        ("phone", "+1"),
        ("preferred_locales[0]", "de"),
        ("shipping[name]", "other"),
        ("invoice_prefix", "BBB"),
        ("next_invoice_sequence", "1"),
    ]);
    there.tax_ids = vec![("au_abn".into(), "12".into())];
    let facts = facts(source, Some(there));
    let (rows, findings) = with_rules(&mapping(ONE), |rules| customer(&facts, rules));
    let profile = rows.iter().find(|row| row.key.0 == "cus_1/profile").unwrap();
    let form: BTreeMap<String, String> = profile.writes[0].form.iter().cloned().collect();
    assert_eq!(
        form,
        fields(&[
            ("description", "d"),
            ("preferred_locales[0]", "de"),
            ("preferred_locales[1]", "en"),
            ("shipping[name]", "S"),
            ("metadata[region]", "us"),
        ])
    );
    assert_eq!(profile.rule, "profile_differs", "shipping[name] is overwritten");
    let taxes: Vec<_> = rows.iter().filter(|row| row.item == "tax id").collect();
    assert_eq!(taxes.len(), 1);
    assert_eq!(taxes[0].key.0, "cus_1/tax_id/eu_vat/DE1");
    assert!(findings.iter().any(|f| f.rule == "invoice_numbering"));
}

#[test]
fn the_mapping_as_a_whole_is_told_who_stays_who_is_unknown_and_who_did_not_arrive() {
    let settings = Settings {
        asked: Some(std::sync::Arc::new(BTreeSet::from([
            "cus_1".to_owned(),
            "cus_9".to_owned(),
        ]))),
        ..Settings::default()
    };
    let mapping = mapping("cus_1,pm_1,cus_1,pm_9\ncus_2,pm_2,cus_2,pm_8\ncus_3,,cus_3,\n,x,y,z\n");
    let rules = Rules {
        accounts: &accounts(),
        mapping: &mapping,
        settings: &settings,
        now: UtcMs(0),
    };
    let belongs = BTreeMap::from([
        ("cus_1".to_owned(), Belongs::InScope),
        ("cus_2".to_owned(), Belongs::OtherRegion),
    ]);
    let arrived = BTreeSet::from(["cus_1".to_owned(), "cus_2".to_owned()]);
    let mut twin = facts(side(None, vec![]), None);
    twin.source.fields = fields(&[("email", "a@b.c")]);
    let twins = [
        twin.clone(),
        CustomerFacts {
            id: "cus_5".into(),
            ..twin
        },
    ];
    let found = outside(&belongs, &arrived, &twins, rules);
    let rules: BTreeSet<(&str, &str)> = found
        .iter()
        .map(|f| (f.customer.as_str(), f.rule.as_str()))
        .collect();
    for expected in [
        ("cus_2", "mapped_outside_scope"),
        ("cus_3", "mapped_unknown_customer"),
        ("cus_9", "asked_not_arrived"),
        ("", "blank"),
        ("cus_1", "same_email"),
    ] {
        assert!(rules.contains(&expected), "{expected:?} in {rules:?}");
    }
}

proptest! {
    /// A write to a customer or a row only ever names a method that the mapping gives this customer and that the new
    /// account shows attached to it, or one a person chose.
    #[test]
    fn what_is_planned_was_seen_on_the_new_account(
        default in 0..4_u8, on_new in proptest::collection::vec(any::<bool>(), 4), alike in proptest::collection::vec(any::<bool>(), 4),
        mapped in proptest::collection::vec(0..5_u8, 4),
    ) {
        let old: Vec<Method> = (0..4).map(|n| card(&format!("pm_o{n}"))).collect();
        let new: Vec<Method> = (0..4)
            .filter(|n| on_new[*n])
            .map(|n| Method { brand: if alike[n] { "visa".into() } else { "amex".into() }, ..card(&format!("pm_n{n}")) })
            .collect();
        let mut used = BTreeSet::new();
        let lines = (0..4)
            .filter(|n| mapped[*n] < 4 && used.insert(mapped[*n]))
            .map(|n| format!("cus_1,pm_o{n},cus_1,pm_n{}\n", mapped[n]));
        let map = lines.collect::<Vec<_>>().concat();
        prop_assume!(!map.is_empty());
        let facts = facts(side(Some(&format!("pm_o{default}")), old), Some(side(None, new.clone())));
        let rows = rows_of(&facts, &map);
        let row = rows.iter().find(|row| row.key.0.ends_with("/default")).unwrap();
        let target = mapped[usize::from(default)];
        let certain = map.contains(&format!("pm_o{default},")) && new.iter().any(|m| m.id == format!("pm_n{target}") && m.brand == "visa");
        prop_assert_eq!(row.verdict == Verdict::Planned, certain);
        for write in &row.writes {
            prop_assert!(new.iter().any(|method| method.id == write.form[0].1));
        }
        let keys: BTreeSet<_> = rows.iter().map(|row| &row.key).collect();
        prop_assert_eq!(keys.len(), rows.len());
    }
}
