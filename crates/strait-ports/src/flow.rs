//! Back-pressure: the outstanding amount of a port, and waiting until it is below a mark.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::node::drive_until;
use crate::port::Port;
use crate::router::Credit;

/// A number of messages, and of their payload bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// The number of messages.
    pub messages: usize,
    /// The number of bytes.
    pub bytes: usize,
}

/// The outstanding amount from which on [`Port::ready`] waits.
///
/// ```
/// use strait_ports::HighWaterMark;
/// let mark = HighWaterMark::bytes(1 << 20);
/// assert_eq!(mark, HighWaterMark { messages: None, bytes: Some(1 << 20) });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HighWaterMark {
    /// The mark in messages; `None`: no mark. 0 counts as 1.
    pub messages: Option<usize>,
    /// The mark in payload bytes; `None`: no mark. 0 counts as 1.
    pub bytes: Option<usize>,
}

impl HighWaterMark {
    /// No mark: a port is always ready.
    pub const NONE: Self = Self { messages: None, bytes: None };

    /// A mark in messages.
    pub const fn messages(messages: usize) -> Self {
        Self { messages: Some(messages), bytes: None }
    }

    /// A mark in bytes.
    pub const fn bytes(bytes: usize) -> Self {
        Self { messages: None, bytes: Some(bytes) }
    }

    /// The amount is below every mark that is set.
    pub(crate) fn is_above(self, amount: Amount) -> bool {
        self.messages.is_none_or(|mark| amount.messages < mark.max(1)) && self.bytes.is_none_or(|mark| amount.bytes < mark.max(1))
    }
}

/// The reasons for which [`Port::ready`] or [`Port::ready_blocking`] fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// The other end is gone: no further message will be received.
    #[error("the channel has ended")]
    Ended,
    /// The amount was not below the mark in time. Only from [`Port::ready_blocking`].
    #[error("the outstanding amount was not below the high-water mark within the time limit")]
    TimedOut,
    /// The node cannot be driven. Only from [`Port::ready_blocking`].
    #[error("the node cannot be driven: waiting or routing failed")]
    Io(#[from] std::io::Error),
}

/// Back-pressure. A post is never refused: a mark only affects [`Port::ready`] and sinks, as in the
/// WHATWG streams standard.
///
/// ```
/// use strait_ports::{HighWaterMark, Node};
/// let node = Node::broker()?;
/// let (a, b) = node.channel();
/// a.set_high_water_mark(HighWaterMark::messages(2));
/// while a.is_ready() {
///     a.post(vec![1, 2, 3])?;
/// }
/// assert_eq!((a.buffered_amount().messages, a.buffered_amount().bytes), (2, 6));
/// b.try_recv();
/// a.ready_blocking(None)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Port {
    /// The outstanding amount: messages that were posted on this port and not yet received by the
    /// program at the other end, wherever they are queued. It moves with the port when either end
    /// is transferred. It is zero once the channel has ended.
    ///
    /// The other end reports received messages in batches. The first call makes it also report
    /// whenever its queue is empty. So the amount is never too small, and can be too large by one
    /// batch while messages are queued. A batch is the least of these, but at least one message:
    /// - a quarter of the mark,
    /// - an eighth of the receiver's queue,
    /// - 255 messages or 256 KiB.
    ///
    /// Inside a node the first amount is as exact as later ones. Across processes the first call
    /// may return one batch too much, because the report arrives later.
    pub fn buffered_amount(&self) -> Amount {
        self.shared().act(|state| state.router.observe_amount(self.element()))
    }

    /// Sets the outstanding amount ([`Port::buffered_amount`]) from which on [`Port::ready`] waits.
    /// A new port has no mark. The mark moves with the port.
    pub fn set_high_water_mark(&self, mark: HighWaterMark) {
        self.shared().act(|state| state.router.set_mark(self.element(), mark));
    }

    /// Returns the port's mark; none once the channel has ended.
    pub fn high_water_mark(&self) -> HighWaterMark {
        self.shared().act(|state| state.router.mark(self.element()))
    }

    /// Whether the amount is below the mark and the channel has not ended.
    pub fn is_ready(&self) -> bool {
        self.shared().act(|state| state.router.credit(self.element())) == Credit::Available
    }

    /// Waits until the amount is below the mark. Then one message of any size may be posted, so no
    /// message is too large for a mark. There is no lower mark; the other end reports received
    /// messages in steps of a quarter of the mark.
    ///
    /// Any number of tasks may wait; they continue together, and each checks the amount for itself.
    /// A thread must drive the node meanwhile.
    ///
    /// # Errors
    /// [`ReadyError::Ended`] as soon as this node is notified that the other end is gone.
    pub fn ready(&self) -> Ready<'_> {
        Ready { port: self, ticket: None }
    }

    /// As [`Port::ready`], but waits in this thread and drives the node meanwhile, at most for
    /// `timeout` (`None`: without limit).
    ///
    /// # Errors
    /// See [`ReadyError`].
    pub fn ready_blocking(&self, timeout: Option<Duration>) -> Result<(), ReadyError> {
        let deadline = timeout.map(|t| Instant::now() + t);
        let mut ready = self.ready();
        if let Poll::Ready(done) = ready.look(None) {
            return done;
        }
        drive_until(&[self.shared()], deadline, |cx| ready.look(Some(cx.waker())))?.unwrap_or(Err(ReadyError::TimedOut))
    }
}

/// The future of [`Port::ready`].
#[must_use = "futures do nothing unless polled"]
pub struct Ready<'a> {
    port: &'a Port,
    /// The ticket of this waiter in `SendWaiters`.
    ticket: Option<u64>,
}

impl Ready<'_> {
    /// Checks the credit; without credit, registers this waker.
    fn look(&mut self, waker: Option<&Waker>) -> Poll<Result<(), ReadyError>> {
        let (key, ticket) = (self.port.element(), self.ticket);
        // A waker is foreign code: it is copied and dropped without the lock.
        let waker = waker.cloned();
        let (credit, ticket, _spare) = self.port.shared().act(|state| match (state.router.credit(key), waker) {
            (Credit::Blocked, Some(waker)) => {
                let (ticket, former) = state.send_waiters.add(key, ticket, waker);
                (Credit::Blocked, Some(ticket), former)
            }
            (credit, spare) => (credit, ticket, spare),
        });
        self.ticket = ticket;
        match credit {
            Credit::Available => Poll::Ready(Ok(())),
            Credit::Blocked => Poll::Pending,
            Credit::Ended => Poll::Ready(Err(ReadyError::Ended)),
        }
    }
}

impl Future for Ready<'_> {
    type Output = Result<(), ReadyError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.look(Some(cx.waker()))
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let _waker = self.port.shared().act(|state| state.send_waiters.remove(self.port.element(), ticket));
        }
    }
}

impl fmt::Debug for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("port", self.port).finish_non_exhaustive()
    }
}
