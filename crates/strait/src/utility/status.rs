//! The exit status of a child process.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

/// The exit status of a child process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus {
    /// The exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The number of the signal that ended it otherwise.
    pub signal: Option<i32>,
    /// The reason in one word.
    pub reason: ExitReason,
}

/// The reason why a child process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitReason {
    /// It ended with code 0, or by this program's [`kill`](crate::UtilityProcess::kill).
    CleanExit,
    /// It ended with another code.
    AbnormalExit,
    /// Ended by a signal that requests the end: SIGTERM, SIGKILL or SIGINT.
    Killed,
    /// It crashed: any other signal.
    Crashed,
    /// It never ran.
    LaunchFailed,
}

impl ExitReason {
    /// Electron's name: `clean-exit`, `abnormal-exit`, `killed`, `crashed`, `launch-failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CleanExit => "clean-exit",
            Self::AbnormalExit => "abnormal-exit",
            Self::Killed => "killed",
            Self::Crashed => "crashed",
            Self::LaunchFailed => "launch-failed",
        }
    }
}

impl ExitStatus {
    /// `killed`: this program requested its end.
    pub(super) fn of(status: std::process::ExitStatus, killed: bool) -> Self {
        let (code, signal) = (status.code(), status.signal());
        let is = |one: Signal| signal == Some(one.as_raw());
        let reason = match (code, signal) {
            (Some(0), _) => ExitReason::CleanExit,
            (Some(_), _) => ExitReason::AbnormalExit,
            _ if is(Signal::TERM) && killed => ExitReason::CleanExit,
            _ if is(Signal::TERM) || is(Signal::KILL) || is(Signal::INT) => ExitReason::Killed,
            _ => ExitReason::Crashed,
        };
        Self { code, signal, reason }
    }

    pub(super) fn never_ran() -> Self {
        Self { code: None, signal: None, reason: ExitReason::LaunchFailed }
    }

    /// It has ended, and another part of the process has consumed its status.
    pub(super) fn unknown() -> Self {
        Self { code: None, signal: None, reason: ExitReason::Crashed }
    }

    /// Whether the process succeeded.
    pub fn success(self) -> bool {
        self.reason == ExitReason::CleanExit
    }

    /// The number in Electron's `exit` event: the code, or else the signal's number. 0 for a child
    /// that [`kill`](crate::UtilityProcess::kill) ended, 1 for one that was never started.
    pub fn exit_code(self) -> i32 {
        match self.reason {
            ExitReason::CleanExit => 0,
            ExitReason::LaunchFailed => 1,
            _ => self.code.or(self.signal).unwrap_or(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_and_numbers() {
        // The status of `waitpid`, whether this program has killed the process, and the result.
        let table = [
            (0x0000, false, "clean-exit", 0),
            (0x0300, false, "abnormal-exit", 3),
            (0x0300, true, "abnormal-exit", 3),
            (0xff00, false, "abnormal-exit", 255),
            (15, false, "killed", 15),
            (15, true, "clean-exit", 0),
            (9, false, "killed", 9),
            (9, true, "killed", 9),
            (2, false, "killed", 2),
            (11, false, "crashed", 11),
            (11, true, "crashed", 11),
            (6, false, "crashed", 6),
            (0x80 | 6, false, "crashed", 6),
        ];
        for (raw, killed, reason, code) in table {
            let status = ExitStatus::of(std::process::ExitStatus::from_raw(raw), killed);
            assert_eq!((status.reason.as_str(), status.exit_code()), (reason, code), "{raw:#x} {killed}");
        }
        let never = ExitStatus::never_ran();
        assert_eq!((never.reason.as_str(), never.exit_code(), never.success()), ("launch-failed", 1, false));
    }
}
