//! Ports, sets of ports and endpoints as `Stream`s, ports as `Sink`s: for any runtime, by the traits of the `futures` crates.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;

use super::{Port, PortId, PortSet, SinkError};
use crate::host::{AcceptError, Guest, Incoming};
use crate::message::{Event, Message};
use crate::router::Credit;

/// What is received, the close last. As [`Port::recv`]: somebody must drive the node.
impl Stream for Port {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll_recv(cx.waker())
    }
}

/// So that one part of a program can receive while another posts.
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

/// It has no end.
impl Stream for Incoming {
    type Item = Result<Guest, AcceptError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx).map(Some)
    }
}

/// Posts, as long as the port's high-water mark lets it ([`Port::set_high_water_mark`]). Unlike [`Port::post`] it says when the other end is gone, because whatever feeds a sink is to stop then.
///
/// Closing the sink leaves the channel open: it ends with the port.
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

/// So that one part of a program can post while another receives.
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
    /// Room for one more message, or the news that there is nobody to post to.
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
