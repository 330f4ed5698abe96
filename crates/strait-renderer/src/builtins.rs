//! The modules that `require` has built in, beside those that are objects of the glue: pure ones, which need nothing of the system.

/// The JS host's own way to show values. It asks its engine how a promise has ended: pages cannot know.
const INSPECT: &str = concat!(
    "'use strict'; const native = { promiseState: () => ['', { [Symbol.for('nodejs.util.inspect.custom')]: () => '<state unknown>' }] }; ",
    include_str!("../../strait-host/js/inspect.js")
);

/// Each module's name and its text in CommonJS. The emitter is the JS host's own. Names with `strait:` are for the others.
const BUILTINS: [(&str, &str); 6] = [
    ("events", include_str!("../../strait-host/js/events.js")),
    ("strait:inspect", INSPECT),
    ("path", include_str!("../js/node/path.js")),
    ("timers", include_str!("../js/node/timers.js")),
    ("url", include_str!("../js/node/url.js")),
    ("util", include_str!("../js/node/util.js")),
];

/// The text of a built-in module, by its name without `node:`.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    BUILTINS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Those that are objects of the glue, or another's.
const OBJECTS: [&str; 5] = ["electron", "electron/renderer", "electron/common", "process", "path/posix"];

/// Does `require` answer the name itself?
pub(crate) fn has(name: &str) -> bool {
    OBJECTS.contains(&name) || !name.starts_with("strait:") && source(name).is_some()
}

/// Their names, for who asks for another.
pub(crate) fn list() -> String {
    let own = BUILTINS.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("strait:"));
    ["electron", "process"].into_iter().chain(own).collect::<Vec<_>>().join(", ")
}
