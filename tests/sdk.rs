//! Stripe's own SDKs for Python and Node, unmodified, against the simulated accounts.
//!
//! The SDKs are not part of a fresh clone. `CUTOVER_SDK_PYTHON` names a Python interpreter that has
//! `tests/sdk/python/requirements.txt` installed, `CUTOVER_SDK_NODE` a folder whose `node_modules` hold what
//! `tests/sdk/node/package.json` asks for. Where one is not set, its test passes and says on stderr that it did nothing;
//! CI sets both.

#[cfg(test)]
mod sdk {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc;
    use std::time::Duration;

    use cutover::clock::Clock;
    use cutover::rehearsal::{Options, Scenario, Simulator};
    use serde_json::Value;

    /// How long `simulate` may take until it is ready: an empty world in a debug build on a busy machine.
    const READY_WITHIN: Duration = Duration::from_secs(240);

    /// A running `cutover simulate`, ended when dropped.
    struct Simulate {
        process: Child,
        ready: Value,
    }

    impl Drop for Simulate {
        fn drop(&mut self) {
            // It may have ended by itself; then there is nothing left to end.
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// Two empty accounts on free ports. `--no-limits`, because an SDK does not pace itself and does not retry a 429.
    fn simulate() -> Simulate {
        let arguments = "simulate --source-port 0 --destination-port 0 --customers 0 --seed 1 --no-limits";
        let mut process = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(arguments.split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let output = process.stdout.take().expect("stdout is piped");
        let mut simulate = Simulate {
            process,
            ready: Value::Null,
        };
        let (send, ready) = mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines();
            // The other side is gone only when the test has already failed.
            let _ = send.send(lines.next());
            // Read on, so that the simulator never waits for a full pipe.
            lines.for_each(drop);
        });
        let line = ready
            .recv_timeout(READY_WITHIN)
            .expect("simulate says that it is ready");
        let line = line
            .expect("simulate prints a line before it ends")
            .expect("the line is UTF-8");
        simulate.ready = serde_json::from_str(&line).expect("the line is JSON");
        simulate
    }

    fn script(language: &str, name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/sdk")
            .join(language)
            .join(name)
    }

    /// The SDK's place, or a loud word that nothing is tested.
    fn installed(variable: &str) -> Option<PathBuf> {
        let place = std::env::var_os(variable)
            .filter(|place| !place.is_empty())
            .map(PathBuf::from);
        if place.is_none() {
            let mut stderr = std::io::stderr();
            let _ = writeln!(
                stderr,
                "SKIPPED: {variable} is not set, so Stripe's SDK was NOT run; see tests/sdk.rs"
            );
        }
        place
    }

    /// Stripe's Python SDK and its checks, if it is there.
    fn python() -> Option<Command> {
        let mut checks = Command::new(installed("CUTOVER_SDK_PYTHON")?);
        checks.arg("-B").arg(script("python", "conformance.py"));
        Some(checks)
    }

    /// Stripe's Node SDK and its checks, if it is there.
    fn node() -> Option<Command> {
        let folder = installed("CUTOVER_SDK_NODE")?;
        let mut checks = Command::new("node");
        checks
            .arg(script("node", "conformance.mjs"))
            .env("CUTOVER_SDK_NODE", folder);
        Some(checks)
    }

    /// Runs the checks against one account and shows every line of theirs if any failed.
    fn conforms(mut checks: Command, account: &Value) {
        let text = |field: &str| {
            account[field]
                .as_str()
                .unwrap_or_else(|| panic!("simulate names the {field}"))
        };
        let done = checks
            .env("STRIPE_BASE", text("url"))
            .env("STRIPE_KEY", text("key"))
            .env("STRIPE_ACCOUNT", text("account"))
            .output()
            .unwrap_or_else(|why| panic!("{checks:?} does not start: {why}"));
        let (out, err) = (
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
        assert!(done.status.success(), "{}\n{out}\n{err}", done.status);
        assert!(
            out.lines().filter(|line| line.starts_with("ok ")).count() > 40,
            "few checks ran:\n{out}"
        );
    }

    #[test]
    fn stripes_python_sdk_works_unmodified() {
        if let Some(checks) = python() {
            conforms(checks, &simulate().ready["source"]);
        }
    }

    #[test]
    fn stripes_node_sdk_works_unmodified() {
        if let Some(checks) = node() {
            conforms(checks, &simulate().ready["destination"]);
        }
    }

    /// Both at once against one account that holds customers already.
    #[tokio::test(flavor = "multi_thread")]
    async fn stripes_sdks_work_side_by_side_on_an_account_in_use() {
        let scenario = Scenario::load("small").expect("a scenario of the program's own");
        let mut options = Options::new(scenario.clone(), Clock::rehearsal(scenario.starts_at(), 1));
        options.no_limits = true;
        let world = Simulator::start(options).await.expect("two free ports");
        let account = serde_json::to_value(&world.describe().source).expect("plain data");
        let runs = [python(), node()].into_iter().flatten().map(|checks| {
            let account = account.clone();
            tokio::task::spawn_blocking(move || conforms(checks, &account))
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.expect("all checks hold");
        }
    }
}
