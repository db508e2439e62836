//! Decoding of Stripe's nested form encoding: `a=1`, `a[b]=1`, `a[]=1`, `a[0][b]=1`.

use std::fmt::Write as _;

/// Deepest nesting read; Stripe's own parameters stay well below.
const MAX_DEPTH: usize = 8;

/// A parameter tree. A list is a branch whose names are indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A value as sent.
    Leaf(String),
    /// Named children in order of arrival.
    Branch(Vec<(String, Node)>),
}

impl Node {
    /// A tree without parameters.
    pub(crate) const fn empty() -> Self {
        Self::Branch(Vec::new())
    }

    /// The child of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Leaf(_) => None,
            Self::Branch(children) => children.iter().find(|(n, _)| n == name).map(|(_, c)| c),
        }
    }

    /// Children in order; none for a leaf.
    pub(crate) fn children(&self) -> &[(String, Self)] {
        match self {
            Self::Leaf(_) => &[],
            Self::Branch(children) => children,
        }
    }

    /// The value, when this is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Leaf(text) => Some(text),
            Self::Branch(_) => None,
        }
    }

    /// The same tree always gives the same text, whatever the order of arrival: what an idempotency key is bound to.
    pub(crate) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Leaf(text) => {
                let _ = write!(out, "{text:?}");
            }
            Self::Branch(children) => {
                let mut sorted: Vec<_> = children.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                out.push('{');
                for (name, child) in sorted {
                    let _ = write!(out, "{name:?}:");
                    child.write_canonical(out);
                    out.push(',');
                }
                out.push('}');
            }
        }
    }
}

/// Decodes a query or body. The error names the offending pair.
pub(crate) fn parse(encoded: &str) -> Result<Node, String> {
    let mut root = Node::empty();
    for pair in encoded.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decode(name), decode(value)) else {
            return Err(format!("Invalid encoding in parameter: {pair}"));
        };
        let path = split_name(&name).ok_or_else(|| format!("Invalid parameter name: {name}"))?;
        insert(&mut root, &path, value);
    }
    Ok(root)
}

/// `a[b][]` as `["a", "b", ""]`.
fn split_name(name: &str) -> Option<Vec<&str>> {
    let Some((head, mut rest)) = name.split_once('[') else {
        return Some(vec![name]);
    };
    let mut path = vec![head];
    loop {
        let (inside, after) = rest.split_once(']')?;
        path.push(inside);
        if path.len() > MAX_DEPTH {
            return None;
        }
        match after.strip_prefix('[') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(path),
            None => return None,
        }
    }
}

fn insert(node: &mut Node, path: &[&str], value: String) {
    let Some((first, rest)) = path.split_first() else {
        *node = Node::Leaf(value);
        return;
    };
    if matches!(node, Node::Leaf(_)) {
        *node = Node::empty();
    }
    let Node::Branch(children) = node else { return };
    let name = if first.is_empty() {
        next_index(children, rest)
    } else {
        (*first).to_owned()
    };
    if !children.iter().any(|(n, _)| *n == name) {
        children.push((name.clone(), Node::empty()));
    }
    if let Some((_, child)) = children.iter_mut().find(|(n, _)| *n == name) {
        insert(child, rest, value);
    }
}

/// Where `a[]…` goes: a hash is added to until one of its names comes again, anything else is a new element.
fn next_index(children: &[(String, Node)], rest: &[&str]) -> String {
    let open = children.last().filter(|(_, last)| match rest.first() {
        Some(name) => last.get(name).is_none() && matches!(last, Node::Branch(_)),
        None => false,
    });
    match open {
        Some((name, _)) => name.clone(),
        None => children.len().to_string(),
    }
}

/// Percent-decoding with `+` as a space; `None` when it is malformed or not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => out.push(hex(bytes.next()?)? << 4 | hex(bytes.next()?)?),
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
        path.iter().try_fold(node, |n, p| n.get(p)).and_then(Node::text)
    }

    #[test]
    fn every_way_of_nesting_is_read() {
        let tree = parse("a=1&b[c]=2&d[]=3&d[]=4&e[0][f]=5&e[1][f]=6&g[h][i]=7&m%5Bx+y%5D=a%26b").unwrap();
        for (path, want) in [
            (&["a"][..], "1"),
            (&["b", "c"], "2"),
            (&["d", "0"], "3"),
            (&["d", "1"], "4"),
            (&["e", "0", "f"], "5"),
            (&["e", "1", "f"], "6"),
            (&["g", "h", "i"], "7"),
            (&["m", "x y"], "a&b"),
        ] {
            assert_eq!(at(&tree, path), Some(want), "{path:?}");
        }
    }

    #[test]
    fn unnumbered_hashes_begin_anew_when_a_name_comes_again() {
        let tree = parse("i[][p]=1&i[][q]=2&i[][p]=3").unwrap();
        assert_eq!(at(&tree, &["i", "0", "q"]), Some("2"));
        assert_eq!(at(&tree, &["i", "1", "p"]), Some("3"));
    }

    #[test]
    fn order_of_arrival_does_not_change_what_a_key_is_bound_to() {
        let one = parse("a=1&b[c]=2&b[d]=3").unwrap();
        let two = parse("b[d]=3&a=1&b[c]=2").unwrap();
        assert_eq!(one.canonical(), two.canonical());
        assert_ne!(one.canonical(), parse("a=1&b[c]=2").unwrap().canonical());
    }

    #[test]
    fn malformed_encoding_is_refused() {
        assert!(parse("a=%zz").is_err());
        assert!(parse("a=%ff").is_err());
        assert!(parse("a[b=1").is_err());
        assert!(parse("a[b]c=1").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_input_panics(text in ".{0,200}") {
            let _ = parse(&text);
        }
    }
}
