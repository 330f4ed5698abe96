//! Whose message it is: URL and origin of the sender around navigations.

use std::sync::Mutex;

use strait::{App, ContentsEvent, IpcEvent, Value, WebContents};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    kit::{Case, Heard, Kit, case, heard, with_ipc},
    server::Server,
};

/// A page with this script.
fn page(script: &str) -> String {
    format!("<!doctype html><body><script>{}</script></body>", with_ipc(script))
}

/// What main knows of the sender: what it had as it spoke, and what its frame has now.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    then: [String; 2],
    now: Option<[String; 2]>,
}

fn known(event: &IpcEvent) -> Known {
    let now = event.sender_frame().map(|frame| [frame.url(), frame.origin()]);
    Known { then: [event.sender_url().to_owned(), event.sender_origin().to_owned()], now }
}

/// A sender whose frame shows it still.
fn at(url: &str, origin: &str) -> Known {
    let here = [url.to_owned(), origin.to_owned()];
    Known { then: here.clone(), now: Some(here) }
}

async fn next(heard: &mut Heard) -> IpcEvent {
    heard.recv().await.expect("a message").0
}

fn events(page: &WebContents) -> UnboundedReceiver<ContentsEvent> {
    let (sender, receiver) = unbounded_channel();
    page.on_event(move |event| drop(sender.send(event.clone())));
    receiver
}

/// The URLs that pages open windows at, as main sees the senders in them.
fn everywhere(app: &App, channel: &str) -> Heard {
    let (sender, receiver) = unbounded_channel();
    app.ipc_main().on(channel, move |event, args| drop(sender.send((event.clone(), args.to_vec()))));
    receiver
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "identity_a_load_under_way_is_no_disguise", |app, kit| async move {
        let (bank, mut asks, release) = Server::slow(page("ipc.send('arrived')"));
        let evil =
            Server::start(|_| Some(page("ipc.on('again', () => ipc.send('spoken')); ipc.on('go', (_, to) => { location.href = to })")));
        let window = kit.window(&app);
        let contents = window.web_contents();
        let (mut spoken, mut arrived) = (heard(&contents, "spoken"), heard(&contents, "arrived"));
        let own = format!("{}/", evil.origin());
        window.load_url(&own).await.unwrap();
        contents.send("go", [Value::from(format!("{}/slow", bank.origin()).as_str())]).unwrap();
        asks.recv().await.unwrap();
        contents.send("again", []).unwrap();
        let old = next(&mut spoken).await;
        assert_eq!((known(&old), contents.url()), (at(&own, &evil.origin()), own.clone()));
        release.send(()).unwrap();
        let new = next(&mut arrived).await;
        assert_eq!(known(&new), at(&format!("{}/slow", bank.origin()), &bank.origin()));
        assert_eq!(known(&old), Known { then: [own, evil.origin()], now: None });
        assert!(old.reply("secret", []).is_err(), "the new page does not get the old one's answer");
    });
    case(cases, "identity_a_programs_load_under_way_is_no_disguise", |app, kit| async move {
        // The page goes on committing documents of its own while the program's loads are under way.
        let (bank, _asks, _release) = Server::slow(page("ipc.send('arrived')"));
        let evil = Server::start(|_| Some(page("ipc.send('spoken'); setInterval(() => { location.href = '/' + Math.random() }, 20)")));
        let window = kit.window(&app);
        let mut spoken = heard(&window.web_contents(), "spoken");
        drop(window.load_url(&evil.origin()));
        for number in 0..40 {
            assert_eq!(next(&mut spoken).await.sender_origin(), evil.origin(), "message {number}");
            drop(window.load_url(&format!("{}/slow", bank.origin())));
        }
    });
    case(cases, "identity_a_load_requested_during_a_commit_is_no_disguise", |app, kit| async move {
        let html = "<!doctype html><body></body>";
        let (bank, _asks, _release) = Server::slow(html.into());
        let server = Server::start(move |_| Some(html.into()));
        let script = "const { ipcRenderer: ipc } = require('electron'); ipc.on('go', (_, to) => { location.href = to }); \
                      ipc.send('spoken'); addEventListener('unload', () => ipc.sendSync('parting'))";
        let window = strait::BrowserWindow::builder().show(false).preload(kit.file("parts.js", script)).build(&app);
        let contents = window.web_contents();
        let (mut spoken, mut parting) = (heard(&contents, "spoken"), heard(&contents, "parting"));
        let own = |path: &str| format!("{}{path}", server.origin());
        window.load_url(&own("/1")).await.unwrap();
        next(&mut spoken).await;
        contents.send("go", [Value::from(own("/2").as_str())]).unwrap();
        // The old document unloads inside the commit of the new one: its process waits for the answer, so the view hears of the commit behind
        // the program's request.
        let unloading = next(&mut parting).await;
        let requested = window.load_url(&format!("{}/slow", bank.origin()));
        ui_thread_is_done(&app).await;
        unloading.set_return_value(Value::Null);
        let new = next(&mut spoken).await;
        assert_eq!([new.sender_url(), new.sender_origin()], [own("/2"), server.origin()]);
        drop(requested);
    });
    case(cases, "identity_a_handler_that_waits_does_not_see_the_next_page", |app, kit| async move {
        let one = Server::start(|_| Some(page("ipc.invoke('question'); ipc.on('go', (_, to) => { location.href = to })")));
        let two = Server::start(|_| Some(page("ipc.send('arrived')")));
        let window = kit.window(&app);
        let contents = window.web_contents();
        let mut arrived = heard(&contents, "arrived");
        let (told, mut seen) = unbounded_channel();
        let (go_on, waits) = tokio::sync::oneshot::channel::<()>();
        let waits = Mutex::new(Some(waits));
        contents
            .ipc()
            .handle("question", move |event, _| {
                let (told, waits) = (told.clone(), waits.lock().unwrap().take());
                async move {
                    let before = known(&event);
                    let _ = waits.expect("one question").await;
                    let _ = told.send((before, known(&event)));
                    Ok::<_, String>(Value::Null)
                }
            })
            .unwrap();
        let own = format!("{}/one", one.origin());
        window.load_url(&own).await.unwrap();
        contents.send("go", [Value::from(two.origin().as_str())]).unwrap();
        next(&mut arrived).await;
        go_on.send(()).unwrap();
        let (before, after) = seen.recv().await.unwrap();
        assert_eq!(before, at(&own, &one.origin()));
        assert_eq!(after, Known { then: [own, one.origin()], now: None });
    });
    case(cases, "identity_a_page_that_changes_its_url_shows_the_new_one", |app, kit| async move {
        let server = Server::start(|_| Some(page("ipc.on('do', (_, script) => { eval(script) })")));
        let window = kit.window(&app);
        let contents = window.web_contents();
        let mut events = events(&contents);
        let mut spoken = heard(&contents, "spoken");
        window.load_url(&format!("{}/", server.origin())).await.unwrap();
        for (script, place) in [
            ("history.pushState(null, '', '/pushed')", "/pushed"),
            ("location.hash = 'part'", "/pushed#part"),
            ("history.replaceState(null, '', '/replaced')", "/replaced"),
        ] {
            contents.send("do", [Value::from(script)]).unwrap();
            let expected = format!("{}{place}", server.origin());
            loop {
                let event = events.recv().await.unwrap();
                if matches!(event, ContentsEvent::DidNavigate { url, same_document: true, .. } if url == expected) {
                    break;
                }
            }
            contents.send("do", [Value::from("ipc.send('spoken')")]).unwrap();
            assert_eq!(known(&next(&mut spoken).await), at(&expected, &server.origin()));
            // By the program.
            let fragment = format!("{expected}{}", if expected.contains('#') { "s" } else { "#s" });
            window.load_url(&fragment).await.unwrap();
            assert_eq!((contents.url(), contents.main_frame().url()), (fragment.clone(), fragment));
        }
    });
    case(cases, "identity_blank_pages_and_popups", |app, kit| async move {
        let mut spoken = everywhere(&app, "spoken");
        let server = Server::start(|path| match path {
            "/popup" => Some(page("ipc.send('spoken')")),
            _ => Some(page("ipc.on('do', (_, script) => { eval(script) })")),
        });
        let preload = kit.file("speaks.js", "if (location.href === 'about:blank') require('electron').ipcRenderer.send('spoken')");
        let window = kit.window(&app);
        let contents = window.web_contents();
        window.load_url(&server.origin()).await.unwrap();
        contents.send("do", [Value::from("open('/popup')")]).unwrap();
        assert_eq!(known(&next(&mut spoken).await), at(&format!("{}/popup", server.origin()), &server.origin()));
        // An empty window has its opener's origin.
        contents.set_window_open_handler(move |_| {
            strait::WindowOpenResponse::allow_with(strait::BrowserWindow::builder().show(false).preload(&preload))
        });
        contents.send("do", [Value::from("open('about:blank')")]).unwrap();
        assert_eq!(known(&next(&mut spoken).await).then, ["about:blank".to_owned(), server.origin()]);
    });
    case(cases, "identity_of_pages_without_a_server", |app, kit| async move {
        let window = kit.window(&app);
        let contents = window.web_contents();
        let mut spoken = heard(&contents, "spoken");
        let file = kit.page(&with_ipc("ipc.send('spoken')"));
        window.load_file(&file).await.unwrap();
        assert_eq!(known(&next(&mut spoken).await), at(&format!("file://{}", file.display()), "file://"));
        let data = "data:text/html,<script>require('electron').ipcRenderer.send('spoken')</script>";
        window.load_url(data).await.unwrap();
        let event = next(&mut spoken).await;
        assert_eq!((event.sender_origin(), event.sender_url().starts_with("data:text/html,")), ("null", true));
        window.load_url("about:blank").await.unwrap();
        contents.execute_javascript("require('electron').ipcRenderer.send('spoken')").await.unwrap();
        assert_eq!(known(&next(&mut spoken).await), at("about:blank", "null"));
    });
    case(cases, "identity_a_frame_is_not_its_page", |app, kit| async move {
        let window = strait::BrowserWindow::builder().show(false).node_integration(true).node_integration_in_sub_frames(true).build(&app);
        let contents = window.web_contents();
        let mut spoken = heard(&contents, "spoken");
        let server = Server::start(|_| Some(page("ipc.send('spoken')")));
        let inner = "<script>require('electron').ipcRenderer.send('spoken')</script>";
        let html = format!("<!doctype html><iframe srcdoc=\"{inner}\"></iframe><iframe src='{}/frame'></iframe>", server.origin());
        let file = kit.file("frames.html", &html);
        window.load_file(file).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..2 {
            let event = next(&mut spoken).await;
            assert_ne!(event.sender_frame().unwrap(), contents.main_frame());
            seen.push(known(&event).then[0].clone());
        }
        seen.sort();
        assert_eq!(seen, ["about:srcdoc".to_owned(), format!("{}/frame", server.origin())]);
    });
    case(cases, "identity_a_load_that_fails_leaves_the_page_its_url", |app, kit| async move {
        let server = Server::start(|_| Some(page("ipc.on('do', (_, script) => { eval(script) })")));
        let window = kit.window(&app);
        let contents = window.web_contents();
        let mut events = events(&contents);
        let mut spoken = heard(&contents, "spoken");
        let own = format!("{}/", server.origin());
        window.load_url(&own).await.unwrap();
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        contents.send("do", [Value::from(format!("location.href = 'http://{nobody}/'").as_str())]).unwrap();
        while !matches!(events.recv().await.unwrap(), ContentsEvent::DidFailLoad(_)) {}
        contents.send("do", [Value::from("ipc.send('spoken')")]).unwrap();
        assert_eq!(known(&next(&mut spoken).await), at(&own, &server.origin()));
    });
    case(cases, "identity_a_page_that_goes_is_detached", |app, kit| async move {
        goes(&app, &kit).await;
    });
}

/// Returns once the UI thread has done what was asked of it before.
async fn ui_thread_is_done(app: &App) {
    let window = strait::BrowserWindow::builder().show(false).build(app);
    let (told, mut shown) = unbounded_channel();
    window.on_event(move |event| drop(told.send(event.clone())));
    window.show();
    while shown.recv().await.unwrap() != strait::WindowEvent::Shown {}
    window.destroy();
}

/// While main answers the page's last `sendSync`, the page is still there and is known to be going.
async fn goes(app: &App, kit: &Kit) {
    let script = "ipc.on('go', (_, to) => { location.href = to }); addEventListener('unload', () => ipc.sendSync('parting'))";
    let one = Server::start(move |_| Some(page(script)));
    let two = Server::start(|_| Some(page("ipc.send('arrived')")));
    let window = kit.window(app);
    let contents = window.web_contents();
    let mut arrived = heard(&contents, "arrived");
    let (told, mut seen) = unbounded_channel();
    contents.ipc().on("parting", move |event, _| {
        let detached = event.sender_frame().map(|frame| frame.is_detached());
        let _ = told.send((known(event), detached, event.clone()));
        event.set_return_value(Value::Null);
    });
    let own = format!("{}/", one.origin());
    window.load_url(&own).await.unwrap();
    contents.send("go", [Value::from(two.origin().as_str())]).unwrap();
    let (then, detached, event) = seen.recv().await.unwrap();
    assert_eq!((then, detached), (at(&own, &one.origin()), Some(true)));
    next(&mut arrived).await;
    assert_eq!(known(&event), Known { then: [own, one.origin()], now: None });
    assert!(!contents.main_frame().is_detached());
}
