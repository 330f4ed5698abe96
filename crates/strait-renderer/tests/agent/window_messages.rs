//! What main sends to a page's own window: `postMessage` with `{ world: 'main' }`.

use std::io::Write;
use std::net::TcpListener;

use strait_ports::Port;
use strait_protocol::{DocumentId, EmitKind, ToMain, World};

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("a window message comes without a preload, with its ports", without_preload),
    ("window messages keep their order, with ports and without", in_order),
    ("a window message waits for DOMContentLoaded", waits),
    ("a window message finds its iframe", iframes),
    ("a window message for a document that goes closes its ports", document_goes),
    ("a window message passes the isolated realm by", passes_isolated),
    ("messages of the page's own are not taken for window messages", own_messages),
];

/// Writes down what comes to the window, and answers through ports.
const LISTEN: &str = "globalThis.seen = []
    addEventListener('message', (event) => {
      seen.push([event.data, event.channel, event.source === window, event.origin === origin, event.ports.length, event instanceof MessageEvent])
      for (const port of event.ports) { port.onmessage = ({ data }) => port.postMessage('got ' + data); port.onclose = (e) => seen.push(e.reason) }
    })";

fn speak(host: &Host, view: &View, channel: &str, text: &str, ports: Vec<Port>) {
    host.emit_as(view, view.document.get(), EmitKind::Window, channel, text, ports);
}

fn page() -> String {
    format!("<script>{LISTEN}</script>")
}

fn without_preload(host: &Host) -> Check {
    let view = host.open(Setup { html: &page(), ..Setup::default() })?;
    let (here, there) = host.node.channel();
    here.post(wire::of_string("queued")).map_err(|error| error.to_string())?;
    speak(host, &view, "take this", "hello", vec![there]);
    same("queued", &host.text(&here)?, "got queued")?;
    here.post(wire::of_string("ping")).map_err(|error| error.to_string())?;
    same("echo", &host.text(&here)?, "got ping")?;
    same("event", &host.eval(&view, World::Main, "return seen")?, r#"[["hello","take this",true,true,1,true]]"#)?;
    here.close();
    host.until_true(&view, World::Main, "seen[1] === 'closed'")
}

fn in_order(host: &Host) -> Check {
    let view = host.open(Setup { html: &page(), ..Setup::default() })?;
    let mut ends = Vec::new();
    for number in 0..20 {
        let ports = match number % 3 {
            0 => {
                let (here, there) = host.node.channel();
                ends.push(here);
                vec![there]
            }
            _ => Vec::new(),
        };
        speak(host, &view, "", &number.to_string(), ports);
    }
    host.until_true(&view, World::Main, "seen.length === 20")?;
    same(
        "order",
        &host.eval(&view, World::Main, "return seen.every(([data, channel], i) => data === String(i) && channel === '')")?,
        "true",
    )
}

fn waits(host: &Host) -> Check {
    // The page's script is in no hurry. A listener of `ipcRenderer`'s is not what the message waits for.
    let server = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    server.set_nonblocking(true).map_err(|error| error.to_string())?;
    let address = server.local_addr().map_err(|error| error.to_string())?;
    let html = format!("<script src='http://{address}/late.js'></script>");
    let preload = "require('electron').ipcRenderer.on('early', () => {})";
    let view = host.open(Setup { html: &html, preload: Some(preload), loading: true, ..Setup::default() })?;
    let (mut stream, _) = host.until("the page asks for its script", || server.accept().ok())?;
    let (here, there) = host.node.channel();
    speak(host, &view, "early", "early", vec![there]);
    // Were it sent now, it would have been heard by the time this is answered.
    same(
        "a turn of the page's",
        &host.eval(&view, World::Main, "return new Promise((done) => setTimeout(done, 50, 'over'))")?,
        r#""over""#,
    )?;
    let answer = format!("HTTP/1.0 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: {}\r\n\r\n{LISTEN}", LISTEN.len());
    stream.write_all(answer.as_bytes()).map_err(|error| error.to_string())?;
    drop(stream);
    here.post(wire::of_string("ping")).map_err(|error| error.to_string())?;
    same("echo", &host.text(&here)?, "got ping")
}

/// The document of the one iframe that the view has.
fn frame_document(host: &Host, view: &View) -> Check<DocumentId> {
    host.heard("an iframe's document", |said| match &said.message {
        ToMain::DocumentCreated { page, document, parent: Some(_), .. } if *page == view.page && said.agent == view.agent => {
            Some(*document)
        }
        _ => None,
    })
}

fn iframes(host: &Host) -> Check {
    for attributes in ["srcdoc='<p>'", "src='data:text/html,<p>'", "sandbox=allow-scripts srcdoc='<p>'"] {
        let html = format!("<script>{LISTEN}</script><iframe id=it {attributes}></iframe>");
        let view = host.open(Setup { html: &html, ..Setup::default() })?;
        let mut document = frame_document(host, &view)?;
        // Some begin with an empty document.
        host.until("the iframe's last document", || {
            while let Some(next) = host.take(|said| match &said.message {
                ToMain::DocumentCreated { page, document, parent: Some(_), .. } if *page == view.page && said.agent == view.agent => {
                    Some(*document)
                }
                _ => None,
            }) {
                document = next;
            }
            host.has_heard(
                |said| matches!(said.message, ToMain::DocumentReady { document: ready } if ready == document && said.agent == view.agent),
            )
            .then_some(())
        })?;
        host.eval_in(&view, document, World::Main, &format!("{LISTEN}; return 0"))?;
        let (here, there) = host.node.channel();
        host.emit_as(&view, document, EmitKind::Window, "inner", "hello", vec![there]);
        here.post(wire::of_string("ping")).map_err(|error| error.to_string())?;
        same(attributes, &host.text(&here)?, "got ping")?;
        let seen = host.eval_in(&view, document, World::Main, "return [seen[0][0], seen[0][1], seen[0][2]]")?;
        same(attributes, &seen, r#"["hello","inner",true]"#)?;
        same("the page around it", &host.eval(&view, World::Main, "return seen")?, "[]")?;
    }
    Ok(())
}

fn document_goes(host: &Host) -> Check {
    let view = host.open(Setup::default())?;
    let former = view.document.get();
    // It never comes to DOMContentLoaded of its own accord.
    host.run(&view, "location.reload()");
    host.new_document(&view)?;
    let (here, there) = host.node.channel();
    host.emit_as(&view, former, EmitKind::Window, "late", "late", vec![there]);
    same("a port for a document that has gone", &host.close_of(&here)?, "dropped")?;
    // One that is on its way when the frame is taken away.
    let view = host.open(Setup { html: "<iframe id=it srcdoc='<p>'></iframe>", ..Setup::default() })?;
    let document = frame_document(host, &view)?;
    let (here, there) = host.node.channel();
    host.emit_as(&view, document, EmitKind::Window, "late", "late", vec![there]);
    host.run(&view, "document.querySelector('iframe').remove()");
    let reason = host.close_of(&here)?;
    if ["dropped", "unloaded"].contains(&reason.as_str()) { Ok(()) } else { Err(reason) }
}

fn passes_isolated(host: &Host) -> Check {
    let view = host.open(Setup {
        html: &page(),
        preload: Some(
            "globalThis.heard = []; require('electron').ipcRenderer.on('to-page', () => heard.push('ipc'))
             addEventListener('message', ({ data, ports, channel }) => heard.push([data, ports.length, channel]), true)",
        ),
        ..Setup::default()
    })?;
    let (here, there) = host.node.channel();
    speak(host, &view, "to-page", "hello", vec![there]);
    here.post(wire::of_string("ping")).map_err(|error| error.to_string())?;
    same("echo", &host.text(&here)?, "got ping")?;
    // The preload can listen to its window as ever: what it sees is the event that the page sees.
    same("isolated", &host.eval(&view, World::Isolated, "return [heard.length, heard[0][0], heard[0][1]]")?, r#"[1,"hello",1]"#)
}

fn own_messages(host: &Host) -> Check {
    let view = host.open(Setup { html: &page(), ..Setup::default() })?;
    host.eval(
        &view,
        World::Main,
        "for (const data of [['0'.repeat(32), 1], ['constructor', 2], ['__proto__', 3], [4, 4], 5]) postMessage(data, '*'); return 0",
    )?;
    for _ in 0..5 {
        speak(host, &view, "x", "from main", Vec::new());
    }
    host.until_true(&view, World::Main, "seen.length === 10")?;
    let script = "return seen.map(([data, channel]) => Array.isArray(data) ? data[1] : channel ?? data).join()";
    let seen = host.eval(&view, World::Main, script)?;
    let (mut own, mut mains): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for part in seen.trim_matches('"').split(',') {
        if part == "x" { mains.push(part) } else { own.push(part) }
    }
    same("the page's own", &own.join(""), "12345")?;
    same("main's", &mains.join(""), "xxxxx")
}
