//! Message ports between windows, background processes and a Rust main process.
