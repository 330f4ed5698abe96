//! What else one could use, and what the machine could do at best.

pub(crate) mod futex;
pub(crate) mod ipc_channel;
pub(crate) mod memcpy;
pub(crate) mod node;
pub mod seqpacket;
mod shared_words;
