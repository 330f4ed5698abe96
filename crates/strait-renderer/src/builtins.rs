//! The modules that `require` has built in, beside those that are objects of the glue: each is a text, which costs nothing before somebody asks for it.

use strait_system::Needs::{self, Nothing, System};
use strait_system::{MODULES, module};

/// Those that stand on what the page has, beside `strait_system::MODULES`.
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

/// Is it for pages that may use the system?
pub(crate) fn needs_system(name: &str) -> bool {
    find(name).is_some_and(|(_, needs, _)| *needs == System)
}

/// Those that are objects of the glue, or another's.
const OBJECTS: [&str; 4] = ["electron", "electron/renderer", "electron/common", "process"];

/// Those that a sandboxed preload has, as in Electron ("Process Sandboxing").
pub(crate) const FOR_SANDBOXED: [&str; 4] = ["electron", "events", "timers", "url"];

/// Does `require` answer the name itself?
pub(crate) fn has(name: &str) -> bool {
    OBJECTS.contains(&name) || !name.starts_with("strait:") && source(name).is_some()
}

/// Their names, for who asks for another.
pub(crate) fn list() -> String {
    let mut own: Vec<_> = BUILTINS.iter().chain(MODULES).map(|(name, ..)| *name).filter(|name| !name.starts_with("strait:")).collect();
    own.sort_unstable();
    ["electron", "process"].into_iter().chain(own).collect::<Vec<_>>().join(", ")
}
