//! Parameters: what an endpoint takes, checked as Stripe checks it, and read afterwards without further doubt.

use super::errors::Refusal;
use super::form::Node;

/// Most keys a metadata hash may have, most characters of a key and of a value.
const METADATA_LIMITS: (usize, usize, usize) = (50, 40, 500);

/// Most digits before the point of a decimal: an amount of any currency stays far below.
const WHOLE_DIGITS: usize = 14;

/// What kind of value a parameter takes.
#[derive(Clone, Copy)]
pub(crate) enum Ty {
    /// Text of at most so many characters; the empty string unsets.
    Text(usize),
    /// Text that may not be empty.
    Id,
    /// An integer.
    Int,
    /// `true` or `false`.
    Bool,
    /// One of these words; the empty string only when it is listed.
    Enum(&'static [&'static str]),
    /// A metadata hash, or the empty string to clear it.
    Metadata,
    /// A hash of these; the empty string unsets it.
    Hash(&'static [P]),
    /// A list of hashes of these.
    Hashes(&'static [P]),
    /// A list of hashes of these under names the caller chooses.
    Map(&'static [P]),
    /// A list of texts.
    Texts,
    /// A list of texts; the empty string empties it.
    TextsOrNone,
    /// An integer or this word.
    IntOr(&'static str),
    /// A decimal number of at most so many decimals, not negative.
    Decimal(usize),
    /// What Stripe takes and nothing here simulates: refused loudly, whatever it is.
    Unsimulated,
    /// A time or a hash of `gt`, `gte`, `lt`, `lte`.
    Range,
}

/// One parameter.
#[derive(Clone, Copy)]
pub(crate) struct P {
    name: &'static str,
    ty: Ty,
    required: bool,
}

/// A parameter that may be left out.
pub(crate) const fn opt(name: &'static str, ty: Ty) -> P {
    P {
        name,
        ty,
        required: false,
    }
}

/// A parameter that must be there.
pub(crate) const fn req(name: &'static str, ty: Ty) -> P {
    P {
        name,
        ty,
        required: true,
    }
}

/// An endpoint's parameters: groups, so that common ones are written once.
pub(crate) type Schema = &'static [&'static [P]];

/// `expand[]`, which every endpoint takes.
pub(crate) const EXPAND: &[P] = &[opt("expand", Ty::Texts)];

/// What every list takes.
pub(crate) const PAGE: &[P] = &[
    opt("limit", Ty::Int),
    opt("starting_after", Ty::Id),
    opt("ending_before", Ty::Id),
    opt("expand", Ty::Texts),
];

/// Checks `given` against `schema`: unknown parameters first, then wrong values, then missing ones.
pub(crate) fn check(schema: Schema, given: &Node) -> Result<(), Refusal> {
    let known: Vec<P> = schema.iter().flat_map(|group| group.iter().copied()).collect();
    check_unknown(&known, given, "")?;
    check_level(&known, given, "")
}

fn check_unknown(known: &[P], given: &Node, prefix: &str) -> Result<(), Refusal> {
    for (name, child) in given.children() {
        let full = join(prefix, name);
        let Some(p) = known.iter().find(|p| p.name == name) else {
            let message = format!("Received unknown parameter: {full}");
            return Err(Refusal::invalid_code(&full, "parameter_unknown", message));
        };
        match p.ty {
            Ty::Hash(inner) => check_unknown(inner, child, &full)?,
            Ty::Hashes(inner) | Ty::Map(inner) => {
                for (index, element) in child.children() {
                    check_unknown(inner, element, &join(&full, index))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_level(known: &[P], given: &Node, prefix: &str) -> Result<(), Refusal> {
    for (name, child) in given.children() {
        if let Some(p) = known.iter().find(|p| p.name == name) {
            check_value(p, child, &join(prefix, name))?;
        }
    }
    let absent = known.iter().find(|p| p.required && given.get(p.name).is_none());
    match absent {
        None => Ok(()),
        Some(p) => {
            let full = join(prefix, p.name);
            let message = format!("Missing required param: {full}.");
            Err(Refusal::invalid_code(&full, "parameter_missing", message))
        }
    }
}

fn check_value(p: &P, node: &Node, full: &str) -> Result<(), Refusal> {
    match (p.ty, node) {
        (Ty::Unsimulated, _) => Err(Refusal::unsimulated(full)),
        (Ty::Hash(inner), Node::Branch(_)) => check_level(inner, node, full),
        (Ty::Hashes(inner) | Ty::Map(inner), Node::Branch(elements)) => elements
            .iter()
            .try_for_each(|(index, element)| check_level(inner, element, &join(full, index))),
        (Ty::Metadata, Node::Branch(pairs)) => check_metadata(pairs, full),
        (Ty::Texts | Ty::TextsOrNone, Node::Branch(_)) => Ok(()),
        (Ty::TextsOrNone, Node::Leaf(text)) if text.is_empty() => Ok(()),
        (Ty::Range, Node::Branch(bounds)) => bounds.iter().try_for_each(|(name, bound)| {
            let full = join(full, name);
            if !["gt", "gte", "lt", "lte"].contains(&name.as_str()) {
                let message = format!("Received unknown parameter: {full}");
                return Err(Refusal::invalid_code(&full, "parameter_unknown", message));
            }
            check_int(bound.text().unwrap_or_default(), &full)
        }),
        (Ty::Hash(_) | Ty::Hashes(_) | Ty::Map(_) | Ty::Metadata, Node::Leaf(text))
            if text.is_empty() && !p.required =>
        {
            Ok(())
        }
        (Ty::Hash(_) | Ty::Map(_) | Ty::Metadata, Node::Leaf(_)) => {
            Err(Refusal::invalid(full, format!("Invalid object: {full}")))
        }
        (Ty::Hashes(_) | Ty::Texts | Ty::TextsOrNone, Node::Leaf(_)) => {
            Err(Refusal::invalid(full, "Invalid array".to_owned()))
        }
        (ty, Node::Leaf(text)) => check_scalar(ty, text, p.required, full),
        (_, Node::Branch(_)) => Err(Refusal::invalid(full, format!("Invalid string: {full}"))),
    }
}

fn check_scalar(ty: Ty, text: &str, required: bool, full: &str) -> Result<(), Refusal> {
    let may_be_empty = match ty {
        Ty::Text(_) => !required,
        Ty::Enum(words) => words.contains(&""),
        _ => false,
    };
    if text.is_empty() && !may_be_empty {
        let message = format!(
            "You passed an empty string for '{full}'. We assume empty values are an attempt to unset a parameter; \
             however '{full}' cannot be unset. You should remove '{full}' from your request or supply a non-empty \
             value."
        );
        return Err(Refusal::invalid_code(full, "parameter_invalid_empty", message));
    }
    match ty {
        Ty::Text(max) if text.chars().count() > max => {
            let head: String = text.chars().take(8).collect();
            let message = format!("Invalid string: {head}...; must be at most {max} characters");
            Err(Refusal::invalid(full, message))
        }
        Ty::IntOr(word) if text == word => Ok(()),
        Ty::Int | Ty::IntOr(_) | Ty::Range => check_int(text, full),
        Ty::Decimal(places) => check_decimal(text, places, full),
        Ty::Bool if text != "true" && text != "false" => {
            Err(Refusal::invalid(full, format!("Invalid boolean: {text}")))
        }
        Ty::Enum(words) if !words.contains(&text) => {
            let shown: Vec<_> = words.iter().copied().filter(|w| !w.is_empty()).collect();
            let name = full.rsplit('[').next().unwrap_or(full).trim_end_matches(']');
            let message = format!("Invalid {name}: must be one of {}", one_of(&shown));
            Err(Refusal::invalid(full, message))
        }
        _ => Ok(()),
    }
}

fn check_int(text: &str, full: &str) -> Result<(), Refusal> {
    if text.parse::<i64>().is_ok() {
        return Ok(());
    }
    let message = format!("Invalid integer: {text}");
    Err(Refusal::invalid_code(full, "parameter_invalid_integer", message))
}

fn check_decimal(text: &str, places: usize, full: &str) -> Result<(), Refusal> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(rest) || whole.len() > WHOLE_DIGITS {
        return Err(Refusal::invalid(full, format!("Invalid decimal: {text}")));
    }
    if rest.len() > places {
        let places = match places {
            2 => "two",
            4 => "four",
            _ => "twelve",
        };
        let message = format!("Invalid decimal: {text}; must contain at maximum {places} decimal places.");
        return Err(Refusal::invalid(full, message));
    }
    if whole.starts_with('-') {
        let message = "This value must be greater than or equal to 0.".to_owned();
        return Err(Refusal::invalid_code(full, "parameter_invalid_integer", message));
    }
    Ok(())
}

fn check_metadata(pairs: &[(String, Node)], full: &str) -> Result<(), Refusal> {
    let (most, key_max, value_max) = METADATA_LIMITS;
    if pairs.len() > most {
        let message = format!("You can only set up to {most} metadata keys on an object.");
        return Err(Refusal::invalid(full, message));
    }
    for (key, value) in pairs {
        let param = join(full, key);
        let Some(value) = value.text() else {
            let message =
                "Metadata values must be strings, but for one of the keys you passed a hash.".to_owned();
            return Err(Refusal::invalid(&param, message));
        };
        if key.chars().count() > key_max {
            let message = format!("Metadata keys can have up to {key_max} characters.");
            return Err(Refusal::invalid(&param, message));
        }
        if value.chars().count() > value_max {
            let message = format!("Metadata values can have up to {value_max} characters.");
            return Err(Refusal::invalid(&param, message));
        }
    }
    Ok(())
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}[{name}]")
    }
}

/// `a`, `a or b`, `a, b, or c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [a, b] => format!("{a} or {b}"),
        [head @ .., last] => format!("{}, or {last}", head.join(", ")),
    }
}

/// Parameters that passed [`check`], with readers.
#[derive(Clone, Copy)]
pub(crate) struct Params<'a>(pub(crate) &'a Node);

impl<'a> Params<'a> {
    /// The text of a parameter, also when it is empty.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Node::text)
    }

    /// An integer parameter.
    pub(crate) fn int(self, name: &str) -> Option<i64> {
        self.text(name).and_then(|t| t.parse().ok())
    }

    /// `true` or `false`.
    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        self.text(name).map(|t| t == "true")
    }

    /// The elements of a list of hashes.
    pub(crate) fn hashes(self, name: &str) -> impl Iterator<Item = Params<'a>> {
        let children = self.0.get(name).map(Node::children).unwrap_or_default();
        children.iter().map(|(_, child)| Params(child))
    }

    /// A node, for hashes and lists.
    pub(crate) fn node(self, name: &str) -> Option<&'a Node> {
        self.0.get(name)
    }

    /// Names of what was sent.
    pub(crate) fn names(self) -> Vec<&'a str> {
        self.0.children().iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Readers for a nested hash.
    pub(crate) fn hash(self, name: &str) -> Option<Params<'a>> {
        self.0.get(name).map(Params)
    }

    /// The elements of a list of texts.
    pub(crate) fn texts(self, name: &str) -> Vec<&'a str> {
        let children = self.0.get(name).map(Node::children).unwrap_or_default();
        children.iter().filter_map(|(_, child)| child.text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::form::parse;

    const INNER: &[P] = &[req("currency", Ty::Text(3)), opt("value", Ty::Int)];
    const SCHEMA: Schema = &[
        &[
            req("amount", Ty::Int),
            opt("monetary", Ty::Hash(INNER)),
            opt("metadata", Ty::Metadata),
            opt("mode", Ty::Enum(&["", "a", "b", "c"])),
            opt("created", Ty::Range),
            opt("rate", Ty::Decimal(4)),
            opt("up_to", Ty::IntOr("inf")),
            opt("by", Ty::Map(INNER)),
        ],
        EXPAND,
    ];

    fn refusal(form: &str) -> (Option<&'static str>, String) {
        let refused = check(SCHEMA, &parse(form).unwrap()).unwrap_err();
        (refused.code, refused.message)
    }

    #[test]
    fn refusals_use_the_words_of_the_api() {
        let cases = [
            (
                "x[y]=1",
                Some("parameter_unknown"),
                "Received unknown parameter: x",
            ),
            (
                "monetary[y]=1",
                Some("parameter_unknown"),
                "Received unknown parameter: monetary[y]",
            ),
            (
                "monetary[currency]=usd",
                Some("parameter_missing"),
                "Missing required param: amount.",
            ),
            (
                "amount=1&monetary[value]=1",
                Some("parameter_missing"),
                "Missing required param: monetary[currency].",
            ),
            (
                "amount=1.5",
                Some("parameter_invalid_integer"),
                "Invalid integer: 1.5",
            ),
            ("amount=1&mode=d", None, "Invalid mode: must be one of a, b, or c"),
            (
                "amount=1&created[gtx]=1",
                Some("parameter_unknown"),
                "Received unknown parameter: created[gtx]",
            ),
        ];
        for (form, code, message) in cases {
            assert_eq!(refusal(form), (code, message.to_owned()), "{form}");
        }
        assert_eq!(refusal("amount=").0, Some("parameter_invalid_empty"));
        for (form, says) in [
            (
                "rate=8.79999",
                "Invalid decimal: 8.79999; must contain at maximum four decimal places.",
            ),
            ("rate=1e3", "Invalid decimal: 1e3"),
            ("rate=.5", "Invalid decimal: .5"),
            ("rate=-1", "This value must be greater than or equal to 0."),
            ("up_to=infinite", "Invalid integer: infinite"),
            ("by[usd][x]=1", "Received unknown parameter: by[usd][x]"),
        ] {
            assert_eq!(refusal(&format!("amount=1&{form}")).1, says, "{form}");
        }
    }

    #[test]
    fn an_empty_text_unsets_what_may_be_unset() {
        let form = "amount=-5&metadata=&mode=&expand[]=customer&created[gte]=1&rate=7.25&up_to=inf&by[usd][currency]=eur";
        let form = parse(form).unwrap();
        assert_eq!(check(SCHEMA, &form), Ok(()));
        assert_eq!(Params(&form).int("amount"), Some(-5));
        assert_eq!(Params(&form).texts("expand"), ["customer"]);
    }
}
