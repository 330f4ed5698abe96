//! Messages between pages and main, and between pages.

use strait::{IpcEvent, MessageChannel, PostMessageErrorKind, Value, WebContents, World};

use super::kit::{Case, case, heard, next, number, with_ipc};

/// A page that takes a port from main and doubles what comes through it.
const DOUBLER: &str = "ipc.on('port', (event) => { const [port] = event.ports; port.onmessage = (e) => port.postMessage(e.data * 2) })";

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "send_carries_values_both_ways", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let mut echoes = heard(&page, "echo");
        window
            .load_file(kit.page(&with_ipc("ipc.on('ask', (event, a, b) => ipc.send('echo', [a, b, new Map([[1, -0]])]))")))
            .await
            .unwrap();
        page.send("ask", [Value::from("text"), Value::Undefined]).unwrap();
        let echo = next(&mut echoes).await;
        assert_eq!(echo, Value::array([Value::from("text"), Value::Undefined, Value::map([(number(1), number(-0.0))])]));
    });
    case(cases, "invoke_gives_answers_and_errors", |app, kit| async move {
        let ipc = app.ipc_main();
        ipc.handle("double", |_, args| async move {
            tokio::task::yield_now().await;
            args[0].as_f64().map(|given| number(given * 2.0)).ok_or("not a number")
        })
        .unwrap();
        assert!(ipc.handle("double", |_, _| async { Ok::<_, String>(Value::Null) }).is_err());
        let page = kit
            .shown(&app, "window.ipc = ipc; window.fails = (...args) => ipc.invoke(...args).catch((e) => e.message)")
            .await
            .unwrap()
            .web_contents();
        let run = |script: &str| {
            let value = page.execute_javascript(script);
            async move { value.await.unwrap() }
        };
        assert_eq!(run("ipc.invoke('double', 21)").await, number(42));
        let check = "Error invoking remote method 'double': Error: not a number";
        assert_eq!(run("fails('double', 'x')").await, Value::from(check));
        let none = "Error invoking remote method 'nobody': Error: No handler registered for 'nobody'";
        assert_eq!(run("fails('nobody')").await, Value::from(none));
        ipc.remove_handler("double");
        // The handler of the page comes before that of the app.
        ipc.handle("who", |_, _| async { Ok::<_, String>(Value::from("app")) }).unwrap();
        page.ipc().handle_once("who", |_, _| async { Ok::<_, String>(Value::from("page")) }).unwrap();
        assert_eq!(run("ipc.invoke('who')").await, Value::from("page"));
        assert_eq!(run("ipc.invoke('who')").await, Value::from("app"));
        ipc.remove_handler("who");
    });
    case(cases, "send_sync_waits_for_its_answer", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        page.ipc().on("sync", |event, args| event.set_return_value(number(args[0].as_f64().unwrap() + 1.0)));
        page.ipc().on("silent", |_, _| {});
        window.load_file(kit.page(&with_ipc("window.ipc = ipc"))).await.unwrap();
        assert_eq!(page.execute_javascript("ipc.sendSync('sync', 41)").await.unwrap(), number(42));
        assert_eq!(page.execute_javascript("ipc.sendSync('nobody at all')").await.unwrap(), Value::Undefined);
        // Answered by nobody: it ends all the same.
        let silent = page.execute_javascript("try { ipc.sendSync('silent'); 'returned' } catch (e) { e.message }").await.unwrap();
        assert!(silent.as_str().is_some(), "{silent:?}");
    });
    case(cases, "one_frame_keeps_its_order", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let mut order = heard(&page, "order");
        page.ipc().on("order-sync", |event, _| event.set_return_value(Value::Null));
        let script = "for (let i = 0; i < 300; i += 3) { ipc.send('order', i); ipc.postMessage('order', i + 1, []); ipc.sendSync('order-sync'); ipc.send('order', i + 2) }";
        window.load_file(kit.page(&with_ipc(script))).await.unwrap();
        for expected in 0..300 {
            assert_eq!(next(&mut order).await, number(expected));
        }
    });
    case(cases, "a_port_from_a_page", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let mut ports = heard(&page, "port");
        let script = "const { port1, port2 } = new MessageChannel(); port2.postMessage({ answer: 42 }); \
                      port2.onmessage = (e) => port2.postMessage(e.data + 1); ipc.postMessage('port', null, [port1])";
        window.load_file(kit.page(&with_ipc(script))).await.unwrap();
        let (event, _) = ports.recv().await.unwrap();
        let port = event.ports()[0].clone();
        // Queued before anybody listened.
        assert_eq!(port.recv().await.unwrap().data, Value::object([("answer", 42)]));
        port.post_message(1, vec![]).unwrap();
        assert_eq!(port.recv().await.unwrap().data, number(2));
    });
    case(cases, "a_port_to_a_page", |app, kit| async move {
        let page = kit.shown(&app, DOUBLER).await.unwrap().web_contents();
        let MessageChannel { port1, port2 } = MessageChannel::new(&app);
        port2.post_message(21, vec![]).unwrap();
        page.post_message("port", Value::Null, vec![port1.clone()]).unwrap();
        assert!(port1.is_neutered());
        assert_eq!(port2.recv().await.unwrap().data, number(42));
        port2.send_as(&5u8).unwrap();
        assert_eq!(port2.recv_as::<u8>().await.unwrap(), 10);
        assert!(port2.try_recv().is_none());
    });
    case(cases, "a_port_straight_into_the_pages_own_world", |app, kit| async move {
        let window = strait::BrowserWindow::builder().show(false).build(&app);
        let page = window.web_contents();
        let script = "addEventListener('message', ({ data, channel, source, ports: [port] }) => port?.postMessage([data, channel, source === window]))";
        let load = window.load_file(kit.page(script));
        for send_late in [false, true] {
            let MessageChannel { port1, port2 } = MessageChannel::new(&app);
            let ports = vec![port1];
            match send_late {
                false => page.post_message_to(World::Main, "take", 1, ports).unwrap(),
                true => page.main_frame().post_message_to(World::Main, "take", 1, ports).unwrap(),
            }
            let expected = Value::array([number(1), Value::from("take"), Value::from(true)]);
            assert_eq!(port2.recv().await.unwrap().data, expected);
        }
        load.await.unwrap();
        let frame = page.main_frame();
        window.destroy();
        let MessageChannel { port1, port2 } = MessageChannel::new(&app);
        let error = frame.post_message_to(World::Main, "take", 1, vec![port1]).unwrap_err();
        assert_eq!(error.kind, PostMessageErrorKind::FrameGone);
        error.ports[0].post_message("still here", vec![]).unwrap();
        assert_eq!(port2.recv().await.unwrap().data, Value::from("still here"));
    });
    case(cases, "two_windows_talk_directly", |app, kit| async move {
        let worker = kit.shown(&app, DOUBLER).await.unwrap().web_contents();
        let window = kit.window(&app);
        let page = window.web_contents();
        let mut answers = heard(&page, "answer");
        page.ipc().on("request", move |event, _| {
            let frame = event.sender_frame().expect("the frame is there");
            assert_eq!(Some(frame.clone()), event.sender().main_frame().into());
            let MessageChannel { port1, port2 } = MessageChannel::new(event.app());
            worker.post_message("port", Value::Null, vec![port1]).unwrap();
            frame.post_message("provide", Value::Null, vec![port2]).unwrap();
        });
        let script = "ipc.send('request'); ipc.once('provide', (event) => { const [port] = event.ports; \
                      port.onmessage = (e) => ipc.send('answer', e.data); port.postMessage(21) })";
        window.load_file(kit.page(&with_ipc(script))).await.unwrap();
        assert_eq!(next(&mut answers).await, number(42));
    });
    case(cases, "a_post_that_fails_consumes_nothing", |app, kit| async move {
        let window = kit.shown(&app, DOUBLER).await.unwrap();
        let page = window.web_contents();
        let MessageChannel { port1, port2 } = MessageChannel::new(&app);
        let error = page.post_message("port", Value::Null, vec![port1.clone(), port1.clone()]).unwrap_err();
        assert_eq!((error.kind, error.ports.len()), (PostMessageErrorKind::Duplicate(1), 2));
        let error = port1.post_message(1, vec![port1.clone()]).unwrap_err();
        assert_eq!(error.kind, PostMessageErrorKind::Source(0));
        window.destroy();
        let error = page.post_message("port", Value::Null, vec![port1]).unwrap_err();
        assert_eq!(error.to_string(), "Render frame was disposed before WebFrameMain could be accessed");
        error.ports[0].post_message("still here", vec![]).unwrap();
        assert_eq!(port2.recv().await.unwrap().data, Value::from("still here"));
        let error = page.post_message("port", Value::Null, vec![]).unwrap_err();
        assert_eq!(error.kind, PostMessageErrorKind::FrameGone);
    });
    case(cases, "what_follows_load_url_is_for_the_new_document", |app, kit| async move {
        let tell = |who: &str| with_ipc(&format!("ipc.on('hello', (event, text) => ipc.send('told', '{who} ' + text))"));
        let window = kit.window(&app);
        let page = window.web_contents();
        let mut told = heard(&page, "told");
        let first = window.load_file(kit.page(&tell("first")));
        page.send("hello", ["one".into()]).unwrap();
        assert_eq!(next(&mut told).await, Value::from("first one"));
        first.await.unwrap();
        let second = window.load_file(kit.page(&tell("second")));
        page.send("hello", ["two".into()]).unwrap();
        page.main_frame().send("hello", ["three".into()]).unwrap();
        assert_eq!(next(&mut told).await, Value::from("second two"));
        assert_eq!(next(&mut told).await, Value::from("second three"));
        second.await.unwrap();
        let missing = window.load_file("nowhere.html");
        page.send("hello", ["four".into()]).unwrap();
        assert_eq!(next(&mut told).await, Value::from("second four"));
        missing.await.unwrap_err();
        let same = window.load_url(&format!("{}#there", page.url()));
        page.send("hello", ["five".into()]).unwrap();
        assert_eq!(next(&mut told).await, Value::from("second five"));
        same.await.unwrap();
        let again = page.reload();
        page.send("hello", ["six".into()]).unwrap();
        assert_eq!(next(&mut told).await, Value::from("second six"));
        again.await.unwrap();
    });
    case(cases, "preload_runs_isolated_and_gets_messages", |app, kit| async move {
        let preload = "const { ipcRenderer } = require('electron'); window.secret = 1; \
                       ipcRenderer.on('ask', () => ipcRenderer.send('answer', typeof window.secret)); ipcRenderer.send('ready', location.href)";
        kit.file("preload.js", preload);
        let window = strait::BrowserWindow::builder().show(false).preload("preload.js").build(&app);
        let page = window.web_contents();
        let (mut ready, mut answer) = (heard(&page, "ready"), heard(&page, "answer"));
        let file = kit.page("window.seen = typeof require + typeof secret");
        window.load_file(&file).await.unwrap();
        assert_eq!(next(&mut ready).await, Value::from(format!("file://{}", file.display())));
        assert_eq!(page.execute_javascript("seen").await.unwrap(), Value::from("undefinedundefined"));
        page.send("ask", []).unwrap();
        assert_eq!(next(&mut answer).await, Value::from("number"));
    });
    case(cases, "messages_from_iframes_name_their_frame", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let mut said = heard(&page, "said");
        let inner = kit.page("parent.tell(window)");
        let script = with_ipc(&format!(
            "window.tell = (w) => ipc.send('said', 'main'); const f = document.createElement('iframe'); f.src = 'file://{}'; document.body.append(f)",
            inner.display()
        ));
        window.load_file(kit.page(&script)).await.unwrap();
        let (event, _): (IpcEvent, _) = said.recv().await.unwrap();
        assert_eq!(event.sender(), &page);
        assert_eq!(event.sender_frame(), Some(page.main_frame()));
        let sender: &WebContents = event.sender();
        assert_eq!(sender.id(), page.id());
        event.reply("nobody-listens", []).unwrap();
    });
}
