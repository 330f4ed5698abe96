//! How channels end.
use super::kit::Case;
pub(super) fn cases(_cases: &mut Vec<Case>) {}
pub(super) fn peer(_: &std::ffi::OsStr) -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
