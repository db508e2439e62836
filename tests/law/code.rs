//! Rust text reduced to what the law is about: words and signs outside comments, strings and test code, with lines.

/// A word or a sign of the code, with its line from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// The tokens of `text`, without comments, string contents and items behind `#[cfg(test)]`.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    without_tests(split(&blanked(text)))
}

/// `text` with comments and the contents of strings and characters replaced by blanks; lines stay.
fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = blank_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that begins at `at` ends; `at` itself when none begins there.
fn blank_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied().unwrap_or(' ');
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next == '/' => find(chars, at, "\n"),
        '/' if next == '*' => block_end(chars, at),
        '"' => quoted_end(chars, at + 1),
        'r' if !in_word || (at > 0 && chars[at - 1] == 'b') => raw_end(chars, at),
        '\'' if next == '\\' => find(chars, at + 3, "'") + 1,
        '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn find(chars: &[char], from: usize, wanted: &str) -> usize {
    let wanted: Vec<char> = wanted.chars().collect();
    (from..chars.len())
        .find(|at| chars[*at..].starts_with(&wanted))
        .unwrap_or(chars.len())
}

fn block_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (1, at + 2);
    while depth > 0 && at < chars.len() {
        if chars[at..].starts_with(&['/', '*']) {
            (depth, at) = (depth + 1, at + 2);
        } else if chars[at..].starts_with(&['*', '/']) {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += 1;
        }
    }
    at
}

fn quoted_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    (find(chars, at + 2 + hashes, &close) + close.len()).min(chars.len())
}

fn split(code: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for (at, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            let length = if word > 0 {
                word
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token {
                text: rest[..length].to_owned(),
                line: at + 1,
            });
            rest = rest[length..].trim_start();
        }
    }
    found
}

const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

fn begins_test(tokens: &[Token]) -> bool {
    tokens
        .iter()
        .take(CFG_TEST.len())
        .map(|token| token.text.as_str())
        .eq(CFG_TEST)
}

/// The modules in other files that are declared behind `#[cfg(test)]`.
pub(super) fn test_modules(text: &str) -> Vec<String> {
    let tokens = split(&blanked(text));
    let declared = |at: usize| {
        let item = &tokens[at + CFG_TEST.len()..item_end(&tokens, at + CFG_TEST.len())];
        match item {
            [.., word, name, end] if word.text == "mod" && end.text == ";" => Some(name.text.clone()),
            _ => None,
        }
    };
    (0..tokens.len())
        .filter(|at| begins_test(&tokens[*at..]))
        .filter_map(declared)
        .collect()
}

/// Takes out every item behind `#[cfg(test)]`, other attributes of the item included.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if begins_test(&tokens[at..]) {
            at = item_end(&tokens, at + CFG_TEST.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Where the item ends that begins at `at`: behind its `;`, or behind its outermost braces.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < tokens.len() {
        let text = tokens[at].text.as_str();
        at += 1;
        match text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && text == "}" {
                    return at;
                }
            }
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    at
}

/// Every path in the code that begins at `crate` or climbs by `super`, in full from the crate's root, with its line.
/// `module` is the file's own module.
pub(super) fn paths(tokens: &[Token], module: &[String]) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let inside = at > 0 && tokens[at - 1].text == "::";
        let mut base: Option<Vec<String>> = match tokens[at].text.as_str() {
            "crate" if !inside => Some(Vec::new()),
            "super" if !inside => Some(module[..module.len().saturating_sub(1)].to_vec()),
            _ => None,
        };
        at += 1;
        while let Some(path) = &mut base
            && is(tokens, at, "::")
            && is(tokens, at + 1, "super")
        {
            path.pop();
            at += 2;
        }
        if let Some(path) = base {
            let line = tokens[at - 1].line;
            at = walk(tokens, at, &path, line, &mut found);
        }
    }
    found
}

fn is(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.text == text)
}

/// Follows `::a::{b, c::d}` from `at`; returns where it ends.
fn walk(
    tokens: &[Token],
    mut at: usize,
    base: &[String],
    line: usize,
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut path = base.to_vec();
    while is(tokens, at, "::") {
        match tokens.get(at + 1) {
            Some(next) if next.text == "{" => return group(tokens, at + 2, &path, found),
            Some(next) if is_word(&next.text) => path.push(next.text.clone()),
            _ => break,
        }
        at += 2;
    }
    if path.len() > base.len() || !base.is_empty() {
        found.push((path, line));
    }
    at
}

fn group(tokens: &[Token], mut at: usize, base: &[String], found: &mut Vec<(Vec<String>, usize)>) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "}" => return at + 1,
            "," => at += 1,
            word if is_word(word) => {
                let path: Vec<String> = base.iter().cloned().chain([word.to_owned()]).collect();
                at = walk(tokens, at + 1, &path, token.line, found);
            }
            _ => at += 1,
        }
    }
    at
}

fn is_word(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// The lines on which `words` (such as `std::fs`, split into its parts and signs) stands.
pub(super) fn mentions(tokens: &[Token], words: &str) -> Vec<usize> {
    let wanted = split(words);
    let same = |window: &&[Token]| window.iter().zip(&wanted).all(|(a, b)| a.text == b.text);
    tokens
        .windows(wanted.len().max(1))
        .filter(same)
        .map(|window| window[0].line)
        .collect()
}
