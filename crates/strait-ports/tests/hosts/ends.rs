//! When `Node::drive` ends.

use std::sync::mpsc;
use std::thread;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{CloseReason, Endpoint, Event, Node};

use super::common::{Folder, PATIENCE, close};

/// A driver, and the news of its end.
fn start(node: &Node) -> mpsc::Receiver<()> {
    let (end, ended) = mpsc::channel();
    let node = node.clone();
    thread::spawn(move || {
        node.drive().unwrap();
        end.send(()).unwrap();
    });
    ended
}

fn is_driven(driver: &mpsc::Receiver<()>) -> bool {
    driver.recv_timeout(std::time::Duration::from_millis(50)) == Err(mpsc::RecvTimeoutError::Timeout)
}

#[test]
fn a_driver_serves_and_ends_when_the_node_leaves() {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let node = Node::broker().unwrap();
    let drivers = [start(&node), start(&node)];
    let port = node.invite(ours).unwrap();
    let member = thread::spawn(move || {
        let (node, port) = Node::join(theirs).unwrap();
        let driver = start(&node);
        // Nobody but the driver hears anything.
        let (sender, receiver) = mpsc::channel();
        port.on_ready(move || _ = sender.send(()));
        receiver.recv_timeout(PATIENCE).unwrap();
        let Some(Event::Message(message)) = port.try_recv() else { panic!("ready") };
        port.post(message).unwrap();
        receiver.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(port.try_recv(), Some(Event::Close(CloseReason::Exited))));
        drop((node, port));
        driver.recv_timeout(PATIENCE).unwrap();
    });
    port.post(b"round".to_vec()).unwrap();
    assert!(matches!(port.recv_blocking(Some(PATIENCE)), Ok(Event::Message(message)) if message.data == b"round"));
    node.leave(CloseReason::Exited);
    drivers.iter().for_each(|driver| driver.recv_timeout(PATIENCE).unwrap());
    member.join().unwrap();
    // After that it has nothing to do.
    node.clone().drive().unwrap();
}

#[test]
fn a_driver_ends_with_the_last_handle() {
    let folder = Folder::new();
    let node = Node::broker().unwrap();
    let driver = start(&node);
    let (one, other) = node.channel();
    let incoming = Endpoint::bind(folder.join("endpoint")).unwrap().incoming(&node).unwrap();
    drop(node);
    assert!(is_driven(&driver));
    drop(one);
    drop(incoming);
    assert!(is_driven(&driver));
    assert_eq!(close(&other), CloseReason::Dropped);
    drop(other);
    driver.recv_timeout(PATIENCE).unwrap();
}
