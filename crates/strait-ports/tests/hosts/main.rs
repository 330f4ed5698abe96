//! Hosts in processes of their own: children, endpoints, waiting.
//!
//! The children are this very test binary: `child` is their entry point and does nothing unless it is one.

mod common;
mod endpoint;
mod ends;
mod spawn;
mod waiting;

#[test]
fn child() {
    let Ok(role) = std::env::var(common::ROLE) else { return };
    let known = spawn::play(&role) || endpoint::play(&role);
    assert!(known, "no role {role}");
    std::process::exit(0);
}
