//! The process's limit on descriptors.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit on descriptors to the maximum that this process may set. A child costs five or
/// six descriptors, and the usual soft limit is 1,024. Children inherit the limit.
pub(crate) fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit on descriptors stays as it is");
    }
}
