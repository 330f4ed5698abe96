//! Hosts: how processes come to a first port, and who drives a node.
//!
//! [`spawn`] hands a port to a child, [`endpoint`] lets processes come that were not started by this one, [`block_on`] and `node/drive.rs` are for programs without a
//! loop of their own.

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
