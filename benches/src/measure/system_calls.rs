//! Does creating a channel make system calls? Counted by `strace`, in a process that creates so many and in one that creates none.

use std::collections::BTreeMap;
use std::env;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::placement::{Placement, Side};
use crate::report::{Bar, Report, Row};
use crate::rounds::Effort;

const CHANNELS: u32 = 20_000;

pub(super) fn measure(report: &mut Report, _effort: Effort) -> Outcome<()> {
    let (Some(many), Some(none)) = (counted(CHANNELS)?, counted(0)?) else {
        println!("  (strace is not installed: system calls are not counted)");
        return Ok(());
    };
    let total = |calls: &BTreeMap<String, u64>| calls.values().sum::<u64>() as f64;
    report.add(Row {
        name: "system calls while 20,000 are made".into(),
        unit: "calls",
        strait: total(&many),
        peer: total(&none),
        peer_name: "creating none",
        bar: Bar::AtMost(1.0),
    });
    let more: Vec<String> = many
        .iter()
        .map(|(call, count)| (call, *count, none.get(call).copied().unwrap_or(0)))
        .filter(|(_, count, before)| count != before)
        .map(|(call, count, before)| format!("{call} {before} → {count}"))
        .collect();
    if !more.is_empty() {
        println!("  ({})", more.join(", "));
    }
    Ok(())
}

/// Calls by name; `None` where there is no `strace`.
fn counted(channels: u32) -> Outcome<Option<BTreeMap<String, u64>>> {
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-U", "name,calls"]).arg(env::current_exe()?);
    command.args(["--role", "create", &Placement::One.argument(Side::Near), &channels.to_string()]);
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why.into()),
    };
    let table = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("strace ended with {}: {table}", output.status).into());
    }
    let calls = table.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, count) = (words.next()?, words.next()?.parse().ok()?);
        (name != "total").then(|| (name.to_owned(), count))
    });
    Ok(Some(calls.collect()))
}
