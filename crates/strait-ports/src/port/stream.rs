//! The traits of the `futures` crates, for any runtime: `Stream` for ports, sets and endpoints,
//! `Sink` for ports.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;

use super::{Port, PortId, PortSet, SinkError};
use crate::host::{AcceptError, Guest, Incoming};
use crate::message::{Event, Message};
use crate::router::Credit;

/// Received events, the close last. As with [`Port::recv`], a thread must drive the node.
impl Stream for Port {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll_recv(cx.waker())
    }
}

/// Lets one part of a program receive while another posts.
impl Stream for &Port {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll_recv(cx.waker())
    }
}

impl Stream for PortSet {
    type Item = (PortId, Event);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx)
    }
}

/// The stream of guests has no end.
impl Stream for Incoming {
    type Item = Result<Guest, AcceptError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx).map(Some)
    }
}

/// Posts as far as the port's high-water mark permits ([`Port::set_high_water_mark`]). Unlike
/// [`Port::post`], it reports when the other end is gone, because the source of a sink must stop
/// then.
///
/// Closing the sink leaves the channel open: the channel ends with the port.
impl Sink<Message> for Port {
    type Error = SinkError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        self.poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SinkError> {
        Ok(self.post(message)?)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        Poll::Ready(Ok(()))
    }
}

/// Lets one part of a program post while another receives.
impl Sink<Message> for &Port {
    type Error = SinkError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        self.poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SinkError> {
        Ok(self.post(message)?)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        Poll::Ready(Ok(()))
    }
}

impl Port {
    /// Ready when one more message may be posted, or when the channel has ended.
    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), SinkError>> {
        let key = self.key();
        // A waker is foreign code: it is copied and dropped without the lock.
        let waker = cx.waker().clone();
        let (credit, _spare) = self.shared.act(|state| match state.router.credit(key) {
            Credit::Blocked => (Credit::Blocked, state.send_waiters.add_without_ticket(key, waker)),
            credit => (credit, Some(waker)),
        });
        match credit {
            Credit::Available => Poll::Ready(Ok(())),
            Credit::Blocked => Poll::Pending,
            Credit::Ended => Poll::Ready(Err(SinkError::Ended)),
        }
    }
}
