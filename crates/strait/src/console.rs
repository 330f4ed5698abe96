//! Lines of pages' consoles on the program's terminal. Printing never waits for a reader of
//! standard error (`strait-output`).

use std::io::{IsTerminal, stderr};

use crate::{ConsoleLevel, ConsoleMessage, ContentsEvent, WindowId, printable};

impl ContentsEvent {
    /// Prints a page's console message, or an error in it, on standard error, made [`printable`].
    /// Does nothing for other events.
    ///
    /// This never waits. Up to a megabyte of lines is kept while standard error accepts none.
    /// Further lines are dropped, and a line reports their number.
    pub fn print(&self, window: WindowId) {
        let (what, text) = match self {
            Self::Console(message) => return message.print(window),
            Self::PreloadError { path, message } => ("preload", format!("{}: {message}", path.display())),
            Self::RenderProcessGone { reason, .. } => ("process", format!("gone: {reason}")),
            _ => return,
        };
        strait_output::report!("[window {} {what}] {}", window.get(), printable(&text));
    }
}

impl ConsoleMessage {
    /// The message as a line, without colour: `[window 1 warning] text (source:line)`. Text and
    /// source are made [`printable`].
    ///
    /// ```
    /// # let message = |level| strait::ConsoleMessage { level, text: "hello".into(), source: "file:///a.html".into(), line: 3 };
    /// assert_eq!(message(strait::ConsoleLevel::Log).to_line(1), "[window 1 log] hello (file:///a.html:3)");
    /// ```
    pub fn to_line(&self, window: u32) -> String {
        format!("[window {window} {}] {}{}", level_name(self.level), printable(&self.text), self.place())
    }

    /// Prints it on standard error, as [`ContentsEvent::print`] does; the mark is coloured if that
    /// is a terminal.
    pub fn print(&self, window: WindowId) {
        let line = if stderr().is_terminal() {
            let colour = match self.level {
                ConsoleLevel::Error => "31",
                ConsoleLevel::Warning => "33",
                _ => "36",
            };
            let (text, place) = (printable(&self.text), self.place());
            format!("\x1b[{colour}m[window {} {}]\x1b[0m {text}\x1b[2m{place}\x1b[0m", window.get(), level_name(self.level))
        } else {
            self.to_line(window.get())
        };
        strait_output::stderr().line(line);
    }

    fn place(&self) -> String {
        let source = printable(&self.source);
        match (source.as_ref(), self.line) {
            ("", _) => String::new(),
            (source, 0) => format!(" ({source})"),
            (source, line) => format!(" ({source}:{line})"),
        }
    }
}

fn level_name(level: ConsoleLevel) -> &'static str {
    match level {
        ConsoleLevel::Debug => "debug",
        ConsoleLevel::Info => "info",
        ConsoleLevel::Log => "log",
        ConsoleLevel::Warning => "warning",
        ConsoleLevel::Error => "error",
    }
}
