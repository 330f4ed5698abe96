//! Where the suite runs: the kinds of realm, and how its script gets into each.

use strait_protocol::World;

use crate::host::{Check, Host, Setup, View};

/// A kind of realm.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    /// The world whose `webResults` has the report in the end.
    pub(crate) world: World,
    /// What its cases may need: see `test` in `harness.js`.
    has: &'static [&'static str],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Main,
    Preload,
    Frame,
    Sandbox,
    Worker,
    Popup,
    /// The harness's own cases, in a page.
    Harness,
}

/// All of them.
pub(crate) const PLACES: &[Place] = &[
    Place { name: "harness", world: World::Main, has: &[], kind: Kind::Harness },
    Place { name: "main", world: World::Main, has: &["window", "same-origin", "own-frames", "worker", "errors", "host"], kind: Kind::Main },
    Place {
        name: "isolated",
        world: World::Isolated,
        has: &["window", "same-origin", "own-frames", "worker", "errors", "host"],
        kind: Kind::Preload,
    },
    Place {
        name: "iframe",
        world: World::Main,
        has: &["window", "same-origin", "own-frames", "worker", "errors", "host"],
        kind: Kind::Frame,
    },
    Place { name: "sandbox", world: World::Main, has: &["window"], kind: Kind::Sandbox },
    Place {
        name: "popup",
        world: World::Main,
        has: &["window", "same-origin", "own-frames", "worker", "errors", "host"],
        kind: Kind::Popup,
    },
    Place { name: "worker", world: World::Main, has: &["errors", "host"], kind: Kind::Worker },
];

const HARNESS: &str = include_str!("harness.js");
const SELF: &str = include_str!("self.js");
const CASES: &[&str] = &[
    include_str!("cases/channel.js"),
    include_str!("cases/post.js"),
    include_str!("cases/blob.js"),
    include_str!("cases/transfer.js"),
    include_str!("cases/queue.js"),
    include_str!("cases/events.js"),
    include_str!("cases/order.js"),
    include_str!("cases/close.js"),
    include_str!("cases/interface.js"),
    include_str!("cases/window.js"),
    include_str!("cases/worker.js"),
];

/// What is asked of the main process goes by way of the top window, whose preload passes it on.
const RELAY: &str = "const { ipcRenderer } = require('electron')
window.addEventListener('message', ({ data, ports }) => {
  if (typeof data === 'string' && data.startsWith('host:')) ipcRenderer.postMessage(data, null, ports)
});\n";

/// Takes the report of a realm that is not the page's own.
const LISTEN: &str = "addEventListener('message', ({ data }) => { if (data?.webResults) globalThis.webResults = data.webResults })\n";

impl Place {
    fn kind_of_report(&self) -> &'static str {
        match self.kind {
            Kind::Main | Kind::Preload | Kind::Harness => "(lines) => { globalThis.webResults = lines }",
            Kind::Frame | Kind::Sandbox => "(webResults) => top.postMessage({ webResults }, '*')",
            Kind::Popup => "(webResults) => opener.postMessage({ webResults }, '*')",
            Kind::Worker => "(webResults) => self.postMessage({ webResults })",
        }
    }

    /// Is this the place where the harness is tried?
    pub(crate) fn is_harness(&self) -> bool {
        self.kind == Kind::Harness
    }

    /// The suite as one script.
    fn script(&self, filter: &str, hurry: &[&str]) -> String {
        let cases = if self.is_harness() { SELF.to_owned() } else { CASES.join("\n") };
        let hurry = if self.is_harness() { &["harness: fails: what never ends"][..] } else { hurry };
        let list = |items: &[&str]| items.iter().map(|item| literal(item)).collect::<Vec<_>>().join(", ");
        let options = format!(
            "{{ has: [{}], hurry: [{}], filter: {}, report: {} }}",
            list(self.has),
            list(hurry),
            literal(if self.is_harness() { "" } else { filter }),
            self.kind_of_report()
        );
        // A preload runs before there is a body.
        let start = match self.kind {
            Kind::Preload => format!("window.addEventListener('DOMContentLoaded', () => run({options}), {{ once: true }})"),
            _ => format!("run({options})"),
        };
        format!("(() => {{\n'use strict'\n{HARNESS}\n{cases}\n{start}\n}})()")
    }
}

/// A string of JavaScript that may stand in a script of an HTML document.
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '<' => literal.push_str("\\x3c"),
            _ => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// Opens a window in which the suite runs at this place. `hurry` names cases that are expected to fail.
pub(crate) fn open(host: &Host, place: &Place, filter: &str, hurry: &[&str]) -> Check<View> {
    let script = place.script(filter, hurry);
    let file = |suffix: &str, text: &str| format!("file://{}", host.write(&format!("web-{}{suffix}", place.name), text).display());
    let page = |script: &str| format!("<!doctype html><meta charset=utf-8><body><script>{script}</script>");
    let html = match place.kind {
        Kind::Main | Kind::Harness => format!("<!doctype html><meta charset=utf-8><body><script src='{}'></script>", file(".js", &script)),
        Kind::Preload => page(""),
        Kind::Popup => {
            let inner = format!("<!doctype html><meta charset=utf-8><body><script src='{}'></script>", file(".js", &script));
            page(&format!("{LISTEN} globalThis.openPopup = () => {{ globalThis.popup = open({}) }}", literal(&file("-popup.html", &inner))))
        }
        Kind::Frame => {
            let inner = format!("<!doctype html><meta charset=utf-8><body><script src='{}'></script>", file(".js", &script));
            let source = file("-frame.html", &inner);
            page(&format!(
                "{LISTEN} const frame = document.createElement('iframe'); frame.src = {}; document.body.append(frame)",
                literal(&source)
            ))
        }
        Kind::Sandbox => page(&format!(
            "{LISTEN} const frame = document.createElement('iframe'); frame.sandbox = 'allow-scripts'
             frame.srcdoc = '\\x3cbody>\\x3cscript>' + {} + '\\x3c/script>'; document.body.append(frame)",
            literal(&script)
        )),
        Kind::Worker => page(&format!(
            "const worker = new Worker(URL.createObjectURL(new Blob([{}])))
             worker.onmessage = ({{ data, ports }}) => {{
               if (data?.webResults) globalThis.webResults = data.webResults
               else if (String(data).startsWith('host:')) window.postMessage(data, '*', ports)
             }}
             worker.onerror = (event) => {{ globalThis.webResults = 'fail\\tworker\\tscript\\t' + event.message }}",
            literal(&script)
        )),
    };
    let preload = if place.kind == Kind::Preload { format!("{RELAY}{script}") } else { RELAY.to_owned() };
    let setup = Setup { html: &html, preload: Some(&preload), ..Setup::default() };
    let view = host.open(setup.clone())?;
    if place.kind == Kind::Popup {
        // The list of what is opened lives as long as the view, and with it the window.
        host.let_open(&view);
        host.expect_opened(&setup);
        host.eval(&view, World::Main, "openPopup()")?;
    }
    Ok(view)
}
