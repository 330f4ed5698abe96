//! What makes a child of the host: its scripts, its parent port, and that it ends by itself.

use std::{cell::Cell, rc::Rc};

use rquickjs::{Object, Result, prelude::Func};
use strait_host::{Embedder, PortId, host};
use strait_ports::{Node, Port};
use strait_protocol::child::{Fatal, FromChild};

/// What of Electron a child has, from the compatibility table of the main process.
const TABLE: &str = concat!(
    "module.exports = [",
    include_str!("../../../packages/electron/compatibility/exports-utility.json"),
    ",",
    include_str!("../../../packages/electron/compatibility/parent-port.json"),
    "]"
);

const SCRIPTS: &[(&str, &str)] = &[
    ("strait:table", TABLE),
    ("strait:parent-port", include_str!("../js/parent-port.js")),
    ("strait:electron", include_str!("../js/electron.js")),
];

/// The embedder of a child.
pub(crate) struct Child {
    node: Node,
    name: String,
    /// Until the scripts take it.
    parent_port: Cell<Option<Port>>,
    /// The way to main that is not the program's.
    control: Rc<Port>,
    /// What the program may use, in bytes; 0: as much as there is.
    memory_limit: usize,
}

impl Child {
    pub(crate) fn new(node: Node, name: String, parent_port: Port, control: Port, memory_limit: usize) -> Self {
        Self { node, name, parent_port: Cell::new(Some(parent_port)), control: Rc::new(control), memory_limit }
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
        natives.set("parentPort", Func::from(move || id))?;
        natives.set("memoryLimit", self.memory_limit as f64)?;
        let control = Rc::clone(&self.control);
        let fatal = move |location: String, report: String| {
            // It fails if main is gone, and then nobody asks.
            let _ = control.post(strait_protocol::encode(&FromChild::Fatal(Fatal { location, report })));
        };
        natives.set("fatal", Func::from(fatal))
    }

    fn node(&self) -> &Node {
        &self.node
    }

    fn ends_when_idle(&self) -> bool {
        true
    }
}
