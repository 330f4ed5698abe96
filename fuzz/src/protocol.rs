//! The control messages between main and the agents, and what processes are started with.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use strait_protocol::child::ToChild;
use strait_protocol::{AgentInit, DocumentBinding, ToAgent, ToMain, ViewConfig, ViewReply, decode, encode};

/// The same bytes as each kind of message: what can be decoded is the same after it has been encoded.
pub fn messages(bytes: &[u8]) {
    message::<ToMain>(bytes);
    message::<ToAgent>(bytes);
}

/// What a process is started with: a renderer, a view in it, a child of a program in JavaScript.
pub fn configs(bytes: &[u8]) {
    message::<AgentInit>(bytes);
    message::<ViewConfig>(bytes);
    message::<ViewReply>(bytes);
    message::<DocumentBinding>(bytes);
    message::<ToChild>(bytes);
}

fn message<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(message) = decode::<T>(bytes) {
        let again = encode(&message);
        // Numbers can be written longer than need be, never shorter than we do.
        assert!(again.len() <= bytes.len(), "{message:?} has grown from {} to {} bytes", bytes.len(), again.len());
        assert_eq!(decode::<T>(&again).expect("what is encoded is decoded"), message);
    }
}

#[cfg(test)]
mod tests {
    use strait_protocol::child::Start;
    use strait_protocol::{ConsoleLevel, EmitKind, IpcKind, Outcome, Verdict, World};

    use super::*;

    fn seeds() -> Vec<(String, Vec<u8>)> {
        let text = || String::from("file:///a.html");
        let created =
            |parent| ToMain::DocumentCreated { page: 1, document: 2, frame: 3, parent, url: text(), origin: text(), name: text() };
        let ipc = |kind| ToMain::Ipc { document: 300, kind, channel: text(), payload: vec![0xff, 0x0f, b'0'] };
        let to_main = [
            ToMain::PageBound { nonce: [7; 16], page: u64::MAX },
            created(None),
            created(Some(4)),
            ToMain::DocumentReady { document: 5 },
            ToMain::DocumentGone { document: 5, frame_gone: true },
            ipc(IpcKind::Send),
            ipc(IpcKind::PostMessage),
            ipc(IpcKind::Invoke(1)),
            ipc(IpcKind::SendSync(1 << 40)),
            ToMain::Console { page: 1, level: ConsoleLevel::Error, text: text(), source: text(), line: 1 << 20 },
            ToMain::EvalDone { request: 9, outcome: Outcome::Value(vec![1, 2, 3]) },
            ToMain::EvalDone { request: 9, outcome: Outcome::Error(text()) },
            ToMain::PreloadError { page: 1, path: "/a/b.js".into(), message: text() },
            ToMain::PageClosed { page: 1 },
            ToMain::PageOpened { page: 1, target: text(), features: text() },
            ToMain::DocumentLoaded { document: 5 },
            ToMain::DocumentLeaving { document: 5 },
            ToMain::PreloadWanted { page: 1 },
        ];
        let to_agent = [
            ToAgent::Emit { document: 1, channel: text(), kind: EmitKind::Send, payload: vec![0xff, 0x0f] },
            ToAgent::Reply { document: 1, request: 2, outcome: Outcome::Error(text()) },
            ToAgent::Eval { request: 1, document: 2, world: World::Isolated, source: text() },
            ToAgent::ClosePage { page: 128 },
            ToAgent::Admitted { pid: 1 << 20 },
            ToAgent::Preload { page: 1, text: Ok(text()) },
            ToAgent::Preload { page: 1, text: Err(text()) },
        ];
        let view = ViewConfig {
            window: 3,
            nonce: [1; 16],
            preload: Some("/a/preload.js".into()),
            context_isolation: true,
            node_integration: false,
            sub_frames: true,
            sandbox: false,
            arguments: vec![text()],
            app_path: "/a".into(),
        };
        let settled = [Verdict::Bound(Box::new(view.clone())), Verdict::Refused, Verdict::Unknown];
        let init = AgentInit {
            socket: "/run/strait/agents".into(),
            token: [9; 16],
            inspect: Some("/tmp/ports".into()),
            expose_gc: true,
            sandboxed: true,
        };
        let main = to_main.iter().enumerate().map(|(n, message)| (format!("to-main-{n:02}"), encode(message)));
        let settled = settled.into_iter().map(|verdict| ToAgent::PageSettled { page: 3, verdict });
        let to_agent: Vec<_> = to_agent.into_iter().chain(settled).collect();
        let agent = to_agent.iter().enumerate().map(|(n, message)| (format!("to-agent-{n:02}"), encode(message)));
        let reply = ViewReply::Failed(text());
        let binding = DocumentBinding { nonce: [1; 16], document: 300 };
        let others = [
            ("view".into(), encode(&view)),
            ("init".into(), encode(&init)),
            ("view-reply".into(), encode(&reply)),
            ("binding".into(), encode(&binding)),
        ];
        main.chain(agent).chain(others).collect()
    }

    /// What children are started with; the others are among the messages.
    fn starts() -> Vec<(String, Vec<u8>)> {
        let start = |args| ToChild::Start(Start { name: "worker".into(), args });
        let children = [("start", encode(&start(vec![]))), ("script", encode(&start(vec!["a".into()])))];
        seeds().into_iter().chain(children.map(|(name, bytes)| (name.into(), bytes))).collect()
    }

    #[test]
    fn seeds_and_their_mutants() {
        crate::replay("protocol", &seeds(), 20_000, messages);
    }

    #[test]
    fn configs_seeds_and_their_mutants() {
        crate::replay("config", &starts(), 20_000, configs);
    }
}
