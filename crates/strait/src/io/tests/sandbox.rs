//! Agents of processes that should be sandboxed: what they are given, and what becomes of their windows when they are not. (The agents here are
//! threads of this process, which no sandbox is around.)

use std::{env, fs};

use super::*;

impl Main {
    fn window_like(&self, builder: crate::BrowserWindowBuilder) -> BrowserWindow {
        builder.build(&App(self.shared.clone()))
    }

    /// Whether the UI thread has the command to show nothing in the window.
    fn was_emptied(&self, window: &BrowserWindow) -> bool {
        self.commands.try_iter().any(|command| matches!(command, UiCommand::Refrain { window: emptied, .. } if emptied == window.id()))
    }
}

#[test]
fn an_explicit_sandbox_is_not_done_without() {
    let mut main = Main::start();
    for (sandbox, emptied) in [(None, false), (Some(false), false), (Some(true), true)] {
        let builder = BrowserWindow::builder();
        let window = main.window_like(match sandbox {
            Some(on) => builder.sandbox(on),
            None => builder,
        });
        main.shown(&window);
        assert_eq!(main.was_emptied(&window), emptied, "{sandbox:?}");
    }
}

#[test]
fn an_agent_gets_the_preload_of_its_own_window_alone() {
    let mut main = Main::start();
    let folder = env::temp_dir().join(format!("strait-test-preloads-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let preload = |name: &str| {
        fs::write(folder.join(name), name).unwrap();
        folder.join(name)
    };
    let (one, two) = (BrowserWindow::builder().preload(preload("one.js")), BrowserWindow::builder().preload(preload("two.js")));
    let (one, two, none) = (main.window_like(one), main.window_like(two), main.window());
    let (first, second, third) = (main.shown(&one), main.shown(&two), main.shown(&none));
    let text = |agent: &Agent, page| {
        agent.say(&ToMain::PreloadWanted { page });
        match agent.hears() {
            ToAgent::Preload { page: of, text } if of == page => text,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(text(&first, 1), Ok("one.js".into()));
    assert_eq!(text(&second, 1), Ok("two.js".into()));
    // It is read each time.
    fs::write(folder.join("one.js"), "changed").unwrap();
    assert_eq!(text(&first, 1), Ok("changed".into()));
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(text(&first, 1), Err(format!("Cannot read '{}': No such file or directory (os error 2)", folder.join("one.js").display())));
    // A page of another agent does not exist for this one.
    for (agent, page) in [(&third, 1), (&first, 2)] {
        assert_eq!(text(agent, page), Err("the window has no preload script".into()));
    }
}
