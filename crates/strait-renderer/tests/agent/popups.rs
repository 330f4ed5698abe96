//! Pages that pages open: who they belong to, and the page that waits to hear it.

use strait_protocol::{ToAgent, ToMain, Verdict, World};
use webkit2gtk::WebViewExt;

use crate::host::{Case, Check, Host, Setup, same};

pub(crate) const CASES: &[Case] = &[
    ("a page that a page has opened is known before any script sees it", known),
    ("a page that is not wanted is null for its opener", refused),
    ("a page that waits to open one hears nothing meanwhile, and goes on when main is gone", waits),
    ("window.open converts its arguments once, in order", converts),
];

fn known(host: &Host) -> Check {
    let view = host.open(Setup { html: "<script>var log = []</script>", ..Setup::default() })?;
    let _opened = host.let_open(&view);
    let preload = "window.mark = 'preload'; require('electron').ipcRenderer.send('opened', location.href)";
    host.expect_opened(&Setup { preload: Some(preload), shared: true, ..Setup::default() });
    let script = "globalThis.popup = open('', 'some name', 'width=300'); return [popup.mark, popup.name, popup.opener === window]";
    same("the popup", &host.eval(&view, World::Main, script)?, r#"["preload","some name",true]"#)?;
    host.heard("the question", |said| match &said.message {
        ToMain::PageOpened { page, target, features } if said.agent == view.agent && *page != view.page => {
            (target == "some name" && features == "width=300").then_some(())
        }
        _ => None,
    })?;
    host.ipc("opened")?;
    // Ports of the new window are its own: they close with it, and those of the opener stay.
    let script = "const channel = new popup.MessageChannel(); globalThis.port = channel.port1
        popup.eval('onmessage = ({ ports: [port] }) => { port.onmessage = ({ data }) => port.postMessage(data) }')
        popup.postMessage('take', '*', [channel.port2])
        globalThis.own = new MessageChannel()
        return new Promise((done) => { port.onmessage = ({ data }) => done(data); port.postMessage('through') })";
    same("an echo", &host.eval(&view, World::Main, script)?, r#""through""#)?;
    let script = "own.port1.onmessage = ({ data }) => log.push(data); popup.close(); own.port2.postMessage('alive'); return 0";
    host.eval(&view, World::Main, script)?;
    host.until_true(&view, World::Main, "log.length === 1")
}

fn refused(host: &Host) -> Check {
    let view = host.open(Setup { html: "", ..Setup::default() })?;
    let opened = host.let_open(&view);
    host.refuse_opened();
    same("refused", &host.eval(&view, World::Main, "return open('') === null")?, "true")?;
    // The next one is not the worse for it, and nobody's.
    same("not refused", &host.eval(&view, World::Main, "return open('') !== null")?, "true")?;
    same(
        "shown as native",
        &host.eval(&view, World::Main, "return [String(open), open.name, open.length]")?,
        r#"["function open() {\n    [native code]\n}","open",0]"#,
    )?;
    opened.borrow_mut().clear();
    Ok(())
}

fn waits(host: &Host) -> Check {
    let open = || {
        host.open(Setup {
            html: "<script>var log = []</script>",
            preload: Some("window.ipc = require('electron').ipcRenderer"),
            shared: true,
            ..Setup::default()
        })
    };
    let view = open()?;
    let _opened = host.let_open(&view);
    let script = "const { port1, port2 } = new MessageChannel(); port1.onmessage = ({ data }) => log.push(data); ipc.postMessage('port', null, [port2])";
    host.run(&view, script);
    let port = host.ipc("port")?.ports.pop().ok_or("no port")?;
    host.silent.set(true);
    host.run(&view, "globalThis.popup = open(''); log.push(popup !== null)");
    let asked = |agent: usize| {
        host.heard("the question", |said| match said.message {
            ToMain::PageOpened { page, .. } if said.agent == agent => Some(page),
            _ => None,
        })
    };
    let page = asked(view.agent)?;
    // What comes for the page meanwhile waits, and is in its place afterwards.
    port.post(crate::wire::of_string("meanwhile")).map_err(|error| error.to_string())?;
    host.run(&view, "log.push('script')");
    for _ in 0..5 {
        host.turn();
    }
    host.tell(view.agent, &ToAgent::PageSettled { page, verdict: Verdict::Unknown }, Vec::new());
    host.until_true(&view, World::Main, "log.length === 3")?;
    same("the order", &host.eval(&view, World::Main, "return log[0]")?, "true")?;
    same("the rest", &host.eval(&view, World::Main, "return log.slice(1).sort()")?, r#"["meanwhile","script"]"#)?;
    // Main goes while it waits: the page goes on, without the window.
    let view = open()?;
    let _opened = host.let_open(&view);
    host.run(&view, "document.title = String(open(''))");
    asked(view.agent)?;
    host.forsake(view.agent);
    host.silent.set(false);
    host.until("the end of the waiting", || view.web.title().filter(|title| title == "null").map(drop))
}

fn converts(host: &Host) -> Check {
    let view = host.open(Setup { html: "", ..Setup::default() })?;
    let _opened = host.let_open(&view);
    let script = "const log = []
        const of = (name, value) => ({ toString() { log.push(name); return value } })
        open(of('url', ''), of('target', 'x'), of('features', 'width=1')).close()
        for (const wrong of [[Symbol()], ['', Symbol()], ['', '', Symbol()]]) {
          try { open(...wrong) } catch (error) { log.push(error.name) }
        }
        const thrown = []
        try { open({ toString() { throw thrown } }) } catch (error) { log.push(error === thrown) }
        log.push(open.call(undefined, '', 'y').name)
        try { open.call({}, '') } catch (error) { log.push(error.name) }
        return log";
    same(
        "the conversions",
        &host.eval(&view, World::Main, script)?,
        r#"["url","target","features","TypeError","TypeError","TypeError",true,"y","TypeError"]"#,
    )
}
