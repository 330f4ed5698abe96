//! Message ports that carry values, for processes without windows. (`strait`, the API of the main process, has the same ports.)

mod error;
// What `strait` shares with this crate is not for programs.
#[doc(hidden)]
pub mod port;
#[doc(hidden)]
pub mod value;

pub use error::{PostMessageError, PostMessageErrorKind};
pub use port::{MessageChannel, MessageEvent, MessagePort, PortRecvError};
pub use strait_clone::Value;
pub use strait_ports::CloseReason;
pub use value::DecodeValueError;
