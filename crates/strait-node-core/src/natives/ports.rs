//! Natives for channels and ports.

use napi::{Error, Result};
use strait_ports::{Message, Port, PostBufferError, PostError};

use super::{Call, Natives};
use crate::{core::Host, ports::PortId};

/// From this size on bytes are written into memory that both processes have, and are not copied on
/// the way.
const LARGE: usize = 16 << 10;

pub(super) fn register<H: Host>(natives: &mut Natives<'_, H>) -> Result<()> {
    natives.set("portChannel", |call| {
        let (first, second) = call.host.node().channel();
        Ok(call.host.core().adopt(vec![first, second]))
    })?;
    natives.set("portPost", post)?;
    natives.set("portStart", |call| {
        let core = call.host.core();
        core.ports.borrow_mut().start(call.get(0)?, &core.ready);
        Ok(())
    })?;
    natives.set("portClose", |call| {
        let port = call.host.core().ports.borrow_mut().remove(call.get(0)?);
        if let Some(port) = port {
            port.close();
        }
        Ok(())
    })?;
    // The port's object was collected.
    natives.set("portDrop", |call| {
        let port = call.host.core().ports.borrow_mut().remove(call.get(0)?);
        drop(port);
        Ok(())
    })
}

/// `(port, bytes, length, ports)`
fn post<H: Host>(call: &Call<'_, H>) -> Result<()> {
    let id: PortId = call.get(0)?;
    let data = call.written(1)?;
    with_ports(call, 3, |ports| {
        let table = call.host.core().ports.borrow();
        // Without a port: the other end has closed it, and the script has not been called for that
        // yet. The post has no effect.
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

pub(super) fn unsent(reason: &dyn std::fmt::Display) -> String {
    format!("the message could not be sent: {reason}")
}

/// Runs `post` with the ports whose numbers argument `index` contains. If `post` returns them, they
/// are put back in their places, and the error is thrown.
///
/// # Errors
/// The error of `post`; a port that is gone.
pub fn with_ports<H: Host>(
    call: &Call<'_, H>,
    index: usize,
    post: impl FnOnce(Vec<Port>) -> std::result::Result<(), (Vec<Port>, String)>,
) -> Result<()> {
    let ids: Vec<PortId> = call.get(index)?;
    let taken = call.host.core().ports.borrow_mut().take(&ids);
    let (taken, ports) = taken.map_err(|_| Error::from_reason("a port of the list is gone"))?;
    post(ports).map_err(|(ports, reason)| {
        call.host.core().ports.borrow_mut().give_back(taken, ports);
        Error::from_reason(reason)
    })
}
