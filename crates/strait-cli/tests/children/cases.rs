//! The cases. Those that hold for children in any language run once with each.

use std::{
    cell::RefCell,
    collections::HashMap,
    future::Future,
    io::Read,
    pin::Pin,
    process::Stdio,
    rc::Rc,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use strait::{CloseReason, ExitReason, MessageChannel, PortRecvError, UtilityEvent, UtilityProcess, Value};
use strait_ports::Event;

use crate::{BOTH, Kit, Language};

type Case = fn(Kit) -> Pin<Box<dyn Future<Output = ()>>>;

pub(crate) fn all() -> Vec<(&'static str, Case)> {
    vec![
        ("values_and_ports_go_both_ways", |kit| Box::pin(both_ways(kit))),
        ("messages_wait_for_their_handler", |kit| Box::pin(handler(kit))),
        ("children_of_two_languages_talk_without_main", |kit| Box::pin(directly(kit))),
        ("arguments_environment_folder_and_name", |kit| Box::pin(told(kit))),
        ("output_is_piped_or_not", |kit| Box::pin(output(kit))),
        ("codes_and_signals_are_told", |kit| Box::pin(endings(kit))),
        ("handlers_go_with_the_child", |kit| Box::pin(handlers(kit))),
        ("events_come_in_order", |kit| Box::pin(events(kit))),
        ("kill_ends_a_loop", |kit| Box::pin(killed(kit))),
        ("who_ignores_kill_is_killed_later", |kit| Box::pin(stubborn(kit))),
        ("what_cannot_be_started_says_so", |kit| Box::pin(unlaunched(kit))),
        ("options_that_run_no_script_are_refused", |kit| Box::pin(refused(kit))),
        ("without_node_a_script_says_what_to_install", |kit| Box::pin(without_node(kit))),
        ("kept_ports_close_with_the_reason_of_the_end", |kit| Box::pin(reasons(kit))),
        ("a_port_of_the_engine_as_parent_port", |kit| Box::pin(raw(kit))),
        ("a_script_without_memory_says_why", |kit| Box::pin(greedy(kit))),
    ]
}

/// Kills it and waits for its end.
async fn end(child: UtilityProcess) {
    while child.pid().is_none() {
        assert_eq!(child.exit_status(), None, "{child:?} ends before it was killed");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(child.kill());
    let status = child.exited().await;
    assert_eq!((status.reason, status.exit_code()), (ExitReason::CleanExit, 0));
}

async fn both_ways(kit: Kit) {
    for language in BOTH {
        let child = kit.child(language, "echo").spawn(&kit.app);
        // From before the process is there.
        let channel = MessageChannel::new(&kit.app);
        child.post_message(Value::array([1, 2]), vec![channel.port1]).expect("a post");
        let mut here = child.recv().await.expect("its port");
        assert_eq!((here.data, here.ports.len()), (Value::from("here"), 1), "{language:?}");
        let theirs = here.ports.remove(0);
        let mut back = theirs.recv().await.expect("an echo");
        assert_eq!((back.data, back.ports.len()), (Value::array([1, 2]), 1), "{language:?}");
        back.ports.remove(0).post_message("home again", vec![]).expect("a post");
        assert_eq!(channel.port2.recv().await.expect("a message").data, Value::from("home again"), "{language:?}");
        end(child).await;
    }
}

async fn handler(kit: Kit) {
    for language in BOTH {
        let child = kit.child(language, "tell").spawn(&kit.app);
        assert!(child.exited().await.success(), "{language:?}");
        // It is over, and what it said is still there.
        let heard = Rc::new(RefCell::new(Vec::new()));
        let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
        let list = Rc::clone(&heard);
        child.on_message(move |message| {
            list.borrow_mut().push(message.data);
            let _ = told.send(());
        });
        hear.recv().await.expect("a message");
        assert_eq!(heard.borrow().len(), 1, "{language:?}");
        // The handler goes with the port, which has closed.
        assert_eq!(hear.recv().await, None, "{language:?}");
    }
}

async fn directly(kit: Kit) {
    for (server, client) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0]), (BOTH[1], BOTH[1])] {
        let (server, client) = (kit.child(server, "server").spawn(&kit.app), kit.child(client, "client").spawn(&kit.app));
        let channel = MessageChannel::new(&kit.app);
        server.post_message((), vec![channel.port1]).expect("a post");
        client.post_message((), vec![channel.port2]).expect("a post");
        assert_eq!(client.recv().await.expect("the result").data.as_f64(), Some(100.0));
        assert!(client.exited().await.success());
        end(server).await;
    }
}

async fn told(kit: Kit) {
    for language in BOTH {
        let child =
            kit.child(language, "tell").args(["--one", "two"]).env("TOLD", "something").env_remove("HOME").current_dir("/").name("teller");
        let child = child.spawn(&kit.app);
        assert_eq!(child.name(), "teller");
        let said = child.recv().await.expect("what it was told").data;
        let args = Value::array(["tell", "--one", "two"]);
        assert_eq!(said, Value::array([args, Value::from("something"), Value::Null, Value::from("/")]), "{language:?}");
        assert!(child.exited().await.success());
    }
    // Nothing of this process's environment; a child in Rust finds its role there.
    let child = kit.child(Language::JavaScript, "tell").env_clear().env("TOLD", "this").spawn(&kit.app);
    let said = child.recv().await.expect("what it was told").data;
    assert_eq!((said.get("1"), said.get("2")), (Some(Value::from("this")), Some(Value::Null)));
}

async fn output(kit: Kit) {
    for language in BOTH {
        let child = kit.child(language, "print").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn(&kit.app);
        assert!(child.exited().await.success(), "{language:?}");
        let (mut out, mut err) = (String::new(), String::new());
        child.take_stdout().expect("it is piped").read_to_string(&mut out).expect("text");
        child.take_stderr().expect("it is piped").read_to_string(&mut err).expect("text");
        assert_eq!((out.as_str(), err.as_str()), ("out", "err"), "{language:?}");
        assert!(child.take_stdout().is_none() && child.take_stderr().is_none(), "{language:?}: only once");
        let quiet = kit.child(language, "print").stdout(Stdio::null()).stderr(Stdio::null()).spawn(&kit.app);
        assert!(quiet.exited().await.success() && quiet.take_stdout().is_none(), "{language:?}");
    }
}

async fn endings(kit: Kit) {
    use ExitReason::{AbnormalExit, CleanExit, Crashed};
    let table = [("well", Some(0), None, CleanExit, 0), ("code", Some(7), None, AbnormalExit, 7), ("abort", None, Some(6), Crashed, 6)];
    for language in BOTH {
        for (role, code, signal, reason, number) in table {
            let status = kit.child(language, role).stderr(Stdio::null()).spawn(&kit.app).exited().await;
            assert_eq!(
                (status.code, status.signal, status.reason, status.exit_code()),
                (code, signal, reason, number),
                "{language:?} {role}"
            );
        }
        // Somebody else ends it.
        for (signal, number) in [(Signal::KILL, 9), (Signal::TERM, 15)] {
            let child = kit.child(language, "loop").spawn(&kit.app);
            child.recv().await.expect("its message");
            let pid = Pid::from_raw(child.pid().expect("it runs") as i32).expect("a pid");
            kill_process(pid, signal).expect("a signal");
            let status = child.exited().await;
            assert_eq!((status.signal, status.reason, status.exit_code()), (Some(number), ExitReason::Killed, number), "{language:?}");
        }
    }
    // An error of the program's own.
    let status = kit.child(Language::Rust, "no such role").stderr(Stdio::null()).spawn(&kit.app).exited().await;
    assert_eq!((status.code, status.reason), (Some(101), AbnormalExit));
    let status = kit.child(Language::JavaScript, "no such role").stderr(Stdio::null()).spawn(&kit.app).exited().await;
    assert_eq!((status.code, status.reason), (Some(1), AbnormalExit));
}

async fn events(kit: Kit) {
    for language in BOTH {
        let child = kit.child(language, "code").spawn(&kit.app);
        let (heard, mut hear) = tokio::sync::mpsc::unbounded_channel();
        child.on_event(move |event| drop(heard.send(event.clone())));
        let Some(UtilityEvent::Spawned { pid }) = hear.recv().await else { panic!("{language:?} does not begin") };
        assert!(pid > 1);
        let Some(UtilityEvent::Exited(status)) = hear.recv().await else { panic!("{language:?} does not end") };
        assert_eq!((child.pid(), child.exit_status(), status.code), (None, Some(status), Some(7)), "{language:?}");
        assert!(!child.kill());
        assert_eq!(child.exited().await, status, "who asks late hears it too");
        assert!(hear.try_recv().is_err(), "nothing else comes");
    }
    // Each has its number and is itself.
    let [one, other] = [0, 1].map(|_| kit.child(Language::Rust, "well").spawn(&kit.app));
    assert!(one == one.clone() && one != other && one.id() != other.id());
}

/// What a handler has captured is let go of when the child has ended, though the child's handle is kept.
async fn handlers(kit: Kit) {
    let child = kit.child(Language::Rust, "well").spawn(&kit.app);
    let captured = Arc::new(());
    let kept = Arc::downgrade(&captured);
    child.on_event(move |_| drop(captured.clone()));
    assert!(kept.upgrade().is_some());
    assert!(child.exited().await.success());
    // Its last event may still be in the queue.
    while kept.upgrade().is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn killed(kit: Kit) {
    for language in BOTH {
        let child = kit.child(language, "loop").spawn(&kit.app);
        child.recv().await.expect("its message");
        assert!(child.kill());
        let status = child.exited().await;
        assert_eq!((status.signal, status.reason, status.exit_code()), (Some(15), ExitReason::CleanExit, 0), "{language:?}");
        assert_eq!(child.recv().await.err(), Some(PortRecvError::Closed(CloseReason::Crashed)), "{language:?}");
    }
}

async fn stubborn(kit: Kit) {
    let script = "trap '' TERM; echo ready; exec sleep 60";
    let child = UtilityProcess::builder("sh").args(["-c", script]).stdout(Stdio::piped()).spawn(&kit.app);
    let (spawned, mut spawn) = tokio::sync::mpsc::unbounded_channel();
    child.on_event(move |event| drop(spawned.send(event.clone())));
    spawn.recv().await.expect("it begins");
    let mut stdout = child.take_stdout().expect("it is piped");
    // On another thread: to read waits.
    let (ready, said) = mpsc::channel();
    std::thread::spawn(move || {
        let mut word = [0; 6];
        let _ = ready.send(stdout.read_exact(&mut word).map(|()| word));
    });
    while said.try_recv().map(|word| assert_eq!(&word.expect("a word"), b"ready\n")).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let asked = Instant::now();
    assert!(child.kill());
    let status = child.exited().await;
    assert_eq!((status.signal, status.reason, status.exit_code()), (Some(9), ExitReason::Killed, 9));
    assert!(asked.elapsed() >= Duration::from_secs(5), "it had its time: {:?}", asked.elapsed());
}

async fn unlaunched(kit: Kit) {
    for language in BOTH {
        let child = kit.child(language, "echo").current_dir("/nowhere/at/all").spawn(&kit.app);
        let message = not_launched(&child).await;
        assert!(message.contains("cannot start") && message.contains("No such file"), "{message}");
        let status = child.exited().await;
        assert_eq!((status.reason, status.code, status.signal, status.exit_code()), (ExitReason::LaunchFailed, None, None, 1));
        assert!(!child.kill() && child.pid().is_none());
        // What was said to it comes back as a close.
        assert_eq!(child.recv().await.err(), Some(PortRecvError::Closed(CloseReason::Dropped)));
    }
}

/// Why the child was not started.
async fn not_launched(child: &UtilityProcess) -> String {
    let (heard, mut hear) = tokio::sync::mpsc::unbounded_channel();
    child.on_event(move |event| drop(heard.send(event.clone())));
    match hear.recv().await {
        Some(UtilityEvent::LaunchFailed { message }) => message,
        other => panic!("expected LaunchFailed, got {other:?}"),
    }
}

async fn refused(kit: Kit) {
    let child = kit.child(Language::JavaScript, "well").exec_arg("--expose-gc").exec_arg("--test").spawn(&kit.app);
    let message = not_launched(&child).await;
    assert!(message.starts_with("the option --test in execArgv is not possible: "), "{message}");
    // An option that Node does not know is its own to refuse.
    let child = kit.child(Language::JavaScript, "well").exec_arg("--no-such-option").stderr(Stdio::null()).spawn(&kit.app);
    assert_eq!(child.exited().await.code, Some(9));
}

/// Runs itself again without a Node in `PATH`, in a process of its own.
async fn without_node(kit: Kit) {
    const EMPTY: &str = "/nowhere";
    if std::env::var("PATH").is_ok_and(|path| path == EMPTY) {
        let child = kit.child(Language::JavaScript, "well").spawn(&kit.app);
        let message = not_launched(&child).await;
        assert!(message.starts_with("there is no Node.js in PATH: install Node.js 18.19 or later"), "{message}");
        assert!(kit.child(Language::Rust, "well").spawn(&kit.app).exited().await.success(), "a child in Rust needs none");
        return;
    }
    let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
    command.arg("without_node_a_script_says_what_to_install").env("PATH", EMPTY).stdout(Stdio::null());
    let status = tokio::task::spawn_blocking(move || command.status()).await.expect("it ran").expect("it starts");
    assert!(status.success(), "{status}");
}

async fn reasons(kit: Kit) {
    let table = HashMap::from([("well", CloseReason::Exited), ("code", CloseReason::Crashed), ("abort", CloseReason::Crashed)]);
    for language in BOTH {
        for (how, reason) in &table {
            let child = kit.child(language, "keeper").stderr(Stdio::null()).spawn(&kit.app);
            let channel = MessageChannel::new(&kit.app);
            child.post_message(*how, vec![channel.port1]).expect("a post");
            assert_eq!(channel.port2.closed().await, *reason, "{language:?} {how}");
            child.exited().await;
        }
    }
}

async fn raw(kit: Kit) {
    for language in BOTH {
        let (ours, theirs) = kit.app.node().channel();
        let child = kit.child(language, "echo").parent_port(theirs).spawn(&kit.app);
        assert!(child.port().is_neutered(), "{language:?}");
        let Some(Event::Message(message)) = ours.recv().await else { panic!("{language:?} says nothing") };
        assert_eq!(message.ports.len(), 1, "{language:?}");
        end(child).await;
    }
}

async fn greedy(kit: Kit) {
    let greedy = kit.child(Language::JavaScript, "greedy").exec_arg("--max-old-space-size=32").stderr(Stdio::null()).spawn(&kit.app);
    let status = greedy.exited().await;
    assert_eq!((status.signal, status.reason), (Some(6), ExitReason::Crashed));
    // The port's close comes after all it has said.
    assert_eq!(greedy.recv().await.err(), Some(PortRecvError::Closed(CloseReason::Crashed)));
    let error = greedy.take_fatal_error().expect("it says why");
    assert!(error.location.contains("heap out of memory") && error.report.contains("\"trigger\": \"OOMError\""), "{error:?}");
    assert_eq!(greedy.take_fatal_error(), None, "once");
    let well = kit.child(Language::JavaScript, "well").exec_arg("--max-old-space-size=64").spawn(&kit.app);
    assert!(well.exited().await.success());
    assert_eq!(well.recv().await.err(), Some(PortRecvError::Closed(CloseReason::Exited)));
    assert_eq!(well.take_fatal_error(), None);
}
