//! The router under schedules that nobody would write by hand, and some that somebody did.

mod schedules;
mod scripts;
mod world;
