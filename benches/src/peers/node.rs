//! Node's `worker_threads`: MessagePorts between two threads of one process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::Outcome;
use crate::placement::{Placement, Side};

const SCRIPT: &str = include_str!("worker_threads.js");

/// A Node process that measures when it is told to. A script cannot bind its threads: both share the processors of both sides.
pub(crate) struct Node {
    process: Child,
    orders: ChildStdin,
    figures: BufReader<ChildStdout>,
}

impl Node {
    /// `None`, and a line that says so, where there is no Node.
    pub(crate) fn start(placement: Placement) -> Outcome<Option<Node>> {
        placement.pin_loosely()?;
        let started = Command::new("node").args(["-e", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        placement.pin(Side::Near)?;
        let mut process = match started {
            Ok(process) => process,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                println!("  (node is not installed: its worker_threads are left out)");
                return Ok(None);
            }
            Err(why) => return Err(why.into()),
        };
        let (Some(orders), Some(figures)) = (process.stdin.take(), process.stdout.take()) else { return Err("node has no pipes".into()) };
        Ok(Some(Node { process, orders, figures: BufReader::new(figures) }))
    }

    /// A message there and back, so many times.
    pub(crate) fn round_trips(&mut self, size: usize, count: u32) -> Outcome<Duration> {
        self.order("round-trip", size, count)
    }

    /// So many messages there.
    pub(crate) fn one_way(&mut self, size: usize, count: u32) -> Outcome<Duration> {
        self.order("one-way", size, count)
    }

    fn order(&mut self, what: &str, size: usize, count: u32) -> Outcome<Duration> {
        writeln!(self.orders, "{what} {size} {count}")?;
        let mut line = String::new();
        self.figures.read_line(&mut line)?;
        let figure: serde_json::Value = serde_json::from_str(&line).map_err(|why| format!("node said {line:?}: {why}"))?;
        Ok(Duration::from_secs_f64(figure["seconds"].as_f64().ok_or("node gave no figure")?))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
