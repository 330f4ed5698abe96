//! How many descriptors this process may have.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit on descriptors as far as this process may: a child costs five or six, and the usual soft limit is 1,024. Children inherit it.
pub(crate) fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit on descriptors stays as it is");
    }
}
