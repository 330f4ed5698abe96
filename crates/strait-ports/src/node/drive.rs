//! Driving a node in a thread, for hosts without a loop.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, epoll, eventfd};

use super::Node;
use super::epoll_events::EpollEvents;
use super::peers::Token;

/// How long a driver routes before it checks whether the node still has handles.
const SLICE: Duration = Duration::from_millis(10);

/// The threads in [`Node::drive`]. They hold no handle of the node, so the node's end must wake
/// them.
#[derive(Default)]
pub(crate) struct Drivers(Mutex<State>);

#[derive(Default)]
struct State {
    left: bool,
    wake_ups: Vec<Arc<OwnedFd>>,
}

impl Drivers {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the drivers because the node has left.
    pub(super) fn dismiss(&self) {
        let mut state = self.state();
        state.left = true;
        for wake_up in state.wake_ups.drain(..) {
            // The eventfd cannot be full: it is written once.
            let _ = rustix::io::write(&wake_up, &1u64.to_ne_bytes());
        }
    }
}

impl Drop for Drivers {
    fn drop(&mut self) {
        self.dismiss();
    }
}

impl Node {
    /// Drives the node in this thread until it has left ([`Node::leave`]) or all other handles are
    /// gone, those of ports and endpoints included.
    ///
    /// For hosts without a loop: with such a thread every [`Port::recv`](crate::Port::recv) works
    /// on any runtime.
    ///
    /// ```
    /// use std::thread;
    /// use strait_ports::Node;
    ///
    /// let node = Node::broker()?;
    /// let driver = thread::spawn({
    ///     let node = node.clone();
    ///     move || node.drive()
    /// });
    /// // … the program …
    /// drop(node);
    /// driver.join().unwrap()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When `epoll` fails, or the process has no descriptors left.
    pub fn drive(self) -> io::Result<()> {
        let epoll = Arc::clone(&self.shared.epoll);
        let wake_up = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        epoll::add(&epoll, &wake_up, Token::Note.data(), epoll::EventFlags::IN)?;
        self.shared.drivers.state().wake_ups.push(Arc::clone(&wake_up));
        let shared = Arc::downgrade(&self.shared);
        drop(self);
        let driven = loop {
            match shared.upgrade() {
                Some(shared) if !shared.drivers.state().left => {}
                _ => break Ok(()),
            }
            let ready = match EpollEvents::until(&epoll, None) {
                Ok(ready) => ready,
                Err(error) => break Err(error),
            };
            let Some(shared) = shared.upgrade() else { break Ok(()) };
            if let Err(error) = Node::of(shared).route(ready, Instant::now() + SLICE) {
                break Err(error);
            }
        };
        let _ = epoll::delete(&epoll, &wake_up);
        driven
    }
}
