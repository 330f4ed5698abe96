//! The texts of the modules. Each is the body of a CommonJS function of `exports`, `require`,
//! `module` and `process`. The host provides the other modules that they require: `strait:natives`
//! (`p`, intrinsics that pages cannot replace) and `strait:system` (the operations).

/// The requirements of a module on its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// None but the engine.
    Nothing,
    /// Access to files, or to the kernel's data about the machine.
    System,
}

use Needs::{Nothing, System};

/// The name, requirements and text of each module. Modules named `strait:` are for use by other
/// modules only.
pub const MODULES: &[(&str, Needs, &str)] = &[
    ("assert", Nothing, include_str!("../js/assert.js")),
    ("assert/strict", Nothing, include_str!("../js/assert-strict.js")),
    ("buffer", Nothing, include_str!("../js/buffer.js")),
    ("crypto", System, include_str!("../js/crypto.js")),
    ("diagnostics_channel", Nothing, include_str!("../js/diagnostics-channel.js")),
    ("events", Nothing, include_str!("../js/events.js")),
    ("fs", System, include_str!("../js/fs.js")),
    ("fs/promises", System, include_str!("../js/fs-promises.js")),
    ("os", System, include_str!("../js/os.js")),
    ("path", Nothing, include_str!("../js/path.js")),
    ("path/posix", Nothing, "module.exports = require('path').posix"),
    ("path/win32", Nothing, "module.exports = require('path').win32"),
    ("querystring", Nothing, include_str!("../js/querystring.js")),
    ("stream", Nothing, include_str!("../js/stream/index.js")),
    ("stream/promises", Nothing, include_str!("../js/stream/promises.js")),
    ("string_decoder", Nothing, include_str!("../js/string-decoder.js")),
    ("url", Nothing, include_str!("../js/url.js")),
    ("util", Nothing, include_str!("../js/util.js")),
    ("strait:buffer-numbers", Nothing, include_str!("../js/buffer-numbers.js")),
    ("strait:deep-equal", Nothing, include_str!("../js/deep-equal.js")),
    ("strait:encodings", Nothing, include_str!("../js/encodings.js")),
    ("strait:errors", Nothing, include_str!("../js/errors.js")),
    ("strait:events-later", Nothing, include_str!("../js/events-later.js")),
    ("strait:fs-arguments", System, include_str!("../js/fs-arguments.js")),
    ("strait:fs-classes", System, include_str!("../js/fs-classes.js")),
    ("strait:fs-handles", System, include_str!("../js/fs-handles.js")),
    ("strait:inspect", Nothing, include_str!("../js/inspect.js")),
    ("strait:parse-args", Nothing, include_str!("../js/parse-args.js")),
    ("strait:path-win32", Nothing, include_str!("../js/path-win32.js")),
    ("strait:punycode", Nothing, include_str!("../js/punycode.js")),
    ("strait:stream/base", Nothing, include_str!("../js/stream/base.js")),
    ("strait:stream/duplex", Nothing, include_str!("../js/stream/duplex.js")),
    ("strait:stream/finished", Nothing, include_str!("../js/stream/finished.js")),
    ("strait:stream/iterate", Nothing, include_str!("../js/stream/iterate.js")),
    ("strait:stream/legacy", Nothing, include_str!("../js/stream/legacy.js")),
    ("strait:stream/pipeline", Nothing, include_str!("../js/stream/pipeline.js")),
    ("strait:stream/readable", Nothing, include_str!("../js/stream/readable.js")),
    ("strait:stream/writable", Nothing, include_str!("../js/stream/writable.js")),
    ("strait:url-legacy", Nothing, include_str!("../js/url-legacy.js")),
    ("strait:url-resolve", Nothing, include_str!("../js/url-resolve.js")),
];

/// The module with this name.
pub fn module(name: &str) -> Option<&'static (&'static str, Needs, &'static str)> {
    MODULES.iter().find(|(known, ..)| *known == name)
}
