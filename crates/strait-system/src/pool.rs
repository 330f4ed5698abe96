//! The threads beside a program's, for operations that may take long. There are none until the first such operation, and none when nothing has been asked for a while.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// As many as Node has: one that waits for a pipe or a slow disk must not keep the others.
const MOST: usize = 4;

/// How long a thread waits for the next operation.
const PATIENCE: Duration = Duration::from_secs(5);

/// An operation, and what is made of it.
pub type Task<D> = Box<dyn FnOnce() -> D + Send>;

struct Queue<D> {
    tasks: VecDeque<Task<D>>,
    done: VecDeque<D>,
    threads: usize,
    idle: usize,
}

struct Shared<D> {
    queue: Mutex<Queue<D>>,
    more: Condvar,
    /// How many are in `done`: looked at in each round of the main loop.
    finished: AtomicUsize,
    /// Makes the program's loop look.
    wake: Box<dyn Fn() + Send + Sync>,
}

impl<D> Shared<D> {
    fn queue(&self) -> MutexGuard<'_, Queue<D>> {
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

/// A few threads that do operations, and what these came to (`D`), in the order in which they ended. Nobody waits for a thread when the pool goes: what one still does is lost.
pub struct Pool<D>(Arc<Shared<D>>);

impl<D> Debug for Pool<D> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl<D: Send + 'static> Pool<D> {
    /// `wake` is called on any thread, whenever something is done.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let queue = Mutex::new(Queue { tasks: VecDeque::new(), done: VecDeque::new(), threads: 0, idle: 0 });
        Self(Arc::new(Shared { queue, more: Condvar::new(), finished: AtomicUsize::new(0), wake: Box::new(wake) }))
    }

    /// Has it done by the next thread that is free; false if there is none and none can be made.
    pub fn have_done(&self, task: Task<D>) -> bool {
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
    pub fn has_done(&self) -> bool {
        self.0.finished.load(Ordering::Acquire) > 0
    }

    /// What was done first.
    pub fn take_done(&self) -> Option<D> {
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

    /// What is done within a generous time.
    fn next(pool: &Pool<u32>) -> u32 {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(done) = pool.take_done() {
                return done;
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
            1
        })));
        for request in 2..40 {
            assert!(pool.have_done(Box::new(move || request)));
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
