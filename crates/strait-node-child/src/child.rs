//! A utility process in Node: its node, and its ports to the parent.

use std::{cell::Cell, error::Error as _, time::Duration};

use napi::{Env, bindgen_prelude::Function};
use strait_child::join::{Joined, join};
use strait_node_core::{Core, Host};
use strait_ports::{Node, Port};

/// The state that the natives of a utility process use.
pub(crate) struct Child {
    core: Core,
    pub(crate) node: Node,
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    /// Taken by the scripts.
    pub(crate) parent_port: Cell<Option<Port>>,
    /// Kept because its close would report to the parent that this process has ended.
    _control: Port,
}

impl Child {
    /// Joins the process that has started this one.
    pub(crate) fn join(env: &Env, hook: &Function<'_, (), ()>) -> Result<Self, String> {
        let core = Core::new(env, hook)?;
        core.keep_alive(false);
        let Joined { node, control, start, parent_port } = join(true).map_err(|error| match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })?;
        Ok(Self { core, node, name: start.name, arguments: start.args, parent_port: Cell::new(Some(parent_port)), _control: control })
    }
}

impl Host for Child {
    fn core(&self) -> &Core {
        &self.core
    }

    fn node(&self) -> &Node {
        &self.node
    }

    fn dispatch(&self, budget: Duration) {
        // Routing fails only if descriptors are missing; the thread that drives the node reports
        // that.
        let _ = self.node.dispatch(budget);
    }

    fn busy_poll(&self) -> bool {
        self.node.busy_poll()
    }
}
