//! `cutover sql`: the planned changes of the application's database as SQL, for whom this program may not write.

use crate::appdb::sqlfile::{self, Script};
use crate::appdb::{Kind, Stamp};
use crate::cli::{Exit, Sql, SqlKind};
use crate::config::Config;
use crate::domain::ids::StageId;
use crate::domain::plan::Plan;
use crate::domain::write::RowUpdate;

use super::failure::Failure;
use super::{mapping, out, real};

const FORWARD: &str = "forward.sql";
const INVERSE: &str = "inverse.sql";
/// What the ledger keeps as the run of a change that was made by hand.
const RUN: &str = "sql-file";

/// `cutover sql`
pub(super) fn sql(args: &Sql) -> Result<Exit, Failure> {
    let config = real::configuration(&args.config)?;
    let plan = real::read_plan(&args.plan, StageId::Mapping)?;
    refuse_other_accounts(&config, &plan)?;
    let rows: Vec<RowUpdate> = plan
        .changes()
        .iter()
        .filter_map(|row| row.update_now().cloned())
        .collect();
    let blocked = plan.totals().blocked;
    let exit = if blocked > 0 { Exit::Undecided } else { Exit::Done };
    let files = if rows.is_empty() {
        Vec::new()
    } else {
        write(args, &config, &plan, &rows)?
    };
    if args.json {
        let report = serde_json::json!({
            "exit": exit.code(), "plan_digest": plan.digest().hex(), "rows": rows.len(), "blocked": blocked, "files": files,
        });
        out::say(&report.to_string());
        return Ok(exit);
    }
    match files.as_slice() {
        [] => out::say("the plan changes no row of a database; nothing was written"),
        files => {
            out::say(&format!("{} rows of plan {}", rows.len(), plan.digest()));
            for file in files {
                out::say(&format!("written to {file}"));
            }
            out::say("run forward.sql when the mapping stage has written and audited everything else");
        }
    }
    if blocked > 0 {
        out::say(&format!("{blocked} rows of the plan are undecided and not in it"));
    }
    Ok(exit)
}

fn refuse_other_accounts(config: &Config, plan: &Plan) -> Result<(), Failure> {
    let of_plan = &plan.header().accounts;
    if config.accounts() == *of_plan {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "the plan is for {} and {}, the configuration for {} and {}; give the configuration it was made with",
        of_plan.source, of_plan.destination, config.source.account, config.destination.account
    )))
}

/// Writes both files; says which.
fn write(args: &Sql, config: &Config, plan: &Plan, rows: &[RowUpdate]) -> Result<Vec<String>, Failure> {
    let of = config.database.as_ref().ok_or_else(|| {
        Failure::usage(format!(
            "{}: there is no [app_database], so the table's key column is not known; set it as it was when the plan was made",
            config.path.display()
        ))
    })?;
    let kind = kind(args, config)?;
    let (spec, batch_rows) = (mapping::spec(of), of.batch_rows as usize);
    let stamp = Stamp {
        run: RUN.to_owned(),
        plan: plan.digest().prefix12(),
    };
    let forward = sqlfile::forward(kind, &spec, rows, &stamp, batch_rows).map_err(Failure::usage)?;
    let inverse = sqlfile::inverse(kind, &spec, rows, &stamp, batch_rows).map_err(Failure::usage)?;
    std::fs::create_dir_all(&args.out).map_err(|error| {
        Failure::usage(format!(
            "the folder {} cannot be made ({error}); give another",
            args.out.display()
        ))
    })?;
    // The way back first: there is never a forward file without it.
    let scripts: [(&str, Script<'_>); 2] = [(INVERSE, inverse), (FORWARD, forward)];
    for (name, _) in &scripts {
        out::refuse_existing(&args.out.join(name))?;
    }
    let mut files = Vec::new();
    for (name, script) in &scripts {
        let path = args.out.join(name);
        out::new_file(&path, script.parts())?;
        files.push(path.display().to_string());
    }
    Ok(files)
}

fn kind(args: &Sql, config: &Config) -> Result<Kind, Failure> {
    match args.kind {
        Some(SqlKind::Postgres) => Ok(Kind::Postgres),
        Some(SqlKind::Mysql) => Ok(Kind::MySql),
        Some(SqlKind::Sqlite) => Ok(Kind::Sqlite),
        None => mapping::database(config)?
            .map(|database| database.kind())
            .ok_or_else(|| Failure::usage("which database it is has to be said; give --kind")),
    }
}
