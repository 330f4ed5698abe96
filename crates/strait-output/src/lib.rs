//! Lines on standard error, or in a file, written without ever blocking the caller.
//!
//! Standard error may be an unread pipe. A process that writes pages' texts to it would block, and
//! every window with it. So a line is written at once if the descriptor accepts it. Otherwise it is
//! queued, in order, up to [`MAX_WAITING`] bytes. A thread that runs as long as lines are queued
//! writes them. Further lines are dropped and counted, and a line reports their number as soon as
//! there is space.
//!
//! The descriptor's own flags stay. `O_NONBLOCK` on standard error would apply to the terminal, and
//! to every other process that shares it. Pipes and terminals are opened again for nonblocking
//! writing.

mod target;

use std::{
    collections::VecDeque,
    os::fd::OwnedFd,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use target::Target;

/// The limit of queued bytes, in addition to the line that is being written.
pub const MAX_WAITING: usize = 1 << 20;
/// [`flush`] waits no longer than this when a program ends.
pub const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Writes a line to standard error, as [`eprintln!`] does, without ever waiting for a reader.
#[macro_export]
macro_rules! report {
    ($($text:tt)*) => { $crate::stderr().line(format!($($text)*)) };
}

type Notice = Box<dyn Fn(u64) -> String + Send + Sync>;

/// The destination of lines. Clones are the same output.
#[derive(Clone)]
pub struct Output(Arc<Shared>);

struct Shared {
    target: Target,
    /// Makes the line that reports the number of dropped lines.
    notice: Notice,
    state: Mutex<State>,
    /// Notified when no line is queued any more.
    empty: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    dropped: u64,
    /// A thread writes the queued lines.
    writing: bool,
    /// Writing has failed: the reader is gone.
    broken: bool,
}

static ALL: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// The process's standard error.
pub fn stderr() -> &'static Output {
    static STDERR: OnceLock<Output> = OnceLock::new();
    STDERR.get_or_init(|| {
        Output::over(Target::stderr(), |count| format!("strait: {count} lines were dropped here: standard error was not read"))
    })
}

/// Waits until the queued lines of all outputs are written, or the time is up. True if all are
/// written.
pub fn flush(limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let all: Vec<_> = lock(&ALL).iter().filter_map(Weak::upgrade).collect();
    all.into_iter().all(|shared| Output(shared).flush_until(deadline))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Output {
    /// An output over a file that this process has opened itself, so it may become nonblocking.
    /// `notice` makes the line that reports the number of dropped lines.
    pub fn new(file: OwnedFd, notice: impl Fn(u64) -> String + Send + Sync + 'static) -> Self {
        Self::over(Target::of(file), notice)
    }

    fn over(target: Target, notice: impl Fn(u64) -> String + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { target, notice: Box::new(notice), state: Mutex::default(), empty: Condvar::new() });
        let mut all = lock(&ALL);
        all.retain(|output| output.strong_count() > 0);
        all.push(Arc::downgrade(&shared));
        Self(shared)
    }

    /// Writes a line and a line break. Returns at once.
    pub fn line(&self, text: impl Into<String>) {
        let mut line = text.into().into_bytes();
        line.push(b'\n');
        let mut state = lock(&self.0.state);
        if state.broken {
            return;
        }
        if !state.writing {
            // The queue is empty, so the line keeps its order.
            match self.0.target.try_write(&line) {
                Ok(written) if written == line.len() => return,
                Ok(written) => drop(line.drain(..written)),
                Err(_) => {
                    state.broken = true;
                    return;
                }
            }
        } else if !state.has_room(line.len()) {
            state.dropped += 1;
            return;
        }
        self.0.report_dropped(&mut state);
        state.push(line);
        if !state.writing {
            let shared = self.0.clone();
            let writer = thread::Builder::new().name("strait-output".into()).spawn(move || shared.write_all());
            // Without a thread the queued lines wait until the next call.
            state.writing = writer.is_ok();
        }
    }

    fn flush_until(&self, deadline: Instant) -> bool {
        let mut state = lock(&self.0.state);
        while state.writing {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.0.empty.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl State {
    /// Whether a line of this length may be queued. After lines were dropped, only when half of the
    /// limit is free, so that dropped lines are counted together.
    fn has_room(&self, length: usize) -> bool {
        let limit = if self.dropped > 0 { MAX_WAITING / 2 } else { MAX_WAITING };
        self.waiting.is_empty() || self.bytes + length <= limit
    }

    fn push(&mut self, line: Vec<u8>) {
        self.bytes += line.len();
        self.waiting.push_back(line);
    }
}

impl Shared {
    /// Adds the line that reports the number of lines dropped at this place.
    fn report_dropped(&self, state: &mut State) {
        if state.dropped > 0 {
            let notice = (self.notice)(std::mem::take(&mut state.dropped));
            state.push(format!("{notice}\n").into_bytes());
        }
    }

    /// The thread's work: writes lines until none waits.
    fn write_all(&self) {
        loop {
            let line = {
                let mut state = lock(&self.state);
                if state.waiting.is_empty() {
                    self.report_dropped(&mut state);
                }
                let Some(line) = state.waiting.pop_front() else {
                    state.writing = false;
                    self.empty.notify_all();
                    return;
                };
                state.bytes -= line.len();
                line
            };
            if self.target.write(&line).is_err() {
                // The reader is gone. The program continues, and there is no place to report the
                // error.
                *lock(&self.state) = State { broken: true, ..State::default() };
                self.empty.notify_all();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
