//! A child in Rust, started as `UtilityProcess` starts one: by `Node::spawn`, with its parent port in the first message.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use strait_child::{CloseReason, MessageChannel, MessagePort, ParentPort, PortRecvError, Value};
use strait_ports::{Message, Node, Port};
use strait_protocol::child::{Start, ToChild};

/// Names what a child does; without it the test that is the child's entry does nothing.
const ROLE: &str = "STRAIT_CHILD_TEST_ROLE";
const PATIENCE: Duration = Duration::from_secs(30);

/// Not a test of its own: what children run.
#[test]
fn entry_of_children() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let parent = ParentPort::from_env().expect("a parent port");
    match role.as_str() {
        "echo" => parent
            .node()
            .block_on(async {
                let mine = MessageChannel::new(&parent);
                parent.post_message(parent.name(), vec![mine.port1]).expect("a name");
                while let Ok(message) = parent.recv().await {
                    mine.port2.post_message(message.data, message.ports).expect("an echo");
                }
            })
            .expect("a node"),
        "leave" => {}
        "exit" => std::process::exit(3),
        other => panic!("no role {other}"),
    }
}

struct Started {
    node: Node,
    child: Child,
    port: MessagePort,
    _control: Port,
}

fn start(role: &str) -> Started {
    let node = Node::broker().expect("a node");
    let driver = node.clone();
    thread::spawn(move || driver.drive());
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "entry_of_children", "--nocapture"]).env(ROLE, role).stdout(Stdio::null());
    let (child, control) = node.spawn(&mut command).expect("a child");
    let (ours, theirs) = node.channel();
    let message = strait_protocol::encode(&ToChild::Start(Start { name: format!("the {role}"), args: vec![] }));
    control.post(Message::with_ports(message, vec![theirs])).expect("the start");
    Started { node, child, port: ours.into(), _control: control }
}

/// Waits for the child's end, which must come.
fn code(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the child is still there");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn values_and_ports_go_both_ways_and_the_close_ends_it() {
    let mut started = start("echo");
    let Started { node, port, .. } = &started;
    let channel = MessageChannel::new(node);
    node.block_on(async {
        let first = port.recv().await.expect("a name");
        assert_eq!((first.data, first.ports.len()), (Value::from("the echo"), 1));
        port.post_message(Value::array([1, 2]), vec![channel.port1]).expect("a post");
        let back = first.ports[0].recv().await.expect("an echo");
        assert_eq!((back.data, back.ports.len()), (Value::array([1, 2]), 1));
        back.ports[0].post_message("home", vec![]).expect("a post");
        assert_eq!(channel.port2.recv().await.expect("a message").data, Value::from("home"));
        port.close();
        assert_eq!(first.ports[0].recv().await.err(), Some(PortRecvError::Closed(CloseReason::Dropped)));
    })
    .expect("a node");
    assert_eq!(code(&mut started.child), Some(0));
}

#[test]
fn an_orderly_end_is_told_from_another() {
    for (role, reason, ended) in [("leave", CloseReason::Exited, 0), ("exit", CloseReason::Crashed, 3)] {
        let mut started = start(role);
        assert_eq!(started.node.block_on(started.port.closed()).expect("a node"), reason, "{role}");
        assert_eq!(code(&mut started.child), Some(ended), "{role}");
    }
}
