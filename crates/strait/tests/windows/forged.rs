//! Forged agents.
use super::kit::Case;
pub(super) fn cases(_cases: &mut Vec<Case>) {}
