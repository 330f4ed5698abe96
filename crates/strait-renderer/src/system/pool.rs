//! The threads beside the page's, for operations that may take long. There are none until the first such operation, and none when nothing has been asked for a while.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Done;

/// As many as Node has: one that waits for a pipe or a slow disk must not keep the others.
const MOST: usize = 4;

/// How long a thread waits for the next operation.
const PATIENCE: Duration = Duration::from_secs(5);

type Task = Box<dyn FnOnce() -> Done + Send>;

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    done: VecDeque<Done>,
    threads: usize,
    idle: usize,
}

struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
    /// How many are in `done`: looked at in each round of the main loop.
    finished: AtomicUsize,
    /// Makes the page's main loop look.
    wake: fn(),
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each thread does.
    fn work(&self) {
        let mut queue = self.queue();
        loop {
            if let Some(task) = queue.tasks.pop_front() {
                drop(queue);
                let done = task();
                queue = self.queue();
                queue.done.push_back(done);
                self.finished.fetch_add(1, Ordering::Release);
                drop(queue);
                (self.wake)();
                queue = self.queue();
                continue;
            }
            queue.idle += 1;
            let (again, wait) = self.more.wait_timeout(queue, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            queue = again;
            queue.idle -= 1;
            if wait.timed_out() && queue.tasks.is_empty() {
                queue.threads -= 1;
                return;
            }
        }
    }
}

/// See the module.
pub(crate) struct Pool(Arc<Shared>);

impl Pool {
    /// `wake` may be called on any thread.
    pub(crate) fn new(wake: fn()) -> Self {
        Self(Arc::new(Shared { queue: Mutex::default(), more: Condvar::new(), finished: AtomicUsize::new(0), wake }))
    }

    /// Has it done by the next thread that is free; false if there is none and none can be made.
    pub(crate) fn have_done(&self, task: Task) -> bool {
        let mut queue = self.0.queue();
        queue.tasks.push_back(task);
        if queue.tasks.len() > queue.idle && queue.threads < MOST {
            let shared = Arc::clone(&self.0);
            match thread::Builder::new().name("strait-files".to_owned()).spawn(move || shared.work()) {
                Ok(_) => queue.threads += 1,
                Err(_) if queue.threads == 0 => {
                    queue.tasks.pop_back();
                    return false;
                }
                Err(_) => {}
            }
        }
        drop(queue);
        self.0.more.notify_one();
        true
    }

    /// Is something done that has not been taken?
    pub(crate) fn has_done(&self) -> bool {
        self.0.finished.load(Ordering::Acquire) > 0
    }

    /// What was done first.
    pub(crate) fn take_done(&self) -> Option<Done> {
        if !self.has_done() {
            return None;
        }
        let done = self.0.queue().done.pop_front();
        if done.is_some() {
            self.0.finished.fetch_sub(1, Ordering::Release);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;
    use crate::system::{Gives, errors::Failure};

    fn done(request: u32) -> Done {
        Done { realm: 1, request, result: Err::<Gives, _>(Failure::of(std::io::ErrorKind::NotFound, "x")) }
    }

    /// What is done within a generous time.
    fn next(pool: &Pool) -> u32 {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(done) = pool.take_done() {
                return done.request;
            }
            thread::yield_now();
        }
        panic!("nothing was done");
    }

    #[test]
    fn what_waits_keeps_nobody_else() {
        let pool = Pool::new(|| {});
        let (go, wait) = mpsc::channel::<()>();
        assert!(pool.have_done(Box::new(move || {
            let _ = wait.recv();
            done(1)
        })));
        for request in 2..40 {
            assert!(pool.have_done(Box::new(move || done(request))));
        }
        let mut seen: Vec<_> = (2..40).map(|_| next(&pool)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (2..40).collect::<Vec<_>>());
        assert!(!pool.has_done());
        drop(go);
        assert_eq!(next(&pool), 1);
        assert!(pool.0.queue().threads <= MOST);
    }
}
