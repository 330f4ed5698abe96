//! The I/O thread: drives the node, admits agents, and hears what they say.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use rustix::event::{EventfdFlags, eventfd};

use crate::{StartError, WindowId, registry::AgentId, shared::SharedRef};

/// What other threads ask of the I/O thread.
#[derive(Debug)]
pub(crate) enum IoCommand {
    /// An agent has said something.
    AgentReady(AgentId),
    /// Close this window's page in order, then have its window destroyed.
    CloseWindow(WindowId),
    /// Leave the network and end.
    Shutdown,
}

/// The way to the I/O thread.
#[derive(Clone)]
pub(crate) struct IoHandle {
    commands: mpsc::Sender<IoCommand>,
    wake: Arc<OwnedFd>,
}

/// What [`start`] needs besides.
pub(crate) struct IoInbox {
    commands: mpsc::Receiver<IoCommand>,
    wake: Arc<OwnedFd>,
}

/// A running I/O thread.
pub(crate) struct IoThread {
    thread: std::thread::JoinHandle<()>,
    admissions: Arc<Mutex<()>>,
}

pub(crate) fn channel() -> io::Result<(IoHandle, IoInbox)> {
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let (sender, receiver) = mpsc::channel();
    Ok((IoHandle { commands: sender, wake: wake.clone() }, IoInbox { commands: receiver, wake }))
}

impl IoHandle {
    pub(crate) fn send(&self, command: IoCommand) {
        if self.commands.send(command).is_ok() {
            // A full counter wakes just as well.
            let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        }
    }
}

pub(crate) fn start(_shared: SharedRef, inbox: IoInbox) -> Result<IoThread, StartError> {
    let thread = std::thread::spawn(move || {
        let _ = &inbox.wake;
        while let Ok(command) = inbox.commands.recv() {
            if matches!(command, IoCommand::Shutdown) {
                return;
            }
        }
    });
    Ok(IoThread { thread, admissions: Arc::default() })
}

impl IoThread {
    pub(crate) fn admissions(&self) -> Arc<Mutex<()>> {
        drop(self.admissions.lock().unwrap_or_else(PoisonError::into_inner));
        self.admissions.clone()
    }
    pub(crate) fn join(self) {
        let _ = self.thread.join();
    }
}
