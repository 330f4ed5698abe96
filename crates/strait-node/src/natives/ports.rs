//! Natives for channels and ports.

use napi::{Error, Result};
use strait_ports::{Message, Port, PostBufferError, PostError};

use super::{Call, Natives};
use crate::ports::PortId;

/// From this size on bytes are written into memory that both processes have, and not copied on the way.
const LARGE: usize = 16 << 10;

pub(super) fn register(natives: &mut Natives<'_>) -> Result<()> {
    natives.set("portChannel", |call| {
        let (first, second) = call.host.app.node().channel();
        Ok(call.host.adopt(vec![first, second]))
    })?;
    natives.set("portPost", post)?;
    natives.set("portStart", |call| {
        call.host.ports.borrow_mut().start(call.get(0)?, &call.host.ready);
        Ok(())
    })?;
    natives.set("portClose", |call| {
        let port = call.host.ports.borrow_mut().remove(call.get(0)?);
        if let Some(port) = port {
            port.close();
        }
        Ok(())
    })?;
    // Its object was collected.
    natives.set("portDrop", |call| {
        let port = call.host.ports.borrow_mut().remove(call.get(0)?);
        drop(port);
        Ok(())
    })
}

/// `(port, bytes, length, ports)`
fn post(call: &Call<'_>) -> Result<()> {
    let id: PortId = call.get(0)?;
    let data = call.written(1)?;
    with_ports(call, 3, |ports| {
        let table = call.host.ports.borrow();
        // Without one: closed by the other end, and the script has not been called with that yet. As if posted into the void.
        let Some(port) = table.get(id) else { return Ok(()) };
        if data.len() >= LARGE
            && let Ok(mut buffer) = port.alloc(data.len())
        {
            buffer.copy_from_slice(data);
            let posted = port.post_buffer(buffer, ports);
            return posted.map_err(|PostBufferError { ports, reason, .. }| (ports, unsent(&reason)));
        }
        port.post(Message::with_ports(data.to_vec(), ports)).map_err(|PostError { message, reason }| (message.ports, unsent(&reason)))
    })
}

fn unsent(reason: &dyn std::fmt::Display) -> String {
    format!("the message could not be sent: {reason}")
}

/// Runs `post` with the ports whose numbers argument `index` has; if it gives them back, they are where they were, and the error is thrown.
pub(super) fn with_ports(
    call: &Call<'_>,
    index: usize,
    post: impl FnOnce(Vec<Port>) -> std::result::Result<(), (Vec<Port>, String)>,
) -> Result<()> {
    let ids: Vec<PortId> = call.get(index)?;
    let taken = call.host.ports.borrow_mut().take(&ids);
    let (taken, ports) = taken.map_err(|_| Error::from_reason("a port of the list is gone"))?;
    post(ports).map_err(|(ports, reason)| {
        call.host.ports.borrow_mut().give_back(taken, ports);
        Error::from_reason(reason)
    })
}
