//! Control messages that name what is not the sender's.

use strait_protocol::{ConsoleLevel, Outcome, ToMain};

use super::{
    kit::{Case, case},
    scene::{Attacker, Bystander, created, forged, hex, send},
};

/// More than any id of these windows.
const IDS: std::ops::Range<u64> = 0..80;

/// Answers of another window during which main handles what the attacker has sent.
const ROUNDS: usize = 20;

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "messages_for_others_documents_are_nobodys", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let mut attacker = Attacker::open(&app, &kit).await;
        let mut heard = forged(&app);
        attacker.say(IDS.map(send)).await;
        // Its own document's number is among them, and that message is its own.
        let (sender, url) = heard.recv().await.expect("a message");
        assert_eq!((sender, url), (attacker.page(), attacker.page().url()));
        assert!(heard.try_recv().is_err(), "the attacker has one document");
        bystander.check().await;
    });
    case(cases, "others_documents_do_not_end", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let frame = bystander.page().main_frame();
        let gone = IDS.map(|document| ToMain::DocumentGone { document, frame_gone: true });
        let calls: String = gone.map(|message| format!("hostile.message('{}');", hex(&message))).collect();
        // Its own document ends for main, and with it the script's answer.
        let answer = attacker.run(&calls).await;
        assert!(answer.is_err(), "{answer:?}");
        bystander.check().await;
        assert!(!frame.is_destroyed() && frame == bystander.page().main_frame());
    });
    case(cases, "pages_bind_by_their_nonce_alone", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let mut attacker = Attacker::open(&app, &kit).await;
        let mut heard = forged(&app);
        attacker.say(IDS.map(|page| ToMain::PageBound { nonce: [page as u8; 16], page })).await;
        // Documents in pages of all numbers. One of them is its own: main waits there for WebKit's word on what that page shows, which never
        // comes for a document that the page does not have, so neither does the script's answer.
        let created = IDS.flat_map(|page| [created(page, 1000 + page, "https://bank.test/"), send(1000 + page)]);
        let calls: String = created.map(|message| format!("hostile.message('{}');", hex(&message))).collect();
        let lying = tokio::task::spawn_local(attacker.page().execute_javascript(&calls));
        for _ in 0..ROUNDS {
            bystander.check().await;
        }
        assert!(!lying.is_finished(), "the script was answered");
        attacker.window.destroy();
        // With the window goes what main waited for: the answer behind it may still count.
        let _ = lying.await.expect("it runs");
        bystander.check().await;
        while let Ok((sender, url)) = heard.try_recv() {
            assert_eq!(sender, attacker.page());
            assert!(!url.contains("bank.test"), "the agent's word for its URL was taken: {url}");
        }
    });
    case(cases, "answers_to_others_questions_are_none", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let mut attacker = Attacker::open(&app, &kit).await;
        let asked = bystander.page().execute_javascript("new Promise((resolve) => { window.answer = resolve })");
        let asked = tokio::task::spawn_local(asked);
        bystander.check().await;
        let lies = (0..2000).map(|request| ToMain::EvalDone { request, outcome: Outcome::Value(b"\xff\x0fT".to_vec()) });
        attacker.say(lies).await;
        assert!(!asked.is_finished(), "a forged answer was taken");
        bystander.page().execute_javascript("window.answer('honest'); 0").await.expect("the bystander is there");
        assert_eq!(asked.await.expect("it runs").expect("an answer").as_str(), Some("honest"));
        bystander.check().await;
    });
    case(cases, "closing_and_opening_pages_is_not_the_renderers", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let mut attacker = Attacker::open(&app, &kit).await;
        let windows = app.windows().len();
        attacker.say(IDS.map(|page| ToMain::PageClosed { page })).await;
        let opened = IDS.map(|page| ToMain::PageOpened { page, target: "x".into(), features: "width=1".into() });
        attacker.say(opened).await;
        let lines = IDS.map(|page| ToMain::Console { page, level: ConsoleLevel::Log, text: "x".into(), source: "y".into(), line: 1 });
        attacker.say(lines).await;
        let errors = IDS.map(|page| ToMain::PreloadError { page, path: "/forged".into(), message: "forged".into() });
        attacker.say(errors).await;
        assert_eq!(app.windows().len(), windows);
        bystander.check().await;
    });
    case(cases, "bytes_that_are_no_message_change_nothing", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let script = "for (let kind = 0; kind < 256; kind++) { const digits = kind.toString(16).padStart(2, '0'); \
                      for (const rest of ['', 'ff', '00'.repeat(64), 'ff'.repeat(64)]) hostile.message(digits + rest, rest.length % 5) }";
        // Among the bytes are well-formed messages about the attacker itself: its window may not survive them.
        let _ = attacker.run(script).await;
        bystander.check().await;
    });
}
