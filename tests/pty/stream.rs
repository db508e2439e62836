//! The bytes a program sends to its terminal, taken apart: text, and sequences that a terminal obeys.

/// Text and sequences of a stream, in order of each.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// What is drawn, and every control character that is not part of a sequence.
    pub(crate) text: String,
    /// Control sequences without their `ESC [`.
    pub(crate) csi: Vec<String>,
    /// Operating system commands without their `ESC ]` and their end.
    pub(crate) osc: Vec<String>,
    /// Anything else that begins with an escape.
    pub(crate) other: Vec<String>,
}

impl Stream {
    /// Takes valid UTF-8 apart; a letter or sequence still on its way at the end is left away.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut stream = Self::default();
        let mut rest = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(cut) => {
                assert_eq!(
                    cut.error_len(),
                    None,
                    "no UTF-8 after {} bytes",
                    cut.valid_up_to()
                );
                std::str::from_utf8(&bytes[..cut.valid_up_to()]).unwrap()
            }
        };
        while let Some((text, after)) = rest.split_once('\x1b') {
            stream.text.push_str(text);
            let Some(next) = stream.sequence(after) else {
                return stream;
            };
            rest = next;
        }
        stream.text.push_str(rest);
        stream
    }

    fn sequence<'a>(&mut self, after: &'a str) -> Option<&'a str> {
        if let Some(csi) = after.strip_prefix('[') {
            let end = csi.find(|c| matches!(c, '\x40'..='\x7e'))?;
            self.csi.push(csi[..=end].to_owned());
            return Some(&csi[end + 1..]);
        }
        if let Some(osc) = after.strip_prefix(']') {
            let end = osc.find(['\x07', '\x1b'])?;
            self.osc.push(osc[..end].to_owned());
            let skip = if osc[end..].starts_with('\x07') { 1 } else { 2 };
            return osc.get(end + skip..);
        }
        let end = after.chars().next()?.len_utf8();
        self.other.push(after[..end].to_owned());
        Some(&after[end..])
    }

    /// Sequences that set a colour; those that go back to the terminal's own are none.
    pub(crate) fn colours(&self) -> Vec<&str> {
        let sets = |number: &str| {
            let number = number.parse::<u32>().unwrap_or_default();
            matches!(number, 30..=38 | 40..=48 | 58 | 90..=107)
        };
        let graphic = self.csi.iter().filter_map(|csi| csi.strip_suffix('m'));
        graphic.filter(|csi| csi.split([';', ':']).any(sets)).collect()
    }
}
