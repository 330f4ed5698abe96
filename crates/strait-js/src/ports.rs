//! placeholder
#[derive(Default)]
pub(crate) struct PortTable;
