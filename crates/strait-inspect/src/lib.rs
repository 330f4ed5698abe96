//! Writes the output of `strait run --inspect-ports`: every event of every port of a program, one
//! JSON object on each line.
//!
//! Each process of the program appends its own lines to one file, at once, and each line in one
//! write. Nothing passes through main, and a killed process loses none of its lines. The lines of
//! several processes are ordered by `at`.
//!
//! | member | content |
//! |---|---|
//! | `at` | seconds on the system's monotonic clock, which all processes share |
//! | `who`, `pid` | `main`, `renderer` or `utility`, and the process |
//! | `port` | the port's number in that process; never reused there |
//! | `event` | `created`, `arrived`, `posted`, `received`, `left`, `closed`; in a renderer also `placed`: the port belongs to a document now |
//! | `other` | of `created`: the other end's number |
//! | `lines` | of `dropped`, which has no `port`: the number of lines missing here, because the file is a pipe that was not read |
//! | `ticket` | of `left` and `arrived`: the same for one port in both processes of its transfer |
//! | `bytes`, `ports` | of `posted` and `received`: the message's size and the numbers of the ports in it |
//! | `reason`, `by` | of `closed`: the close reason, and whether `this end` or the `other end` closed |
//! | `where` | in a renderer, once the port belongs to a document: its `window`, `frame` and `url` |
//!
//! Each port begins with `created` or `arrived` and ends with `left` or `closed`, unless its
//! process was killed.

use std::{
    collections::HashMap,
    fs::OpenOptions,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use strait_output::Output;
use strait_ports::{Node, PortEvent, TracedEvent};

/// The longest URL that is printed, in bytes: pages may have any URL.
const MAX_URL: usize = 1024;

/// The path that stands for standard error.
pub const STDERR: &str = "/dev/stderr";

/// The location of a page's port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortLocation {
    window: u32,
    frame: u64,
    url: String,
}

impl PortLocation {
    /// A document in a frame of a window.
    pub fn new(window: u32, frame: u64, url: &str) -> Self {
        let mut end = url.len().min(MAX_URL);
        while !url.is_char_boundary(end) {
            end -= 1;
        }
        Self { window, frame, url: url[..end].into() }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    at: f64,
    who: &'a str,
    pid: u32,
    port: u64,
    #[serde(flatten)]
    what: What<'a>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    place: Option<&'a PortLocation>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum What<'a> {
    Created { other: u64 },
    Arrived { ticket: String },
    Posted { bytes: usize, ports: &'a [u64] },
    Received { bytes: usize, ports: &'a [u64] },
    Left { ticket: String },
    Closed { reason: &'static str, by: &'static str },
    Placed,
}

#[derive(Default)]
struct Places {
    /// By the document's number.
    documents: HashMap<u64, Arc<PortLocation>>,
    /// By the port's number.
    ports: HashMap<u64, Arc<PortLocation>>,
}

/// Writes the events of one process's ports.
pub struct Inspector {
    who: &'static str,
    pid: u32,
    output: Output,
    places: Mutex<Places>,
}

impl Inspector {
    /// Appends the events of `node`'s ports to the file from now on, as those of a process of this
    /// kind and id.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn attach(node: &Node, (who, pid): (&'static str, u32), file: &Path) -> io::Result<Arc<Self>> {
        let output = Output::new(OpenOptions::new().append(true).create(true).open(file)?.into(), move |lines| dropped(pid, lines));
        let inspector = Arc::new(Self { who, pid, output, places: Mutex::default() });
        let writer = Arc::clone(&inspector);
        node.trace(move |events| events.iter().for_each(|event| writer.write(event)));
        Ok(inspector)
    }

    /// Records the location of a document, for [`Inspector::put`].
    pub fn document(&self, document: u64, place: PortLocation) {
        self.places().documents.insert(document, Arc::new(place));
    }

    /// Records that a port (by its [`number`](strait_ports::Port::number)) belongs to a document
    /// now.
    pub fn put(&self, port: u64, document: u64) {
        let mut places = self.places();
        let Some(place) = places.documents.get(&document).cloned() else { return };
        let known = places.ports.insert(port, Arc::clone(&place));
        drop(places);
        if known.is_none_or(|known| known != place) {
            self.print(&Line { at: now(), who: self.who, pid: self.pid, port, what: What::Placed, place: Some(&place) });
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, event: &TracedEvent) {
        let what = match &event.event {
            PortEvent::Created { other } => What::Created { other: *other },
            PortEvent::Arrived { ticket } => What::Arrived { ticket: format!("{ticket:016x}") },
            PortEvent::Posted { bytes, ports } => What::Posted { bytes: *bytes, ports },
            PortEvent::Received { bytes, ports } => What::Received { bytes: *bytes, ports },
            PortEvent::Left { ticket } => What::Left { ticket: format!("{ticket:016x}") },
            PortEvent::Closed { reason, here } => {
                What::Closed { reason: reason.as_str(), by: if *here { "this end" } else { "other end" } }
            }
            _ => return,
        };
        let ends = matches!(what, What::Left { .. } | What::Closed { .. });
        let place = {
            let mut places = self.places();
            if ends { places.ports.remove(&event.port) } else { places.ports.get(&event.port).cloned() }
        };
        let line = Line { at: event.at.as_secs_f64(), who: self.who, pid: self.pid, port: event.port, what, place: place.as_deref() };
        self.print(&line);
    }

    fn print(&self, line: &Line<'_>) {
        let Ok(text) = serde_json::to_string(line) else { return };
        self.output.line(text);
    }
}

/// The line that replaces dropped lines.
fn dropped(pid: u32, lines: u64) -> String {
    format!(r#"{{"at":{},"pid":{},"event":"dropped","lines":{lines}}}"#, now(), pid)
}

fn now() -> f64 {
    strait_ports::trace_clock().as_secs_f64()
}
