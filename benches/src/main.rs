//! Round trips between two processes: a channel of the port engine, over both kinds of link, against a bare socket pair.
//!
//! Run by `cargo xtask bench`. They are measured in turns, round by round, so that whatever else the machine does hits all; the figure is
//! the median of the rounds. Writes `bench/ports.json` into the folder given as the first argument.

mod channel;
mod raw;

use std::env;
use std::error::Error;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::LinkKind;

const ROUNDS: usize = 5;

/// Payloads, and how many round trips make a round.
const SIZES: &[(usize, u32)] = &[(32, 10_000), (1024, 10_000), (64 * 1024, 1000)];

/// Sends payloads and waits until each has come back.
trait Echo {
    fn round_trip(&mut self, payload: &[u8]) -> Result<(), Box<dyn Error>>;
}

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("--echo-channel") => channel::serve(),
        Some("--echo-raw") => raw::serve(),
        Some(target) => measure(Path::new(target)),
        None => Err("usage: strait-bench TARGET-FOLDER".into()),
    }
}

fn measure(target: &Path) -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = pair()?;
    let mut children = vec![start("--echo-channel", theirs)?];
    let mut sockets = channel::Client::connect(ours, LinkKind::Socket)?;
    let (ours, theirs) = pair()?;
    children.push(start("--echo-channel", theirs)?);
    let mut rings = channel::Client::connect(ours, LinkKind::Rings)?;
    let (ours, theirs) = pair()?;
    children.push(start("--echo-raw", theirs)?);
    let mut peer = raw::Client::connect(ours);

    println!("{:<28} {:>12} {:>16} {:>8}", "round trip, two processes", "strait", "bare socket pair", "ratio");
    let mut rows = Vec::new();
    for &(size, count) in SIZES {
        let payload = vec![7; size];
        let (mut over_sockets, mut over_rings, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        // A round that does not count: caches, and a channel that settles.
        round(&mut sockets, &payload, count / 10)?;
        round(&mut rings, &payload, count / 10)?;
        round(&mut peer, &payload, count / 10)?;
        for _ in 0..ROUNDS {
            over_sockets.push(round(&mut sockets, &payload, count)?);
            over_rings.push(round(&mut rings, &payload, count)?);
            theirs.push(round(&mut peer, &payload, count)?);
        }
        let theirs = median(theirs);
        for (kind, ours) in [("", median(over_sockets)), (", over rings", median(over_rings))] {
            let ratio = ours / theirs;
            println!("{:<28} {ours:>9.1} µs {theirs:>13.1} µs {ratio:>8.2}", format!("{size} bytes{kind}"));
            rows.push(serde_json::json!({
                "name": format!("round trip, {size} bytes, two processes{kind}"), "unit": "µs",
                "strait": ours, "peer": theirs, "peer_name": "SOCK_SEQPACKET socket pair", "ratio": ratio,
            }));
        }
    }
    drop((sockets, rings, peer));
    for mut child in children {
        // Their sockets are closed: they end by themselves.
        child.wait()?;
    }
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join("ports.json");
    fs::write(&path, serde_json::to_string_pretty(&rows)?)?;
    println!("\nwritten to {}", path.display());
    Ok(())
}

/// Microseconds a round trip.
fn round(echo: &mut dyn Echo, payload: &[u8], count: u32) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    for _ in 0..count {
        echo.round_trip(payload)?;
    }
    Ok(micros(start.elapsed()) / f64::from(count))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn pair() -> Result<(OwnedFd, OwnedFd), Box<dyn Error>> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// This program again, as the other process; its socket is its standard input.
fn start(role: &str, socket: OwnedFd) -> Result<Child, Box<dyn Error>> {
    Ok(Command::new(env::current_exe()?).arg(role).stdin(Stdio::from(socket)).spawn()?)
}
