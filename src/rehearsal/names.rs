//! Names and addresses of the people in a world, some of them hostile: what is in a name must never reach a terminal,
//! a spreadsheet or a log as more than text.

use super::dice::Dice;
use super::world::Customer;

const FIRST: [&str; 24] = [
    "Ada", "Ben", "Carla", "Dmitri", "Elena", "Farah", "Grace", "Hiro", "Ines", "Jonas", "Kofi", "Lena",
    "Mateo", "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Sven", "Tala", "Uma", "Viktor", "Wei", "Zoë",
];
const LAST: [&str; 24] = [
    "Abbott", "Baker", "Castillo", "Diaz", "Evans", "Fischer", "García", "Hughes", "Ito", "Jensen", "Khan",
    "Lopez", "Müller", "Nguyen", "O'Neill", "Park", "Quist", "Rossi", "Singh", "Tanaka", "Usman", "Vega",
    "Wood", "Young",
];
/// Escape sequences, clipboard and title writes, bidirectional and zero-width marks, C1 controls, formulas, markup.
pub(crate) const HOSTILE: [&str; 14] = [
    "\u{1b}[2J\u{1b}[31mPWNED\u{1b}[0m",
    "\u{1b}]52;c;cm0gLXJmIH4=\u{7}clip",
    "\u{1b}]0;owned\u{7}Title",
    "Alice \u{202e}gnihton evoM\u{202c}",
    "Zero\u{200b}Width\u{200d}Join\u{feff}er",
    "C1 \u{9b}31m\u{85}next\u{90}dcs",
    "=cmd|'/C calc'!A0",
    "+1+1|cmd",
    "@SUM(A1:A9)",
    "Tab\tNewline\nReturn\rBell\u{7}",
    "\u{2066}isolate\u{2069} مرحبا שלום",
    "👩‍👩‍👧‍👦 e\u{301}\u{323}\u{30a} 漢字かな",
    "<script>alert(1)</script>\"; DROP TABLE customers;--",
    "Backspace\u{8}\u{8}\u{8}\u{7f}\u{0}Null",
];

/// Gives a customer a name and an email address; a few have none.
pub(crate) fn give(customer: &mut Customer, dice: &mut Dice, hostile: Option<u32>) {
    let (first, last) = (dice.pick(&FIRST, "Ada"), dice.pick(&LAST, "Abbott"));
    let number = dice.below(10_000);
    customer.name = match hostile {
        Some(n) => HOSTILE.get(n as usize % HOSTILE.len()).map(|name| (*name).into()),
        None if dice.percent(1) => None,
        None => Some(format!("{first} {last}").into()),
    };
    let ascii = |text: &str| -> String { text.chars().filter(char::is_ascii_alphabetic).collect() };
    let email = format!("{}.{}{number}@example.com", ascii(first), ascii(last)).to_lowercase();
    customer.email = (!dice.percent(1)).then(|| email.into());
}
