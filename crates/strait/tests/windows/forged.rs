//! A process that pretends to be an agent of a running program. What a real link can be abused for is tested in `src/io/tests.rs`.

use std::{env, fs, path::PathBuf, time::Duration};

use rustix::{
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send, socket_with,
        sockopt::{Timeout, set_socket_timeout},
    },
    process::getuid,
};
use strait::Value;

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
}
