//! The steps of a night at the keyboard, and what the accounts have to say about it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::support::{Desk, World, until};
use super::terminal::{Size, Terminal};

/// The size most people have, and the smallest that is served.
pub(crate) const LARGE: Size = (120, 40);
pub(crate) const SMALLEST: Size = (80, 24);
/// The small world, answering slowly enough that a key or a signal comes while it is written to.
const SLOW: &str = "--scenario small --seed 7 --latency-ms 400";
/// The line above the field for the phrase.
const ASKS: &str = "Type the writes and the end of each account:";

/// `run` on the accounts of a world.
pub(crate) fn run(desk: &Desk) -> Terminal {
    Terminal::start(&desk.command("run --config cutover.toml --run night"), LARGE)
}

impl Terminal {
    /// Reads both accounts, for credits.
    pub(crate) fn scan(&mut self) {
        self.wait_for("r scan");
        self.press("3");
        self.wait_for("every moving customer's ledger");
        self.press("r");
        // Rows come while reading goes on; a plan has been made of them when the stage is in review.
        self.wait_for("REVIEW   plan ");
    }

    /// Shows what is blocked, and leaves all of it out, shape by shape, in the review. Returns how many rows those were.
    pub(crate) fn leave_out_blocked(&mut self) -> u32 {
        self.wait_for("BLOCKED");
        self.press("/verdict:blocked\r");
        self.wait_for("filter: verdict:blocked");
        self.press("\r");
        self.wait_for("Your call");
        let all = undecided(&self.text()).unwrap();
        while let Some(before) = undecided(&self.text()) {
            self.press("S");
            self.wait_for("of the same shape as this one");
            self.press("x");
            self.wait_for("Enter decides \"leave_out\"");
            self.press("\r");
            self.wait("fewer rows to decide", |screen| {
                let text = screen.contents();
                !text.contains("same shape as this one")
                    && (text.contains("all decided") || undecided(&text).is_some_and(|now| now < before))
            });
        }
        all
    }

    /// Opens the approval dialog and waits out its first second. Returns the phrase that it asks for.
    pub(crate) fn ask_for_approval(&mut self) -> String {
        self.press("a");
        self.phrase_asked_for("APPROVE WRITES")
    }

    /// Waits out the first second of the dialog with that title. Returns the phrase that it asks for.
    pub(crate) fn phrase_asked_for(&mut self, title: &str) -> String {
        self.wait_for(title);
        self.wait_for("off: phrase");
        let text = self.text();
        let (_, after) = text.split_once(ASKS).unwrap();
        // What lies under the dialog goes on beside it.
        let line = after.lines().next().unwrap();
        let line = line.split(['┃', '|']).next().unwrap();
        line.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
    }

    /// Types the phrase, so that nothing but Enter is missing.
    pub(crate) fn type_phrase(&mut self, phrase: &str) {
        self.press(phrase);
        self.wait("nothing against approving", |screen| {
            approve_line(screen).is_some_and(|line| !line.contains("off:"))
        });
    }

    /// From the first screen to the approval, given.
    pub(crate) fn approve_everything(&mut self) {
        self.scan();
        self.leave_out_blocked();
        let phrase = self.ask_for_approval();
        self.type_phrase(&phrase);
        self.press("\r");
        self.wait_gone("APPROVE WRITES");
    }

    /// Waits for the end of the audit.
    pub(crate) fn wait_done(&mut self) {
        self.wait_for("0 differ");
        self.wait("the stage is done", |screen| {
            screen
                .contents()
                .lines()
                .any(|line| line.contains("3 Credits") && line.contains("DONE"))
        });
    }

    /// `q`, Enter, and the end of the program with this code.
    pub(crate) fn leave(&mut self, code: u32) {
        self.press("q");
        self.wait_for("Leave?");
        self.press("\r");
        assert_eq!(self.ended().exit_code(), code, "{}", self.text());
    }

    /// Waits until the clock on the screen shows another second, `times` times.
    pub(crate) fn let_pass(&mut self, seconds: usize) {
        for _ in 0..seconds {
            let before = clock(&self.text());
            self.wait("the clock goes on", |screen| {
                let now = clock(&screen.contents());
                !now.is_empty() && now != before
            });
        }
    }
}

/// The number in front of "to decide" above the list of the review.
fn undecided(text: &str) -> Option<u32> {
    let mut before = text.match_indices(" to decide ").map(|(at, _)| &text[..at]);
    before.find_map(|text| text.rsplit(' ').next()?.parse().ok())
}

fn approve_line(screen: &vt100::Screen) -> Option<String> {
    let text = screen.contents();
    text.lines()
        .find(|line| line.contains("Enter  Approve ]"))
        .map(str::to_owned)
}

fn clock(text: &str) -> String {
    let at = text.find(" UTC").unwrap_or_default();
    text[..at].rsplit(' ').next().unwrap_or_default().to_owned()
}

/// Ledger sums by customer and currency, positive is owed.
type Sums = BTreeMap<(String, String), i64>;

/// Both accounts before a night.
pub(crate) struct Before {
    roles: BTreeMap<String, String>,
    source: Sums,
}

impl Before {
    /// Looks; nothing must be on the new account yet.
    pub(crate) fn of(world: &World) -> Self {
        let look = world.look();
        let customers = look["source"]["customers"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let roles = customers.map(|c| (text(&c["id"]), text(&c["role"]))).collect();
        assert!(sums(&look["destination"]).is_empty());
        Self {
            roles,
            source: sums(&look["source"]),
        }
    }

    /// Whoever moves has on the new account what was on the old one, to the cent, and nothing there any more; nobody
    /// else was touched; nothing was done twice.
    pub(crate) fn has_moved(&self, world: &World) {
        let state = world.end_state();
        let look = world.look();
        let (source, destination) = (sums(&look["source"]), sums(&look["destination"]));
        let mut moved = 0;
        for (key, before) in &self.source {
            let now = source.get(key).copied().unwrap_or_default();
            let new = destination.get(key).copied().unwrap_or_default();
            if self.roles[&key.0] == "mover" {
                assert_eq!((now, new), (0, *before), "{key:?}");
                moved += usize::from(*before != 0);
            } else {
                assert_eq!((now, new), (*before, 0), "{key:?}");
            }
        }
        assert!(destination.keys().all(|key| self.source.contains_key(key)));
        assert!(moved > 5);
        assert_eq!(state.marked(), 2 * moved);
    }
}

fn sums(side: &Value) -> Sums {
    let customers = side["customers"].as_array().unwrap().iter();
    let ledgers = customers.flat_map(|customer| {
        let ledger = customer["ledger"].as_object().unwrap().iter();
        let id = customer["id"].as_str().unwrap();
        ledger.map(move |(currency, sum)| ((id.to_owned(), currency.clone()), sum.as_i64().unwrap()))
    });
    ledgers.collect()
}

/// A night in which writes are on their way, and go on to be for seconds.
pub(crate) struct Writing {
    pub(crate) world: World,
    pub(crate) desk: Desk,
    pub(crate) before: Before,
    pub(crate) terminal: Terminal,
}

impl Writing {
    /// From the first screen to the first write that arrives.
    pub(crate) fn begin() -> Self {
        let world = World::new(SLOW);
        let desk = Desk::at(&world);
        // However late a key or a signal comes, there is something left to write.
        desk.configure("[destination]\n", "[destination]\nmax_in_flight = 2\n");
        let before = Before::of(&world);
        let mut terminal = run(&desk);
        terminal.approve_everything();
        until("a write arrives", || world.writes() > 0);
        Self {
            world,
            desk,
            before,
            terminal,
        }
    }
}

/// Records of one kind.
pub(crate) fn records(desk: &Desk, kind: &str) -> usize {
    let journal = desk.journal("night");
    journal.iter().filter(|record| record["kind"] == kind).count()
}
