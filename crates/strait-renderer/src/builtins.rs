//! The built-in modules of `require`, beside those that are objects of the glue. Each is a text
//! that is evaluated at its first use.

use strait_system::Needs::{self, Nothing, System};
use strait_system::{MODULES, module};

/// The modules that use the page's own objects, beside `strait_system::MODULES`.
const BUILTINS: &[(&str, Needs, &str)] = &[
    ("perf_hooks", Nothing, include_str!("../js/node/perf-hooks.js")),
    ("timers", Nothing, include_str!("../js/node/timers.js")),
    ("strait:system", System, include_str!("../js/node/system.js")),
];

fn find(name: &str) -> Option<&'static (&'static str, Needs, &'static str)> {
    BUILTINS.iter().find(|(known, ..)| *known == name).or_else(|| module(name))
}

/// The text of a built-in module, by its name without `node:`.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    find(name).map(|(_, _, text)| *text)
}

/// Whether the module is only for pages that may use the system.
pub(crate) fn needs_system(name: &str) -> bool {
    find(name).is_some_and(|(_, needs, _)| *needs == System)
}

/// The names of modules that are objects of the glue, or other names for such a module.
const OBJECTS: [&str; 4] = ["electron", "electron/renderer", "electron/common", "process"];

/// The modules of a sandboxed preload, as in Electron ("Process Sandboxing").
pub(crate) const FOR_SANDBOXED: [&str; 4] = ["electron", "events", "timers", "url"];

/// Whether `require` has a module of this name built in.
pub(crate) fn has(name: &str) -> bool {
    OBJECTS.contains(&name) || !name.starts_with("strait:") && source(name).is_some()
}

/// The names of the built-in modules, for an error about an unknown name.
pub(crate) fn list() -> String {
    let mut own: Vec<_> = BUILTINS.iter().chain(MODULES).map(|(name, ..)| *name).filter(|name| !name.starts_with("strait:")).collect();
    own.sort_unstable();
    ["electron", "process"].into_iter().chain(own).collect::<Vec<_>>().join(", ")
}
