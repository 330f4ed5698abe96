//! Hosts: first ports for processes, and driving a node.
//!
//! [`spawn`] passes a port to a child. [`endpoint`] admits processes that this one has not started.
//! [`block_on`] and `node/drive.rs` are for programs without a loop.

mod block_on;
mod credentials;
mod endpoint;
mod path;
mod spawn;

pub use credentials::Credentials;
pub use endpoint::{AcceptError, BindError, ConnectError, Endpoint, EndpointOptions, Guest, Incoming};
#[cfg(any(test, fuzzing))]
pub(crate) use spawn::parse as parse_port_variable;
pub use spawn::{FromEnvError, PORT_FD_VARIABLE, SpawnError};
