//! A process that pretends to be an agent of a running program, and an agent that finds no such program. What a real link can be abused for
//! is tested in `src/io/tests.rs`.

use std::{env, fs, path::PathBuf, time::Duration};

use rustix::{
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send, socket_with,
        sockopt::{Timeout, set_socket_timeout},
    },
    process::getuid,
};
use strait::{BrowserWindow, Value};

use super::kit::{Case, case, heard, next};

/// Where this program's agents connect.
fn socket() -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let prefix = format!("strait-{}-{}-", getuid().as_raw(), std::process::id());
    let bases = runtime.into_iter().chain([env::temp_dir()]);
    let folders = bases.flat_map(|base| fs::read_dir(base).into_iter().flatten().flatten());
    let folder = folders.into_iter().find(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    folder.expect("the program's runtime folder").path().join("agents")
}

/// Takes the socket's place in the file system for as long as this lives.
struct Displaced {
    socket: PathBuf,
    aside: PathBuf,
}

impl Displaced {
    fn new() -> Self {
        let socket = socket();
        let aside = socket.with_file_name("aside");
        fs::rename(&socket, &aside).expect("the socket can be moved");
        Self { socket, aside }
    }
}

impl Drop for Displaced {
    fn drop(&mut self) {
        fs::rename(&self.aside, &self.socket).expect("the socket can be moved back");
    }
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "a_process_without_a_token_gets_nothing", |app, kit| async move {
        let window = kit.shown(&app, "ipc.on('ask', () => ipc.send('answer', 'the page'))").await.unwrap();
        let page = window.web_contents();
        let mut answers = heard(&page, "answer");
        let forged = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        connect(&forged, &SocketAddrUnix::new(socket()).unwrap()).unwrap();
        send(&forged, &[0; 16], SendFlags::NOSIGNAL).unwrap();
        page.send("ask", []).unwrap();
        assert_eq!(next(&mut answers).await, Value::from("the page"));
        set_socket_timeout(&forged, Timeout::Recv, Some(Duration::from_secs(5))).unwrap();
        let got = recv(&forged, &mut [0u8; 64][..], RecvFlags::empty());
        assert!(matches!(got, Ok((0, _)) | Err(rustix::io::Errno::CONNRESET)), "{got:?}");
    });
    case(cases, "an_agent_that_cannot_connect_fails_the_load", |app, kit| async move {
        let page = kit.page("document.title = 'shown'");
        let path = socket();
        // WebKit looks for what the sandbox is to show once, before the first process in it.
        let first = BrowserWindow::builder().show(false).build(&app);
        first.load_file(&page).await.expect("the socket is there");
        first.destroy();
        // The socket is gone, or something else is in its place.
        let cases =
            [(true, None, "No such file or directory"), (false, None, "No such file"), (true, Some("a file"), "Connection refused")];
        for (sandboxed, in_its_place, reason) in cases {
            let builder = BrowserWindow::builder().show(false);
            let window = if sandboxed { builder } else { builder.sandbox(false) }.build(&app);
            let displaced = Displaced::new();
            if let Some(content) = in_its_place {
                fs::write(&path, content).expect("a file in the socket's place");
            }
            let error = window.load_file(&page).await.unwrap_err();
            drop(displaced);
            assert_eq!((error.code, error.description.as_str()), (-2, "ERR_AGENT_MISSING"), "{error:?}");
            let (text, expected) = (error.to_string(), format!("cannot reach the main process at {}: {reason}", path.display()));
            assert!(text.contains(&expected), "{text}");
            // The next load of the window gets a new process, which finds the socket.
            window.load_file(&page).await.expect("the window can be used");
            let title = window.web_contents().execute_javascript("document.title").await;
            assert_eq!(title.expect("the page has an agent"), Value::from("shown"));
            window.destroy();
        }
    });
}
