//! Any change to what was written is refused, and nothing is written by refusing.

use super::*;
use crate::engine::journal::frame::{self, Hash};
use crate::engine::journal::sim::Faults;
use crate::engine::journal::verify::verify_in;
use crate::engine::journal::{BATCH_BYTES, Head};

/// Opening fails, touches nothing, and says where.
fn assert_refused(fs: &SimFs, bytes: &[u8], what: &str) -> JournalError {
    let fs = fs.copy();
    fs.put(SEGMENT, bytes);
    let before = contents(&fs);
    let Err(e) = try_open(&fs) else {
        panic!("opened although {what}")
    };
    assert_eq!((fs.counts().changes, contents(&fs)), (0, before), "{what}");
    assert!(verify_in(files(&fs)).is_err(), "{what}");
    e
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

#[tokio::test]
async fn any_flipped_bit_or_byte_before_the_last_record_is_refused() {
    let fs = notes(4).await;
    let whole = fs.bytes(SEGMENT);
    let tail = whole.len() - lines(&whole)[3].len();
    for at in 0..tail {
        for mask in [
            1,
            2,
            4,
            8,
            16,
            32,
            64,
            128,
            0x2a,
            0xff,
            whole[at],
            whole[at] ^ b'\n',
        ] {
            if mask != 0 {
                let mut bytes = whole.clone();
                bytes[at] ^= mask;
                assert_refused(&fs, &bytes, &format!("byte {at} was changed by {mask:#x}"));
            }
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_any_record_of_a_shared_write_but_its_last_is_refused() {
    let fs = fresh();
    opened(&fs)
        .0
        .journal
        .append_all(&[note(0), note(1), note(2), note(3)], UtcMs(0))
        .await
        .unwrap();
    let whole = fs.bytes(SEGMENT);
    let tail = whole.len() - lines(&whole)[3].len();
    for at in 0..tail {
        for mask in [1_u8, 2, 4, 8, 16, 32, 64, 128, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            // A byte that became NUL in the last write looks like one that never reached the disk.
            if bytes[at] != 0 {
                assert_refused(&fs, &bytes, &format!("byte {at} was changed by {mask:#x}"));
            }
        }
    }
}

#[tokio::test]
async fn deleted_doubled_swapped_and_foreign_records_are_refused() {
    let fs = notes(5).await;
    let other = lines(&{
        let fs = fresh();
        append_each(&opened(&fs).0.journal, &(10..15).map(note).collect::<Vec<_>>())
            .await
            .unwrap();
        fs.bytes(SEGMENT)
    });
    let good = lines(&fs.bytes(SEGMENT));
    let try_lines = |changed: Vec<Vec<u8>>, what: String| assert_refused(&fs, &changed.concat(), &what);
    for i in 0..5 {
        let mut doubled = good.clone();
        doubled.insert(i, good[i].clone());
        try_lines(doubled, format!("line {i} is doubled"));
        for (k, foreign) in other.iter().enumerate() {
            let mut inserted = good.clone();
            inserted.insert(i, foreign.clone());
            try_lines(inserted, format!("foreign {k} inserted before {i}"));
            let mut replaced = good.clone();
            replaced[i].clone_from(foreign);
            if i > 0 || k > 0 {
                try_lines(replaced, format!("line {i} replaced by foreign {k}"));
            }
        }
        for k in 0..i {
            let mut swapped = good.clone();
            swapped.swap(i, k);
            try_lines(swapped, format!("lines {i} and {k} are swapped"));
        }
        if i < 4 {
            let mut deleted = good.clone();
            deleted.remove(i);
            try_lines(deleted, format!("line {i} is deleted"));
        }
    }
}

#[tokio::test]
async fn any_deleted_or_inserted_byte_before_the_last_record_is_refused() {
    let fs = notes(3).await;
    let whole = fs.bytes(SEGMENT);
    let tail = whole.len() - lines(&whole)[2].len();
    for at in 0..tail {
        let mut bytes = whole.clone();
        bytes.remove(at);
        assert_refused(&fs, &bytes, &format!("byte {at} is missing"));
        for byte in [b'\n', 0, b'x'] {
            let mut bytes = whole.clone();
            bytes.insert(at, byte);
            assert_refused(&fs, &bytes, &format!("{byte:#x} was inserted at {at}"));
        }
    }
}

#[tokio::test]
async fn the_refusal_names_file_line_byte_and_what_is_wrong() {
    let fs = notes(3).await;
    let whole = fs.bytes(SEGMENT);
    let mut bytes = whole.clone();
    let second = lines(&whole)[0].len();
    bytes[second + 40] ^= 1;
    let e = assert_refused(&fs, &bytes, "flipped").to_string();
    assert!(
        e.starts_with(&format!(
            "sim/{SEGMENT} line 2 (byte {second}): record 2 is damaged"
        )),
        "{e}"
    );
}

#[tokio::test]
async fn an_old_record_behind_missing_bytes_is_refused() {
    let fs = notes(3).await;
    let mut bytes = fs.bytes(SEGMENT);
    let last = bytes.len() - 9;
    bytes[last] = 0;
    let first = lines(&bytes)[0].clone();
    bytes.extend(first);
    let e = assert_refused(&fs, &bytes, "record 1 stands behind a torn record 3");
    assert!(
        e.to_string()
            .contains("record 3 is damaged while record 1, of another write, is whole"),
        "{e}"
    );
}

#[tokio::test]
async fn a_record_that_claims_a_larger_write_than_there_is_is_refused() {
    let fs = notes(70).await;
    let bytes = fs.bytes(SEGMENT);
    let last = lines(&bytes).pop().unwrap();
    let text = String::from_utf8(last[9..last.len() - 1].to_vec()).unwrap();
    let start = &bytes[..bytes.len() - last.len()];
    for (batch, is_fine) in [(7, true), (6, false), (71, false)] {
        let line = sealed(&text.replace(",\"kind\"", &format!(",\"batch\":{batch},\"kind\"")));
        let bytes = [start, &line].concat();
        if is_fine {
            fs.put(SEGMENT, &bytes);
            assert_eq!(verify_in(files(&fs)).unwrap().records, 70);
        } else {
            assert_refused(&fs, &bytes, "no write is that large");
        }
    }
}

/// A line with a right checksum around this text.
fn sealed(text: &str) -> Vec<u8> {
    format!("{:08x} {text}\n", crc32c::crc32c(text.as_bytes())).into_bytes()
}

#[tokio::test]
async fn a_newer_format_is_refused_by_naming_both_versions() {
    let fs = notes(1).await;
    let newer = [fs.bytes(SEGMENT), sealed("{\"v\":2,\"anything\":true}")].concat();
    let e = assert_refused(&fs, &newer, "newer");
    assert!(matches!(
        e,
        JournalError::NewerFormat {
            line: 2,
            found: 2,
            supported: 1,
            ..
        }
    ));
    assert!(
        e.to_string()
            .contains("format 2, this version of cutover reads up to 1"),
        "{e}"
    );
}

#[tokio::test]
async fn whole_lines_that_are_no_records_are_refused() {
    let fs = notes(1).await;
    let prev = Hash::of(fs.bytes(SEGMENT).trim_ascii_end());
    let end = format!(",\"prev\":\"{prev}\"}}");
    let texts = [
        String::new(),
        "x".into(),
        "{\"v\":".into(),
        format!("{{\"v\":0,\"seq\":2,\"t\":1{end}"),
        format!("{{\"v\":1,\"seq\":,\"t\":1{end}"),
        format!("{{\"v\":1,\"seq\":99999999999999999999,\"t\":1{end}"),
        format!("{{\"v\":1,\"seq\":2,\"t\":-{end}"),
        format!("{{\"v\":1,\"seq\":2{end}"),
        format!("{{\"v\":1,\"seq\":2,\"t\":1,\"batch\":3{end}"),
        format!("{{\"v\":1,\"seq\":200,\"t\":1,\"batch\":3{end}"),
        format!("{{\"v\":1,\"seq\":2,\"t\":1x{end}"),
        format!(
            "{{\"v\":1,\"seq\":2,\"t\":1,\"kind\":\"bare\"{}",
            end.replace("prev", "pref")
        ),
        format!(
            "{{\"v\":1,\"seq\":2,\"t\":1,\"kind\":\"bare\"{}",
            end.replace('}', "]")
        ),
        format!(
            "{{\"v\":1,\"seq\":2,\"t\":1,\"kind\":\"bare\"{}",
            end.to_uppercase().replace("PREV", "prev")
        ),
        format!("{{\"v\":1,\"seq\":2,\"t\":1,\"kind\":{end}"),
        format!(
            "{{\"v\":1,\"seq\":2,\"t\":1,\"kind\":\"note\",\"text\":\"{}\"{end}",
            "x".repeat(300_000)
        ),
    ];
    for text in texts {
        let bytes = [fs.bytes(SEGMENT), sealed(&text)].concat();
        let e = assert_refused(&fs, &bytes, &text[..text.len().min(60)]);
        assert!(matches!(e, JournalError::Defect { line: 2, .. }), "{e}");
    }
}

#[tokio::test]
async fn a_record_of_an_unknown_kind_cannot_be_resumed_from_but_is_whole() {
    let fs = notes(1).await;
    opened(&fs)
        .0
        .journal
        .append(&serde_json::json!({"kind": "unheard of"}), UtcMs(0))
        .await
        .unwrap();
    fs.set_faults(Faults::default());
    let e = try_open(&fs).err().unwrap().to_string();
    assert!(
        e.contains("line 2") && e.contains("record 2 is not one that this version knows"),
        "{e}"
    );
    assert_eq!(fs.counts().changes, 0);
    assert_eq!(verify_in(files(&fs)).unwrap().records, 2);
}

#[tokio::test]
async fn more_rubbish_than_one_write_could_leave_is_refused() {
    let fs = notes(1).await;
    for rubbish in [
        vec![b'x'; BATCH_BYTES * 2],
        vec![0; BATCH_BYTES * 2],
        b"x\n".repeat(BATCH_BYTES),
    ] {
        assert_refused(&fs, &[fs.bytes(SEGMENT), rubbish].concat(), "rubbish");
    }
}

#[tokio::test]
async fn records_behind_a_link_and_links_to_nowhere_are_refused() {
    let fs = notes(1).await;
    let mut bytes = fs.bytes(SEGMENT);
    let head = Head {
        seq: Seq(1),
        sha256: Hash::of(bytes.trim_ascii_end()),
    };
    let head = frame::encode(&mut bytes, &head, 2, UtcMs(0), b"{\"kind\":\"segment_link\"}");
    let e = assert_refused(&fs, &bytes, "the next segment is missing");
    assert!(matches!(e, JournalError::Missing { .. }));
    frame::encode(&mut bytes, &head, 3, UtcMs(0), b"{\"kind\":\"bare\"}");
    fs.put("journal-000002.jsonl", b"");
    let e = assert_refused(&fs, &bytes, "a record stands behind the link");
    assert!(
        e.to_string().contains("line 3") && e.to_string().contains("behind the link"),
        "{e}"
    );
    bytes.truncate(bytes.len() - 5);
    assert_refused(&fs, &bytes, "something torn stands behind the link");
}

#[tokio::test]
async fn a_record_that_continues_the_chain_under_a_wrong_number_is_refused() {
    let fs = notes(1).await;
    let mut bytes = fs.bytes(SEGMENT);
    let head = Head {
        seq: Seq(2),
        sha256: Hash::of(bytes.trim_ascii_end()),
    };
    frame::encode(&mut bytes, &head, 3, UtcMs(0), b"{\"kind\":\"bare\"}");
    let e = assert_refused(&fs, &bytes, "number 2 is missing").to_string();
    assert!(e.contains("record 3 stands where record 2 belongs"), "{e}");
}

#[tokio::test]
async fn a_second_segment_without_a_link_is_refused_even_if_it_looks_good() {
    let fs = notes(2).await;
    let whole = lines(&fs.bytes(SEGMENT));
    fs.put("journal-000002.jsonl", &whole[1]);
    let e = assert_refused(&fs, &whole[0], "no link");
    assert!(
        e.to_string()
            .contains("the link to journal-000002.jsonl is missing"),
        "{e}"
    );
    assert_refused(
        &fs,
        &[whole[0].as_slice(), b"torn"].concat(),
        "torn before the last segment",
    );
}
