//! The threads for operations that may take long. They start with the first such operation, and end
//! when there has been none for [`PATIENCE`].

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// As many as Node has. One thread that waits for a pipe or a slow disk must not block the others.
const MOST: usize = 4;

/// The longest wait of a thread for the next operation.
const PATIENCE: Duration = Duration::from_secs(5);

/// An operation, and the conversion of its result.
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
    /// The number of results in `done`, which each round of the main loop reads.
    finished: AtomicUsize,
    /// Wakes the program's loop.
    wake: Box<dyn Fn() + Send + Sync>,
}

impl<D> Shared<D> {
    fn queue(&self) -> MutexGuard<'_, Queue<D>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The function of each thread.
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

/// Up to four threads for operations. Their results (`D`) are returned in the order in which the
/// operations ended. Dropping the pool does not wait for its threads; the results of running
/// operations are lost.
pub struct Pool<D>(Arc<Shared<D>>);

impl<D> Debug for Pool<D> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl<D: Send + 'static> Pool<D> {
    /// `wake` is called on any thread whenever an operation has ended.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let queue = Mutex::new(Queue { tasks: VecDeque::new(), done: VecDeque::new(), threads: 0, idle: 0 });
        Self(Arc::new(Shared { queue, more: Condvar::new(), finished: AtomicUsize::new(0), wake: Box::new(wake) }))
    }

    /// Queues the task for the next idle thread. False if there is no thread and none can be
    /// started.
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

    /// Whether there is a result that has not been taken.
    pub fn has_done(&self) -> bool {
        self.0.finished.load(Ordering::Acquire) > 0
    }

    /// Takes the oldest result.
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

    /// The next result, which must arrive within 20 s.
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
