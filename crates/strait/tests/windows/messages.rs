//! Messages between pages and main, and between pages.
use super::kit::Case;
pub(super) fn cases(_cases: &mut Vec<Case>) {}
