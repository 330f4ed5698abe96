//! Agents that ask whose the pages are that pages have opened.

use strait_protocol::Verdict;

use super::*;
use crate::{WindowOpenRequest, WindowOpenResponse, popup};

impl Main {
    /// What the UI does when a page of the window opens a page, and WebKit calls that `page`.
    fn opens(&self, opener: &BrowserWindow, page: u64, url: &str) -> WindowId {
        let contents = opener.web_contents().id();
        let window = popup::reserve(&self.shared, contents, url).expect("it may be opened");
        popup::announce(&self.shared, window, contents, page, url);
        window
    }

    /// The next request to the program.
    fn request(&mut self) -> WindowOpenRequest {
        let AppEvent::WindowOpen(request) = self.until(|event| matches!(event, AppEvent::WindowOpen(_))) else { unreachable!() };
        request
    }

    /// Whether the UI thread was told that the window is not wanted, now or before.
    fn was_refused(&self, window: WindowId) -> bool {
        self.commands.try_iter().any(|command| matches!(command, UiCommand::Refuse { window: refused } if refused == window))
    }
}

impl Agent {
    fn asks(&self, page: u64) {
        self.say(&ToMain::PageOpened { page, target: "_blank".into(), features: "width=300".into() });
    }

    /// What main says of the page.
    fn verdict(&self, asked: u64) -> Verdict {
        match self.hears() {
            ToAgent::PageSettled { page, verdict } if page == asked => verdict,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn only_the_openers_agent_may_ask_and_only_once() {
    let mut main = Main::start();
    let (one, two) = (main.window(), main.window());
    let (honest, forger) = (main.shown(&one), main.shown(&two));
    let window = main.opens(&one, 50, "https://example.test/popup");
    forger.asks(50);
    assert_eq!(forger.verdict(50), Verdict::Unknown);
    forger.asks(51);
    assert_eq!(forger.verdict(51), Verdict::Unknown);
    honest.asks(50);
    let Verdict::Bound(config) = honest.verdict(50) else { panic!("it is bound") };
    let AppEvent::WindowCreated { window: created, opened: Some(opened) } =
        main.until(|event| matches!(event, AppEvent::WindowCreated { opened: Some(_), .. }))
    else {
        unreachable!()
    };
    assert_eq!((created.id(), &opened.opener), (window, &one.web_contents()));
    assert_eq!((opened.details.features.as_str(), opened.details.frame_name.as_str()), ("width=300", ""));
    assert_eq!(created.size(), (300, 600));
    honest.asks(50);
    assert_eq!(honest.verdict(50), Verdict::Unknown);
    // The nonce is the new view's, and good for nobody else.
    forger.say(&ToMain::PageBound { nonce: [1; 16], page: 50 });
    honest.say(&ToMain::PageBound { nonce: config.nonce, page: 50 });
    main.commits(&created, config.nonce, 9, "https://example.test/popup");
    honest.say(&document(50, 9, 9, None));
    let AppEvent::Frame { contents, .. } = main.until(|event| matches!(event, AppEvent::Frame { .. })) else { unreachable!() };
    assert_eq!(contents, created.web_contents());
}

#[test]
fn a_request_that_is_dropped_is_refused() {
    let mut main = Main::start();
    let one = main.window();
    let agent = main.shown(&one);
    one.web_contents().ask_window_open(true);
    let window = main.opens(&one, 50, "");
    agent.asks(50);
    drop(main.request());
    assert_eq!(agent.verdict(50), Verdict::Refused);
    assert!(main.was_refused(window));
    assert!(main.shared.state().popups.is_empty());
}

#[test]
fn what_a_page_wanted_to_open_goes_with_it() {
    let mut main = Main::start();
    let one = main.window();
    let agent = main.shown(&one);
    one.web_contents().ask_window_open(true);
    // Its window closes while the program decides.
    let window = main.opens(&one, 50, "about:blank");
    agent.asks(50);
    let request = main.request();
    crate::quit::window_closed(&main.shared, one.id());
    assert_eq!(agent.verdict(50), Verdict::Refused);
    assert!(main.was_refused(window));
    assert!(request.respond(WindowOpenResponse::allow()).is_none());
    assert!(popup::reserve(&main.shared, one.web_contents().id(), "").is_none());

    // Its process dies, before or after it has asked.
    let two = main.window();
    let agent = main.shown(&two);
    two.web_contents().ask_window_open(true);
    let (asked, unasked) = (main.opens(&two, 60, ""), main.opens(&two, 61, ""));
    agent.asks(60);
    let request = main.request();
    drop(agent);
    let mut left = vec![asked, unasked];
    while !left.is_empty() {
        let command = main.commands.recv_timeout(PATIENCE).expect("what is left is refused");
        left.retain(|window| !matches!(command, UiCommand::Refuse { window: refused } if refused == *window));
    }
    assert!(request.respond(WindowOpenResponse::allow()).is_none());
}

#[test]
fn windows_from_one_page_are_counted_together() {
    let mut main = Main::start();
    let one = main.window();
    let agent = main.shown(&one);
    let contents = one.web_contents().id();
    let first = main.opens(&one, 50, "");
    agent.asks(50);
    assert!(matches!(agent.verdict(50), Verdict::Bound(_)));
    for page in 51..(50 + popup::MAX_POPUPS as u64) {
        // Those that nobody has asked about count too, and those that others have opened.
        let opener = if page % 2 == 0 { contents } else { ContentsId(first.0) };
        let window = popup::reserve(&main.shared, opener, "").expect("there is room");
        popup::announce(&main.shared, window, opener, page, "");
    }
    assert!(popup::reserve(&main.shared, contents, "").is_none());
    assert!(popup::reserve(&main.shared, ContentsId(first.0), "").is_none());
    let two = main.window();
    assert!(popup::reserve(&main.shared, two.web_contents().id(), "").is_some(), "another window's pages are not concerned");
}
