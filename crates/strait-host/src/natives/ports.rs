//! Natives for channels and ports.

use rquickjs::{Ctx, Exception, Object, Result, TypedArray, prelude::Func};
use strait_ports::{Message, Port, PostError};

use crate::{host::host, ports::Taken, ready::PortId};

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("portChannel", Func::from(channel))?;
    natives.set("portPost", Func::from(post))?;
    natives.set("portStart", Func::from(start))?;
    natives.set("portClose", Func::from(close))?;
    natives.set("portDrop", Func::from(drop_port))
}

fn channel() -> Vec<PortId> {
    let host = host();
    let (first, second) = host.embedder.node().channel();
    host.adopt(vec![first, second])
}

fn start(id: PortId) {
    let host = host();
    host.ports.borrow_mut().start(id, &host.ready);
}

fn close(id: PortId) {
    let port = host().ports.borrow_mut().remove(id);
    if let Some(port) = port {
        port.close();
    }
}

/// The JavaScript object was collected.
fn drop_port(id: PortId) {
    drop(host().ports.borrow_mut().remove(id));
}

/// The bytes a script wrote into a buffer of its own.
pub fn written(bytes: &TypedArray<'_, u8>, length: usize) -> Vec<u8> {
    bytes.as_bytes().and_then(|bytes| bytes.get(..length)).unwrap_or_default().to_vec()
}

/// Runs `post` with the ports; if it gives them back, they are where they were, and the error is thrown.
pub fn with_ports(
    ctx: &Ctx<'_>,
    ids: &[PortId],
    post: impl FnOnce(Vec<Port>) -> std::result::Result<(), (Vec<Port>, String)>,
) -> Result<()> {
    let host = host();
    let taken: std::result::Result<(Taken, Vec<Port>), PortId> = host.ports.borrow_mut().take(ids);
    let Ok((taken, ports)) = taken else {
        return Err(Exception::throw_message(ctx, "a port of the list is gone"));
    };
    post(ports).map_err(|(ports, reason)| {
        host.ports.borrow_mut().give_back(taken, ports);
        Exception::throw_message(ctx, &reason)
    })
}

fn post(ctx: Ctx<'_>, id: PortId, bytes: TypedArray<'_, u8>, length: usize, ids: Vec<PortId>) -> Result<()> {
    let data = written(&bytes, length);
    with_ports(&ctx, &ids, |ports| {
        let host = host();
        let table = host.ports.borrow();
        match table.get(id) {
            Some(port) => port
                .post(Message::with_ports(data, ports))
                .map_err(|PostError { message, reason }| (message.ports, format!("the message could not be sent: {reason}"))),
            // Closed by the other end while nobody has told the script yet: as if posted into the void.
            None => Ok(()),
        }
    })
}
