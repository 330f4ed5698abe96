//! The port to the parent process: [`ParentPort`].

use std::{fmt, thread};

use strait_clone::Value;
use strait_ports::{CloseReason, Node, Port};

use crate::{
    MessageEvent, MessagePort, ParentPortError, PortRecvError, PostMessageError,
    join::{Joined, join},
};

/// The port to the process that has started this one by `UtilityProcess`, in Rust or JavaScript.
///
/// Dropping it leaves in order: posted messages are delivered, and this process's ports close with
/// `exited`. A process that ends without dropping it (by a panic, [`std::process::exit`], or a
/// signal) closes its ports with `crashed`, after the messages that its links had accepted were
/// delivered.
///
/// ```no_run
/// use strait_child::{MessageChannel, ParentPort};
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let parent = ParentPort::from_env()?;
///     let channel = MessageChannel::new(&parent);
///     parent.post_message("a port of my own", vec![channel.port1])?;
///     while let Ok(message) = parent.recv().await {
///         println!("{:?} with {} ports", message.data, message.ports.len());
///     }
///     Ok(()) // the parent is gone, or has closed the port
/// }
/// ```
///
/// Without a runtime, `parent.node().block_on(parent.recv())` waits.
pub struct ParentPort {
    port: MessagePort,
    node: Node,
    name: String,
    /// The bootstrap port, kept open until the node has left.
    _control: Port,
}

impl ParentPort {
    /// The port. Call it once, early. From now on a thread of this process drives its messages.
    /// Another thread ends the process two seconds after its parent has ended, so that no child is
    /// left behind, not even one in an endless loop.
    ///
    /// # Errors
    /// If this process was not started by `UtilityProcess`, or the parent does not answer.
    pub fn from_env() -> Result<Self, ParentPortError> {
        Ok(Self::of(join(true)?))
    }

    /// [`ParentPort::from_env`] for a process that may outlive its parent. The port's close reports
    /// the parent's end.
    ///
    /// # Errors
    /// The same.
    pub fn from_env_outliving() -> Result<Self, ParentPortError> {
        Ok(Self::of(join(false)?))
    }

    fn of(Joined { node, control, start, parent_port }: Joined) -> Self {
        Self { port: parent_port.into(), node, name: start.name, _control: control }
    }

    /// The name that the parent has given this process.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port itself.
    pub fn port(&self) -> &MessagePort {
        &self.port
    }

    /// This process's node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Posts a message to the parent.
    ///
    /// # Errors
    /// See [`MessagePort::post_message`].
    pub fn post_message(&self, message: impl Into<Value>, ports: Vec<MessagePort>) -> Result<(), PostMessageError> {
        self.port.post_message(message, ports)
    }

    /// Waits for the parent's next message.
    ///
    /// # Errors
    /// See [`MessagePort::recv`].
    pub async fn recv(&self) -> Result<MessageEvent, PortRecvError> {
        self.port.recv().await
    }
}

impl AsRef<Node> for ParentPort {
    fn as_ref(&self) -> &Node {
        &self.node
    }
}

impl Drop for ParentPort {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.node.leave(CloseReason::Exited);
        }
    }
}

impl fmt::Debug for ParentPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParentPort").field("name", &self.name).field("port", &self.port).finish()
    }
}
