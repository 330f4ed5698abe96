//! What makes a child of the host: its scripts, its parent port, and that it ends by itself.

use std::cell::Cell;

use rquickjs::{Object, Result, prelude::Func};
use strait_host::{Embedder, PortId, host};
use strait_ports::{Node, Port};

const SCRIPTS: &[(&str, &str)] =
    &[("strait:parent-port", include_str!("../js/parent-port.js")), ("strait:electron", include_str!("../js/electron.js"))];

/// The embedder of a child.
pub(crate) struct Child {
    node: Node,
    name: String,
    /// Until the scripts take it.
    parent_port: Cell<Option<Port>>,
}

impl Child {
    pub(crate) fn new(node: Node, name: String, parent_port: Port) -> Self {
        Self { node, name, parent_port: Cell::new(Some(parent_port)) }
    }
}

impl Embedder for Child {
    fn scripts(&self) -> &'static [(&'static str, &'static str)] {
        SCRIPTS
    }

    fn register(&self, natives: &Object<'_>) -> Result<()> {
        natives.set("processName", self.name.as_str())?;
        let port = self.parent_port.take();
        let id: PortId = port.and_then(|port| host().adopt(vec![port]).pop()).unwrap_or(0);
        natives.set("parentPort", Func::from(move || id))
    }

    fn node(&self) -> &Node {
        &self.node
    }

    fn ends_when_idle(&self) -> bool {
        true
    }
}
