//! How channels end: each way gives the other end everything sent before, then one close with its reason.

use std::{
    ffi::OsStr,
    os::fd::AsFd,
    process::{Command, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::{
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    process::{Pid, Signal, kill_process},
};
use strait::{App, BrowserWindow, CloseReason, ContentsEvent, MessagePort, PortRecvError, Value};
use strait_ports::{Message, Node};

use super::kit::{Case, Kit, case, heard, next, number, with_ipc};

/// A page that gives main a port with three messages in it, and keeps the other end as `port`.
const GIVER: &str = "const c = new MessageChannel(); window.port = c.port1; for (const n of [1, 2, 3]) c.port1.postMessage(n); \
                     ipc.postMessage('port', null, [c.port2]);";

/// The port of a page of that kind.
async fn given(app: &App, kit: &Kit, script: &str) -> (BrowserWindow, MessagePort) {
    let window = kit.window(app);
    let mut ports = heard(&window.web_contents(), "port");
    window.load_file(kit.page(&with_ipc(script))).await.unwrap();
    let (event, _) = ports.recv().await.unwrap();
    (window, event.ports()[0].clone())
}

/// Three messages, one close, and nothing more.
async fn ends(port: &MessagePort, reason: CloseReason) {
    for expected in [1, 2, 3] {
        assert_eq!(port.recv().await.unwrap().data, number(expected));
    }
    assert_eq!(port.recv().await.unwrap_err(), PortRecvError::Closed(reason));
    assert!(port.is_neutered());
}

/// Who makes a window when it hears that the last one has closed still has one, and is not told otherwise.
async fn all_closed(app: App, kit: Kit) {
    let window = kit.window(&app);
    window.load_file(kit.page("")).await.unwrap();
    let told = Arc::new(AtomicU32::new(0));
    let count = told.clone();
    app.on_window_all_closed(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (made, mut next) = tokio::sync::mpsc::unbounded_channel();
    let (of, kit_of) = (app.clone(), kit.clone());
    window.on_closed(move || {
        let _ = made.send(kit_of.window(&of));
    });
    window.destroy();
    let window = next.recv().await.unwrap();
    // Loads settle behind all events from before.
    window.load_file(kit.page("")).await.unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 0);
    assert_eq!(app.windows().len(), 1);
    let (closed, mut end) = tokio::sync::mpsc::unbounded_channel();
    window.on_closed(move || {
        let _ = closed.send(());
    });
    window.destroy();
    end.recv().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while told.load(Ordering::Relaxed) == 0 {
        assert!(Instant::now() < deadline, "nobody is told");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

/// What a window's handlers have captured is let go of when it has closed, though its handle is kept.
async fn handlers(app: App, kit: Kit) {
    let window = kit.window(&app);
    let captured = Arc::new(());
    let kept = Arc::downgrade(&captured);
    let [of_close, of_event, of_title, of_page] = std::array::from_fn(|_| captured.clone());
    window.on_close(move |_| drop(of_close.clone()));
    window.on_event(move |_| drop(of_event.clone()));
    window.on_page_title_updated(move |_, _| drop(of_title.clone()));
    window.web_contents().on_event(move |_| drop(of_page.clone()));
    drop(captured);
    window.load_file(kit.page("")).await.unwrap();
    assert_eq!(kept.strong_count(), 4);
    window.destroy();
    let deadline = Instant::now() + Duration::from_secs(20);
    while kept.strong_count() > 0 {
        assert!(Instant::now() < deadline, "{} handlers are kept", kept.strong_count());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "handlers_go_with_their_window", handlers);
    case(cases, "all_closed_is_told_when_it_is_so", all_closed);
    case(cases, "close_by_the_page", |app, kit| async move {
        let (_window, port) = given(&app, &kit, &format!("{GIVER} port.close()")).await;
        ends(&port, CloseReason::Closed).await;
    });
    case(cases, "close_by_main", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let (mut ports, mut closes) = (heard(&page, "port"), heard(&page, "closed"));
        let script = "const seen = []; const c = new MessageChannel(); c.port1.onmessage = (e) => seen.push(e.data); \
                      c.port1.onclose = (e) => ipc.send('closed', [...seen, e.reason]); ipc.postMessage('port', null, [c.port2])";
        window.load_file(kit.page(&with_ipc(script))).await.unwrap();
        let (event, _) = ports.recv().await.unwrap();
        let port = &event.ports()[0];
        port.post_message("last words", vec![]).unwrap();
        port.close();
        assert_eq!(next(&mut closes).await, Value::array(["last words", "closed"]));
    });
    case(cases, "dropped_by_main", |app, kit| async move {
        let window = kit.window(&app);
        let mut closes = heard(&window.web_contents(), "closed");
        // Nobody listens on the channel: the port in the message closes.
        let script = "const c = new MessageChannel(); c.port1.onclose = (e) => ipc.send('closed', e.reason); c.port1.start(); \
                      ipc.postMessage('nobody listens', null, [c.port2])";
        window.load_file(kit.page(&with_ipc(script))).await.unwrap();
        assert_eq!(next(&mut closes).await, Value::from("dropped"));
    });
    case(cases, "close_by_reload", |app, kit| async move {
        let (window, port) = given(&app, &kit, GIVER).await;
        window.web_contents().reload().await.unwrap();
        ends(&port, CloseReason::Unloaded).await;
    });
    case(cases, "close_by_navigation", |app, kit| async move {
        let (window, port) = given(&app, &kit, GIVER).await;
        window.load_file(kit.page("")).await.unwrap();
        ends(&port, CloseReason::Unloaded).await;
    });
    case(cases, "close_by_iframe_removal", |app, kit| async move {
        let inner = kit.page("onmessage = (e) => { for (const n of [1, 2, 3]) e.ports[0].postMessage(n) }");
        let script = format!(
            "const c = new MessageChannel(); ipc.postMessage('port', null, [c.port2]); \
             const f = document.createElement('iframe'); f.src = 'file://{}'; \
             f.onload = () => f.contentWindow.postMessage('take', '*', [c.port1]); \
             document.body.append(f); window.removeFrame = () => f.remove()",
            inner.display()
        );
        let (window, port) = given(&app, &kit, &script).await;
        // The frame has it when something comes out of it.
        assert_eq!(port.recv().await.unwrap().data, number(1));
        window.web_contents().execute_javascript("removeFrame()").await.unwrap();
        for expected in [2, 3] {
            assert_eq!(port.recv().await.unwrap().data, number(expected));
        }
        assert_eq!(port.recv().await.unwrap_err(), PortRecvError::Closed(CloseReason::Unloaded));
    });
    case(cases, "close_by_window_close", |app, kit| async move {
        let (window, port) = given(&app, &kit, GIVER).await;
        let (told, mut closed) = tokio::sync::mpsc::unbounded_channel();
        window.on_closed(move || told.send(()).unwrap_or_default());
        window.close();
        ends(&port, CloseReason::Unloaded).await;
        closed.recv().await.unwrap();
    });
    case(cases, "close_by_kill_comes_at_once", |app, kit| async move {
        let (window, port) = given(&app, &kit, GIVER).await;
        let page = window.web_contents();
        let (told, mut gone) = tokio::sync::mpsc::unbounded_channel();
        page.on_event(move |event| {
            if let ContentsEvent::RenderProcessGone { reason, .. } = event {
                let _ = told.send(*reason);
            }
        });
        let pid = page.os_process_id().and_then(Pid::from_raw).expect("the page has a process");
        let started = Instant::now();
        kill_process(pid, Signal::KILL).unwrap();
        ends(&port, CloseReason::Crashed).await;
        let took = started.elapsed();
        // Some 15 ms where nothing else runs; and no time has to pass first, on any machine.
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert_eq!(gone.recv().await.unwrap(), "crashed");
        assert!(page.is_crashed());
        assert!(page.send("x", []).is_err());
        // Reload brings everything back.
        let mut ports = heard(&page, "port");
        page.reload().await.unwrap();
        let (event, _) = ports.recv().await.unwrap();
        assert_eq!(event.ports()[0].recv().await.unwrap().data, number(1));
        assert!(!page.is_crashed());
    });
    case(cases, "reload_at_once_after_a_kill", |app, kit| async move {
        let (window, port) = given(&app, &kit, GIVER).await;
        let page = window.web_contents();
        let pid = page.os_process_id().and_then(Pid::from_raw).expect("the page has a process");
        kill_process(pid, Signal::KILL).unwrap();
        let mut ports = heard(&page, "port");
        // Nobody knows yet that the process is dead.
        page.reload().await.unwrap();
        ends(&port, CloseReason::Crashed).await;
        let (event, _) = ports.recv().await.unwrap();
        assert_eq!(event.ports()[0].recv().await.unwrap().data, number(1));
    });
    case(cases, "close_by_orderly_exit_of_another_process", |app, _| async move {
        let port = from_peer(&app, "exit").await;
        ends(&port, CloseReason::Exited).await;
    });
    case(cases, "close_by_failing_exit_of_another_process", |app, _| async move {
        let port = from_peer(&app, "abort").await;
        ends(&port, CloseReason::Crashed).await;
    });
    case(cases, "an_unstarted_port_in_main_closes_when_dropped", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let (mut ports, mut closes) = (heard(&page, "port"), heard(&page, "closed"));
        let script = "const c = new MessageChannel(); c.port1.onclose = (e) => ipc.send('closed', e.reason); ipc.postMessage('port', null, [c.port2])";
        window.load_file(kit.page(&with_ipc(script))).await.unwrap();
        drop(ports.recv().await.unwrap());
        assert_eq!(next(&mut closes).await, Value::from("dropped"));
    });
}

/// Starts this program as a process without a window, and gives the port that it sends.
async fn from_peer(app: &App, end: &str) -> MessagePort {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap()).env("STRAIT_TEST_PEER", end).stdin(theirs).spawn().unwrap();
    let bootstrap = MessagePort::from(app.node().invite(ours).unwrap());
    let message = tokio::time::timeout(Duration::from_secs(10), bootstrap.recv()).await.expect("the peer answers").unwrap();
    child.wait().unwrap();
    message.ports[0].clone()
}

/// That process: sends a port with three messages in it and ends.
pub(super) fn peer(end: &OsStr) -> ExitCode {
    let socket = std::io::stdin().as_fd().try_clone_to_owned().expect("the test gave a socket");
    let (node, bootstrap) = Node::join(socket).expect("main invited us");
    let (port, kept) = node.channel();
    let value = |value: &Value| strait_clone::write(value).expect("a small value");
    bootstrap.post(Message::with_ports(value(&Value::Null), vec![port])).expect("main is there");
    for n in [1, 2, 3] {
        kept.post(Message::new(value(&self::number(n)))).expect("main is there");
    }
    // Until main has the port and everything is on its way.
    while node.stats().queued_bytes > 0 || node.stats().proxies > 0 {
        let _ = node.wait(Some(Duration::from_millis(20))).expect("the node runs");
    }
    match end.to_str() {
        Some("abort") => std::process::abort(),
        _ => node.leave(strait_ports::CloseReason::Exited),
    }
    ExitCode::SUCCESS
}
