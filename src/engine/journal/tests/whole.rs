//! Any records, any damage.

use proptest::prelude::*;

use super::*;

fn rec() -> impl Strategy<Value = Rec> {
    prop_oneof![
        (any::<String>(), any::<i64>()).prop_map(|(effect, amount)| Rec::Intent { effect, amount }),
        any::<String>().prop_map(|text| Rec::Note { text }),
        Just(Rec::Bare),
    ]
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

/// Groups of records, each group one call.
async fn written(groups: &[Vec<Rec>], at: i64) -> SimFs {
    let fs = fresh();
    let (writing, _) = opened(&fs);
    for group in groups {
        writing.journal.append_all(group, UtcMs(at)).await.unwrap();
    }
    fs
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(
        groups in proptest::collection::vec(proptest::collection::vec(rec(), 0..5), 0..8),
        at in any::<i64>(),
    ) {
        let fs = block_on(written(&groups, at));
        let (again, seen) = opened(&fs);
        prop_assert!(again.torn.is_none());
        prop_assert!(seen.iter().all(|entry| entry.meta.at == UtcMs(at)));
        prop_assert!(seen.iter().zip(1..).all(|(entry, n)| entry.meta.seq == Seq(n)));
        prop_assert_eq!(records(seen), groups.concat());
    }

    #[test]
    fn whatever_is_done_to_the_bytes_only_a_beginning_of_the_records_is_ever_shown(
        groups in proptest::collection::vec(proptest::collection::vec(rec(), 1..4), 1..5),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>()), 1..5),
    ) {
        let fs = block_on(written(&groups, 0));
        let mut bytes = fs.bytes(SEGMENT);
        for (at, how, byte) in changes {
            let at = at.index(bytes.len() + 1).min(bytes.len().saturating_sub(1));
            match how {
                _ if bytes.is_empty() => {}
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        fs.put(SEGMENT, &bytes);
        if let Ok((_, seen)) = try_open(&fs) {
            prop_assert!(groups.concat().starts_with(&records(seen)));
        }
    }
}
