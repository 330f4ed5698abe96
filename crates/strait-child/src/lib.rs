//! Message ports that carry values, for processes without windows: a child that
//! `strait::UtilityProcess` has started communicates through its [`ParentPort`].
//!
//! Nothing here depends on windows: such a process loads neither GTK nor WebKit. (`strait`, the API
//! of the main process, has the same ports. A child that works with bytes needs only
//! `strait-ports`: the first message of its bootstrap port contains the parent port.)

mod error;
#[doc(hidden)]
pub mod join;
mod parent;
// Code that `strait` shares with this crate is not for programs.
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
