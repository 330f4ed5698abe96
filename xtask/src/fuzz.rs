//! Which bytes break what reads them? libFuzzer over the targets in `fuzz/targets/`.

use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::processes;
use crate::setup;
use crate::step::seconds;
use crate::workspace::{self, cargo};

/// What `--help` says at its end.
pub(crate) const HELP: &str = "\
Each target hands arbitrary bytes to something of ours that reads what others wrote, and checks what must hold.
libFuzzer changes the bytes and keeps those that make the code take a new way. Faults are panics, failed
assertions, overflows, runs of more than 10 seconds and more than 2 GiB of memory.

  cargo xtask fuzz                       every target for a minute
  cargo xtask fuzz wire --seconds 600    one target for ten minutes
  cargo xtask fuzz wire --runs 10000000  one target until it has had ten million inputs
  cargo xtask fuzz wire --replay FILE    what a finding saved, once more, with a backtrace

First it looks for a fault that is planted (fuzz/targets/planted.rs): who does not find that finds nothing.
What is learnt stays in target/fuzz/corpus/ and is where the next run begins. How many inputs each target has had,
in the last run and in all, and how large its corpus is, is in target/fuzz/record.json. Findings are saved to
target/fuzz/findings/. A finding that has been mended goes into fuzz/seeds/TARGET/, which cargo xtask test replays.";

/// The target with a fault that must be found.
const PLANTED: &str = "planted";

/// How long the planted fault may hide. It takes about a second.
const PLANTED_LIMIT: u32 = 60;

/// Coverage of branches, and of how near comparisons come to being true.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// What a run may take longer than it was told, to load its corpus and to end.
const SLACK: Duration = Duration::from_secs(120);

/// The longest that a target may run which is bounded by its executions alone.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How often a running target says how far it is.
const PROGRESS: Duration = Duration::from_secs(15);

/// How long a target is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Seconds(u32),
    /// Executions.
    Runs(u64),
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds} s"),
            Self::Runs(runs) => write!(f, "{runs} executions"),
        }
    }
}

impl Bound {
    /// libFuzzer's arguments.
    fn argument(self) -> String {
        match self {
            Self::Seconds(seconds) => format!("-max_total_time={seconds}"),
            Self::Runs(runs) => format!("-runs={runs}"),
        }
    }

    fn limit(self) -> Duration {
        match self {
            Self::Seconds(seconds) => Duration::from_secs(seconds.into()) + SLACK,
            Self::Runs(_) => LONGEST,
        }
    }
}

/// Where things are.
struct Places {
    /// The programs.
    programs: PathBuf,
    /// What was learnt, and what was found.
    state: PathBuf,
    seeds: PathBuf,
}

/// What has come of a target's run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Outcome {
    runs: u64,
    /// Ways through the code, in libFuzzer's count.
    features: u64,
    runs_a_second: u64,
    /// Inputs in the corpus, and their bytes.
    corpus: (u64, u64),
    took: Duration,
    /// The fault's own words.
    words: Vec<String>,
    /// The bytes that bring it about.
    saved: Option<PathBuf>,
    ok: bool,
}

/// The task.
pub(crate) fn run(names: &[String], bound: Bound, jobs: Option<usize>) -> Result<(), String> {
    let targets = chosen(names)?;
    let places = build(&targets)?;
    let jobs = jobs.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1).clamp(1, targets.len());

    let planted = fuzz(&places, PLANTED, Bound::Seconds(PLANTED_LIMIT), &|_| {})?;
    if planted.ok || !planted.words.iter().any(|line| line.contains("the planted fault")) {
        return Err(format!("the planted fault was not found in {} runs: without coverage a search is worth nothing", planted.runs));
    }
    println!(
        "fuzz: the planted fault was found after {} runs; now {} targets, {bound} each, {jobs} at a time\n",
        planted.runs,
        targets.len()
    );

    let waiting: Mutex<VecDeque<&String>> = Mutex::new(targets.iter().collect());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let outcomes: Mutex<Vec<(&String, Result<Outcome, String>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let outcome = fuzz(&places, target, bound, &|so_far| println!("{}", row(target, so_far, "…")));
                    if let Ok(outcome) = &outcome {
                        println!("{}", row(target, outcome, if outcome.ok { "done" } else { "FOUND" }));
                    }
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((target, outcome));
                }
            });
        }
    });
    processes::stop_if_interrupted();
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(target, _)| *target);
    let ran = outcomes.iter().filter_map(|(target, outcome)| Some((target.as_str(), outcome.as_ref().ok()?)));
    let totals = record(&places.state.join("record.json"), ran)?;
    report(outcomes, &totals)
}

/// Writes down how much each target has run: adds to what the file says of earlier runs. The executions of each target in all runs.
fn record<'a>(file: &Path, outcomes: impl Iterator<Item = (&'a str, &'a Outcome)>) -> Result<BTreeMap<String, u64>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}; remove the file to begin anew", file.display());
    let mut all: Value = match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| failed(&error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => json!({}),
        Err(error) => return Err(failed(&error)),
    };
    let mut totals = BTreeMap::new();
    for (target, outcome) in outcomes {
        let before = |what: &str| all[target][what].as_u64().unwrap_or(0);
        let executions = before("executions") + outcome.runs;
        totals.insert(target.to_owned(), executions);
        let seconds = before("seconds") + outcome.took.as_secs();
        let (inputs, bytes) = outcome.corpus;
        all[target] = json!({
            "executions": executions,
            "seconds": seconds,
            "features": outcome.features,
            "corpus": { "inputs": inputs, "bytes": bytes },
            "last": { "executions": outcome.runs, "seconds": outcome.took.as_secs(), "per_second": outcome.runs_a_second, "ok": outcome.ok },
        });
    }
    fs::write(file, format!("{all:#}\n")).map_err(|error| failed(&error))?;
    Ok(totals)
}

fn row(target: &str, Outcome { runs, features, runs_a_second, .. }: &Outcome, result: &str) -> String {
    format!("{target:<14} {runs:>12} runs {runs_a_second:>9}/s {features:>7} features  {result}")
}

fn report(outcomes: Vec<(&String, Result<Outcome, String>)>, totals: &BTreeMap<String, u64>) -> Result<(), String> {
    println!("\n── summary ──");
    println!(
        "{:<14} {:>12} {:>14} {:>9} {:>9} {:>8} {:>10}",
        "target", "executions", "in all runs", "per s", "features", "corpus", "its bytes"
    );
    let mut faults = 0;
    for (target, outcome) in &outcomes {
        match outcome {
            Ok(outcome @ Outcome { runs, runs_a_second, features, corpus: (inputs, bytes), .. }) => {
                let total = totals.get(*target).copied().unwrap_or_default();
                let result = if outcome.ok { "nothing found" } else { "FOUND" };
                println!("{target:<14} {runs:>12} {total:>14} {runs_a_second:>9} {features:>9} {inputs:>8} {bytes:>10}  {result}");
            }
            Err(why) => println!("{target:<14} could not be run: {why}"),
        }
        faults += u32::from(!outcome.as_ref().is_ok_and(|outcome| outcome.ok));
    }
    for (target, outcome) in &outcomes {
        let Ok(Outcome { ok: false, words, saved, .. }) = outcome else { continue };
        println!("\n── {target} ──\n{}", words.join("\n"));
        if let Some(file) = saved {
            println!(
                "saved:  {}\nreplay: cargo xtask fuzz {target} --replay {0}\nonce mended: cp {0} fuzz/seeds/{target}/",
                file.display()
            );
        }
    }
    println!();
    if faults == 0 { Ok(()) } else { Err(format!("{faults} of {} targets failed", outcomes.len())) }
}

/// Runs a target once with the bytes in a file.
pub(crate) fn replay(names: &[String], file: &Path) -> Result<(), String> {
    let [target] = &chosen(names)?[..] else { return Err("name the one target that the file is for".into()) };
    let file = file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
    let places = build(std::slice::from_ref(target))?;
    let mut command = Command::new(places.programs.join(target));
    let status = command.arg(&file).env("RUST_BACKTRACE", "1").status().map_err(|error| format!("{target}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{target} fails with {}", file.display())) }
}

/// Has the generators, which are tests, write their seeds.
pub(crate) fn write_seeds() -> Result<(), String> {
    let mut command =
        cargo(&["test", "--quiet", "--package", "strait-ports", "--package", "strait-fuzz", "--lib", "seeds_and_their_mutants"]);
    let status = command.env("STRAIT_WRITE_SEEDS", "1").status().map_err(|error| format!("cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the generators failed".into()) }
}

/// The targets of these names; all of them if there are none.
fn chosen(names: &[String]) -> Result<Vec<String>, String> {
    let folder = workspace::root().join("fuzz/targets");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut all: Vec<String> =
        entries.flatten().filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".rs")?.to_owned())).collect();
    all.retain(|name| name != PLANTED);
    all.sort();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        return Err(format!("no target `{unknown}`; there are: {}", all.join(", ")));
    }
    Ok(if names.is_empty() { all } else { names.to_vec() })
}

fn build(targets: &[String]) -> Result<Places, String> {
    setup::ensure_for_fuzzing()?;
    let host = host()?;
    let state = workspace::target()?.join("fuzz");
    println!("fuzz: building into {}", state.display());
    // With `--target`, build scripts and macros are not instrumented.
    let mut command = cargo(&["build", "--package", "strait-fuzz", "--features", "libfuzzer", "--profile", "fuzz", "--target", &host]);
    command.arg("--target-dir").arg(&state).env("RUSTFLAGS", RUSTFLAGS).env_remove("CARGO_ENCODED_RUSTFLAGS");
    command.args(targets.iter().map(String::as_str).chain([PLANTED]).flat_map(|target| ["--bin", target]));
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err("the targets do not build".into());
    }
    Ok(Places { programs: state.join(&host).join("fuzz"), state, seeds: workspace::root().join("fuzz/seeds") })
}

/// What this machine is to the compiler.
fn host() -> Result<String, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).ok_or_else(|| "rustc names no host".into())
}

/// Runs a target as long as it should, or until it finds something.
fn fuzz(places: &Places, target: &str, bound: Bound, progress: &dyn Fn(&Outcome)) -> Result<Outcome, String> {
    let folder = |kind: &str| {
        let path = places.state.join(kind).join(target);
        fs::create_dir_all(&path).map(|()| path.clone()).map_err(|error| format!("{}: {error}", path.display()))
    };
    let (corpus, findings, seeds) = (folder("corpus")?, folder("findings")?, places.seeds.join(target));
    let mut command = Command::new(places.programs.join(target));
    if target != PLANTED {
        // The first folder is where new inputs go.
        command.arg(&corpus).args(Some(seeds).filter(|seeds| seeds.is_dir()));
    }
    command.arg(format!("-artifact_prefix={}/", findings.display())).arg(bound.argument());
    command.args(["-use_value_profile=1", "-max_len=4096", "-timeout=120", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).env("RUST_BACKTRACE", "0");
    let mut child = command.spawn().map_err(|error| format!("{target}: {error}"))?;
    let (begin, limit) = (Instant::now(), bound.limit());
    let mut outcome = Outcome::default();
    let status = thread::scope(|scope| {
        let stop = end_after(scope, &child, limit);
        let mut told = Instant::now();
        let mut lines = BufReader::new(child.stderr.take().ok_or("no output")?).split(b'\n');
        while let Some(Ok(line)) = lines.next() {
            outcome.hear(&String::from_utf8_lossy(&line));
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                progress(&outcome);
            }
        }
        let status = child.wait().map_err(|error| format!("{target}: {error}"))?;
        drop(stop);
        Ok::<_, String>(status)
    })?;
    outcome.took = begin.elapsed();
    outcome.corpus = size_of_files(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    outcome.ok = status.success() && outcome.saved.is_none();
    if !outcome.ok && outcome.saved.is_none() {
        outcome.words.push(format!("it ended with {status}; runs may take {} in all", seconds(limit)));
    }
    Ok(outcome)
}

/// How many files are in a folder, and how many bytes they have.
fn size_of_files(folder: &Path) -> std::io::Result<(u64, u64)> {
    let mut size = (0, 0);
    for entry in fs::read_dir(folder)? {
        size = (size.0 + 1, size.1 + entry?.metadata()?.len());
    }
    Ok(size)
}

/// Ends a child that takes longer than `limit`, unless what this gives is dropped before.
fn end_after<'scope>(scope: &'scope thread::Scope<'scope, '_>, child: &Child, limit: Duration) -> mpsc::Sender<()> {
    let (stop, stopped) = mpsc::channel();
    let pid = Pid::from_child(child);
    scope.spawn(move || {
        if stopped.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    stop
}

impl Outcome {
    /// Takes what can be learnt from a line of libFuzzer's, or of a panic.
    fn hear(&mut self, line: &str) {
        let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse().ok());
        let after = |word: &str| line.split_once(word).and_then(|(_, rest)| number(rest));
        if let Some(rest) = line.strip_prefix('#') {
            let runs: String = rest.chars().take_while(char::is_ascii_digit).collect();
            self.runs = runs.parse().unwrap_or(self.runs);
            self.features = after(" ft: ").unwrap_or(self.features);
            self.runs_a_second = after(" exec/s: ").unwrap_or(self.runs_a_second);
        } else if let Some((name, value)) = line.strip_prefix("stat::").and_then(|rest| rest.split_once(':')) {
            match name {
                "number_of_executed_units" => self.runs = number(value).unwrap_or(self.runs),
                "average_exec_per_sec" => self.runs_a_second = number(value).unwrap_or(self.runs_a_second),
                _ => {}
            }
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.saved = Some(path.into());
        } else if line.contains("panicked at") || line.contains("ERROR: libFuzzer") {
            self.words.push(line.into());
        } else if self.words.last().is_some_and(|last| last.contains("panicked at")) {
            // What was asserted.
            self.words.push(line.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libfuzzers_lines_are_understood() {
        let mut outcome = Outcome::default();
        for line in [
            "INFO: Running with entropic power schedule (0xFF, 100).",
            "#2\tINITED cov: 9 ft: 9 corp: 1/1b exec/s: 0 rss: 27Mb",
            "#6898\tNEW    cov: 10 ft: 21 corp: 3/17b lim: 68 exec/s: 3449 rss: 27Mb L: 9/9 MS: 2 InsertByte-",
            "thread '<unnamed>' (7) panicked at crates/a/src/b.rs:1:2:",
            "a frame that nobody sent",
            "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
            "==7== ERROR: libFuzzer: deadly signal",
            "artifact_prefix='/t/'; Test unit written to /t/crash-77",
            "stat::number_of_executed_units: 7000",
            "stat::average_exec_per_sec:     3500",
        ] {
            outcome.hear(line);
        }
        let words = [
            "thread '<unnamed>' (7) panicked at crates/a/src/b.rs:1:2:",
            "a frame that nobody sent",
            "==7== ERROR: libFuzzer: deadly signal",
        ];
        let expected = Outcome {
            runs: 7000,
            features: 21,
            runs_a_second: 3500,
            corpus: (0, 0),
            took: Duration::ZERO,
            words: words.map(String::from).into(),
            saved: Some("/t/crash-77".into()),
            ok: false,
        };
        assert_eq!(outcome, expected);
    }

    #[test]
    fn executions_of_all_runs_are_added_up() {
        let folder = std::env::temp_dir().join(format!("strait-xtask-record-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("record.json");
        let outcome = |runs| Outcome { runs, corpus: (3, 40), took: Duration::from_secs(2), ok: true, ..Outcome::default() };
        assert_eq!(record(&file, [("a", &outcome(5)), ("b", &outcome(1))].into_iter()), Ok([("a".into(), 5), ("b".into(), 1)].into()));
        assert_eq!(record(&file, [("a", &outcome(7))].into_iter()), Ok([("a".into(), 12)].into()));
        let all: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!((&all["a"]["executions"], &all["a"]["last"]["executions"], &all["a"]["seconds"]), (&json!(12), &json!(7), &json!(4)));
        assert_eq!(
            (&all["b"]["executions"], &all["b"]["corpus"]["inputs"], &all["b"]["corpus"]["bytes"]),
            (&json!(1), &json!(3), &json!(40))
        );
        fs::write(&file, "{").unwrap();
        assert!(record(&file, [("a", &outcome(1))].into_iter()).unwrap_err().contains("remove the file"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn targets_are_what_lies_in_their_folder() {
        let all = chosen(&[]).unwrap();
        assert!(all.iter().any(|name| name == "wire") && all.iter().all(|name| name != PLANTED), "{all:?}");
        assert_eq!(chosen(&["node".into()]).unwrap(), ["node"]);
        assert!(chosen(&["nothing".into()]).unwrap_err().contains("wire"));
    }

    /// cargo does not find them by itself, so that nobody builds them who does not ask.
    #[test]
    fn every_target_is_in_the_manifest() {
        let manifest = fs::read_to_string(workspace::root().join("fuzz/Cargo.toml")).unwrap();
        for target in chosen(&[]).unwrap() {
            assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target}");
        }
    }
}
