//! Frames out of turn, links that are half closed: to main, and to another window.

use strait::{App, MessageChannel};

use super::{
    kit::{Case, Kit, case, heard, next},
    scene::{Attacker, Bystander, Memory, descriptors},
};

/// A page's script that makes a port from main the attack's target, once its transfer has settled: until then what goes
/// over it passes main.
const TAKE_PORT: &str = "new Promise((resolve) => ipc.once('port', ({ ports: [port] }) => { window.port = port; \
                         port.onmessage = () => hostile.isDirect(port) ? resolve('linked') : port.postMessage('echo'); port.postMessage('echo') }))";

/// Descriptors that may come and go in main meanwhile: those of a window that ends, and of a load.
const SLACK: usize = 64;

/// Gives the attacker and the bystander the ends of a channel, so that their processes are linked.
async fn link(attacker: &Attacker, bystander: &Bystander, app: &App) {
    let MessageChannel { port1, port2 } = MessageChannel::new(app);
    let linked = tokio::task::spawn_local(attacker.page().execute_javascript(TAKE_PORT));
    attacker.run("0").await.expect("the attacker is there");
    bystander.page().post_message("port", (), vec![port1]).expect("the bystander is there");
    attacker.page().post_message("port", (), vec![port2]).expect("the attacker is there");
    linked.await.expect("it runs").expect("the two are linked");
}

async fn kinds(app: &App, kit: &Kit) -> Vec<String> {
    let attacker = Attacker::open(app, kit).await;
    let kinds = attacker.run("hostile.kinds().join()").await.expect("the attacker is there");
    let kinds: Vec<String> = kinds.as_str().expect("names").split(',').map(String::from).collect();
    assert!(kinds.len() >= 25, "{kinds:?}");
    attacker.window.destroy();
    kinds
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "frames_of_every_kind_out_of_turn_to_main", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let (memory, before) = (Memory::measure(), descriptors());
        for kind in kinds(&app, &kit).await {
            for descriptors in [0, 4] {
                let attacker = Attacker::open(&app, &kit).await;
                // The script's own answer may come behind what ends the link.
                let _ = attacker.run(&format!("hostile.frame('{kind}', {descriptors}, 3)")).await;
                bystander.check().await;
                attacker.window.destroy();
            }
        }
        memory.check();
        assert!(descriptors() < before + SLACK, "{before} descriptors became {}", descriptors());
    });
    case(cases, "frames_of_every_kind_out_of_turn_to_another_window", |app, kit| async move {
        for kind in kinds(&app, &kit).await {
            let mut bystander = Bystander::open(&app, &kit).await;
            let attacker = Attacker::open(&app, &kit).await;
            link(&attacker, &bystander, &app).await;
            let _ = attacker.run(&format!("hostile.frame('{kind}', 0, 3, port); hostile.frame('{kind}', 4, 1, port)")).await;
            bystander.check().await;
            bystander.window.destroy();
            attacker.window.destroy();
        }
    });
    case(cases, "frames_that_cannot_be_decoded", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        for frame in ["ff", "00", "01", "0b", "20", "21", "22", "ffffffffffff01"] {
            let attacker = Attacker::open(&app, &kit).await;
            let _ = attacker.run(&format!("hostile.frame('{frame}')")).await;
            bystander.check().await;
            attacker.window.destroy();
        }
    });
    case(cases, "a_link_that_is_half_closed", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        link(&attacker, &bystander, &app).await;
        let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
        attacker.page().on_render_process_gone(move |reason| drop(told.send(reason.to_owned())));
        attacker.run("hostile.halfClose(port); 0").await.expect("its link to main is open");
        bystander.check().await;
        assert!(ended.try_recv().is_err(), "main takes no part in that link");
        // Main takes the end of a link for the end of the process, and ends what may be left of it.
        let _ = attacker.run("hostile.halfClose(); 0").await;
        assert_eq!(ended.recv().await.as_deref(), Some("crashed"));
        bystander.check().await;
    });
    case(cases, "a_goodbye_of_a_process_that_stays", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        link(&attacker, &bystander, &app).await;
        let _ = attacker.run("hostile.leave(); hostile.message('00'); 0").await;
        bystander.check().await;
        // The window can be used again.
        attacker.window.load_file(kit.page("")).await.expect("it loads a page in a new process");
        let mut again = heard(&attacker.page(), "again");
        attacker.run("ipc.send('again', 1)").await.expect("the page is there");
        next(&mut again).await;
    });
}
