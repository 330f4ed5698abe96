//! Errors of a failed post.

/// The reason why a `post_message` failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostMessageErrorKind {
    /// The receiving frame is gone.
    #[error("Render frame was disposed before WebFrameMain could be accessed")]
    FrameGone,
    /// This entry of the list appears a second time.
    #[error("Port at index {0} is a duplicate.")]
    Duplicate(usize),
    /// This entry was transferred or closed before.
    #[error("Port at index {0} is already neutered.")]
    Neutered(usize),
    /// The port that sends is itself in the list.
    #[error("Port at index {0} contains the source port.")]
    Source(usize),
    /// The value has no structured clone.
    #[error("An object could not be cloned.")]
    Uncloneable,
    /// The engine refused the message (too large, or its link broke).
    #[error("the message could not be sent")]
    Refused,
}

/// A failed post. It consumed nothing: the ports are returned, still connected.
///
/// ```
/// # use strait_child::{MessagePort, PostMessageError};
/// # fn f(way: &MessagePort, port: MessagePort) {
/// if let Err(error) = way.post_message("for you", vec![port]) {
///     eprintln!("{error}");
///     let _ = error.ports[0].post_message("nobody took me", vec![]);
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct PostMessageError<P = crate::MessagePort> {
    /// The reason.
    pub kind: PostMessageErrorKind,
    /// The transfer list, in order.
    pub ports: Vec<P>,
}
