//! Tests of the agent in real web processes.
fn main() {}
