//! Waiting in a thread, and driving the node meanwhile: for programs without a loop.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::node::{Node, Shared, poll_until};
use crate::port::Alarm;

/// How long one node routes before the waiter looks again.
const SLICE: Duration = Duration::from_millis(10);

/// Drives `nodes` until `poll` is ready; `None` if the deadline comes first.
pub(crate) fn drive_until<T>(
    nodes: &[&Arc<Shared>],
    deadline: Option<Instant>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> io::Result<Option<T>> {
    // Other threads may drive the nodes too and receive what we wait for: the nodes' descriptors alone would not wake us.
    let alarm = Alarm::of_this_thread()?;
    let waker = Waker::from(Arc::clone(&alarm));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(ready) = poll(&mut cx) {
            return Ok(Some(ready));
        }
        let descriptors = nodes.iter().map(|node| &*node.epoll).chain([alarm.descriptor()]);
        let mut fds: Vec<_> = descriptors.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        if !poll_until(&mut fds, deadline)? {
            return Ok(None);
        }
        if fds.last().is_some_and(|fd| !fd.revents().is_empty()) {
            alarm.silence();
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for (node, _) in nodes.iter().zip(ready).filter(|(_, ready)| *ready) {
            let _ = Node::of(Arc::clone(node)).dispatch(SLICE)?;
        }
    }
}

impl Node {
    /// Runs a future to its end in this thread, and drives the node meanwhile: for programs without a runtime.
    ///
    /// ```
    /// use strait_ports::{Event, Node};
    /// let node = Node::broker()?;
    /// let (a, b) = node.channel();
    /// let answer = node.block_on(async {
    ///     a.post(b"question".to_vec()).unwrap();
    ///     b.recv().await
    /// })?;
    /// assert!(matches!(answer, Some(Event::Message(m)) if m.data == b"question"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the node cannot be driven.
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let mut future = pin!(future);
        let output = drive_until(&[self.shared()], None, |cx| future.as_mut().poll(cx))?;
        Ok(output.expect("without a deadline it ends only when it is ready"))
    }
}
