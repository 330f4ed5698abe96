//! Windows that pages open.

use rustix::process::{Pid, Signal, kill_process};
use strait::{
    App, BrowserWindow, CloseReason, ContentsEvent, Disposition, PortRecvError, Value, WebContents, WindowOpenDetails, WindowOpenResponse,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::kit::{Case, Heard, Kit, case, heard, next, number, with_ipc};

/// Gives the port it is sent back to whoever sent it, with a greeting.
const ANSWERS: &str =
    "onmessage = (e) => { const p = e.ports[0]; p.onmessage = (e) => p.postMessage('echo ' + e.data); p.postMessage(['got', e.data]) };";

/// A promise of the first message through a new channel whose other end goes to the popup.
const ASK: &str = "new Promise((done) => { const c = new MessageChannel(); window.port = c.port1; c.port1.onmessage = (e) => done(e.data); \
                   popup.postMessage('take', '*', [c.port2]) })";

/// The windows that a page opens, as main is told of them.
fn opened(page: &WebContents) -> UnboundedReceiver<(BrowserWindow, WindowOpenDetails)> {
    let (sender, receiver) = unbounded_channel();
    page.on_did_create_window(move |window, details| sender.send((window.clone(), details.clone())).unwrap_or_default());
    receiver
}

/// Everything that is sent to main on a channel, whoever sends it.
fn heard_from_all(app: &App, channel: &str) -> Heard {
    let (sender, receiver) = unbounded_channel();
    app.ipc_main().on(channel, move |event, args| {
        let _ = sender.send((event.clone(), args.to_vec()));
    });
    receiver
}

/// When a window has closed.
fn closed(window: &BrowserWindow) -> UnboundedReceiver<()> {
    let (sender, receiver) = unbounded_channel();
    window.on_closed(move || sender.send(()).unwrap_or_default());
    receiver
}

fn url(path: &std::path::Path) -> String {
    format!("file://{}", path.display())
}

async fn run(window: &BrowserWindow, script: &str) -> Value {
    window.web_contents().execute_javascript(script).await.unwrap_or_else(|error| panic!("{script}: {error}"))
}

/// Runs a script that has no value.
async fn act(window: &BrowserWindow, script: &str) {
    let _ = run(window, &format!("{script}\n;0")).await;
}

/// Until the script's value is true.
async fn until(window: &BrowserWindow, script: &str) {
    let script = format!("new Promise((done) => {{ const look = () => ({script}) ? done(true) : setTimeout(look, 5); look() }})");
    assert_eq!(run(window, &script).await, Value::Bool(true));
}

/// A window whose page has opened one with a page of that script; both have `ipc`.
async fn pair(app: &App, kit: &Kit, script: &str) -> (BrowserWindow, BrowserWindow) {
    let inner = kit.page(&with_ipc(&format!("{script}; opener.postMessage('here', '*')")));
    let window = kit.window(app);
    let mut windows = opened(&window.web_contents());
    let opens = format!("window.here = new Promise((done) => {{ onmessage = () => done(true) }}); window.popup = open('{}')", url(&inner));
    window.load_file(kit.page(&with_ipc(&opens))).await.unwrap();
    let (popup, _) = windows.recv().await.unwrap();
    assert_eq!(run(&window, "here").await, Value::Bool(true));
    (window, popup)
}

/// A channel of a page with main, over which one message has come.
async fn channel(window: &BrowserWindow, name: &str) -> strait::MessagePort {
    let mut ports = heard(&window.web_contents(), name);
    let script = format!(
        "{{ const c = new MessageChannel(); window.{name} = c.port1; \
         require('electron').ipcRenderer.postMessage('{name}', null, [c.port2]); c.port1.postMessage('first') }}"
    );
    act(window, &script).await;
    let (event, _) = ports.recv().await.unwrap();
    let port = event.ports()[0].clone();
    assert_eq!(port.recv().await.unwrap().data, Value::from("first"));
    port
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "popup_has_the_openers_preferences", |app, kit| async move {
        let inner = kit.page(&with_ipc("ipc.send('popup says', location.href)"));
        let window = kit.window(&app);
        let page = window.web_contents();
        let (mut windows, mut said) = (opened(&page), heard_from_all(&app, "popup says"));
        window.load_file(kit.page(&format!("window.popup = open('{}')", url(&inner)))).await.unwrap();
        let (popup, details) = windows.recv().await.unwrap();
        assert_eq!((details.url.as_str(), details.features.as_str()), (url(&inner).as_str(), ""));
        assert_eq!(details.disposition, Disposition::ForegroundTab);
        assert_eq!(details.referrer, page.url());
        let (event, args) = said.recv().await.unwrap();
        assert_eq!(args[0], Value::from(url(&inner)));
        assert!(event.sender() == &popup.web_contents());
        assert!(event.sender_frame() == Some(popup.web_contents().main_frame()));
        assert_eq!(page.os_process_id(), popup.web_contents().os_process_id());
        assert!(app.windows().contains(&popup));
        assert!(popup.is_visible());
    });
    case(cases, "popup_ports_go_both_ways", |app, kit| async move {
        let to_opener = "const c = new MessageChannel(); c.port1.onmessage = (e) => c.port1.postMessage('popup has ' + e.data); \
                         window.give = () => opener.postMessage('mine', '*', [c.port2])";
        let (window, popup) = pair(&app, &kit, &format!("{ANSWERS}{to_opener}")).await;
        assert_eq!(run(&window, ASK).await, Value::array(["got", "take"]));
        assert_eq!(
            run(&window, "new Promise((done) => { port.onmessage = (e) => done(e.data); port.postMessage(1) })").await,
            Value::from("echo 1")
        );
        act(&window, "onmessage = (e) => { const p = e.ports[0]; window.back = new Promise((done) => { p.onmessage = (e) => done(e.data) }); p.postMessage('x') }")
            .await;
        act(&popup, "give()").await;
        until(&window, "window.back !== undefined").await;
        assert_eq!(run(&window, "back").await, Value::from("popup has x"));
        // A port that came from the popup goes to main, and both talk past each other's page.
        let port = channel(&popup, "direct").await;
        act(&popup, "direct.onmessage = (e) => direct.postMessage(e.data + 1)").await;
        port.post_message(number(1), vec![]).unwrap();
        assert_eq!(port.recv().await.unwrap().data, number(2));
    });
    case(cases, "popup_may_stay_blank", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        let mut windows = opened(&window.web_contents());
        // Its ports are ours from the first statement after the call.
        let script = "window.popup = open(''); window.reasons = []; \
                      new Promise((done) => { const c = new popup.MessageChannel(); window.kept = c.port1; \
                      c.port1.onclose = (e) => reasons.push(e.reason); c.port1.onmessage = (e) => done(e.data); c.port1.start(); \
                      popup.eval('onmessage = (e) => e.ports[0].postMessage(\"blank \" + e.data)'); popup.postMessage('page', '*', [c.port2]) })";
        assert_eq!(run(&window, script).await, Value::from("blank page"));
        let (popup, details) = windows.recv().await.unwrap();
        assert_eq!(details.url, "about:blank");
        let port = channel(&popup, "main").await;
        let mut gone = closed(&popup);
        act(&window, "popup.close()").await;
        assert_eq!(run(&window, "popup.closed").await, Value::Bool(true));
        gone.recv().await.unwrap();
        assert_eq!(port.recv().await.unwrap_err(), PortRecvError::Closed(CloseReason::Unloaded));
        assert_eq!(app.windows().len(), 1);
    });
    case(cases, "popup_may_be_written", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        let mut windows = opened(&window.web_contents());
        let script = format!(
            "window.popup = open('about:blank'); popup.document.write('<p>hello<script>{}<\\/script>'); popup.document.close(); {ASK}",
            ANSWERS.replace('\'', "\\'")
        );
        assert_eq!(run(&window, &script).await, Value::array(["got", "take"]));
        let (popup, _) = windows.recv().await.unwrap();
        assert_eq!(run(&popup, "document.querySelector('p').firstChild.data").await, Value::from("hello"));
        channel(&popup, "written").await;
    });
    case(cases, "popup_preload_runs_before_the_opener_sees_it", |app, kit| async move {
        let preload = kit.file(
            "popup-preload.js",
            "window.early = (window.early ?? 0) + 1; require('electron').ipcRenderer.send('preloaded', location.href)",
        );
        let mut preloaded = heard_from_all(&app, "preloaded");
        let window = BrowserWindow::builder().show(false).preload(&preload).context_isolation(false).build(&app);
        window.load_file(kit.page("")).await.unwrap();
        preloaded.recv().await.unwrap();
        assert_eq!(run(&window, "window.popup = open(''); popup.early").await, number(1));
        let (event, args) = preloaded.recv().await.unwrap();
        assert_eq!(args[0], Value::from("about:blank"));
        assert!(event.sender() != &window.web_contents());
        // In a world of its own; the window stays the same when its first document is replaced, and so does what the preload has done.
        let preload = kit.file(
            "isolated-preload.js",
            "const { ipcRenderer } = require('electron'); ipcRenderer.send('preloaded', location.href); \
             addEventListener('DOMContentLoaded', () => ipcRenderer.send('content', location.href))",
        );
        let mut content = heard_from_all(&app, "content");
        let window = BrowserWindow::builder().show(false).preload(&preload).build(&app);
        window.load_file(kit.page("")).await.unwrap();
        preloaded.recv().await.unwrap();
        content.recv().await.unwrap();
        let inner = url(&kit.page("window.loaded = true"));
        assert_eq!(run(&window, &format!("window.popup = open('{inner}'); popup.require === undefined")).await, Value::Bool(true));
        preloaded.recv().await.unwrap();
        while next(&mut content).await != Value::from(inner.as_str()) {}
        until(&window, "popup.loaded").await;
    });
    case(cases, "popup_without_opener", |app, kit| async move {
        let inner = kit.page(&with_ipc("ipc.send('alone', opener === null, window.name)"));
        let mut alone = heard_from_all(&app, "alone");
        let window = kit.shown(&app, "").await.unwrap();
        let mut windows = opened(&window.web_contents());
        let script = format!("open('{}', 'some name', 'noopener,noreferrer') === null", url(&inner));
        assert_eq!(run(&window, &script).await, Value::Bool(true));
        let (popup, details) = windows.recv().await.unwrap();
        assert_eq!((details.features.as_str(), details.referrer.as_str()), ("noopener,noreferrer", ""));
        let (event, args) = alone.recv().await.unwrap();
        assert_eq!(args[0], Value::Bool(true));
        assert!(event.sender() == &popup.web_contents());
        channel(&popup, "alone_port").await;
    });
    case(cases, "popup_with_a_name_is_used_again", |app, kit| async move {
        let (one, two) = (kit.page("window.number = 1"), kit.page("window.number = 2"));
        let window = kit.shown(&app, "").await.unwrap();
        let mut windows = opened(&window.web_contents());
        act(&window, &format!("window.popup = open('{}', 'named')", url(&one))).await;
        until(&window, "popup.number === 1").await;
        assert_eq!(run(&window, &format!("open('{}', 'named') === popup", url(&two))).await, Value::Bool(true));
        until(&window, "popup.number === 2").await;
        let (popup, details) = windows.recv().await.unwrap();
        assert_eq!(details.frame_name, "named");
        assert!(windows.try_recv().is_err());
        assert_eq!(app.windows().len(), 2);
        assert_eq!(popup.web_contents().url(), url(&two));
    });
    case(cases, "popup_features_are_followed", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        let mut windows = opened(&window.web_contents());
        act(&window, "window.popup = open('', '', 'width=330,height=220,left=40,top=60')").await;
        let (popup, details) = windows.recv().await.unwrap();
        assert_eq!(details.features, "width=330,height=220,left=40,top=60");
        assert_eq!(details.disposition, Disposition::NewWindow);
        assert_eq!(popup.size(), (330, 220));
        until(&window, "popup.innerWidth === 330 && popup.innerHeight === 220").await;
    });
    case(cases, "popup_opened_by_a_link", |app, kit| async move {
        let inner = kit.page("");
        let window = kit.shown(&app, "").await.unwrap();
        let mut windows = opened(&window.web_contents());
        let script = format!(
            "const a = document.createElement('a'); a.href = '{}'; a.target = '_blank'; document.body.append(a); a.click()",
            url(&inner)
        );
        act(&window, &script).await;
        let (popup, details) = windows.recv().await.unwrap();
        assert_eq!((details.url, details.features.as_str()), (url(&inner), ""));
        assert_eq!(run(&popup, "opener === null").await, Value::Bool(true));
    });
    case(cases, "popup_is_refused_by_the_handler", |app, kit| async move {
        let inner = kit.page(&with_ipc("ipc.send('loaded all the same')"));
        let mut loaded = heard_from_all(&app, "loaded all the same");
        let window = kit.shown(&app, "").await.unwrap();
        let page = window.web_contents();
        let (sender, mut asked) = unbounded_channel();
        page.set_window_open_handler(move |details| {
            let _ = sender.send(details.clone());
            WindowOpenResponse::Deny
        });
        let mut windows = opened(&page);
        let script = format!("open('{}', 'name', 'popup') === null && open('about:blank') === null", url(&inner));
        assert_eq!(run(&window, &script).await, Value::Bool(true));
        let details = asked.recv().await.unwrap();
        assert_eq!((details.url, details.frame_name.as_str(), details.features.as_str()), (url(&inner), "name", "popup"));
        assert_eq!(asked.recv().await.unwrap().url, "about:blank");
        // What comes after it shows that nothing of it has come.
        page.clear_window_open_handler();
        act(&window, &format!("window.popup = open('{}'); 0", url(&inner))).await;
        let (popup, _) = windows.recv().await.unwrap();
        assert!(loaded.recv().await.unwrap().0.sender() == &popup.web_contents());
        assert!(loaded.try_recv().is_err() && windows.try_recv().is_err() && asked.try_recv().is_err());
        assert_eq!(app.windows().len(), 2);
    });
    case(cases, "popup_is_what_the_handler_says", |app, kit| async move {
        let preload = kit.file("override-preload.js", "window.over = 'ridden'");
        let window = kit.shown(&app, "").await.unwrap();
        let page = window.web_contents();
        page.set_window_open_handler(move |_| {
            WindowOpenResponse::allow_with(BrowserWindow::builder().title("over").size(345, 234).show(false).preload(&preload))
        });
        let mut windows = opened(&page);
        assert_eq!(run(&window, "window.popup = open('', '', 'width=500'); popup.over").await, Value::from("ridden"));
        let (popup, _) = windows.recv().await.unwrap();
        assert_eq!((popup.title().as_str(), popup.size(), popup.is_visible()), ("over", (345, 234), false));
        // What it opens is nobody's to decide but its own handler's.
        let mut further = opened(&popup.web_contents());
        act(&popup, "window.further = open('')").await;
        let (third, _) = further.recv().await.unwrap();
        assert_eq!(third.size(), (800, 600));
        assert_eq!(run(&window, "popup.further.over").await, Value::from("ridden"));
    });
    case(cases, "popup_of_a_wrong_kind_is_refused", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        for url in ["data:text/html,x", "ftp://localhost/", "mailto:a@b.test", "webkit://gpu", "about:gpu"] {
            assert_eq!(run(&window, &format!("open('{url}') === null")).await, Value::Bool(true), "{url}");
        }
        assert_eq!(run(&window, "open('javascript:1').closed").await, Value::Bool(false));
        assert_eq!(app.windows().len(), 2);
    });
    case(cases, "popups_are_limited", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        let page = window.web_contents();
        page.set_window_open_handler(|_| WindowOpenResponse::allow_with(BrowserWindow::builder().show(false)));
        let mut windows = opened(&page);
        let script = "window.all = []; for (let n = 0; n < 40; n++) all.push(open('')); all.filter((w) => w !== null).length";
        assert_eq!(run(&window, script).await, number(32));
        let (popup, _) = windows.recv().await.unwrap();
        // One of them cannot open more either, until there are fewer.
        assert_eq!(run(&popup, "open('') === null").await, Value::Bool(true));
        let (last, _) = windows.recv().await.unwrap();
        let mut gone = closed(&last);
        last.destroy();
        gone.recv().await.unwrap();
        assert_eq!(run(&popup, "open('') === null").await, Value::Bool(false));
        assert_eq!(app.windows().len(), 33);
    });
    case(cases, "popup_closed_by_main", |app, kit| async move {
        let (window, popup) = pair(&app, &kit, ANSWERS).await;
        assert_eq!(run(&window, ASK).await, Value::array(["got", "take"]));
        let (of_window, of_popup) = (channel(&window, "a").await, channel(&popup, "b").await);
        act(&window, "window.why = new Promise((done) => { port.onclose = (e) => done(e.reason) })").await;
        let mut gone = closed(&popup);
        popup.close();
        gone.recv().await.unwrap();
        assert_eq!(run(&window, "why").await, Value::from("unloaded"));
        until(&window, "popup.closed").await;
        assert_eq!(of_popup.recv().await.unwrap_err(), PortRecvError::Closed(CloseReason::Unloaded));
        // The page that stays in the process has lost nothing.
        act(&window, "a.onmessage = (e) => a.postMessage(e.data)").await;
        of_window.post_message(number(7), vec![]).unwrap();
        assert_eq!(of_window.recv().await.unwrap().data, number(7));
    });
    case(cases, "popup_goes_with_its_opener", |app, kit| async move {
        let (window, popup) = pair(&app, &kit, "").await;
        let (of_window, of_popup) = (channel(&window, "a").await, channel(&popup, "b").await);
        let mut gone = closed(&popup);
        window.destroy();
        gone.recv().await.unwrap();
        assert!(popup.is_destroyed());
        for port in [of_window, of_popup] {
            assert_eq!(port.recv().await.unwrap_err(), PortRecvError::Closed(CloseReason::Unloaded));
        }
    });
    case(cases, "popup_may_outlive_its_opener", |app, kit| async move {
        let inner = kit.page(ANSWERS);
        let window = kit.window(&app);
        let page = window.web_contents();
        page.set_window_open_handler(|_| WindowOpenResponse::Allow { overrides: Box::default(), outlives_opener: true });
        let mut windows = opened(&page);
        window.load_file(kit.page(&format!("window.popup = open('{}')", url(&inner)))).await.unwrap();
        let (popup, _) = windows.recv().await.unwrap();
        until(&window, "popup.onmessage").await;
        assert_eq!(run(&window, ASK).await, Value::array(["got", "take"]));
        let (of_window, of_popup) = (channel(&window, "a").await, channel(&popup, "b").await);
        let pid = popup.web_contents().os_process_id();
        let mut gone = closed(&window);
        window.destroy();
        gone.recv().await.unwrap();
        assert_eq!(of_window.recv().await.unwrap_err(), PortRecvError::Closed(CloseReason::Unloaded));
        act(&popup, "b.onmessage = (e) => b.postMessage(e.data)").await;
        of_popup.post_message(number(7), vec![]).unwrap();
        assert_eq!(of_popup.recv().await.unwrap().data, number(7));
        assert_eq!(popup.web_contents().os_process_id(), pid);
        // It can open windows itself, and load another page.
        act(&popup, "window.popup = open('')").await;
        popup.load_file(kit.page("window.fresh = true")).await.unwrap();
        assert_eq!(run(&popup, "fresh").await, Value::Bool(true));
    });
    case(cases, "popup_and_opener_crash_together", |app, kit| async move {
        let (window, popup) = pair(&app, &kit, "").await;
        let (of_window, of_popup) = (channel(&window, "a").await, channel(&popup, "b").await);
        let (sender, mut crashed) = unbounded_channel();
        for page in [window.web_contents(), popup.web_contents()] {
            let (sender, id) = (sender.clone(), page.id());
            page.on_event(move |event| {
                if let ContentsEvent::RenderProcessGone { reason, .. } = event {
                    let _ = sender.send((id, *reason));
                }
            });
        }
        let pid = popup.web_contents().os_process_id().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        for port in [of_window, of_popup] {
            assert_eq!(port.recv().await.unwrap_err(), PortRecvError::Closed(CloseReason::Crashed));
        }
        let mut told = [crashed.recv().await.unwrap(), crashed.recv().await.unwrap()];
        told.sort_unstable();
        assert_eq!(told, [(window.web_contents().id(), "crashed"), (popup.web_contents().id(), "crashed")]);
        assert!(window.web_contents().is_crashed() && popup.web_contents().is_crashed());
        // Each comes back by itself, and is the program's as before. The popup's page finds no opener.
        window.web_contents().reload().await.unwrap();
        channel(&window, "c").await;
        popup.load_file(kit.page("")).await.unwrap();
        channel(&popup, "d").await;
        assert_eq!(run(&popup, "opener === null").await, Value::Bool(true));
    });
    case(cases, "popup_is_told_to_the_app", |app, kit| async move {
        let (sender, mut created) = unbounded_channel();
        app.on_window_created(move |window| sender.send(window.clone()).unwrap_or_default());
        let window = kit.shown(&app, "window.popup = open('')").await.unwrap();
        assert!(created.recv().await.unwrap() == window);
        let popup = created.recv().await.unwrap();
        assert!(popup != window && app.windows().contains(&popup));
    });
    case(cases, "popup_gets_what_is_sent_before_its_document", |app, kit| async move {
        let inner = kit.page(&with_ipc("ipc.on('early', (event, what) => ipc.send('heard', location.href, what))"));
        let window = kit.shown(&app, "").await.unwrap();
        window.web_contents().on_did_create_window(|popup, _| popup.web_contents().send("early", ["x".into()]).unwrap());
        let mut heard = heard_from_all(&app, "heard");
        act(&window, &format!("window.popup = open('{}'); 0", url(&inner))).await;
        assert_eq!(next(&mut heard).await, Value::from(url(&inner)));
    });
}
