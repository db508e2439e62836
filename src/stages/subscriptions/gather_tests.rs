use proptest::prelude::*;

use super::super::Settings;
use super::*;

const NOW: UtcMs = UtcMs(1_760_000_000_000);

#[test]
fn a_start_is_a_day_and_the_margin_after_the_upload() {
    let settings = Settings {
        upload_by: Some(UtcMs(1_760_000_040_000)),
        margin_hours: 2,
        ..Settings::default()
    };
    assert_eq!(earliest_start(NOW, &settings), 1_760_000_040 + 26 * 3_600);
    let unsaid = Settings {
        upload_by: None,
        ..settings
    };
    // 1 760 000 000 is 20 seconds past a full minute.
    assert_eq!(earliest_start(NOW, &unsaid), 1_760_000_000 + 30 * 3_600 + 40);
}

proptest! {
    #[test]
    fn a_start_is_on_a_full_minute_and_never_too_soon(now in 0_i64..4_000_000_000_000, margin in 0_u32..1_000) {
        let settings = Settings { margin_hours: margin, ..Settings::default() };
        let start = earliest_start(UtcMs(now), &settings);
        let least = now.div_euclid(1_000) + (28 + i64::from(margin)) * 3_600;
        prop_assert_eq!(start.rem_euclid(60), 0);
        prop_assert!((least..least + 60).contains(&start));
    }
}

#[test]
fn what_was_not_understood_is_a_difference_and_a_refused_question_is_told() {
    let facts = Facts {
        world: World::default(),
        unread: BTreeMap::from([(
            "sub_1".to_owned(),
            Unread {
                customer: "cus_1".to_owned(),
                why: "it has no items".to_owned(),
            },
        )]),
        not_asked: Some("the key may not".to_owned()),
    };
    let found = findings(&facts);
    assert_eq!(
        found
            .iter()
            .map(|found| (found.rule.as_str(), found.severity))
            .collect::<Vec<_>>(),
        [
            ("not_understood", Severity::Differs),
            ("previews_refused", Severity::Warn)
        ]
    );
    assert_eq!(found[0].reason, "sub_1 is in no row: it has no items");
}
