//! `Endpoint` and `Node::connect`.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, connect, send, socket_with};
use rustix::process::{Resource, Rlimit, geteuid, setrlimit, umask};
use strait_ports::{AcceptError, BindError, CloseReason, ConnectError, Endpoint, Event, JoinError, Node, PortSet, RecvError};

use super::common::{Folder, PATIENCE, Process, chain, close, data, next, output, role, role_of, say};

/// The path that a child is to use.
const PATH: &str = "STRAIT_TEST_PATH";
/// A user who owns nothing.
const NOBODY: u32 = 65534;

fn path_of_child() -> PathBuf {
    std::env::var_os(PATH).unwrap().into()
}

// The children.

pub(crate) fn play(role: &str) -> bool {
    match role {
        "guest" => guest(),
        "host" => host(Endpoint::bind(path_of_child()).unwrap()),
        "open-host" => host(Endpoint::options().mode(0o666).admit(|_| true).bind(path_of_child()).unwrap()),
        "poor-host" => {
            // A few more than a node needs.
            let few = Rlimit { current: Some(24), maximum: Some(24) };
            setrlimit(Resource::Nofile, few).unwrap();
            host(Endpoint::bind(path_of_child()).unwrap());
        }
        "modes" => modes(),
        "window" => window(),
        _ => return false,
    }
    true
}

/// Joins, and says how that went. Then echoes.
fn guest() {
    let (node, port) = match Node::connect(path_of_child()) {
        Ok(joined) => joined,
        Err(error) => return say(chain(&error)),
    };
    say("joined");
    port.post(std::process::id().to_le_bytes().to_vec()).unwrap();
    while let Event::Message(message) = next(&port) {
        port.post(message).unwrap();
    }
    node.leave(CloseReason::Exited);
}

/// Greets whoever comes, until somebody sends a word.
fn host(endpoint: Endpoint) {
    let node = Node::broker().unwrap();
    let mut incoming = endpoint.incoming(&node).unwrap();
    say("listening");
    let mut guests = PortSet::new();
    let deadline = Instant::now() + PATIENCE;
    let mut shed = 0;
    while Instant::now() < deadline {
        match incoming.recv_blocking(Some(Duration::from_millis(10))) {
            Ok(guest) => {
                let _ = guest.port.post(b"welcome".to_vec());
                guests.insert(guest.port);
            }
            Err(AcceptError::TimedOut) => {}
            Err(AcceptError::Guest(_)) => shed += 1,
            Err(error) => panic!("{error}"),
        }
        while let Some((_, event)) = guests.try_recv() {
            if let Event::Message(_) = event {
                return say(format_args!("shed {shed}"));
            }
        }
    }
}

/// Says what modes endpoints have, whatever the umask is.
fn modes() {
    let path = path_of_child();
    for mask in [0o000, 0o022, 0o777] {
        umask(Mode::from_raw_mode(mask));
        let modes = [None, Some(0o660), Some(0o666)].map(|mode| {
            let endpoint = match mode {
                None => Endpoint::bind(&path),
                Some(mode) => Endpoint::options().mode(mode).bind(&path),
            };
            let _endpoint = endpoint.unwrap();
            fs::metadata(&path).unwrap().mode() & 0o777
        });
        say(format_args!("{:o} {:o} {:o}", modes[0], modes[1], modes[2]));
    }
}

/// Says how wide a path's permissions ever are, looked at from another thread, while endpoints come and go there.
fn window() {
    umask(Mode::empty());
    let path = path_of_child();
    let done = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                seen |= fs::metadata(&path).map_or(0, |found| found.mode() & 0o777);
            }
            seen
        });
        (0..2000).for_each(|_| drop(Endpoint::bind(&path).unwrap()));
        done.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    });
    say(format_args!("{seen:o}"));
}

// What the tests need.

fn seqpacket() -> OwnedFd {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

fn raw_client(path: &Path) -> io::Result<OwnedFd> {
    let socket = seqpacket();
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// What a dead process leaves.
fn leave_stale(path: &Path) {
    bind(seqpacket(), &SocketAddrUnix::new(path).unwrap()).unwrap();
}

fn is_readable(fd: impl AsFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&now)).unwrap() == 1
}

fn start_guest(path: &Path) -> Process {
    Process::start(role("guest").env(PATH, path))
}

/// A host in a process of its own that listens by now.
fn start_host(role_name: &str, path: &Path) -> Process {
    let process = Process::start(role(role_name).env(PATH, path));
    let deadline = Instant::now() + PATIENCE;
    // For a moment this is a guest.
    while !path.exists() || matches!(Node::connect_if(path, |_| false), Err(ConnectError::NobodyListens { .. })) {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(2));
    }
    process
}

// The tests.

#[test]
fn a_guest_joins_and_is_who_it_is() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let node = Node::broker().unwrap();
    let mut incoming = Endpoint::bind(&path).unwrap().incoming(&node).unwrap();
    assert!(matches!(incoming.recv_blocking(Some(Duration::from_millis(20))), Err(AcceptError::TimedOut)));
    let mut process = start_guest(&path);
    let guest = incoming.recv_blocking(Some(PATIENCE)).unwrap();
    assert_eq!(guest.credentials.pid, process.0.id());
    assert!(guest.credentials.is_same_user());
    assert_eq!(data(&guest.port), process.0.id().to_le_bytes());
    guest.port.post(b"echo".to_vec()).unwrap();
    assert_eq!(data(&guest.port), b"echo");
    guest.port.close();
    assert_eq!(process.ends(), (vec!["joined".to_owned()], Some(0)));
    drop(incoming);
    assert!(!path.exists());
    assert!(matches!(Node::connect(&path), Err(ConnectError::NobodyListens { .. })));
}

#[test]
fn a_loop_of_ones_own_accepts() {
    let folder = Folder::new();
    let node = Node::broker().unwrap();
    let endpoint = Endpoint::bind(folder.join("endpoint")).unwrap();
    assert!(!is_readable(&endpoint));
    assert!(endpoint.accept(&node).unwrap().is_none());
    let _process = start_guest(endpoint.path());
    let timeout = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(&endpoint, PollFlags::IN)], Some(&timeout)).unwrap(), 1);
    let guest = endpoint.accept(&node).unwrap().unwrap();
    assert_eq!(data(&guest.port).len(), 4);
    assert!(endpoint.accept(&node).unwrap().is_none());
}

#[test]
fn the_umask_does_not_matter() {
    let folder = Folder::new();
    assert_eq!(output(role("modes").env(PATH, folder.join("endpoint"))), ["600 660 666"; 3]);
}

#[test]
fn at_no_moment_has_a_path_more_permissions_than_it_should() {
    let folder = Folder::new();
    assert_eq!(output(role("window").env(PATH, folder.join("endpoint"))), ["600"]);
}

#[test]
fn a_living_endpoint_is_not_replaced_nor_disturbed() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let endpoint = Endpoint::bind(&path).unwrap();
    let error = Endpoint::bind(&path).unwrap_err();
    assert!(matches!(error, BindError::InUse { .. }), "{error:?}");
    assert!(!is_readable(&endpoint), "the question was a guest");
    drop(endpoint);
    // Whatever else lives there.
    let stream = UnixListener::bind(&path).unwrap();
    assert!(matches!(Endpoint::bind(&path), Err(BindError::InUse { .. })));
    assert!(!is_readable(&stream));
    fs::remove_file(&path).unwrap();
    // Somebody who is just about to listen.
    let early = seqpacket();
    bind(&early, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    assert!(matches!(Endpoint::bind(&path), Err(BindError::InUse { .. })));
    assert!(path.exists());
}

#[test]
fn what_a_dead_process_left_is_replaced() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    leave_stale(&path);
    assert!(matches!(Node::connect(&path), Err(ConnectError::NobodyListens { .. })));
    drop(Endpoint::bind(&path).unwrap());
    let mut host = start_host("host", &path);
    assert!(matches!(Endpoint::bind(&path), Err(BindError::InUse { .. })));
    host.0.kill().unwrap();
    host.0.wait().unwrap();
    assert!(path.exists());
    let node = Node::broker().unwrap();
    let mut incoming = Endpoint::bind(&path).unwrap().incoming(&node).unwrap();
    let _guest = start_guest(&path);
    assert_eq!(data(&incoming.recv_blocking(Some(PATIENCE)).unwrap().port).len(), 4);
}

#[test]
fn one_of_many_replaces_what_is_dead() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    for _ in 0..50 {
        leave_stale(&path);
        let start = Barrier::new(8);
        let results: Vec<_> = thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        Endpoint::bind(&path)
                    })
                })
                .collect();
            tries.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|result| matches!(result, Err(BindError::InUse { .. }))), "{lost:?}");
        // It is the winner that is at the path.
        let _client = raw_client(&path).unwrap();
        assert!(is_readable(won[0].as_ref().unwrap()));
    }
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    fs::write(&path, b"precious").unwrap();
    assert!(matches!(Endpoint::bind(&path), Err(BindError::NotOurs { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(Endpoint::bind(&path), Err(BindError::NotOurs { .. })));
    fs::remove_dir(&path).unwrap();
    // A link, also if it leads to a dead socket of ours.
    leave_stale(&folder.join("stale"));
    symlink(folder.join("stale"), &path).unwrap();
    assert!(matches!(Endpoint::bind(&path), Err(BindError::NotOurs { .. })));
    assert!(path.is_symlink() && folder.join("stale").exists());
    let long = folder.join(&"x".repeat(120));
    assert!(matches!(Endpoint::bind(long), Err(BindError::Io { .. })));
    assert!(matches!(Endpoint::bind(folder.join("no/such/folder")), Err(BindError::Io { .. })));
}

#[test]
fn a_path_that_was_taken_over_stays() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let endpoint = Endpoint::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let other = Endpoint::bind(&path).unwrap();
    drop(endpoint);
    assert!(path.exists());
    drop(other);
    assert!(!path.exists());
}

#[test]
fn a_policy_turns_guests_away() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let node = Node::broker().unwrap();
    let me = std::process::id();
    let endpoint = Endpoint::options().admit(move |who| who.pid != me).bind(&path).unwrap();
    let thread = thread::spawn({
        let path = path.clone();
        move || Node::connect(&path)
    });
    let deadline = Instant::now() + PATIENCE;
    while !thread.is_finished() {
        assert!(Instant::now() < deadline);
        assert!(endpoint.accept(&node).unwrap().is_none());
        thread::sleep(Duration::from_millis(1));
    }
    assert!(matches!(thread.join().unwrap(), Err(ConnectError::Join(JoinError::Closed))));
    assert!(matches!(Node::connect_if(&path, |_| false), Err(ConnectError::Untrusted { server, .. }) if server.pid == me));
    assert_eq!(node.stats().links, 0);
}

/// This program where everybody can run it.
fn program_for_all(folder: &Folder) -> PathBuf {
    let program = folder.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777)).unwrap();
    program
}

fn as_nobody(mut command: Command, path: &Path) -> Command {
    command.uid(NOBODY).gid(NOBODY).current_dir("/").env(PATH, path);
    command
}

#[test]
fn another_user_is_kept_out_unless_the_policy_says_otherwise() {
    if !geteuid().is_root() {
        // Only root can be somebody else.
        return;
    }
    let folder = Folder::new();
    let program = program_for_all(&folder);
    let path = folder.join("endpoint");
    let node = Node::broker().unwrap();
    // By the permissions.
    let endpoint = Endpoint::bind(&path).unwrap();
    let said = output(&mut as_nobody(role_of(&program, "guest"), &path));
    assert!(said[0].starts_with("this user may not connect to"), "{said:?}");
    drop(endpoint);
    // Permissions alone let nobody in.
    let endpoint = Endpoint::options().mode(0o666).bind(&path).unwrap();
    let mut guest = Process::start(&mut as_nobody(role_of(&program, "guest"), &path));
    let timeout = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(&endpoint, PollFlags::IN)], Some(&timeout)).unwrap(), 1);
    assert!(endpoint.accept(&node).unwrap().is_none());
    // Nor does the guest trust a server of another user.
    let (said, _) = guest.ends();
    assert!(said[0].contains("which the trust policy rejects") && said[0].contains("of user 0"), "{said:?}");
    drop(endpoint);
    // A policy does.
    let mut incoming = Endpoint::options().mode(0o666).admit(|who| who.uid == NOBODY).bind(&path).unwrap().incoming(&node).unwrap();
    let _guest = Process::start(&mut as_nobody(role_of(&program, "guest"), &path));
    assert_eq!(incoming.recv_blocking(Some(PATIENCE)).unwrap().credentials.uid, NOBODY);
    drop(incoming);
    // A server of another user is not trusted, and what it leaves is not ours.
    let mut host = Process::start(&mut as_nobody(role_of(&program, "open-host"), &path));
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        match Node::connect(&path) {
            Err(ConnectError::NobodyListens { .. }) if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
            other => break other.unwrap_err(),
        }
    };
    assert!(matches!(error, ConnectError::Untrusted { server, .. } if server.uid == NOBODY), "{error:?}");
    let (_node, port) = Node::connect_if(&path, |server| server.uid == NOBODY).unwrap();
    assert_eq!(data(&port), b"welcome");
    host.0.kill().unwrap();
    host.0.wait().unwrap();
    assert!(matches!(Endpoint::bind(&path), Err(BindError::NotOurs { .. })));
}

#[test]
fn hundreds_of_silent_and_hostile_guests_hold_nobody_up() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let node = Node::broker().unwrap();
    let mut incoming = Endpoint::bind(&path).unwrap().incoming(&node).unwrap();
    let mut silent = Vec::new();
    let mut ports = Vec::new();
    for number in 0..300 {
        let client = raw_client(&path).unwrap();
        if number % 3 == 0 {
            send(&client, &[0; 40], SendFlags::empty()).unwrap();
        }
        silent.push(client);
        ports.push(incoming.recv_blocking(Some(PATIENCE)).unwrap().port);
    }
    let process = start_guest(&path);
    let guest = incoming.recv_blocking(Some(PATIENCE)).unwrap();
    assert_eq!(guest.credentials.pid, process.0.id());
    assert_eq!(data(&guest.port).len(), 4);
    for (number, port) in ports.iter().enumerate().filter(|(number, _)| number % 3 == 0) {
        assert_eq!(close(port), CloseReason::Crashed, "{number} speaks nonsense");
    }
    assert_eq!(node.stats().links, 201);
    drop(silent);
    assert!(ports.iter().enumerate().filter(|(number, _)| number % 3 != 0).all(|(_, port)| close(port) == CloseReason::Crashed));
    assert_eq!(node.stats().links, 1);
    guest.port.post(b"still there".to_vec()).unwrap();
    assert_eq!(data(&guest.port), b"still there");
}

#[test]
fn hundreds_of_processes_join() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let node = Node::broker().unwrap();
    let mut incoming = Endpoint::bind(&path).unwrap().incoming(&node).unwrap();
    let mut set = PortSet::new();
    // Not all at once: the machine may be small.
    for _ in 0..10 {
        let mut processes: Vec<_> = (0..20).map(|_| start_guest(&path)).collect();
        for _ in &processes {
            set.insert(incoming.recv_blocking(Some(PATIENCE)).unwrap().port);
        }
        for _ in &processes {
            let (id, event) = set.recv_blocking(Some(PATIENCE)).unwrap().unwrap();
            assert!(matches!(event, Event::Message(message) if message.data.len() == 4));
            set.remove(id).unwrap().close();
        }
        for process in &mut processes {
            assert_eq!(process.ends().1, Some(0));
        }
    }
    assert!(set.is_empty());
}

#[test]
fn a_host_without_descriptors_turns_guests_away_and_goes_on() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let mut host = start_host("poor-host", &path);
    let clients: Vec<_> = (0..100).map(|_| raw_client(&path).unwrap()).collect();
    // Some were let in, others turned away: those see the end.
    let deadline = Instant::now() + PATIENCE;
    let turned_away = |client: &OwnedFd| {
        let mut buffer = [0; 1024];
        matches!(rustix::net::recv(client, &mut buffer[..], rustix::net::RecvFlags::DONTWAIT | rustix::net::RecvFlags::PEEK), Ok((0, _)))
    };
    while clients.iter().filter(|client| turned_away(client)).count() < 70 {
        assert!(Instant::now() < deadline, "the host does not get on");
        thread::sleep(Duration::from_millis(2));
    }
    drop(clients);
    let (_node, port) = loop {
        match Node::connect(&path) {
            Ok(joined) => break joined,
            // It may not have noticed yet that the others are gone.
            Err(ConnectError::Join(_)) if Instant::now() < deadline => {}
            Err(error) => panic!("{}", chain(&error)),
        }
    };
    assert_eq!(data(&port), b"welcome");
    port.post(b"stop".to_vec()).unwrap();
    let (said, code) = host.ends();
    assert_eq!(code, Some(0));
    assert!(said.iter().any(|line| line.starts_with("shed ") && line != "shed 0"), "{said:?}");
}

#[test]
fn guests_join_a_set_by_themselves() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let node = Node::broker().unwrap();
    let mut set = PortSet::new();
    set.admit(Endpoint::bind(&path).unwrap().incoming(&node).unwrap());
    // Nobody has come yet, and yet somebody may.
    assert!(matches!(set.recv_blocking(Some(Duration::from_millis(20))), Err(RecvError::TimedOut)));
    let mut processes: Vec<_> = (0..10).map(|_| start_guest(&path)).collect();
    let mut pids: Vec<u32> = (0..10)
        .map(|_| {
            let (id, event) = set.recv_blocking(Some(PATIENCE)).unwrap().unwrap();
            let Event::Message(message) = event else { panic!("{event:?}") };
            let pid = set.guest(id).unwrap().pid;
            assert_eq!(message.data, pid.to_le_bytes());
            set.remove(id).unwrap().close();
            pid
        })
        .collect();
    let mut expected: Vec<u32> = processes.iter().map(|process| process.0.id()).collect();
    pids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(pids, expected);
    assert!(processes.iter_mut().all(|process| process.ends().1 == Some(0)));
    drop(set);
    assert!(!path.exists());
}
