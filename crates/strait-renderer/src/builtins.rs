//! The modules that `require` has built in, beside those that are objects of the glue: each is a text, which costs nothing before somebody asks for it.

/// The JS host's own way to show values. It asks its engine how a promise has ended: pages cannot know.
const INSPECT: &str = concat!(
    "'use strict'; const native = { promiseState: () => ['', { [Symbol.for('nodejs.util.inspect.custom')]: () => '<state unknown>' }] }; ",
    include_str!("../../strait-host/js/inspect.js")
);

/// What a module needs of the process.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Files, or what the kernel says of the machine.
    System,
}

use Needs::{Nothing, System};

/// Each module's name and its text in CommonJS. The emitter is the JS host's own. Names with `strait:` are for the others.
const BUILTINS: &[(&str, Needs, &str)] = &[
    ("assert", Nothing, include_str!("../js/node/assert.js")),
    ("assert/strict", Nothing, include_str!("../js/node/assert-strict.js")),
    ("buffer", Nothing, include_str!("../js/node/buffer.js")),
    ("crypto", System, include_str!("../js/node/crypto.js")),
    ("events", Nothing, include_str!("../../strait-host/js/events.js")),
    ("fs", System, include_str!("../js/node/fs.js")),
    ("fs/promises", System, include_str!("../js/node/fs-promises.js")),
    ("os", System, include_str!("../js/node/os.js")),
    ("path", Nothing, include_str!("../js/node/path.js")),
    ("perf_hooks", Nothing, include_str!("../js/node/perf-hooks.js")),
    ("string_decoder", Nothing, include_str!("../js/node/string-decoder.js")),
    ("timers", Nothing, include_str!("../js/node/timers.js")),
    ("url", Nothing, include_str!("../js/node/url.js")),
    ("util", Nothing, include_str!("../js/node/util.js")),
    ("strait:buffer-numbers", Nothing, include_str!("../js/node/buffer-numbers.js")),
    ("strait:deep-equal", Nothing, include_str!("../js/node/deep-equal.js")),
    ("strait:encodings", Nothing, include_str!("../js/node/encodings.js")),
    ("strait:errors", Nothing, include_str!("../js/node/errors.js")),
    ("strait:fs-classes", Nothing, include_str!("../js/node/fs-classes.js")),
    ("strait:inspect", Nothing, INSPECT),
    ("strait:system", System, include_str!("../js/node/system.js")),
];

fn find(name: &str) -> Option<&'static (&'static str, Needs, &'static str)> {
    BUILTINS.iter().find(|(known, ..)| *known == name)
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
const OBJECTS: [&str; 5] = ["electron", "electron/renderer", "electron/common", "process", "path/posix"];

/// Does `require` answer the name itself?
pub(crate) fn has(name: &str) -> bool {
    OBJECTS.contains(&name) || !name.starts_with("strait:") && source(name).is_some()
}

/// Their names, for who asks for another.
pub(crate) fn list() -> String {
    let own = BUILTINS.iter().map(|(name, ..)| *name).filter(|name| !name.starts_with("strait:"));
    ["electron", "process"].into_iter().chain(own).collect::<Vec<_>>().join(", ")
}
