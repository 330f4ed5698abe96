//! The modules that `require` has built in, beside those that are objects of the glue: pure ones, which need nothing of the system.

/// Each module's name and its text in CommonJS. The emitter is the JS host's own.
const BUILTINS: [(&str, &str); 4] = [
    ("events", include_str!("../../strait-js/js/events.js")),
    ("path", include_str!("../js/node/path.js")),
    ("timers", include_str!("../js/node/timers.js")),
    ("url", include_str!("../js/node/url.js")),
];

/// The text of a built-in module, by its name without `node:`.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    BUILTINS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
