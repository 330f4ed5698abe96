//! Structured clone for Rust: the value model and V8 wire format 15.
