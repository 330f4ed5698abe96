//! Message ports that carry values, for processes without windows: a child that `strait::UtilityProcess` has started talks by its [`ParentPort`].
//!
//! Nothing here knows of windows: such a process loads neither GTK nor WebKit. (`strait`, the API of the main process, has the same ports. A child that works with bytes can do
//! with `strait-ports` alone: its bootstrap port's first message brings the parent port.)

mod error;
#[doc(hidden)]
pub mod join;
mod parent;
// What `strait` shares with this crate is not for programs.
#[doc(hidden)]
pub mod port;
#[doc(hidden)]
pub mod turn;
#[doc(hidden)]
pub mod value;

pub use error::{PostMessageError, PostMessageErrorKind};
pub use join::ParentPortError;
pub use parent::ParentPort;
pub use port::{MessageChannel, MessageEvent, MessagePort, PortRecvError};
pub use strait_clone::Value;
pub use strait_ports::CloseReason;
pub use value::DecodeValueError;
