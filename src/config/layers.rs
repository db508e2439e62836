//! Flag over environment over file over default: every setting's value, and where it came from.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::error::{ConfigError, Origin};
use super::keytext::{find_key, holds_key};
use super::settings::{
    Kind, Need, SETTINGS, Setting, VARIABLE_PREFIX, is_section, nearest, section_of_variable, setting,
    variable_of,
};
use crate::domain::text::safe;

/// Values by setting, each with its origin. Every required setting and every default is in it.
pub(super) type Layers = BTreeMap<&'static str, (Value, Origin)>;

/// Puts the layers on top of each other. `text` is the file's content, `variables` the process's environment.
pub(super) fn layers(
    path: &Path,
    text: &str,
    variables: &[(String, String)],
    flags: &[String],
) -> Result<Layers, ConfigError> {
    let mut all = defaults();
    all.extend(from_file(path, text)?);
    all.extend(from_variables(variables)?);
    all.extend(from_flags(flags)?);
    let missing = |setting: &&Setting| setting.need == Need::Required && !all.contains_key(setting.path);
    let settings: Vec<_> = SETTINGS
        .iter()
        .filter(missing)
        .map(|setting| setting.path)
        .collect();
    if settings.is_empty() {
        Ok(all)
    } else {
        Err(ConfigError::Missing {
            path: path.to_owned(),
            settings,
        })
    }
}

fn defaults() -> Layers {
    let given = SETTINGS.iter().filter_map(|setting| match setting.need {
        Need::Default(text) => Some((setting.path, (value_of(text)?, Origin::Default))),
        Need::Required | Need::Optional => None,
    });
    given.collect()
}

/// The value that `text` is in TOML.
fn value_of(text: &str) -> Option<Value> {
    toml::from_str::<Table>(&format!("value = {text}"))
        .ok()
        .filter(|table| table.len() == 1)?
        .remove("value")
}

fn from_file(path: &Path, text: &str) -> Result<Layers, ConfigError> {
    let at = |offset: usize| place(path, text, offset);
    if let Some(key) = find_key(text) {
        return Err(ConfigError::KeyInText { at: at(key.start) });
    }
    let syntax = |error: &toml::de::Error| ConfigError::Syntax {
        at: at(error.span().map_or(0, |span| span.start)),
        why: safe(error.message()).to_string(),
    };
    let spans = DeTable::parse(text).map_err(|error| syntax(&error))?;
    let values: Table = toml::from_str(text).map_err(|error| syntax(&error))?;
    let mut found = Layers::new();
    walk("", spans.get_ref(), &values, &at, &mut found)?;
    Ok(found)
}

fn walk(
    section: &str,
    spans: &DeTable<'_>,
    values: &Table,
    at: &impl Fn(usize) -> Origin,
    found: &mut Layers,
) -> Result<(), ConfigError> {
    for (key, span) in spans {
        let name = key.get_ref().as_ref();
        let path = if section.is_empty() {
            name.to_owned()
        } else {
            format!("{section}.{name}")
        };
        let value = values.get(name);
        match (setting(&path), span.get_ref(), value) {
            (Some(setting), _, Some(value)) => {
                let origin = at(key.span().start);
                found.insert(setting.path, (checked(setting, value.clone(), &origin)?, origin));
            }
            (None, DeValue::Table(inner), Some(Value::Table(values))) if is_section(&path) => {
                walk(&path, inner, values, at, found)?;
            }
            _ => return Err(unknown(at(start_of(key)), &path)),
        }
    }
    Ok(())
}

fn start_of<T>(key: &Spanned<T>) -> usize {
    key.span().start
}

fn unknown(at: Origin, path: &str) -> ConfigError {
    ConfigError::Unknown {
        at,
        name: safe(path).to_string(),
        nearest: nearest(path).map(str::to_owned),
    }
}

/// Line and column, from 1, of a byte offset.
fn place(path: &Path, text: &str, offset: usize) -> Origin {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Origin::File {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

fn from_variables(variables: &[(String, String)]) -> Result<Layers, ConfigError> {
    let mut found = Layers::new();
    for (name, text) in variables {
        let Some(suffix) = name.strip_prefix(VARIABLE_PREFIX) else {
            continue;
        };
        let by_name = |setting: &&Setting| variable_of(setting.path) == *name;
        let origin = Origin::Variable(name.clone());
        match SETTINGS.iter().find(by_name) {
            Some(setting) if setting.kind == Kind::Key => {}
            Some(setting) => {
                found.insert(setting.path, (from_text(setting, text, &origin)?, origin));
            }
            None => {
                // A name that is meant for no section is somebody else's.
                if let Some((section, rest)) = section_of_variable(suffix) {
                    return Err(unknown_variable(origin, &format!("{section}.{rest}")));
                }
            }
        }
    }
    Ok(found)
}

fn unknown_variable(at: Origin, path: &str) -> ConfigError {
    ConfigError::Unknown {
        at,
        nearest: nearest(path).map(variable_of),
        name: path.to_owned(),
    }
}

fn from_flags(flags: &[String]) -> Result<Layers, ConfigError> {
    let mut found = Layers::new();
    for flag in flags {
        let (path, text) = flag.split_once('=').unwrap_or((flag, ""));
        if holds_key(flag) {
            return Err(ConfigError::KeyInText { at: Origin::Flag });
        }
        let path = path.trim();
        let setting = setting(path).ok_or_else(|| unknown(Origin::Flag, path))?;
        found.insert(
            setting.path,
            (from_text(setting, text, &Origin::Flag)?, Origin::Flag),
        );
    }
    Ok(found)
}

/// A value given as bare text: words need no quotes, lists are `a,b` or TOML.
fn from_text(setting: &'static Setting, text: &str, origin: &Origin) -> Result<Value, ConfigError> {
    if holds_key(text) {
        return Err(ConfigError::KeyInText { at: origin.clone() });
    }
    let value = match setting.kind {
        Kind::Text | Kind::Path | Kind::Word(_) | Kind::Time => Value::String(text.to_owned()),
        Kind::List if !text.trim_start().starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        Kind::Bool | Kind::Int(..) | Kind::List | Kind::Key => {
            value_of(text.trim()).unwrap_or_else(|| Value::String(text.to_owned()))
        }
    };
    checked(setting, value, origin)
}

/// The value, if it is of the setting's kind.
fn checked(setting: &'static Setting, value: Value, at: &Origin) -> Result<Value, ConfigError> {
    let texts = |items: &[Value]| items.iter().all(Value::is_str);
    let fits = match (setting.kind, &value) {
        (Kind::Text | Kind::Path, Value::String(text)) => !text.trim().is_empty(),
        (Kind::Word(words), Value::String(text)) => words.contains(&text.as_str()),
        (Kind::Bool, Value::Boolean(_)) | (Kind::Key, Value::Table(_)) => true,
        (Kind::Int(least, most), Value::Integer(number)) => (least..=most).contains(number),
        (Kind::List, Value::Array(items)) => texts(items),
        (Kind::Time, value) => instant(value).is_some(),
        _ => false,
    };
    if fits {
        return Ok(value);
    }
    Err(ConfigError::Wrong {
        at: at.clone(),
        setting: setting.path,
        why: wanted(setting.kind),
    })
}

/// The instant that a value is, in milliseconds since the epoch.
pub(super) fn instant(value: &Value) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Datetime(time) => time.to_string(),
        _ => return None,
    };
    // RFC 3339 has an offset: a local time would be another instant on another machine.
    let time = chrono::DateTime::parse_from_rfc3339(&text).ok()?;
    Some(time.timestamp_millis())
}

fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Text => "must be a text that is not empty".to_owned(),
        Kind::Path => "must be a path, as a text".to_owned(),
        Kind::Word(words) => format!("must be one of: {}", words.join(", ")),
        Kind::Bool => "must be true or false".to_owned(),
        Kind::Int(least, i64::MAX) => format!("must be a whole number of at least {least}"),
        Kind::Int(least, most) => format!("must be a whole number from {least} to {most}"),
        Kind::List => "must be a list of texts, such as [\"us\"]".to_owned(),
        Kind::Time => {
            "must be a time with its offset from UTC (RFC 3339), such as 2026-09-30T22:15:00Z".to_owned()
        }
        Kind::Key => {
            "must say where the secret is, not what it is: { env = \"NAME\" }, { file = \"PATH\" } or { command = \
             [\"…\"] }"
                .to_owned()
        }
    }
}
