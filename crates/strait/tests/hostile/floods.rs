//! More than main can take: control messages, ports, descriptors, and a renderer that never reads.

use strait::{CloseReason, DEFAULT_AGENT_QUEUES_LIMIT, PortRecvError};
use strait_protocol::{ConsoleLevel, IpcKind, ToMain};

use super::{
    kit::{Case, case},
    scene::{Attacker, Bystander, Memory, descriptors, hex},
};

/// Rounds of a flood that no window may suffer from.
const ROUNDS: usize = 20;

/// What may wait for one renderer, with what may come before that is seen, and what other windows have at the time.
const MOST_WAITING: usize = DEFAULT_AGENT_QUEUES_LIMIT + DEFAULT_AGENT_QUEUES_LIMIT / 16 + (1 << 20);

/// Descriptors that main may have more of after a case.
const SLACK: usize = 64;

pub(super) fn cases(cases: &mut Vec<Case>) {
    let floods = [
        ("a_flood_of_sends", "forged", IpcKind::Send, 0),
        ("a_flood_of_invokes", "forged-invoke", IpcKind::Invoke(7), 0),
        ("a_flood_of_ports", "forged-ports", IpcKind::PostMessage, 64),
    ];
    for (name, channel, kind, ports) in floods {
        case(cases, name, move |app, kit| async move {
            let mut bystander = Bystander::open(&app, &kit).await;
            let attacker = Attacker::open(&app, &kit).await;
            let (memory, before) = (Memory::measure(), descriptors());
            // Document 1 is the process's first.
            let message = ToMain::Ipc { document: 1, kind, channel: channel.into(), payload: vec![0xff, 15, b'A', 0, b'$', 0, 0] };
            let script = format!("setInterval(() => hostile.message('{}', {ports}, 2000), 0); 0", hex(&message));
            attacker.run(&script).await.expect("the flood begins");
            for _ in 0..ROUNDS {
                bystander.check().await;
            }
            memory.check();
            attacker.window.destroy();
            bystander.check().await;
            assert!(descriptors() < before + SLACK, "{before} descriptors became {}", descriptors());
        });
    }
    case(cases, "a_flood_of_console_lines", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let memory = Memory::measure();
        for page in 0..80 {
            let text = format!("line {page}");
            let line = ToMain::Console { page, level: ConsoleLevel::Debug, text, source: String::new(), line: 1 };
            attacker.run(&format!("hostile.message('{}', 0, 5000); 0", hex(&line))).await.expect("the attacker is there");
        }
        bystander.check().await;
        memory.check();
    });
    case(cases, "many_ports_that_main_does_not_read", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let mut attacker = Attacker::open(&app, &kit).await;
        let (memory, before) = (Memory::measure(), app.node().stats());
        let (kept, mut ports) = tokio::sync::mpsc::unbounded_channel();
        app.ipc_main().remove_all_listeners("unread");
        app.ipc_main().on("unread", move |event, _| event.ports().iter().for_each(|port| drop(kept.send(port.clone()))));
        // 640 MiB in all, and 1.25 MiB for each port.
        let flood = "
            const ends = []
            for (let i = 0; i < 500; i++) {
              const { port1, port2 } = new MessageChannel()
              ipc.postMessage('unread', i, [port2])
              ends.push(port1)
            }
            let rounds = 0
            const round = () => {
              for (const end of ends) end.postMessage(new Uint8Array(32 << 10))
              if (++rounds < 40) setTimeout(round)
              else ipc.send('said', 1)
            }
            round(); 0";
        attacker.run(flood).await.expect("the flood begins");
        while !attacker.has_said() {
            bystander.check().await;
            memory.check();
            let waiting = app.node().stats().queued_bytes;
            assert!(waiting < MOST_WAITING, "{waiting} bytes wait");
        }
        let ended = app.node().stats().overflowed_ports - before.overflowed_ports;
        assert!(ended > 0, "no channel ended");
        attacker.window.destroy();
        let mut closed = 0;
        while let Ok(port) = ports.try_recv() {
            // Of those that have not ended, what came before the end is still there.
            if matches!(port.recv().await, Err(PortRecvError::Closed(CloseReason::Dropped))) {
                closed += 1;
            }
        }
        assert_eq!(closed, ended);
        bystander.check().await;
    });
    case(cases, "a_renderer_that_asks_and_never_reads", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let memory = Memory::measure();
        let answer = "x".repeat(64 << 10);
        app.ipc_main().remove_handler("large");
        app.ipc_main()
            .handle("large", move |_, _| std::future::ready(Ok::<_, String>(strait::Value::from(answer.as_str()))))
            .expect("one handler");
        let ask =
            ToMain::Ipc { document: 1, kind: IpcKind::Invoke(9), channel: "large".into(), payload: vec![0xff, 15, b'A', 0, b'$', 0, 0] };
        let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
        attacker.page().on_render_process_gone(move |reason| drop(told.send(reason.to_owned())));
        // The script never ends, so the agent never reads.
        let flood =
            tokio::task::spawn_local(attacker.page().execute_javascript(&format!("for (;;) hostile.message('{}', 0, 10)", hex(&ask))));
        // Its replies reach their limit, or its own messages do: either ends its process.
        let reason = loop {
            match ended.try_recv() {
                Ok(reason) => break reason,
                Err(_) => bystander.check().await,
            }
            memory.check();
        };
        assert_eq!(reason, "crashed");
        drop(flood);
        memory.check();
        bystander.check().await;
    });
    case(cases, "descriptors_without_end", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let before = descriptors();
        for kind in ["shared buffer", "arena offer", "introduction"] {
            let attacker = Attacker::open(&app, &kit).await;
            let _ = attacker.run(&format!("hostile.frame('{kind}', 1, 2000); hostile.frame('{kind}', 4, 2000)")).await;
            bystander.check().await;
            attacker.window.destroy();
        }
        assert!(descriptors() < before + SLACK, "{before} descriptors became {}", descriptors());
    });
}
