//! Binding, preload and ipcRenderer.

use strait_protocol::{ConsoleLevel, IpcKind, Outcome, ToAgent, ToMain, World};

use crate::host::{Case, Check, Host, Setup};
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("preload runs before the page's scripts, isolated", preload_first),
    ("send, on, invoke, sendSync", send_and_receive),
    ("an answer that cannot be had is an error for the page", bad_answers),
    ("a page channel reaches native code and back", page_channel),
    ("emits are held until there is a listener", emits_held),
    ("a preload that fails is reported with file and line", preload_errors),
    ("console output reaches main", console),
    ("sendSync throws when main is gone", main_gone),
    ("without isolation the preload shares the page's world", shared_world),
    ("nodeIntegration gives the page require", node_integration),
    ("an unbound page has ports but no ipc", unbound),
];

fn check(what: &str, is: impl PartialEq<&'static str> + std::fmt::Debug, expected: &'static str) -> Check {
    if is == expected { Ok(()) } else { Err(format!("{what}: {is:?} instead of {expected:?}")) }
}

fn preload_first(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>globalThis.seen = [typeof require, typeof secret, document.documentElement.dataset.early, typeof ipcRenderer]</script>",
        preload: Some("globalThis.secret = 1\nconst { ipcRenderer } = require('electron')\nipcRenderer.send('early', typeof document.body)\n\
                       new MutationObserver(() => document.documentElement && (document.documentElement.dataset.early = 'yes')).observe(document, { childList: true })"),
        ..Setup::default()
    })?;
    host.ipc("early")?;
    host.until_true(&view, World::Main, "Array.isArray(globalThis.seen)")?;
    let seen = host.eval(&view, World::Main, "return seen")?;
    check("the page saw", seen, r#"["undefined","undefined","yes","undefined"]"#)?;
    check("isolated", host.eval(&view, World::Isolated, "return [secret, typeof seen]")?, r#"[1,"undefined"]"#)
}

fn send_and_receive(host: &Host) -> Check {
    let view = host.open(Setup {
        preload: Some(
            "const { ipcRenderer } = require('electron')
             ipcRenderer.on('to-page', (event, text) => {
               if (event.sender !== ipcRenderer || event.ports.length !== 0) throw new Error('bad event')
               ipcRenderer.send('echo', text)
             })
             globalThis.ipcRenderer = ipcRenderer",
        ),
        ..Setup::default()
    })?;
    host.emit(&view, "to-page", "hello", Vec::new());
    let echo = host.ipc("echo")?;
    let ToMain::Ipc { kind: IpcKind::Send, payload, .. } = echo.message else { return Err("not a send".to_owned()) };
    if !payload.windows(5).any(|window| window == b"hello") {
        return Err(format!("echoed {payload:?}"));
    }

    host.eval(
        &view,
        World::Isolated,
        "globalThis.answer = undefined; ipcRenderer.invoke('ask', 1).then((v) => answer = v, (e) => answer = e.message)",
    )?;
    let ask = host.ipc("ask")?;
    let ToMain::Ipc { kind: IpcKind::Invoke(request), document, .. } = ask.message else { return Err("not an invoke".to_owned()) };
    host.tell(view.agent, &ToAgent::Reply { document, request, outcome: Outcome::Value(wire::of_string("well")) }, Vec::new());
    host.until_true(&view, World::Isolated, "answer === 'well'")?;

    host.eval(&view, World::Isolated, "ipcRenderer.invoke('ask', 2).catch((e) => answer = e.message)")?;
    let ToMain::Ipc { kind: IpcKind::Invoke(request), document, .. } = host.ipc("ask")?.message else {
        return Err("not an invoke".to_owned());
    };
    host.tell(view.agent, &ToAgent::Reply { document, request, outcome: Outcome::Error("Error: no".to_owned()) }, Vec::new());
    host.until_true(&view, World::Isolated, r#"answer === "Error invoking remote method 'ask': Error: no""#)?;

    host.tell(
        view.agent,
        &ToAgent::Eval {
            request: 999_999,
            document: view.document.get(),
            world: World::Isolated,
            source: "ipcRenderer.send('before'); ipcRenderer.sendSync('sync', 3)".to_owned(),
        },
        Vec::new(),
    );
    host.ipc("before")?;
    let ToMain::Ipc { kind: IpcKind::SendSync(request), document, .. } = host.ipc("sync")?.message else {
        return Err("not a sendSync".to_owned());
    };
    // What else arrives meanwhile waits.
    host.emit(&view, "to-page", "later", Vec::new());
    host.tell(view.agent, &ToAgent::Reply { document, request, outcome: Outcome::Value(wire::of_string("sync answer")) }, Vec::new());
    let value = host.heard("the value of sendSync", |said| match &said.message {
        ToMain::EvalDone { request: 999_999, outcome: Outcome::Value(bytes) } => Some(wire::string(bytes)),
        ToMain::EvalDone { request: 999_999, outcome: Outcome::Error(text) } => Some(Some(text.clone())),
        _ => None,
    })?;
    check("sendSync", value.unwrap_or_default(), "sync answer")?;
    host.ipc("echo")?;

    let thrown = "const t = []
        const attempt = (f) => { try { f(); t.push('nothing') } catch (e) { t.push(e.name + ': ' + e.message) } }
        attempt(() => ipcRenderer.send('x', () => {}))
        attempt(() => ipcRenderer.send('x', new MessageChannel().port1))
        attempt(() => ipcRenderer.sendSync('x', Symbol()))
        attempt(() => ipcRenderer.postMessage('x', Promise.resolve()))
        attempt(() => ipcRenderer.send('x', { get a() { throw new Error('mine') } }))
        attempt(() => ipcRenderer.postMessage('x', null, [{}]))
        attempt(() => ipcRenderer.postMessage('x', null, [null]))
        return t";
    check(
        "errors",
        host.eval(&view, World::Isolated, thrown)?,
        r#"["Error: An object could not be cloned.","Error: An object could not be cloned.","Error: An object could not be cloned.","Error: An object could not be cloned.","Error: mine","TypeError: Invalid value for transfer","TypeError: Invalid value for transfer"]"#,
    )
}

fn bad_answers(host: &Host) -> Check {
    let view = host.open(Setup { preload: Some("globalThis.ipcRenderer = require('electron').ipcRenderer"), ..Setup::default() })?;
    host.eval(
        &view,
        World::Isolated,
        "ipcRenderer.invoke('ask').then((value) => { globalThis.answer = value }, (e) => { globalThis.answer = e.message })",
    )?;
    let ToMain::Ipc { kind: IpcKind::Invoke(request), document, .. } = host.ipc("ask")?.message else {
        return Err("not an invoke".to_owned());
    };
    // The format's header, and then no value that there is.
    host.tell(view.agent, &ToAgent::Reply { document, request, outcome: Outcome::Value(vec![0xff, 15, 1, 2, 3]) }, Vec::new());
    host.until_true(
        &view,
        World::Isolated,
        r#"String(globalThis.answer).startsWith("Error invoking remote method 'ask': Error: the result cannot be read: ")"#,
    )?;

    let uncloneable = "return ipcRenderer.invoke('ask', () => {}).catch((e) => [String(e), e instanceof DOMException])";
    check("uncloneable", host.eval(&view, World::Isolated, uncloneable)?, r#"["Error: An object could not be cloned.",false]"#)?;

    let source = "try { ipcRenderer.sendSync('sync') } catch (e) { String(e) }".to_owned();
    host.tell(view.agent, &ToAgent::Eval { request: 999_999, document: view.document.get(), world: World::Isolated, source }, Vec::new());
    let ToMain::Ipc { kind: IpcKind::SendSync(request), document, .. } = host.ipc("sync")?.message else {
        return Err("not a sendSync".to_owned());
    };
    let outcome = Outcome::Error("Error: reply was never sent".to_owned());
    host.tell(view.agent, &ToAgent::Reply { document, request, outcome }, Vec::new());
    let said = host.heard("the end of sendSync", |said| match &said.message {
        ToMain::EvalDone { request: 999_999, outcome: Outcome::Value(bytes) } => wire::string(bytes),
        _ => None,
    })?;
    check("sendSync", said, "Error: reply was never sent")
}

fn page_channel(host: &Host) -> Check {
    let view = host.open(Setup {
        preload: Some(
            "globalThis.ipcRenderer = require('electron').ipcRenderer
             const { port1, port2 } = new MessageChannel()
             port2.postMessage('queued before anything')
             port2.onmessage = (event) => port2.postMessage('got ' + event.data)
             port2.onclose = (event) => ipcRenderer.send('closed', event.reason)
             ipcRenderer.postMessage('port', null, [port1])",
        ),
        ..Setup::default()
    })?;
    let port = host.port("port")?;
    check("first", host.text(&port)?, "queued before anything")?;
    port.post(wire::of_string("ping")).map_err(|error| error.to_string())?;
    check("echo", host.text(&port)?, "got ping")?;
    port.close();
    let closed = host.ipc("closed")?;
    let ToMain::Ipc { payload, .. } = closed.message else { return Err("no ipc".to_owned()) };
    if !payload.windows(6).any(|window| window == b"closed") {
        return Err(format!("reason {payload:?}"));
    }

    // The other way round: a port from native code.
    let (here, there) = host.node.channel();
    here.post(wire::of_string("first")).map_err(|error| error.to_string())?;
    host.eval(
        &view,
        World::Isolated,
        "ipcRenderer.once('take', ({ ports: [port] }) => { port.onmessage = (event) => port.postMessage('twice ' + event.data + event.data) })",
    )?;
    host.emit(&view, "take", "", vec![there]);
    check("from native", host.text(&here)?, "twice firstfirst")?;
    Ok(())
}

fn emits_held(host: &Host) -> Check {
    // The document stays in loading until its script has run for a while; the listener comes only then.
    let view = host.open(Setup {
        html: "<script>const end = performance.now() + 200; while (performance.now() < end);</script><p>",
        preload: Some(
            "const { ipcRenderer } = require('electron')
             globalThis.order = []
             document.addEventListener('readystatechange', () => {
               if (document.readyState !== 'interactive') return
               order.push('listening')
               ipcRenderer.on('held', (event, text) => { order.push(text); event.ports[0]?.postMessage('taken') })
             })",
        ),
        ..Setup::default()
    })?;
    let (here, there) = host.node.channel();
    host.emit(&view, "held", "one", vec![there]);
    host.emit(&view, "held", "two", Vec::new());
    check("the port", host.text(&here)?, "taken")?;
    host.until_true(&view, World::Isolated, "order.length === 3")?;
    check("order", host.eval(&view, World::Isolated, "return order")?, r#"["listening","one","two"]"#)?;
    // A listener that nobody has: the port closes.
    let (lost, sent) = host.node.channel();
    host.emit(&view, "nobody", "two", vec![sent]);
    check("a port nobody took", host.close_of(&lost)?, "dropped")
}

fn preload_errors(host: &Host) -> Check {
    for (source, expected) in
        [("let fine = 1\n\nthrow new Error('on purpose')", "on purpose"), ("let fine = 1\n\nlet = = 2", "SyntaxError")]
    {
        let view = host.open(Setup { preload: Some(source), html: "<script>globalThis.ran = true</script>", ..Setup::default() })?;
        let (path, text) = host.heard("PreloadError", |said| match &said.message {
            ToMain::PreloadError { page, path, message } if *page == view.page && said.agent == view.agent => {
                Some((path.clone(), message.clone()))
            }
            _ => None,
        })?;
        if !text.contains(expected) || !text.contains(&format!("{}:3", path.display())) {
            return Err(format!("reported as {text}"));
        }
        host.until_true(&view, World::Main, "globalThis.ran === true")?;
    }
    let file = host.write("no-preload.html", "");
    let missing = host.folder().join("missing.js");
    let view = host.open_file(&file, Some(missing), &Setup::default())?;
    let text = host.heard("PreloadError", |said| match &said.message {
        ToMain::PreloadError { page, message, .. } if *page == view.page && said.agent == view.agent => Some(message.clone()),
        _ => None,
    })?;
    if text.contains("missing.js") { Ok(()) } else { Err(text) }
}

fn unbound(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>const c = new MessageChannel(); c.port2.onmessage = (e) => { document.title = e.data + typeof require }; c.port1.postMessage('works ')</script>",
        preload: Some(""),
        unbound: true,
        ..Setup::default()
    })?;
    use webkit2gtk::WebViewExt;
    host.until("the title", || view.web.title().filter(|title| title.starts_with("works")).map(|_| ()))
}

fn shared_world(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>globalThis.seen = [shared, typeof require, typeof process]</script>",
        preload: Some("globalThis.shared = require('electron').ipcRenderer !== undefined && process.type"),
        shared: true,
        ..Setup::default()
    })?;
    host.until_true(&view, World::Main, "globalThis.seen !== undefined")?;
    check("the page", host.eval(&view, World::Main, "return seen")?, r#"["renderer","undefined","undefined"]"#)
}

fn node_integration(host: &Host) -> Check {
    host.write("helper.js", "const data = require('./data')\nmodule.exports = { answer: data.answer, file: __filename, self: require('./helper.js') === exports }");
    host.write("data.json", r#"{ "answer": 42 }"#);
    let view = host.open(Setup {
        html: "<script>
            const { ipcRenderer } = require('electron')
            const helper = require('./helper')
            globalThis.seen = [helper.answer, helper === require('./helper.js')]
            try { require('net') } catch (error) { seen.push(error.message.startsWith(\"Cannot find module 'net'\")) }
            ipcRenderer.on('provide', (event) => {
              const [ port ] = event.ports
              port.onmessage = (event) => { port.postMessage(String(window.event === event)) }
            })
            ipcRenderer.send('request')
            </script>",
        shared: true,
        node: true,
        ..Setup::default()
    })?;
    host.ipc("request")?;
    let (here, there) = host.node.channel();
    host.emit(&view, "provide", "", vec![there]);
    here.post(wire::of_string("x")).map_err(|error| error.to_string())?;
    check("the port", host.text(&here)?, "true")?;
    check("modules", host.eval(&view, World::Main, "return seen")?, "[42,true,true]")?;
    let isolated = host.open(Setup { node: true, ..Setup::default() })?;
    check("an isolated page", host.eval(&isolated, World::Main, "return typeof require")?, "\"undefined\"")
}

fn main_gone(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>var t = ''; onmessage = (e) => { if (typeof e.data === 'string' && e.data.startsWith('said')) document.title = e.data }</script>",
        preload: Some(
            "const { ipcRenderer } = require('electron')
             ipcRenderer.on('go', () => {
               let said
               try { said = ipcRenderer.sendSync('never answered') } catch (error) { said = error.message }
               try { ipcRenderer.send('after') } catch (error) { said += '; ' + error.message }
               window.postMessage('said ' + said, '*')
             })",
        ),
        ..Setup::default()
    })?;
    host.emit(&view, "go", "", Vec::new());
    host.ipc("never answered")?;
    host.forsake(view.agent);
    use webkit2gtk::WebViewExt;
    let said = host.until("the page's word", || view.web.title().filter(|title| title.starts_with("said")))?;
    check("what was thrown", said.to_string(), "said the main process is gone; IPC method called after context was released")
}

fn console(host: &Host) -> Check {
    let view = host.open(Setup { html: "<script>\nconsole.log('one', 2, { a: [1, 'x', null], 'b-c': undefined }, [], -0)\nconsole.error('three')\nthrow new Error('four')</script>", ..Setup::default() })?;
    for (expected, level, line) in [
        ("one 2 { a: [ 1, 'x', null ], 'b-c': undefined } [] -0", ConsoleLevel::Log, 2),
        ("three", ConsoleLevel::Error, 3),
        ("Error: four", ConsoleLevel::Error, 4),
    ] {
        host.heard(expected, |said| match &said.message {
            ToMain::Console { page, level: l, text, line: at, source } if *page == view.page && said.agent == view.agent => {
                (text == expected && *l == level && *at == line && source.starts_with("file://")).then_some(())
            }
            _ => None,
        })?;
    }
    Ok(())
}
