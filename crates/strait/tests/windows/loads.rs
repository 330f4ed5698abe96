//! Loading, getters and scripts.

use std::{io::Read, sync::mpsc, time::Duration};

use strait::{ContentsEvent, ScriptError, Value, WindowEvent};

use super::kit::{Case, case, heard, next, number};

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "load_file_finishes", |app, kit| async move {
        let window = kit.window(&app);
        let (told, events) = mpsc::channel();
        window.web_contents().on_event(move |event| drop(told.send(event.clone())));
        window.load_file(kit.page("document.title = 'named'")).await.unwrap();
        assert!(window.web_contents().url().starts_with("file:///"), "{}", window.web_contents().url());
        let title = window.web_contents().execute_javascript("document.title").await.unwrap();
        assert_eq!(title, Value::from("named"));
        let seen: Vec<ContentsEvent> = events.try_iter().collect();
        assert!(seen.contains(&ContentsEvent::DidStartLoading), "{seen:?}");
        assert!(seen.contains(&ContentsEvent::DomReady), "{seen:?}");
        assert!(seen.contains(&ContentsEvent::DidFinishLoad), "{seen:?}");
    });
    case(cases, "load_file_of_a_missing_file_fails", |app, kit| async move {
        let window = kit.window(&app);
        let (told, events) = mpsc::channel();
        window.web_contents().on_did_fail_load(move |error| drop(told.send(error.clone())));
        let error = window.load_file("nowhere.html").await.unwrap_err();
        let path = kit.folder().join("nowhere.html");
        assert_eq!(error.to_string(), format!("ERR_FILE_NOT_FOUND (-6) loading 'file://{}'", path.display()));
        assert_eq!(events.try_recv(), Ok(error));
    });
    case(cases, "load_url_takes_paths_and_urls", |app, kit| async move {
        kit.file("plain.html", "<title>plain</title>");
        let window = kit.window(&app);
        window.load_url("plain.html?a=1").await.unwrap();
        assert!(window.web_contents().url().ends_with("/plain.html?a=1"), "{}", window.web_contents().url());
        window.load_url("data:text/html,<title>data</title>").await.unwrap();
        assert_eq!(window.web_contents().execute_javascript("document.title").await.unwrap(), Value::from("data"));
        // A port that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = window.load_url(&format!("http://{free}/")).await.unwrap_err();
        assert_eq!((error.code, error.description.as_str()), (-102, "ERR_CONNECTION_REFUSED"), "{error:?}");
        // The former page is still there.
        assert_eq!(window.web_contents().execute_javascript("document.title").await.unwrap(), Value::from("data"));
    });
    case(cases, "a_second_load_aborts_the_first", |app, kit| async move {
        let window = kit.window(&app);
        let first = window.load_file(kit.page(""));
        let second = window.load_file(kit.page("document.title = 'second'"));
        assert_eq!(first.await.unwrap_err().description, "ERR_ABORTED");
        second.await.unwrap();
        assert_eq!(window.web_contents().execute_javascript("document.title").await.unwrap(), Value::from("second"));
    });
    case(cases, "a_stopped_load_settles_and_frees_what_waited", |app, kit| async move {
        let window = kit.shown(&app, "ipc.on('greet', () => ipc.send('greeted', document.title))").await.unwrap();
        let page = window.web_contents();
        let title = page.execute_javascript("document.title").await.unwrap();
        let mut greeted = heard(&page, "greeted");
        for _ in 0..3 {
            let stopped = window.load_file(kit.page(""));
            assert!(page.is_loading());
            page.send("greet", []).unwrap();
            page.stop();
            let error = stopped.await.unwrap_err();
            assert_eq!((error.code, error.description.as_str()), (-3, "ERR_ABORTED"));
            assert_eq!(next(&mut greeted).await, title);
            assert!(!page.is_loading());
        }
        // What WebKit says of the stopped load is not taken for the next one's end.
        drop(window.load_file(kit.page("")));
        page.stop();
        window.load_file(kit.page("document.title = 'next'")).await.unwrap();
        assert_eq!(page.execute_javascript("document.title").await.unwrap(), Value::from("next"));
    });
    case(cases, "a_page_that_stops_the_programs_load_ends_it", |app, kit| async move {
        let window = kit.shown(&app, "ipc.on('stop', () => { stop(); ipc.send('done') })").await.unwrap();
        let page = window.web_contents();
        drop(window.load_file(kit.page("")));
        page.stop();
        // A server that never answers.
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let load = window.load_url(&format!("http://{}/", server.local_addr().unwrap()));
        let connection = tokio::task::spawn_blocking(move || {
            let (mut connection, _) = server.accept().unwrap();
            // The engine connects before the page's process has begun the load.
            connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            connection.read_exact(&mut [0; 4]).unwrap();
            connection
        });
        let connection = connection.await.unwrap();
        page.main_frame().execute_javascript("stop()").await.unwrap();
        assert_eq!(load.await.unwrap_err().code, -3);
        drop(connection);
    });
    case(cases, "what_cannot_be_loaded_is_refused", |app, kit| async move {
        let window = kit.shown(&app, "ipc.on('greet', () => ipc.send('greeted'))").await.unwrap();
        let mut greeted = heard(&window.web_contents(), "greeted");
        for (url, code) in [("javascript:1", -3), ("", -300), ("http://", -300), ("/tmp", -6)] {
            assert_eq!(window.load_url(url).await.unwrap_err().code, code, "{url}");
            window.web_contents().send("greet", []).unwrap();
            next(&mut greeted).await;
        }
        assert_eq!(window.load_file(kit.folder()).await.unwrap_err().code, -6);
        let error = window.load_url("http://127.0.0.1:1/").await.unwrap_err();
        assert_eq!(error.to_string(), "ERR_UNSAFE_PORT (-312) loading 'http://127.0.0.1:1/'");
        window.load_url("about:blank").await.unwrap();
    });
    case(cases, "scripts_wait_until_a_page_has_loaded", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let early = page.execute_javascript("early = 1; document.readyState + document.title");
        let load = window.load_file(kit.page("document.title = 'there'"));
        let during = page.execute_javascript("early + document.title");
        load.await.unwrap();
        assert_eq!(early.await.unwrap(), Value::from("completethere"));
        assert_eq!(during.await.unwrap(), Value::from("1there"));
        // A load that fails leaves the page as it is.
        let load = window.load_file("nowhere.html");
        let script = page.execute_javascript("early");
        load.await.unwrap_err();
        assert_eq!(script.await.unwrap(), number(1));
        // Without any page there is nothing to wait for, and none is left behind.
        let window = kit.window(&app);
        let script = window.web_contents().execute_javascript("1");
        window.destroy();
        script.await.unwrap_err();
        assert_eq!(window.web_contents().execute_javascript("1").await.unwrap_err(), ScriptError::Frame(strait::FrameGone));
    });
    case(cases, "a_fragment_stays_in_the_document", |app, kit| async move {
        let window = kit.window(&app);
        let page = kit.page("var kept = 1");
        window.load_file(&page).await.unwrap();
        window.load_url(&format!("{}#part", window.web_contents().url())).await.unwrap();
        assert_eq!(window.web_contents().execute_javascript("kept + location.hash").await.unwrap(), Value::from("1#part"));
        window.web_contents().execute_javascript("kept = 2").await.unwrap();
        for (place, expected) in [("#other", "2#other"), ("#%C3%A4 b", "2#%C3%A4%20b"), ("#%C3%A4 b", "1#%C3%A4%20b")] {
            let page = window.web_contents().url();
            let page = page.split('#').next().unwrap();
            window.load_url(&format!("{page}{place}")).await.unwrap();
            assert_eq!(window.web_contents().execute_javascript("kept + location.hash").await.unwrap(), Value::from(expected));
        }
    });
    case(cases, "scripts_give_values_and_errors", |app, kit| async move {
        let page = kit.shown(&app, "").await.unwrap().web_contents();
        assert_eq!(page.execute_javascript("6 * 7").await.unwrap(), number(42));
        assert_eq!(page.execute_javascript("Promise.resolve('later')").await.unwrap(), Value::from("later"));
        let error = page.execute_javascript("throw new TypeError('no such thing')").await.unwrap_err();
        assert_eq!(error, ScriptError::Thrown("TypeError: no such thing".into()));
        let pending = page.execute_javascript("new Promise(() => {})");
        page.reload().await.unwrap();
        assert_eq!(pending.await.unwrap_err(), ScriptError::Unloaded);
    });
    case(cases, "getters_mirror_the_window", |app, kit| async move {
        let window = strait::BrowserWindow::builder().title("mine").size(400, 300).show(false).build(&app);
        assert_eq!((window.title().as_str(), window.size(), window.is_visible()), ("mine", (400, 300), false));
        let (told, mut events) = tokio::sync::mpsc::unbounded_channel();
        window.on_event(move |event| {
            let _ = told.send(event.clone());
        });
        window.show();
        assert!(window.is_visible());
        window.hide();
        assert!(!window.is_visible());
        window.show();
        window.set_size(500, 200);
        assert_eq!((window.is_visible(), window.size()), (true, (500, 200)));
        while events.recv().await.unwrap() != WindowEvent::Shown {}
        while events.recv().await.unwrap() != WindowEvent::Shown {}
        assert_eq!((window.is_visible(), window.size()), (true, (500, 200)));
        window.load_file(kit.page("")).await.unwrap();
        while !window.title().starts_with("page") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(app.window(window.id()), Some(window.clone()));
        window.destroy();
        assert!(window.is_destroyed() && !window.is_visible());
        assert!(!app.windows().contains(&window));
        while events.recv().await.unwrap() != WindowEvent::Closed {}
        assert_eq!(app.window(window.id()), None);
    });
    case(cases, "hidden_windows_run_timers", |app, kit| async move {
        let window = kit.window(&app);
        let mut ticks = heard(&window.web_contents(), "tick");
        window
            .load_file(kit.page("const { ipcRenderer } = require('electron'); setInterval(() => ipcRenderer.send('tick'), 10)"))
            .await
            .unwrap();
        next(&mut ticks).await;
        let started = std::time::Instant::now();
        for _ in 0..50 {
            next(&mut ticks).await;
        }
        // Throttled they would take from 17 to 50 s.
        assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    });
    case(cases, "frames_have_parents_urls_and_one_identity", |app, kit| async move {
        let inner = kit.page("");
        let window = kit.window(&app);
        let page = window.web_contents();
        let before = page.main_frame();
        let script = format!(
            "const f = document.createElement('iframe'); f.name = 'inner'; f.src = 'file://{}'; document.body.append(f)",
            inner.display()
        );
        window.load_file(kit.page(&script)).await.unwrap();
        let main = page.main_frame();
        assert_eq!(main, before);
        assert_eq!(main.parent(), None);
        let frames = main.frames();
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].parent(), Some(main.clone()));
        assert_eq!(frames[0].top(), Some(main.clone()));
        assert_eq!((frames[0].name().as_str(), frames[0].url()), ("inner", format!("file://{}", inner.display())));
        assert_eq!(main.frames_in_subtree().len(), 2);
        assert_eq!(frames[0].execute_javascript("window !== top").await.unwrap(), Value::Bool(true));
        page.reload().await.unwrap();
        assert_eq!(page.main_frame(), main);
        assert!(frames[0].is_destroyed());
        assert!(frames[0].send("x", []).is_err());
    });
    case(cases, "a_prevented_close_keeps_the_window", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        let (told, asked) = mpsc::channel();
        let id = window.on_close(move |event| {
            event.prevent_default();
            let _ = told.send(());
        });
        window.close();
        while asked.try_recv().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!window.is_destroyed());
        window.remove_listener(id);
        let (told, mut closed) = tokio::sync::mpsc::unbounded_channel();
        window.on_closed(move || told.send(()).unwrap_or_default());
        window.close();
        closed.recv().await.unwrap();
        assert!(window.is_destroyed());
    });
    case(cases, "a_page_closes_its_window", |app, kit| async move {
        let window = kit.window(&app);
        let (told, mut closed) = tokio::sync::mpsc::unbounded_channel();
        window.on_closed(move || told.send(()).unwrap_or_default());
        window.load_file(kit.page("onload = () => window.close()")).await.unwrap();
        closed.recv().await.unwrap();
        assert!(window.is_destroyed());
    });
    case(cases, "children_go_with_their_parent", |app, kit| async move {
        let parent = kit.window(&app);
        let child = strait::BrowserWindow::builder().show(false).parent(&parent).build(&app);
        child.load_file(kit.page("")).await.unwrap();
        let (told, mut closed) = tokio::sync::mpsc::unbounded_channel();
        child.on_closed(move || told.send(()).unwrap_or_default());
        parent.destroy();
        closed.recv().await.unwrap();
    });
    case(cases, "a_preload_that_is_missing_is_told", |app, kit| async move {
        let window = strait::BrowserWindow::builder().show(false).preload("no-preload.js").build(&app);
        let (told, mut errors) = tokio::sync::mpsc::unbounded_channel();
        window.web_contents().on_event(move |event| {
            if let ContentsEvent::PreloadError { path, message } = event {
                let _ = told.send((path.clone(), message.clone()));
            }
        });
        window.load_file(kit.page("")).await.unwrap();
        let (path, message) = errors.recv().await.unwrap();
        assert_eq!(path, kit.folder().join("no-preload.js"));
        assert!(!message.is_empty());
    });
    case(cases, "console_messages_have_level_and_place", |app, kit| async move {
        let window = kit.window(&app);
        let (told, mut lines) = tokio::sync::mpsc::unbounded_channel();
        window.web_contents().on_event(move |event| {
            if let ContentsEvent::Console(message) = event {
                let _ = told.send(message.clone());
            }
        });
        window.load_file(kit.page("console.warn('careful', 1)")).await.unwrap();
        let message = lines.recv().await.unwrap();
        assert_eq!((message.level, message.text.as_str()), (strait::ConsoleLevel::Warning, "careful 1"));
        assert!(message.source.ends_with(".html") && message.line == 1, "{message:?}");
    });
}
