//! Transferable message ports between processes: order, exactly-once, close with a reason.
