//! Windows that compromised pages open, which share their process.

use strait::{App, BrowserWindow, WebContents, WindowOpenResponse};
use strait_protocol::ToMain;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    kit::{Case, Kit, case, heard},
    scene::{Attacker, Bystander, Identity, created, forged, hex, send},
};

/// Answers of another window during which main handles what the attacker has sent.
const ROUNDS: usize = 20;

/// The windows that a page opens.
fn opened(page: &WebContents) -> UnboundedReceiver<BrowserWindow> {
    let (sender, receiver) = unbounded_channel();
    page.on_did_create_window(move |window, _| drop(sender.send(window.clone())));
    receiver
}

/// An attacker with a window that its page has opened, with this address.
async fn pair(app: &App, kit: &Kit, url: &str) -> (Attacker, BrowserWindow) {
    let attacker = Attacker::open(app, kit).await;
    let mut windows = opened(&attacker.page());
    attacker.run(&format!("window.popup = open('{url}'); 0")).await.expect("the attacker is there");
    let popup = windows.recv().await.expect("a window");
    (attacker, popup)
}

/// A script that sends these messages as they are.
fn lies(messages: impl IntoIterator<Item = ToMain>) -> String {
    let digits: Vec<String> = messages.into_iter().map(|message| hex(&message)).collect();
    format!("for (const bytes of ['{}']) hostile.message(bytes); 0", digits.join("','"))
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "a_popup_speaks_as_itself", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let inner = kit.page("");
        let inner = format!("file://{}", inner.display());
        let (attacker, popup) = pair(&app, &kit, &inner).await;
        let page = popup.web_contents();
        page.execute_javascript("0").await.expect("the popup is there");
        let (mut all, mut openers, mut popups) = (forged(&app), heard(&attacker.page(), "forged"), heard(&page, "forged"));
        let [opener, own] = [Identity::of(&attacker.page()).await, Identity::of(&page).await];
        assert_ne!((&opener.nonce, opener.page), (&own.nonce, own.page));
        // The opener's nonce is used up, and the popup's as well.
        let nonces = [&opener.nonce, &own.nonce].map(|digits| {
            let byte = |place: usize| u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).expect("digits");
            std::array::from_fn(byte)
        });
        let bound = nonces.into_iter().flat_map(|nonce| [opener.page, own.page, 7777].map(|page| ToMain::PageBound { nonce, page }));
        attacker.run(&lies(bound)).await.expect("the attacker is there");
        // Each document is its page's, whichever page's script sends the message.
        attacker.run(&lies([own.document, opener.document].map(send))).await.expect("the attacker is there");
        page.execute_javascript(&lies([opener.document, own.document].map(send))).await.expect("the popup is there");
        for expected in [&page, &attacker.page(), &attacker.page(), &page] {
            let (sender, url) = all.recv().await.expect("a message");
            assert_eq!((&sender, url), (expected, expected.url()));
        }
        for messages in [&mut openers, &mut popups] {
            let senders: Vec<WebContents> =
                std::iter::from_fn(|| messages.try_recv().ok()).map(|(event, _)| event.sender().clone()).collect();
            assert!(senders.len() == 2 && senders[0] == senders[1], "{senders:?}");
        }
        // The opener reports documents in the popup, and binds them in the popup's view with the nonce of either.
        let reports = [(8000, &opener.nonce), (8001, &own.nonce)];
        for (document, nonce) in reports {
            let script = format!("hostile.bind({document}, 1, '{nonce}', {});", own.page);
            let messages = lies([created(own.page, document, "https://bank.test/"), send(document)]);
            let lying = tokio::task::spawn_local(attacker.page().execute_javascript(&format!("{script} {messages}")));
            for _ in 0..ROUNDS {
                bystander.check().await;
            }
            drop(lying);
        }
        popup.destroy();
        attacker.window.destroy();
        bystander.check().await;
        while let Ok((sender, url)) = all.try_recv() {
            assert_eq!(sender, page);
            assert!(url == inner || url.is_empty(), "the opener's word for the popup's URL was taken: {url}");
        }
    });
    case(cases, "a_popup_that_is_refused_is_nobodys", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let mut attacker = Attacker::open(&app, &kit).await;
        attacker.page().set_window_open_handler(|_| WindowOpenResponse::Deny);
        let mut heard = forged(&app);
        let windows = app.windows();
        let own = Identity::of(&attacker.page()).await.page;
        let refused = attacker.run("open('about:blank') === null").await.expect("the attacker is there");
        assert_eq!(refused, strait::Value::Bool(true));
        // WebKit counts its pages: one of these numbers is that of the page which was not to be.
        let pages = || (own + 1)..(own + 40);
        let bindings: String = pages().map(|page| format!("hostile.bind({page}, 1, '', {page});")).collect();
        attacker.run(&format!("{bindings} 0")).await.expect("the attacker is there");
        let opened = pages().map(|page| ToMain::PageOpened { page, target: String::new(), features: String::new() });
        let reports = pages().flat_map(|page| [created(page, 1000 + page, "https://bank.test/"), send(1000 + page)]);
        attacker.say(opened.chain(reports)).await;
        assert!(heard.try_recv().is_err(), "a page without a window has sent a message");
        assert_eq!(app.windows(), windows);
        bystander.check().await;
    });
    case(cases, "a_popup_outlives_a_compromised_opener", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        attacker.page().set_window_open_handler(|_| WindowOpenResponse::Allow {
            overrides: Box::new(BrowserWindow::builder().show(false)),
            outlives_opener: true,
        });
        let mut windows = opened(&attacker.page());
        attacker.run("window.popup = open('about:blank'); 0").await.expect("the attacker is there");
        let popup = windows.recv().await.expect("a window");
        let page = popup.web_contents();
        page.execute_javascript("0").await.expect("the popup is there");
        let [opener, own] = [Identity::of(&attacker.page()).await, Identity::of(&page).await];
        let mut heard = forged(&app);
        // A document of the opener's that its agent does not know of, and so does not report as gone.
        let report = lies([created(opener.page, 9000, "https://bank.test/"), send(9000)]);
        let reporting = tokio::task::spawn_local(attacker.page().main_frame().execute_javascript(&format!("hostile.bind(9000); {report}")));
        assert_eq!(heard.recv().await.expect("a message").0, attacker.page());
        drop(reporting);
        let (told, mut closed) = unbounded_channel();
        attacker.window.on_closed(move || told.send(()).unwrap_or_default());
        attacker.window.destroy();
        closed.recv().await.expect("the opener closes");
        let again = created(opener.page, 9001, "https://bank.test/");
        let messages = [send(opener.document), send(9000), again, send(9001), send(own.document)];
        page.execute_javascript(&format!("hostile.bind(9001, 1, '{}', {}); {}", opener.nonce, opener.page, lies(messages)))
            .await
            .expect("the popup goes on");
        let (sender, url) = heard.recv().await.expect("a message");
        assert_eq!((sender, url.as_str()), (page.clone(), "about:blank"));
        assert!(heard.try_recv().is_err(), "the opener's documents have gone with it");
        bystander.check().await;
    });
    case(cases, "popups_of_others_are_not_the_attackers", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let mut windows = opened(&bystander.page());
        let first = Identity::of(&attacker.page()).await.page;
        // Before the bystander's own process can.
        let claims = (first..first + 60).map(|page| ToMain::PageOpened { page, target: String::new(), features: String::new() });
        attacker.run(&format!("setInterval(() => {{ {} }}, 0); 0", lies(claims))).await.expect("the attacker is there");
        for number in 0..20 {
            bystander.page().execute_javascript("window.popup = open('about:blank'); 0").await.expect("the bystander is there");
            let popup = windows.recv().await.expect("a window");
            let process = popup.web_contents().os_process_id();
            assert!(process.is_some() && process == bystander.page().os_process_id(), "popup {number} is in process {process:?}");
            popup.web_contents().execute_javascript("0").await.expect("the popup is the bystander's");
            popup.destroy();
        }
        bystander.check().await;
    });
}
