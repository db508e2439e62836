//! The application's own database, as a rehearsal has it: an `SQLite` file with one table of subscriptions that name
//! customers and payment methods of the old account.
//!
//! It is seeded from the world, the same for the same seed, and then belongs to whoever works on it. What was seeded is
//! kept to judge the file afterwards: rows of people who stay, and every column but the method's, must be what they were
//! to the byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Row as _, Sqlite};

use super::dice::Dice;
use super::ids;
use super::names;
use super::world::{Account, Customer, Role};

/// The one table.
const TABLE: &str = "CREATE TABLE subscriptions (id INTEGER PRIMARY KEY, customer_id TEXT, payment_method TEXT, \
                     plan TEXT, seats INTEGER, status TEXT, region TEXT, note TEXT)";
const INSERT: &str =
    "INSERT INTO subscriptions (id, customer_id, payment_method, plan, seats, status, region, note) ";
/// Type and bytes of every column, so that nothing an update could do goes unseen.
const LOOK: &str = "SELECT id, \
    typeof(customer_id) || ':' || hex(customer_id), typeof(payment_method) || ':' || hex(payment_method), \
    typeof(plan) || ':' || hex(plan), typeof(seats) || ':' || hex(seats), typeof(status) || ':' || hex(status), \
    typeof(region) || ':' || hex(region), typeof(note) || ':' || hex(note) FROM subscriptions ORDER BY id";
/// Columns after `id`, in the table's order.
pub(crate) const COLUMNS: [&str; 7] = [
    "customer_id",
    "payment_method",
    "plan",
    "seats",
    "status",
    "region",
    "note",
];
/// The place of the method among [`COLUMNS`].
pub(crate) const METHOD: usize = 1;
/// Rows in one statement: 8 values each, far below what `SQLite` binds.
const BATCH: usize = 100;
const FIRST_ID: i64 = 1001;

/// A row as it was seeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeedRow {
    pub(crate) id: i64,
    pub(crate) role: Role,
    pub(crate) customer: Box<str>,
    pub(crate) method: Option<Box<str>>,
    plan: &'static str,
    seats: i64,
    status: &'static str,
    region: Box<str>,
    note: Option<&'static str>,
}

/// Type and bytes of the seven columns of a row, by its id.
pub(crate) type Cells = BTreeMap<i64, [String; 7]>;

/// The database and what it was seeded with.
#[derive(Clone, Debug)]
pub(crate) struct AppDatabase {
    path: PathBuf,
    pub(crate) rows: Vec<SeedRow>,
}

impl SeedRow {
    /// What [`LOOK`] shows of the row while it is untouched.
    pub(crate) fn cells(&self) -> [String; 7] {
        [
            text(Some(&self.customer)),
            text(self.method.as_deref()),
            text(Some(self.plan)),
            format!("integer:{}", hex(&self.seats.to_string())),
            text(Some(self.status)),
            text(Some(&self.region)),
            text(self.note),
        ]
    }
}

/// What [`LOOK`] shows of a text.
pub(crate) fn text(value: Option<&str>) -> String {
    value.map_or_else(|| "null:".to_owned(), |text| format!("text:{}", hex(text)))
}

fn hex(text: &str) -> String {
    data_encoding::HEXUPPER.encode(text.as_bytes())
}

/// The rows of a world: one for everybody who pays, for some two, and some of people without a method.
pub(crate) fn rows(account: &Account, seed: u64) -> Vec<SeedRow> {
    let mut rows = Vec::new();
    for customer in account.customers.rows().iter().filter(|c| c.role != Role::New) {
        let seed = ids::mix(&[b"application", &seed.to_be_bytes(), customer.id.as_bytes()]);
        let mut dice = Dice::new(seed);
        for _ in 0..count(customer, &mut dice) {
            let id = FIRST_ID + i64::try_from(rows.len()).unwrap_or(0);
            rows.push(row(account, customer, &mut dice, id));
        }
    }
    rows
}

fn count(customer: &Customer, dice: &mut Dice) -> u32 {
    let (two, some) = (dice.percent(8), dice.percent(12));
    if customer.methods.is_empty() {
        // Somebody who has neither a method nor a ledger never bought anything.
        u32::from(some && !customer.ledger.is_empty())
    } else if customer.paying {
        1 + u32::from(two)
    } else {
        u32::from(some)
    }
}

fn row(account: &Account, customer: &Customer, dice: &mut Dice, id: i64) -> SeedRow {
    let own: Vec<&str> = customer
        .methods
        .iter()
        .filter_map(|slot| account.methods.at(*slot).map(|m| &*m.id))
        .collect();
    let default = customer.charged().and_then(|slot| account.methods.at(slot));
    let usual = default.map(|m| &*m.id).or_else(|| own.first().copied());
    let (other, none) = (dice.percent(10), dice.percent(3));
    let method = match usual {
        Some(_) if none && !customer.paying => None,
        Some(usual) if other => Some(dice.pick(&own, usual)),
        usual => usual,
    };
    let status = match (customer.deleted, customer.delinquent, customer.paying) {
        (true, _, _) => "canceled",
        (_, true, _) => "past_due",
        (_, _, true) => "active",
        _ => "trialing",
    };
    SeedRow {
        id,
        role: customer.role,
        customer: customer.id.clone(),
        method: method.map(Into::into),
        plan: dice.pick(&["per_lesson", "monthly", "family"], "per_lesson"),
        seats: dice.between(1, 30),
        status,
        region: customer.metadata.get("region").unwrap_or_default().into(),
        note: note(dice),
    }
}

/// Nothing, something plain, nothing but empty, or what must never be more than text.
fn note(dice: &mut Dice) -> Option<&'static str> {
    match dice.below(10) {
        0..=4 => None,
        5 => Some(""),
        6 | 7 => Some("called about the timetable"),
        _ => Some(dice.pick(&names::HOSTILE, "")),
    }
}

impl AppDatabase {
    /// The database at `path`, made and filled anew unless it is to be kept as somebody left it.
    pub(crate) async fn open(path: &Path, rows: Vec<SeedRow>, keep: bool) -> Result<Self, sqlx::Error> {
        let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
        if !keep {
            make(&path, &rows).await?;
        }
        Ok(Self { path, rows })
    }

    /// `sqlite:///…`
    pub(crate) fn url(&self) -> String {
        // What would end the path, or be taken for an escape, is escaped.
        const SPECIAL: &percent_encoding::AsciiSet =
            &percent_encoding::CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');
        let path = self.path.to_string_lossy();
        format!(
            "sqlite://{}",
            percent_encoding::utf8_percent_encode(&path, SPECIAL)
        )
    }

    /// Everything in the table, as it is now.
    pub(crate) async fn look(&self) -> Result<Cells, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(&self.path).read_only(true);
        let mut connection = options.connect().await?;
        let found = sqlx::query(LOOK).fetch_all(&mut connection).await?;
        let mut cells = Cells::new();
        for row in found {
            let mut seen: [String; 7] = Default::default();
            for (at, cell) in seen.iter_mut().enumerate() {
                *cell = row.try_get(at + 1)?;
            }
            cells.insert(row.try_get(0)?, seen);
        }
        connection.close().await?;
        Ok(cells)
    }
}

/// Fills a file beside the one wanted and gives it the name at the end, so that nobody ever sees half of it.
async fn make(path: &Path, rows: &[SeedRow]) -> Result<(), sqlx::Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let unfinished = PathBuf::from(name);
    begin_private(&unfinished).map_err(sqlx::Error::Io)?;
    // A crash leaves the file without its name: nothing needs a journal or a sync before.
    let options = SqliteConnectOptions::new()
        .filename(&unfinished)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off);
    let mut connection = options.connect().await?;
    fill(&mut connection, rows).await?;
    connection.close().await?;
    for left in ["-journal", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(left);
        // Of an earlier database of that name, if there was one.
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
    std::fs::rename(&unfinished, path).map_err(sqlx::Error::Io)
}

/// An empty file that only its owner may read.
fn begin_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

async fn fill(connection: &mut SqliteConnection, rows: &[SeedRow]) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query(TABLE).execute(&mut *transaction).await?;
    for batch in rows.chunks(BATCH) {
        let mut query = QueryBuilder::<Sqlite>::new(INSERT);
        query.push_values(batch, |mut values, row| {
            values.push_bind(row.id);
            values.push_bind(row.customer.to_string());
            values.push_bind(row.method.as_deref().map(str::to_owned));
            values.push_bind(row.plan);
            values.push_bind(row.seats);
            values.push_bind(row.status);
            values.push_bind(row.region.to_string());
            values.push_bind(row.note);
        });
        query.build().execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
