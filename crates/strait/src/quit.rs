//! How windows close and how the program ends: the events, their decisions and their effects.

use crate::{
    AppEvent, BrowserWindow, Decision, QuotaGuard, WindowEvent, WindowId,
    app::App,
    event::Question,
    io::IoCommand,
    popup,
    shared::{SharedRef, WindowRecord},
    ui::UiCommand,
};

/// The limit of titles of one page that wait for the program.
const MAX_TITLES: usize = 64;

/// The progress of the program's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Quit {
    #[default]
    Running,
    /// `before-quit` was sent.
    Asking,
    /// Windows were requested to close.
    Closing,
    /// `will-quit` was sent.
    AskingLast,
    /// Decided: windows are destroyed without a request, then the program ends with this code.
    Ending(i32),
    /// The end is in the program's queue.
    Ended,
}

impl Quit {
    pub(crate) fn under_way(self) -> bool {
        self != Self::Running
    }

    /// Whether no new windows may be made.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Ending(_) | Self::Ended)
    }
}

/// Begins to quit, unless that is under way.
pub(crate) fn begin(shared: &SharedRef) {
    {
        let mut state = shared.state();
        if state.quit.under_way() {
            return;
        }
        state.quit = Quit::Asking;
    }
    shared.queue(AppEvent::BeforeQuit(Decision::new(shared.clone(), Question::BeginQuit)));
}

/// Ends the program; no handler can prevent it.
pub(crate) fn exit(shared: &SharedRef, code: i32) {
    let windows: Vec<WindowId> = {
        let mut state = shared.state();
        if state.quit.ends() {
            return;
        }
        state.quit = Quit::Ending(code);
        let windows: Vec<WindowId> = state.windows.keys().copied().collect();
        for window in &windows {
            state.begin_close(*window);
        }
        windows
    };
    if windows.is_empty() {
        finish(shared);
    }
    for window in windows {
        shared.io.send(IoCommand::CloseWindow(window));
    }
}

/// The program did not prevent the action.
pub(crate) fn agreed(shared: &SharedRef, question: Question) {
    match question {
        Question::CloseWindow(window) => BrowserWindow::new(App(shared.clone()), window).destroy(),
        Question::Title(window, title) => title_settled(shared, window, Some(title)),
        Question::AllClosed(last) => {
            let stands = {
                let state = shared.state();
                state.windows.is_empty() && state.last_window == last
            };
            if stands {
                begin(shared);
            }
        }
        Question::BeginQuit => {
            let windows: Vec<WindowId> = {
                let mut state = shared.state();
                if state.quit != Quit::Asking {
                    return;
                }
                state.quit = Quit::Closing;
                let mut windows: Vec<WindowId> = state.windows.keys().copied().collect();
                windows.sort_unstable();
                windows
            };
            if windows.is_empty() {
                ask_last(shared);
            }
            for window in windows {
                BrowserWindow::new(App(shared.clone()), window).close();
            }
        }
        Question::EndQuit => {
            {
                let mut state = shared.state();
                if state.quit != Quit::AskingLast {
                    return;
                }
                state.quit = Quit::Ending(0);
            }
            // A handler of `will-quit` may have made a window.
            let left: Vec<WindowId> = shared.state().windows.keys().copied().collect();
            if left.is_empty() {
                finish(shared);
            }
            for window in left {
                BrowserWindow::new(App(shared.clone()), window).destroy();
            }
        }
    }
}

/// The program prevented the action.
pub(crate) fn prevented(shared: &SharedRef, question: Question) {
    if let Question::Title(window, _) = question {
        return title_settled(shared, window, None);
    }
    let mut state = shared.state();
    let stops = match question {
        Question::BeginQuit => state.quit == Quit::Asking,
        Question::CloseWindow(_) => state.quit == Quit::Closing,
        Question::EndQuit => state.quit == Quit::AskingLast,
        Question::AllClosed(_) | Question::Title(..) => false,
    };
    if stops {
        state.quit = Quit::Running;
    }
}

/// Offers a page's title for its window to the program. While too many titles wait, only the last
/// of the further ones is offered later.
pub(crate) fn page_titled(shared: &SharedRef, window: WindowId, title: String) {
    {
        let mut state = shared.state();
        let Some(record) = state.windows.get_mut(&window) else { return };
        let (waiting, late) = &mut record.mirror.titles;
        if *waiting >= MAX_TITLES {
            *late = Some(title);
            return;
        }
        *waiting += 1;
    }
    let decision = Decision::new(shared.clone(), Question::Title(window, title.clone()));
    let window = BrowserWindow::new(App(shared.clone()), window);
    shared.queue(AppEvent::WindowTitle { window, title, decision });
}

/// The program has decided whether a window gets this title.
fn title_settled(shared: &SharedRef, window: WindowId, title: Option<String>) {
    let late = {
        let mut state = shared.state();
        let Some(record) = state.windows.get_mut(&window) else { return };
        if let Some(title) = title {
            record.mirror.title.clone_from(&title);
            shared.ui(UiCommand::Title { window, title });
        }
        let (waiting, late) = &mut record.mirror.titles;
        *waiting = waiting.saturating_sub(1);
        late.take()
    };
    if let Some(late) = late {
        page_titled(shared, window, late);
    }
}

/// A window was destroyed: reports it to the program, and continues with the work that waited for
/// it.
pub(crate) fn window_closed(shared: &SharedRef, window: WindowId) {
    let browser_window = BrowserWindow::new(App(shared.clone()), window);
    let (frames, agent, children, last, quit) = {
        let mut state = shared.state();
        let Some(record) = state.windows.remove(&window) else { return };
        if let Some(mut contents) = state.contents.remove(&record.contents) {
            contents.loads.abort();
        }
        let agent = state.registry.page(record.contents).map(|(agent, _)| agent);
        let gone = state.registry.remove_contents(record.contents);
        let goes = |record: &WindowRecord| record.parent == Some(window) || record.opener == Some(window);
        let children = state.windows.iter().filter(|(_, record)| goes(record));
        let children: Vec<WindowId> = children.map(|(id, _)| *id).collect();
        // The number of the last window is read after this one was removed, so no newer one can be
        // among them.
        (gone, agent, children, state.windows.is_empty().then_some(state.last_window), state.quit)
    };
    if let Some(agent) = agent {
        // Its next message may wait for the binding of a document of this page.
        shared.io.send(IoCommand::AgentReady(agent));
    }
    popup::refuse_of(shared, &[browser_window.web_contents().id()]);
    for child in children {
        BrowserWindow::new(App(shared.clone()), child).destroy();
    }
    crate::page_sender::report_gone(shared, frames, QuotaGuard::default);
    crate::page_sender::report_contents(shared, browser_window.web_contents().id(), crate::ContentsEvent::Destroyed, QuotaGuard::default());
    shared.queue(AppEvent::Window { window: browser_window, event: WindowEvent::Closed });
    let Some(last) = last else { return };
    match quit {
        Quit::Running | Quit::Asking => {
            shared.queue(AppEvent::WindowAllClosed(Decision::new(shared.clone(), Question::AllClosed(last))));
        }
        Quit::Closing => ask_last(shared),
        Quit::Ending(_) => finish(shared),
        Quit::AskingLast | Quit::Ended => {}
    }
}

fn ask_last(shared: &SharedRef) {
    shared.state().quit = Quit::AskingLast;
    shared.queue(AppEvent::WillQuit(Decision::new(shared.clone(), Question::EndQuit)));
}

fn finish(shared: &SharedRef) {
    let code = {
        let mut state = shared.state();
        let Quit::Ending(code) = state.quit else { return };
        state.quit = Quit::Ended;
        code
    };
    shared.queue(AppEvent::Quit { code });
    shared.queue.end(code);
}
