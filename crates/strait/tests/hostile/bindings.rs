//! Lies about which document a view shows, by WebKit's own messages from a process to its views.

use super::{
    kit::{Case, case, heard},
    scene::{Attacker, Bystander, Identity, Memory, created, forged, hex, send},
    server::Server,
};

/// More documents than any process of these windows has, and fewer bindings than main keeps.
const DOCUMENTS: u64 = 30;

/// Rounds of a flood that no window may suffer from.
const ROUNDS: u64 = 20;

fn blank_page() -> String {
    "<!doctype html><body></body>".into()
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "bindings_of_another_windows_documents", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let victim = Identity::of(&bystander.page()).await;
        let before = bystander.page().main_frame().url();
        // Some nonces, and the victim's, which no attacker has; to the attacker's view and to the victim's.
        let nonces = ["00".repeat(16), "ff".repeat(16), victim.nonce];
        let lies: String = nonces
            .iter()
            .map(|nonce| format!("for (const page of [0, {}]) hostile.bind(1, {DOCUMENTS}, '{nonce}', page);", victim.page))
            .collect();
        attacker.run(&format!("{lies} 0")).await.expect("the attacker is there");
        // WebKit delivers the end of a load behind them.
        attacker.window.load_file(kit.page("")).await.expect("the attacker's window loads a page");
        bystander.check().await;
        assert_eq!(bystander.page().main_frame().url(), before);
        // The documents that it has next have their own URLs.
        let mut said = heard(&bystander.page(), "said");
        for number in 0..3 {
            let page = kit.page("require('electron').ipcRenderer.send('said')");
            bystander.window.load_file(&page).await.expect("the bystander loads a page");
            let (event, _) = said.recv().await.expect("the bystander's message");
            assert_eq!(event.sender_url(), format!("file://{}", page.display()), "document {number}");
        }
    });
    case(cases, "bindings_while_a_load_is_under_way", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let (bank, mut asks, _release) = Server::slow(blank_page());
        let evil = Server::start(|_| Some(blank_page()));
        let attacker = Attacker::open(&app, &kit).await;
        let (own, target) = (format!("{}/", evil.origin()), format!("{}/slow", bank.origin()));
        let mut heard = forged(&app);
        for (document, by_the_program) in [(1000, false), (1001, true)] {
            attacker.window.load_url(&own).await.expect("the attacker's page loads");
            let page = Identity::of(&attacker.page()).await.page;
            if by_the_program {
                drop(attacker.window.load_url(&target));
            } else {
                attacker.run(&format!("location.href = '{target}'; 0")).await.expect("the attacker is there");
            }
            asks.recv().await.expect("the load is under way");
            // Bound twice, and reported twice.
            let (report, message) = (hex(&created(page, document, &target)), hex(&send(document)));
            let lie = format!("hostile.bind({document}); hostile.message('{report}'); hostile.message('{message}');");
            // The document whose script this is has another one in its place: there may be no answer.
            let lying = tokio::task::spawn_local(attacker.page().main_frame().execute_javascript(&format!("{lie} {lie} 0")));
            for number in 0..2 {
                let (sender, url) = heard.recv().await.expect("a message");
                assert_eq!((sender, url), (attacker.page(), own.clone()), "message {number}, by the program: {by_the_program}");
            }
            attacker.page().stop();
            drop(lying);
            bystander.check().await;
        }
    });
    case(cases, "bindings_of_documents_to_come", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let [one, other] = [(), ()].map(|()| Server::start(|_| Some(blank_page())));
        let [first, second] = [&one, &other].map(|server| format!("{}/", server.origin()));
        let attacker = Attacker::open(&app, &kit).await;
        attacker.window.load_url(&first).await.expect("the attacker's page loads");
        attacker.run(&format!("hostile.bind(1, {DOCUMENTS}); 0")).await.expect("the attacker is there");
        attacker.window.load_url(&second).await.expect("the attacker's window loads a page");
        assert_eq!(attacker.page().url(), second, "what the window shows is not the page's word");
        // Its documents count as what the window shows or has shown, or as nothing.
        let mut heard = forged(&app);
        let page = Identity::of(&attacker.page()).await.page;
        let lies: String =
            (2..DOCUMENTS).map(|document| hex(&created(page, document, "https://bank.test/"))).collect::<Vec<_>>().join("','");
        let messages: String = (1..DOCUMENTS).map(|document| hex(&send(document))).collect::<Vec<_>>().join("','");
        let lying = tokio::task::spawn_local(
            attacker.page().execute_javascript(&format!("for (const bytes of ['{lies}','{messages}']) hostile.message(bytes); 0")),
        );
        let mut messages = vec![heard.recv().await.expect("a message")];
        for _ in 0..ROUNDS {
            bystander.check().await;
        }
        attacker.window.destroy();
        drop(lying);
        messages.extend(std::iter::from_fn(|| heard.try_recv().ok()));
        for (sender, url) in messages {
            assert_eq!(sender, attacker.page());
            assert!([first.as_str(), second.as_str(), ""].contains(&url.as_str()), "{url}");
        }
        bystander.check().await;
    });
    case(cases, "a_flood_of_bindings", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let memory = Memory::measure();
        for round in 0..ROUNDS {
            // All different; with the page's nonce and others; and some that are no bindings.
            let script = format!(
                "hostile.bind({}, 2000); hostile.bind(1, 2000, '{}'); for (const bytes of ['', 'ff', '{}']) hostile.view(bytes, 500); 0",
                1000 + round * 2000,
                format!("{round:02x}").repeat(16),
                "00".repeat(4096),
            );
            attacker.run(&script).await.expect("the attacker is there");
            bystander.check().await;
            memory.check();
        }
        // The UI thread goes on, too.
        bystander.window.load_file(kit.page("")).await.expect("the bystander loads a page");
        memory.check();
    });
}
