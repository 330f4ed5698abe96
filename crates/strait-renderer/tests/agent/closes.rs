//! Every way in which a page's port ends.

use std::time::{Duration, Instant};

use strait_ports::{Event, Port};
use strait_protocol::{ToAgent, ToMain, World};
use webkit2gtk::WebViewExt;

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::ports::RELAY;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("a page's close() reaches main after what was posted", page_closes),
    ("reload and navigation close with 'unloaded'", unloads),
    ("removing an iframe closes its ports and is reported", iframe_removed),
    ("document.open() and write() leave ports and closes in order", opened_documents),
    ("a frame that is listened to before it has loaded shows no nonce, and main hears what it loads", early_listener),
    ("ClosePage closes every port of the page", close_page),
    ("an unstarted port hears of the close, after its queue", unstarted),
    ("an unstarted port that is collected closes its peer", collected),
    ("ports in a message that nobody can receive are dropped", unreceivable),
    ("a port that comes back outlives its realm's former object for it", come_back),
    ("a port lost in an unclaimed window message closes with its document", unclaimed),
    ("a preload can speak in unload, and ipc after the document has gone throws", released),
    ("a window that is handed on long after pagehide keeps its one glue", handed_on),
];

/// A page that sends main a port and keeps `near`, the other end.
fn with_port(host: &Host, script: &str) -> Check<(View, Port)> {
    let html = format!(
        "<body><script>var log = []; var {{ port1: near, port2 }} = new MessageChannel(); window.postMessage('to-main:port', '*', [port2])\n{script}</script>"
    );
    let view = host.open(Setup { html: &html, preload: Some(RELAY), ..Setup::default() })?;
    let port = host.port("port")?;
    Ok((view, port))
}

fn page_closes(host: &Host) -> Check {
    let (view, port) = with_port(host, "near.onclose = () => log.push('never')")?;
    host.eval(&view, World::Main, "for (let i = 0; i < 100; i++) near.postMessage('m' + i); near.close()")?;
    for i in 0..100 {
        same("in order", &host.text(&port)?, &format!("m{i}"))?;
    }
    same("reason", &host.close_of(&port)?, "closed")?;
    same("own close event", &host.eval(&view, World::Main, "return log")?, "[]")
}

fn unloads(host: &Host) -> Check {
    let (view, port) = with_port(host, "near.onmessage = () => {}")?;
    let first = view.document.get();
    view.web.reload();
    same("reload", &host.close_of(&port)?, "unloaded")?;
    host.heard("DocumentGone", |said| match said.message {
        ToMain::DocumentGone { document, frame_gone: false } if said.agent == view.agent && document == first => Some(()),
        _ => None,
    })?;
    host.new_document(&view)?;
    let port = host.port("port")?;
    let other = host.write("other.html", "<p>other");
    host.eval(&view, World::Main, &format!("near.postMessage('last words'); location.href = 'file://{}'", other.display()))?;
    same("what came before", &host.text(&port)?, "last words")?;
    same("navigation", &host.close_of(&port)?, "unloaded")
}

fn iframe_removed(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<body><iframe name='child' srcdoc=\"<script>var { port1, port2 } = new MessageChannel(); port1.onmessage = () => {}; parent.postMessage('to-main:port', '*', [port2])</script>\"></iframe>",
        preload: Some(RELAY),
        ..Setup::default()
    })?;
    let port = host.port("port")?;
    let child = host.heard("the child's document", |said| match &said.message {
        ToMain::DocumentCreated { document, parent: Some(_), name, page, .. }
            if said.agent == view.agent && *page == view.page && name == "child" =>
        {
            Some(*document)
        }
        _ => None,
    })?;
    host.eval(&view, World::Main, "document.querySelector('iframe').remove()")?;
    same("reason", &host.close_of(&port)?, "unloaded")?;
    host.heard("DocumentGone", |said| match said.message {
        ToMain::DocumentGone { document, frame_gone: true } if said.agent == view.agent && document == child => Some(()),
        _ => None,
    })
}

fn opened_documents(host: &Host) -> Check {
    host.write("inner.html", "<body>inner");
    let script = r#"<body><script>
        var log = []
        const open = (w) => { w.document.open(); w.document.write('<p>x'); w.document.close() }
        const ways = {
          open, opened_by_us: (w) => { Document.prototype.open.call(w.document); w.document.close() },
          write: (w) => { w.document.write('<p>x'); w.document.close() },
          // The written script listens before the call returns.
          script: (w) => { w.document.write('<script>onmessage = (e) => { if (!e.ports[0]) parent.log.push("raw " + JSON.stringify(e.data)) }<' + '/script>'); w.document.close() },
          twice: (w) => { open(w); open(w) },
        }
        function frame(name, src) {
          const f = document.createElement('iframe'); f.name = name + (src ? '-src' : ''); if (src) f.src = src
          return new Promise((done) => { f.onload = done; document.body.append(f) }).then(() => {
            f.onload = null
            const w = f.contentWindow
            ways[name](w)
            const { port1, port2 } = new MessageChannel()
            w.addEventListener('message', (e) => {
              if (!e.ports[0]) return log.push(f.name + ' raw ' + JSON.stringify(e.data))
              const q = w.q = e.ports[0]; q.onmessage = () => {}; q.postMessage('hello from ' + f.name)
            })
            port1.onmessage = (e) => { log.push(e.data); f.remove() }
            port1.onclose = (e) => log.push(f.name + ' ' + e.reason)
            w.postMessage('p', '*', [port2])
          })
        }
        for (const way in ways) for (const src of ['', 'inner.html']) frame(way, src)
        </script>"#;
    let view = host.open(Setup { html: script, preload: Some(RELAY), ..Setup::default() })?;
    host.until_true(&view, World::Main, "log.length >= 20")
        .map_err(|text| format!("{text}: {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
    // A second close would come in a later turn.
    host.eval(&view, World::Main, "return new Promise((done) => setTimeout(done, 50))")?;
    let names: Vec<String> =
        ["open", "opened_by_us", "script", "twice", "write"].iter().flat_map(|way| [(*way).to_owned(), format!("{way}-src")]).collect();
    let mut expected: Vec<String> =
        names.iter().flat_map(|name| [format!("\"hello from {name}\""), format!("\"{name} unloaded\"")]).collect();
    expected.sort();
    same("the log", &host.eval(&view, World::Main, "return log.sort()")?, &format!("[{}]", expected.join(",")))?;
    // Every document that main heard of in these frames has gone, the last of each with its frame.
    host.until("the end of every frame", || {
        let (created, gone) = host.frames_of(&view);
        (created.len() == names.len() && created == gone).then_some(())
    })
}

fn early_listener(host: &Host) -> Check {
    host.write("inner.html", "<body>inner");
    let view = host.open(Setup {
        html: "<body><iframe name=other></iframe><script>
            var log = [], raw = []
            const f = document.createElement('iframe'); f.name = 'victim'; f.src = 'inner.html'; document.body.append(f)
            const w = f.contentWindow
            // What the frame says of itself is not what its parent makes it say.
            Object.defineProperty(w, 'origin', { value: 'https://bank.example', configurable: true })
            w.parent = document.querySelector('[name=other]').contentWindow
            const spy = (e) => raw.push(e.data)
            w.addEventListener('message', spy, true)
            w.postMessage('early', '*', [new MessageChannel().port1])
            f.onload = () => {
              f.contentWindow.addEventListener('message', spy, true)
              f.contentWindow.postMessage('late', '*', [new MessageChannel().port1]); setTimeout(() => log.push('sent'), 50)
            }
            </script>",
        preload: Some(RELAY),
        ..Setup::default()
    })?;
    host.until_true(&view, World::Main, "log.length === 1 && raw.includes('late')")?;
    same("raw", &host.eval(&view, World::Main, "return raw.filter((data) => data !== 'early' && data !== 'late')")?, "[]")?;
    let main_frame = host.eval(&view, World::Main, "return origin")?;
    host.heard("the frame's document", |said| match &said.message {
        ToMain::DocumentCreated { url, origin, name, parent: Some(_), .. }
            if said.agent == view.agent && name == "victim" && url.ends_with("inner.html") =>
        {
            Some(same("origin", &format!("{origin:?}"), &main_frame))
        }
        _ => None,
    })?
}

fn close_page(host: &Host) -> Check {
    let (view, port) = with_port(host, "near.onmessage = () => {}")?;
    host.tell(view.agent, &ToAgent::ClosePage { page: view.page }, Vec::new());
    same("reason", &host.close_of(&port)?, "unloaded")?;
    host.heard("PageClosed", |said| match said.message {
        ToMain::PageClosed { page } if said.agent == view.agent && page == view.page => Some(()),
        _ => None,
    })
}

fn unstarted(host: &Host) -> Check {
    let (view, port) = with_port(host, "near.onclose = (event) => log.push(event.reason)")?;
    drop(port);
    host.until_true(&view, World::Main, "log.length === 1")?;
    same("at once", &host.eval(&view, World::Main, "return log")?, r#"["dropped"]"#)?;

    let (view, port) = with_port(host, "near.onclose = (event) => log.push(event.reason)")?;
    port.post(wire::of_string("queued")).map_err(|error| error.to_string())?;
    port.close();
    // The close may not overtake: a round trip shows that it has had its chance.
    host.eval(&view, World::Main, "return 1")?;
    host.eval(&view, World::Main, "return 2")?;
    same("not yet", &host.eval(&view, World::Main, "return log")?, "[]")?;
    host.eval(&view, World::Main, "near.addEventListener('message', (event) => log.push(event.data)); near.start()")?;
    host.until_true(&view, World::Main, "log.length === 2")?;
    same("in order", &host.eval(&view, World::Main, "return log")?, r#"["queued","closed"]"#)
}

fn collected(host: &Host) -> Check {
    ["", "port1.addEventListener('message', () => port1)"].into_iter().try_for_each(|listening| collected_with(host, listening))
}

fn collected_with(host: &Host, listening: &str) -> Check {
    let html = format!(
        "<script>(() => {{ const {{ port1, port2 }} = new MessageChannel(); {listening}; window.postMessage('to-main:port', '*', [port2]) }})()
        var waste = []; setInterval(() => {{ waste = []; for (let i = 0; i < 20000; i++) waste.push({{ i }}) }}, 10)</script>"
    );
    let view = host.open(Setup { html: &html, preload: Some(RELAY), ..Setup::default() })?;
    let port = host.port("port")?;
    let end = Instant::now() + Duration::from_secs(180);
    while Instant::now() < end {
        host.turn();
        match port.try_recv() {
            Some(Event::Close(reason)) => return same("reason", &reason.to_string(), "dropped"),
            Some(Event::Message(_)) => return Err("a message".to_owned()),
            None => {}
        }
    }
    Err(format!("page {} kept the port", view.page))
}

fn unreceivable(host: &Host) -> Check {
    let html = "<script>globalThis.log = []
        const send = (port) => {
          const { port1, port2 } = new MessageChannel()
          port1.onclose = (event) => log.push(event.reason)
          port1.start()
          port.postMessage('in vain', [port2])
        }
        const { port1, port2 } = new MessageChannel()
        port1.onclose = () => { send(port1); send(port2) }
        port1.start()
        port2.close()</script>";
    let view = host.open(Setup { html, ..Setup::default() })?;
    host.until_true(&view, World::Main, "log.length === 2")?;
    same("the ports' ends", &host.eval(&view, World::Main, "return log")?, r#"["dropped","dropped"]"#)
}

fn come_back(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>
            onmessage = (event) => { if (event.data === 'take') window.postMessage('back', '*', event.ports) }
            var waste = []; setInterval(() => { waste = []; for (let i = 0; i < 20000; i++) waste.push({ i }) }, 10)</script>",
        preload: Some(
            "const { ipcRenderer } = require('electron')
             var former
             ipcRenderer.on('port', (event) => window.postMessage('take', '*', event.ports))
             addEventListener('message', (event) => {
               // This realm has an object for the port too while the page has it.
               if (event.data === 'take') former = new WeakRef(event.ports[0])
               if (event.data !== 'back') return
               const [port] = event.ports
               globalThis.former = former
               port.onmessage = (event) => port.postMessage('echo ' + event.data)
               port.postMessage('back')
             })",
        ),
        ..Setup::default()
    })?;
    let (here, there) = host.node.channel();
    host.emit(&view, "port", "", vec![there]);
    same("the port", &host.text(&here)?, "back")?;
    let end = Instant::now() + Duration::from_secs(180);
    while host.eval(&view, World::Isolated, "return former.deref() === undefined")? != "true" {
        if Instant::now() > end {
            return Err("the former object was never collected".to_owned());
        }
    }
    // The collector tells in a task of its own, which these let pass.
    for i in 0..20 {
        host.eval(&view, World::Isolated, "return new Promise((done) => setTimeout(done, 20))")?;
        here.post(wire::of_string(&format!("{i}"))).map_err(|error| error.to_string())?;
        same("after the collection", &host.text(&here)?, &format!("echo {i}"))?;
    }
    Ok(())
}

fn unclaimed(host: &Host) -> Check {
    let (view, port) = with_port(
        host,
        "var lost = new MessageChannel(); window.postMessage('to-main:far end', '*', [lost.port1])
         window.postMessage('nowhere', 'ftp://elsewhere.example', [lost.port2])",
    )?;
    let far = host.port("far end")?;
    host.eval(&view, World::Main, "return 1")?;
    if let Some(event) = far.try_recv() {
        return Err(format!("already {event:?}"));
    }
    view.web.reload();
    same("the page's own port", &host.close_of(&port)?, "unloaded")?;
    same("the lost port", &host.close_of(&far)?, "dropped")
}

fn released(host: &Host) -> Check {
    let preload = Some(
        "const { ipcRenderer } = require('electron')
         for (const type of ['pagehide', 'unload']) addEventListener(type, () => { ipcRenderer.send(type); port.postMessage(type) })
         setInterval(() => { try { ipcRenderer.send('tick') } catch (error) { console.log(error.message) } }, 5)
         const { port1: port, port2 } = new MessageChannel()
         ipcRenderer.postMessage('port', null, [port2])",
    );
    let view = host.open(Setup { html: "<p>", preload, ..Setup::default() })?;
    let port = host.port("port")?;
    view.web.reload();
    host.ipc("pagehide")?;
    host.ipc("unload")?;
    same("the port in pagehide", &host.text(&port)?, "pagehide")?;
    same("the port in unload", &host.text(&port)?, "unload")?;
    same("reason", &host.close_of(&port)?, "unloaded")?;
    // After ClosePage the page runs on, but its documents have gone.
    host.port("port")?;
    host.tell(view.agent, &ToAgent::ClosePage { page: view.page }, Vec::new());
    host.heard("the error", |said| match &said.message {
        ToMain::Console { text, .. } if said.agent == view.agent && text == "IPC method called after context was released" => Some(()),
        _ => None,
    })
}

fn handed_on(host: &Host) -> Check {
    let html = "<body><script>
        var log = []
        const f = document.createElement('iframe'); f.name = 'victim'; document.body.append(f)
        const w = f.contentWindow
        w.marker = 1
        Object.defineProperty(w, 'origin', { value: 'https://bank.example', configurable: true })
        w.parent = null
        f.src = 'inner.html'
        f.onload = () => {
          const inner = f.contentWindow, { port1, port2 } = new MessageChannel()
          inner.addEventListener('message', (e) => e.ports[0] ? e.ports[0].postMessage('arrived') : log.push('raw ' + e.data))
          port1.onmessage = (e) => log.push(e.data)
          inner.postMessage('x', '*', [port2])
        }
        </script>";
    let inner = host.write("inner.html", "<body>inner");
    let view = host.open(Setup { html, preload: Some(RELAY), ..Setup::default() })?;
    host.until_true(&view, World::Main, "log.length === 1")?;
    same("first", &host.eval(&view, World::Main, "return log")?, r#"["arrived"]"#)?;
    host.eval(&view, World::Main, &format!("location.href = 'file://{}'", inner.display()))?;
    host.new_document(&view)?;
    host.eval(&view, World::Main, "history.back()")?;
    host.new_document(&view)?;
    host.until_true(&view, World::Main, "log.length === 1")?;
    same("restored", &host.eval(&view, World::Main, "return log")?, r#"["arrived"]"#)?;
    host.eval(&view, World::Main, "document.querySelector('iframe').remove()")?;
    host.until("the end of every frame", || {
        let (created, gone) = host.frames_of(&view);
        (created == gone).then_some(())
    })
}
