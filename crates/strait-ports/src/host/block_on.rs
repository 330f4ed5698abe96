//! Waiting for a future in a thread that drives the node meanwhile, for programs without a loop.

use std::future::Future;
use std::io;
use std::pin::pin;

use crate::node::{Node, drive_until};

impl Node {
    /// Runs a future to its end in this thread and drives the node meanwhile, for programs without
    /// a runtime.
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
