//! Ids and every other "random" choice: pure functions of the seed and of what the choice is about, so that the order
//! in which concurrent requests arrive changes nothing.

const ALNUM: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A stable 64-bit hash of `parts`; the boundaries between parts count.
pub(crate) fn mix(parts: &[&[u8]]) -> u64 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in *part {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        state = step(state ^ part.len() as u64);
    }
    step(state)
}

/// One round of splitmix64: neighbouring inputs give unrelated outputs.
pub(crate) const fn step(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// `len` letters and digits drawn from `seed`.
pub(crate) fn alnum(seed: u64, len: usize) -> String {
    let mut state = seed;
    let mut out = String::with_capacity(len);
    for _ in 0..len {
        state = step(state);
        out.push(char::from(ALNUM[usize::try_from(state % 62).unwrap_or(0)]));
    }
    out
}

/// An object id as Stripe shapes most of them: prefix, `1`, and 23 characters with the account's ten in the middle.
pub(crate) fn object(prefix: &str, account: &str, seed: u64) -> String {
    let fragment = &account[account.len().saturating_sub(10)..];
    let random = alnum(seed, 13);
    let (head, tail) = random.split_at(5);
    format!("{prefix}1{head}{fragment}{tail}")
}

/// A customer id: `cus_` and 14 characters, nothing of the account in it.
pub(crate) fn customer(seed: u64) -> String {
    format!("cus_{}", alnum(seed, 14))
}

/// A request id: `req_` and 14 characters.
pub(crate) fn request(token: u64) -> String {
    format!("req_{}", alnum(mix(&[b"request", &token.to_be_bytes()]), 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_between_parts_count() {
        assert_ne!(mix(&[b"ab", b"c"]), mix(&[b"a", b"bc"]));
        assert_ne!(mix(&[b"", b"a"]), mix(&[b"a", b""]));
    }

    #[test]
    fn object_ids_carry_the_last_ten_characters_of_their_account() {
        let id = object("cbtxn_", "acct_1ABCDEFGHIJKLMNO", 7);
        assert_eq!(id.len(), "cbtxn_".len() + 24);
        assert!(id.contains("FGHIJKLMNO"));
    }
}
