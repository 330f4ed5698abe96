//! `ipc-channel` between two processes: typed `Vec<u8>` through serde, and its channel for bytes.

use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcReceiver, IpcSender};
use std::process::Stdio;

use crate::Outcome;
use crate::measure::{Answer, Echo, Stream, Window};
use crate::placement::{Placement, Side};
use crate::process::Process;

/// Where messages go to, and where answers come from.
type Typed = (IpcSender<Vec<u8>>, IpcReceiver<Vec<u8>>);
type Bytes = (IpcBytesSender, IpcBytesReceiver);

/// A pair of channels to another process.
pub(crate) struct Client<Ends> {
    ends: Ends,
    _process: Process,
}

impl Client<Typed> {
    /// A process that sends back what comes.
    pub(crate) fn typed_echo(placement: Placement) -> Outcome<Self> {
        Self::start_typed("ipc-typed-echo", placement)
    }

    /// A process that reads what comes.
    pub(crate) fn typed_sink(placement: Placement, window: Window) -> Outcome<Self> {
        let client = Self::start_typed("ipc-typed-sink", placement)?;
        client.ends.0.send(window.every.to_le_bytes().to_vec())?;
        Ok(client)
    }

    fn start_typed(role: &str, placement: Placement) -> Outcome<Self> {
        let (server, name) = IpcOneShotServer::<Typed>::new()?;
        let process = Process::start(role, Stdio::null(), (placement, Side::Far), &[name])?;
        Ok(Self { ends: server.accept()?.1, _process: process })
    }
}

impl Client<Bytes> {
    /// A process that sends back what comes.
    pub(crate) fn bytes_echo(placement: Placement) -> Outcome<Self> {
        Self::start_bytes("ipc-bytes-echo", placement)
    }

    /// A process that reads what comes.
    pub(crate) fn bytes_sink(placement: Placement, window: Window) -> Outcome<Self> {
        let client = Self::start_bytes("ipc-bytes-sink", placement)?;
        client.ends.0.send(&window.every.to_le_bytes())?;
        Ok(client)
    }

    fn start_bytes(role: &str, placement: Placement) -> Outcome<Self> {
        let (server, name) = IpcOneShotServer::<Bytes>::new()?;
        let process = Process::start(role, Stdio::null(), (placement, Side::Far), &[name])?;
        Ok(Self { ends: server.accept()?.1, _process: process })
    }
}

impl Echo for Client<Typed> {
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize> {
        self.ends.0.send(payload.to_vec())?;
        Ok(self.ends.1.recv()?.len())
    }
}

impl Echo for Client<Bytes> {
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize> {
        self.ends.0.send(payload)?;
        Ok(self.ends.1.recv()?.len())
    }
}

impl Stream for Client<Typed> {
    fn post(&mut self, payload: &[u8]) -> Outcome<()> {
        Ok(self.ends.0.send(payload.to_vec())?)
    }

    fn answer(&mut self) -> Outcome<u64> {
        Answer::read(&self.ends.1.recv()?)
    }
}

impl Stream for Client<Bytes> {
    fn post(&mut self, payload: &[u8]) -> Outcome<()> {
        Ok(self.ends.0.send(payload)?)
    }

    fn answer(&mut self) -> Outcome<u64> {
        Answer::read(&self.ends.1.recv()?)
    }
}

/// The other process's ends; the client's are sent to the server of that name.
fn typed(name: String) -> Outcome<Typed> {
    let (to_us, from_them) = ipc::channel()?;
    let (to_them, from_us) = ipc::channel()?;
    IpcSender::<Typed>::connect(name)?.send((to_us, from_us))?;
    Ok((to_them, from_them))
}

fn bytes(name: String) -> Outcome<Bytes> {
    let (to_us, from_them) = ipc::bytes_channel()?;
    let (to_them, from_us) = ipc::bytes_channel()?;
    IpcSender::<Bytes>::connect(name)?.send((to_us, from_us))?;
    Ok((to_them, from_them))
}

/// Until the client is gone.
pub(crate) fn serve_typed_echo(name: String) -> Outcome<()> {
    let (sender, receiver) = typed(name)?;
    while let Ok(payload) = receiver.recv() {
        sender.send(payload)?;
    }
    Ok(())
}

/// Until the client is gone.
pub(crate) fn serve_bytes_echo(name: String) -> Outcome<()> {
    let (sender, receiver) = bytes(name)?;
    while let Ok(payload) = receiver.recv() {
        sender.send(&payload)?;
    }
    Ok(())
}

/// Until the client is gone.
pub(crate) fn serve_typed_sink(name: String) -> Outcome<()> {
    let (sender, receiver) = typed(name)?;
    let mut answer = Answer::every(u32::from_le_bytes(receiver.recv()?[..].try_into()?));
    while let Ok(payload) = receiver.recv() {
        if let Some(sum) = answer.after(&payload) {
            sender.send(sum.to_le_bytes().to_vec())?;
        }
    }
    Ok(())
}

/// Until the client is gone.
pub(crate) fn serve_bytes_sink(name: String) -> Outcome<()> {
    let (sender, receiver) = bytes(name)?;
    let mut answer = Answer::every(u32::from_le_bytes(receiver.recv()?[..].try_into()?));
    while let Ok(payload) = receiver.recv() {
        if let Some(sum) = answer.after(&payload) {
            sender.send(&sum.to_le_bytes())?;
        }
    }
    Ok(())
}
