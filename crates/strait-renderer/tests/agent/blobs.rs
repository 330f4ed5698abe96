//! Blobs and Files: between windows and worlds, to main and from it, and what becomes of those that cannot be read.

use strait_clone::{FileParts, Kind, Object, Value, read, write};
use strait_ports::{Event, Message, Port};
use strait_protocol::{ToMain, World};
use webkit2gtk::gio::Cancellable;
use webkit2gtk::{FileChooserRequestExt, WebViewExt};

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::ports::RELAY;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("blobs and files go from a page to main and back", main_and_back),
    ("blobs go from window to window", windows),
    ("blobs go from world to world", worlds),
    ("blobs are read where a policy forbids every connection", policy),
    ("what waits for a blob comes in order, also with its port through ipcRenderer", ipc),
    ("a page that is left before its blobs were read", left),
    ("a process that dies before its blobs were read", died),
    ("a file of the disk, and one that has gone", files),
    ("a port dropped right after a blob was posted", dropped),
    ("64 MiB in a blob, and the page's timer goes on", large),
];

/// Has `near`, whose other end main has, and hears of what comes as `came`.
const PAGE: &str = "<body><script>
    var came = [], near
    var listen = (port) => { near = port; near.onmessage = ({ data }) => came.push(data); near.onmessageerror = () => came.push('unreadable') }
    addEventListener('message', ({ data, ports: [port] }) => { if (data === 'port') listen(port) })
    var text = (blob) => blob instanceof Blob ? blob.text() : 'no blob'
    var describe = async (file) => [file.constructor.name, file.type, file.size, file.name, file.lastModified, await text(file)]
    </script>";

fn open(host: &Host, html: &str) -> Check<(View, Port)> {
    let view = host.open(Setup { html, preload: Some(RELAY), ..Setup::default() })?;
    let (here, there) = host.node.channel();
    hand(host, &view, there)?;
    Ok((view, here))
}

fn hand(host: &Host, view: &View, port: Port) -> Check {
    host.eval(view, World::Main, "near = undefined")?;
    host.emit(view, "to-page", "port", vec![port]);
    host.until_true(view, World::Main, "near !== undefined")
}

fn message(host: &Host, port: &Port) -> Check<Message> {
    match host.event(port)? {
        Event::Message(message) => Ok(message),
        Event::Close(reason) => Err(format!("closed: {reason}")),
    }
}

fn value(host: &Host, port: &Port) -> Check<Value> {
    let message = message(host, port)?;
    read(&message.data, message.ports.len()).map_err(|error| error.to_string())
}

fn unreadable(host: &Host, port: &Port) -> Check {
    match read(&message(host, port)?.data, 0) {
        Ok(value) => Err(format!("it can be read: {value:?}")),
        Err(_) => Ok(()),
    }
}

fn post(port: &Port, value: &Value) -> Check {
    port.post(write(value).map_err(|error| error.to_string())?).map_err(|error| error.to_string())
}

fn object(value: Option<Value>) -> Check<Object> {
    value.and_then(|value| value.as_object().cloned()).ok_or_else(|| "no object".to_owned())
}

fn main_and_back(host: &Host) -> Check {
    let (view, port) = open(host, PAGE)?;
    host.eval(
        &view,
        World::Main,
        "const blob = new Blob([new Uint8Array([0, 255, 7])], { type: 'a/B' })
         near.postMessage({ list: [blob, new File(['in it'], 'n\u{e4}me', { lastModified: 86400000 }), blob] })",
    )?;
    let list = object(value(host, &port)?.get("list"))?;
    let [first, second, third] = [object(list.at(0))?, object(list.at(1))?, object(list.at(2))?];
    match first.kind() {
        Kind::Blob { bytes: [0, 255, 7], content_type: "a/b", file: None } if first.ptr_eq(&third) => {}
        _ => return Err(format!("the blob is {first:?}")),
    }
    match second.kind() {
        Kind::Blob { bytes: b"in it", content_type: "", file: Some(FileParts { name: "n\u{e4}me", last_modified: 86_400_000 }) } => {}
        _ => return Err(format!("the file is {second:?}")),
    }
    post(&port, &Value::array([Value::blob("from main", "text/plain"), Value::file(vec![], "x/y", "\u{65e5}", -1)]))?;
    host.until_true(&view, World::Main, "came.length === 1")?;
    same("blob", &host.eval(&view, World::Main, "return describe(came[0][0])")?, r#"["Blob","text/plain",9,null,null,"from main"]"#)?;
    same("file", &host.eval(&view, World::Main, "return describe(came[0][1])")?, "[\"File\",\"x/y\",0,\"\u{65e5}\",-1,\"\"]")
}

fn windows(host: &Host) -> Check {
    let (from, first) = open(host, PAGE)?;
    let (to, second) = open(host, PAGE)?;
    drop((first, second));
    let (here, there) = host.node.channel();
    hand(host, &from, here)?;
    hand(host, &to, there)?;
    host.eval(
        &from,
        World::Main,
        "near.postMessage('before')
         near.postMessage({ file: new File([new Uint8Array(300001).fill(65)], 'big', { type: 't/t', lastModified: 5 }), list: [new Blob(['b'])] })
         near.postMessage('after')",
    )?;
    host.until_true(&to, World::Main, "came.length === 3")?;
    same("order", &host.eval(&to, World::Main, "return [came[0], came[2]]")?, r#"["before","after"]"#)?;
    let script = "return describe(came[1].file).then((all) => [...all.slice(0, 5), all[5] === 'A'.repeat(300001)])";
    same("file", &host.eval(&to, World::Main, script)?, r#"["File","t/t",300001,"big",5,true]"#)?;
    // What has come goes back.
    host.eval(&to, World::Main, "near.postMessage([came[1].list[0], came[1].file.slice(0, 3)])")?;
    host.until_true(&from, World::Main, "came.length === 1")?;
    same("back", &host.eval(&from, World::Main, "return Promise.all(came[0].map(text))")?, r#"["b","AAA"]"#)
}

fn worlds(host: &Host) -> Check {
    let preload = "const { port1, port2 } = new MessageChannel()
        globalThis.came = []
        port1.onmessage = async ({ data }) => { came.push(data instanceof File, await data.text()) ; port1.postMessage(new Blob([data, '!'])) }
        addEventListener('DOMContentLoaded', () => window.postMessage('port', '*', [port2]))";
    let view = host.open(Setup { html: PAGE, preload: Some(preload), ..Setup::default() })?;
    host.until_true(&view, World::Main, "near !== undefined")?;
    host.eval(&view, World::Main, "near.postMessage(new File(['hello'], 'x'))")?;
    host.until_true(&view, World::Main, "came.length === 1")?;
    same("isolated", &host.eval(&view, World::Isolated, "return came")?, r#"[true,"hello"]"#)?;
    same("main", &host.eval(&view, World::Main, "return describe(came[0])")?, r#"["Blob","",6,null,null,"hello!"]"#)
}

fn policy(host: &Host) -> Check {
    let html = format!(
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'\">
         <script>var violations = 0; addEventListener('securitypolicyviolation', () => violations++)</script>{PAGE}"
    );
    let (view, port) = open(host, &html)?;
    host.eval(&view, World::Main, "near.postMessage(new Blob(['no connection'])); near.postMessage('behind')")?;
    same("bytes", &format!("{:?}", value(host, &port)?.as_bytes()), &format!("{:?}", Some(b"no connection")))?;
    same("behind", &host.text(&port)?, "behind")?;
    same("violations", &host.eval(&view, World::Main, "return violations")?, "0")
}

fn ipc(host: &Host) -> Check {
    let preload = "const { ipcRenderer } = require('electron')
        const { port1, port2 } = new MessageChannel()
        globalThis.refused = []
        for (const send of [() => ipcRenderer.send('no', new Blob(['x'])), () => ipcRenderer.postMessage('no', { file: new File([], 'x') }),
                            () => ipcRenderer.sendSync('no', new Blob([]))]) {
          try { send() } catch (error) { refused.push(error.message) }
        }
        ipcRenderer.invoke('no', new Blob()).catch((error) => refused.push(error.message))
        port1.postMessage(new Blob([new Uint8Array(2_000_000)]))
        port1.postMessage('behind')
        ipcRenderer.send('blob:before')
        ipcRenderer.postMessage('blob:take', null, [port1])
        ipcRenderer.send('blob:after')
        ipcRenderer.postMessage('blob:other', null, [port2])";
    let view = host.open(Setup { html: PAGE, preload: Some(preload), ..Setup::default() })?;
    let mut ports = Vec::new();
    for expected in ["blob:before", "blob:take", "blob:after", "blob:other"] {
        let (channel, port) = host.heard("IPC", |said| match &said.message {
            ToMain::Ipc { channel, .. } if said.agent == view.agent => Some((channel.clone(), said.ports.pop())),
            _ => None,
        })?;
        same("order", &channel, expected)?;
        ports.extend(port);
    }
    let [near, far] = &ports[..] else { return Err(format!("{} ports", ports.len())) };
    near.post(wire::of_string("from main")).map_err(|error| error.to_string())?;
    same("size", &value(host, far)?.as_bytes().map_or(0, <[u8]>::len).to_string(), "2000000")?;
    same("behind", &host.text(far)?, "behind")?;
    same("from main", &host.text(far)?, "from main")?;
    let refused = "An object could not be cloned.";
    same("refused", &host.eval(&view, World::Isolated, "return refused")?, &format!("{:?}", [refused; 4]).replace(", ", ","))
}

fn left(host: &Host) -> Check {
    let (view, port) = open(host, PAGE)?;
    host.eval(
        &view,
        World::Main,
        "const many = new Blob([new Uint8Array(30_000_000)])
         near.postMessage('before')
         near.postMessage(many)
         near.postMessage('behind')
         // Kept: a page that takes its time to leave could otherwise collect the other end before.
         globalThis.kept = new MessageChannel()
         near.postMessage(0, [kept.port1])
         location = 'about:blank'",
    )?;
    same("before", &host.text(&port)?, "before")?;
    // In its place comes one that cannot be read, unless the page took longer to leave than to read it.
    if let Ok(value) = read(&message(host, &port)?.data, 0) {
        same("read in time", &value.as_bytes().map_or(0, <[u8]>::len).to_string(), "30000000")?;
    }
    same("behind", &host.text(&port)?, "behind")?;
    let Event::Message(Message { mut ports, .. }) = host.event(&port)? else { return Err("closed".to_owned()) };
    same("close", &host.close_of(&port)?, "unloaded")?;
    same("the port inside", &host.close_of(&ports.remove(0))?, "unloaded")
}

fn died(host: &Host) -> Check {
    let (view, port) = open(host, PAGE)?;
    host.eval(&view, World::Main, "near.postMessage(new Blob([new Uint8Array(50_000_000)]))")?;
    view.web.terminate_web_process();
    same("close", &host.close_of(&port)?, "crashed")
}

fn files(host: &Host) -> Check {
    let (view, port) = open(host, PAGE)?;
    let (stays, goes) = (host.write("stays.txt", "on the disk"), host.write("goes.txt", "not for long"));
    let chosen = [stays.display().to_string(), goes.display().to_string()];
    view.web.connect_run_file_chooser(move |_, request| {
        request.select_files(&chosen.each_ref().map(String::as_str));
        true
    });
    host.eval(
        &view,
        World::Main,
        "globalThis.input = document.createElement('input'); input.type = 'file'; input.multiple = true; document.body.append(input)",
    )?;
    // As a user's click, which no script of the page itself can pretend.
    view.web.evaluate_javascript("input.click()", None, None, Cancellable::NONE, |_| {});
    // WebKit finds the size of a file when it is first asked for it: one that has gone by then is empty.
    host.until_true(&view, World::Main, "input.files.length === 2 && [...input.files].every((file) => file.size > 0)")?;
    std::fs::remove_file(goes).map_err(|error| error.to_string())?;
    host.eval(
        &view,
        World::Main,
        "const [stays, goes] = [...input.files].sort((a, b) => a.name < b.name ? 1 : -1)
         globalThis.date = stays.lastModified
         near.postMessage([stays])
         near.postMessage({ goes, other: new Blob(['fine']) })
         near.postMessage('behind')",
    )?;
    let file = object(value(host, &port)?.at(0))?;
    let date = host.eval(&view, World::Main, "return date")?;
    match file.kind() {
        Kind::Blob { bytes: b"on the disk", content_type: "text/plain", file: Some(FileParts { name: "stays.txt", last_modified }) } => {
            same("date", &last_modified.to_string(), &date)?;
        }
        _ => return Err(format!("the file is {file:?}")),
    }
    unreadable(host, &port)?;
    same("behind", &host.text(&port)?, "behind")
}

fn dropped(host: &Host) -> Check {
    let (view, port) = open(host, PAGE)?;
    host.eval(
        &view,
        World::Main,
        "const { port1, port2 } = new MessageChannel()
         near.postMessage(0, [port2])
         port1.postMessage(new Blob([new Uint8Array(1_000_000)]))
         port1.postMessage('behind')",
    )?;
    let inner = message(host, &port)?.ports.pop().ok_or("no port")?;
    same("size", &value(host, &inner)?.as_bytes().map_or(0, <[u8]>::len).to_string(), "1000000")?;
    same("behind", &host.text(&inner)?, "behind")?;
    // Whether its object has been collected by then or goes with the page.
    host.eval(&view, World::Main, "location = 'about:blank'")?;
    host.close_of(&inner).map(drop)
}

fn large(host: &Host) -> Check {
    let (view, port) = open(host, PAGE)?;
    host.eval(
        &view,
        World::Main,
        "globalThis.blob = new Blob([new Uint8Array(64 << 20).map((_, i) => i >> 12)])
         globalThis.ticks = 0
         return new Promise((done) => setTimeout(done, 100))",
    )?;
    host.eval(&view, World::Main, "setInterval(() => ticks++, 4); near.postMessage(blob); near.postMessage('behind')")?;
    let value = value(host, &port)?;
    let ticks: u32 = host.eval(&view, World::Main, "return ticks")?.parse().map_err(|error| format!("{error}"))?;
    let bytes = value.as_bytes().ok_or("no bytes")?;
    if bytes.len() != 64 << 20 || bytes.iter().enumerate().any(|(at, &byte)| byte != (at >> 12) as u8) {
        return Err(format!("{} bytes, or others", bytes.len()));
    }
    same("behind", &host.text(&port)?, "behind")?;
    // It takes some 150 ms at least, most of them beside the page. One that stood still meanwhile has a turn before it and one after it; one that shares its
    // processor with others has fewer than it could, but more than that.
    if ticks < 4 { Err(format!("only {ticks} turns of a 4 ms timer")) } else { Ok(()) }
}
