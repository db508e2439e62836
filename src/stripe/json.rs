//! Looking at JSON before it is parsed: depth, and nothing but depth. PURE.

/// Deepest nesting of objects and arrays that is parsed; Stripe's answers with four levels of `expand` stay below 20.
pub const MAX_DEPTH: usize = 64;

/// Whether `body` nests deeper than [`MAX_DEPTH`]. Brackets inside strings do not count. Malformed text may give either
/// answer; the parser then refuses it.
#[must_use]
pub fn is_too_deep(body: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = body.get(at) {
        at += 1;
        match byte {
            b'"' => at = string_end(body, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// The index behind the quote that ends the string starting at `at`.
fn string_end(body: &[u8], mut at: usize) -> usize {
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some(found) = rest.iter().position(|b| *b == b'"' || *b == b'\\') else {
            return body.len();
        };
        if rest.get(found) == Some(&b'"') {
            return at + found + 1;
        }
        at += found + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_limit_is_exact_for_objects_and_arrays() {
        let nested = |n: usize| format!("{}{}", "[{\"a\":".repeat(n / 2), "1");
        assert!(!is_too_deep(nested(MAX_DEPTH).as_bytes()));
        assert!(is_too_deep(nested(MAX_DEPTH + 2).as_bytes()));
    }

    #[test]
    fn brackets_in_strings_do_not_count_even_behind_escaped_quotes() {
        let text = format!(r#"{{"a":"\\\"{}","b":"{}\\"}}"#, "[".repeat(100), "{".repeat(100));
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert!(!is_too_deep(text.as_bytes()));
    }

    #[test]
    fn siblings_do_not_add_up() {
        let flat = format!("[{}[]]", "[],{},".repeat(1000));
        assert!(!is_too_deep(flat.as_bytes()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_failing(body: Vec<u8>) {
            let _ = is_too_deep(&body);
        }
    }
}
