//! Data about the machine and the user, for Node's `os` (<https://nodejs.org/api/os.html>).

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, getgid, getpriority_process, getuid, setpriority_process};
use serde_json::{Value, json};

use crate::{Call, Failure, Gives, NOTHING, Outcome};

/// Collects all data at once. There is little of it, and a program that reads one value usually
/// reads several.
pub(crate) fn describe(_: &Call) -> Outcome {
    let kernel = |name: &str| line(&format!("/proc/sys/kernel/{name}"));
    let first = |text: String| text.split_ascii_whitespace().next().and_then(|number| number.parse::<f64>().ok());
    let load: Vec<f64> = line("/proc/loadavg").split_ascii_whitespace().take(3).filter_map(|number| number.parse().ok()).collect();
    Ok(Gives::Json(json!({
        "hostname": kernel("hostname"),
        "type": kernel("ostype"),
        "release": kernel("osrelease"),
        "version": kernel("version"),
        "machine": std::env::consts::ARCH,
        "totalmem": memory("MemTotal:"),
        "freemem": memory("MemAvailable:"),
        "uptime": first(line("/proc/uptime")),
        "loadavg": load,
        "cpus": processors(),
        "parallelism": std::thread::available_parallelism().map_or(1, usize::from),
        "user": user(),
    })))
}

/// The content of a small file of the kernel.
fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim_end().to_owned()
}

/// A value of `/proc/meminfo` in bytes.
fn memory(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let figure = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(figure.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The model, speed in MHz and times in milliseconds of each active processor.
fn processors() -> Value {
    let (info, stat) = (fs::read_to_string("/proc/cpuinfo").unwrap_or_default(), fs::read_to_string("/proc/stat").unwrap_or_default());
    let all =
        |name: &'static str| info.lines().filter_map(move |line| line.strip_prefix(name)?.trim_start().strip_prefix(':').map(str::trim));
    let models: Vec<_> = all("model name").collect();
    let speeds: Vec<_> = all("cpu MHz").map(|speed| speed.parse::<f64>().unwrap_or_default() as u64).collect();
    let lines = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    let processor = |(number, line): (usize, &str)| {
        // In hundredths of a second: user, nice, system, idle, waiting, interrupts.
        let times: Vec<u64> = line.split_ascii_whitespace().skip(1).map(|time| time.parse().unwrap_or_default()).collect();
        let time = |at: usize| times.get(at).copied().unwrap_or_default() * 10;
        json!({
            "model": models.get(number).copied().unwrap_or("unknown"),
            "speed": speeds.get(number).copied().unwrap_or_default(),
            "times": { "user": time(0), "nice": time(1), "sys": time(2), "idle": time(3), "irq": time(5) },
        })
    };
    lines.enumerate().map(processor).collect()
}

/// The current user's entry in `/etc/passwd`.
fn user() -> Value {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    let text = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = text.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|entry| entry.len() == 7 && entry[2] == uid.to_string());
    let field = |at: usize| entry.as_ref().map(|entry| entry[at]);
    json!({ "uid": uid, "gid": gid, "username": field(0), "homedir": field(5), "shell": field(6) })
}

/// `numbers[0]`: a process number; 0 is this process
fn process(call: &Call) -> Result<Option<Pid>, Errno> {
    match call.numbers[0] as i32 {
        0 => Ok(None),
        number => Pid::from_raw(number).filter(|_| number > 0).map(Some).ok_or(Errno::SRCH),
    }
}

/// `numbers[0]`: a process
pub(crate) fn priority(call: &Call) -> Outcome {
    let priority = process(call).and_then(getpriority_process).map_err(|error| Failure::of(error, "uv_os_getpriority"))?;
    Ok(Gives::Json(json!(priority)))
}

/// `numbers`: a process, its priority
pub(crate) fn set_priority(call: &Call) -> Outcome {
    let done = process(call).and_then(|process| setpriority_process(process, call.numbers[1] as i32));
    done.map(|()| NOTHING).map_err(|error| Failure::of(error, "uv_os_setpriority"))
}
