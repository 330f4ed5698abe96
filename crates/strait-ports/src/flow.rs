//! Back-pressure as programs see it: how much waits for the other end, and when to go on.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::node::drive_until;
use crate::port::Port;
use crate::router::Credit;

/// Messages, and the payload bytes in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// How many messages.
    pub messages: usize,
    /// How many bytes.
    pub bytes: usize,
}

/// How much may wait for the other end of a port before [`Port::ready`] waits too.
///
/// ```
/// use strait_ports::HighWaterMark;
/// let mark = HighWaterMark::bytes(1 << 20);
/// assert_eq!(mark, HighWaterMark { messages: None, bytes: Some(1 << 20) });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HighWaterMark {
    /// So many messages are enough; `None`: as many as there are. 0 counts as 1.
    pub messages: Option<usize>,
    /// So many payload bytes are enough; `None`: as many as there are. 0 counts as 1.
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

/// Why [`Port::ready`] has nothing to wait for, or [`Port::ready_blocking`] has waited in vain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// The other end is gone: nothing that is posted will be received.
    #[error("the channel has ended")]
    Ended,
    /// The other end has not received enough in time. Only of [`Port::ready_blocking`].
    #[error("the other end has not received enough in time")]
    TimedOut,
    /// The node cannot be driven. Only of [`Port::ready_blocking`].
    #[error("the node cannot be driven")]
    Io(#[from] std::io::Error),
}

/// Back-pressure. Nothing that is posted is ever refused: a mark governs [`Port::ready`] alone, as in the WHATWG streams standard.
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
    /// What was posted on this port and has not been received by the program at the other end: waiting here, under way, or waiting there. It goes along when either end is
    /// transferred. Nothing, once the channel has ended.
    ///
    /// The other end tells what it has received in lumps. The first call asks it to tell the rest, too, whenever nothing more waits there; so the figure may be too
    /// large, while messages wait, by a batch: a quarter of the mark, an eighth of what waits, or 255 messages or 256 KiB, whichever applies and is
    /// less, but at least one message. It is never too small. Inside a node the first figure is as exact as all others; across processes the first call may give
    /// a batch too much, as the answer comes later.
    pub fn buffered_amount(&self) -> Amount {
        self.shared().act(|state| state.router.observe_amount(self.element()))
    }

    /// Sets how much may wait for the other end ([`Port::buffered_amount`]) before [`Port::ready`] waits. There is no mark at first. It goes along when this port is transferred.
    pub fn set_high_water_mark(&self, mark: HighWaterMark) {
        self.shared().act(|state| state.router.set_mark(self.element(), mark));
    }

    /// The mark that is set; none once the channel has ended.
    pub fn high_water_mark(&self) -> HighWaterMark {
        self.shared().act(|state| state.router.mark(self.element()))
    }

    /// The amount is below the mark, and the other end is not known to be gone.
    pub fn is_ready(&self) -> bool {
        self.shared().act(|state| state.router.credit(self.element())) == Credit::Available
    }

    /// Waits until the amount is below the mark; one message may then be posted, of whatever size, so that no message is too large for a mark. There is no lower mark at which
    /// waiting ends, but the other end tells of what it has received in steps of a quarter of the mark.
    ///
    /// Several may wait; all go on at the same time, and each is let through for itself. Somebody must drive the node meanwhile.
    ///
    /// # Errors
    /// [`ReadyError::Ended`] as soon as the other end is known to be gone.
    pub fn ready(&self) -> Ready<'_> {
        Ready { port: self, ticket: None }
    }

    /// As [`Port::ready`], but waits in this thread and drives the node meanwhile, at most for `timeout` (`None`: without limit).
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
    /// Our place among those who wait.
    ticket: Option<u64>,
}

impl Ready<'_> {
    /// Looks, and waits with this waker if there is nothing yet.
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
