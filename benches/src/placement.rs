//! On which processors do the two sides of a measurement run?
//!
//! It matters more than anything else: on virtual machines, waking a processor that sleeps costs several times what switching to another process on
//! the same processor does. So latencies are measured in each placement, and a peer always in the placement that it is compared in.

use std::fs;

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Outcome;

/// Where the sides run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// This process on one processor, its counterpart on another.
    Two,
    /// Both on the same.
    One,
    /// Wherever the kernel puts them.
    Free,
}

/// One side of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The measuring one.
    Near,
    /// Its counterpart.
    Far,
}

impl Placement {
    /// Every one that this machine has.
    pub fn all() -> Outcome<&'static [Placement]> {
        Ok(if processors()?.len() > 1 { &PLACES } else { &[Placement::One] })
    }

    /// Where both sides are at work at the same time.
    pub fn apart() -> Outcome<Placement> {
        Ok(Self::all()?[0])
    }

    /// For the names of rows.
    pub fn name(self) -> &'static str {
        match self {
            Placement::Two => "two processors",
            Placement::One => "one processor",
            Placement::Free => "not pinned",
        }
    }

    /// Binds the calling thread.
    pub fn pin(self, side: Side) -> Outcome<()> {
        Ok(sched_setaffinity(None, &self.set(Some(side))?)?)
    }

    /// Binds all threads of another process.
    pub fn pin_process(self, process: Pid, side: Side) -> Outcome<()> {
        let set = self.set(Some(side))?;
        for thread in fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()))? {
            let thread = thread?.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            // One may end meanwhile.
            if let Some(Err(error)) = thread.map(|thread| sched_setaffinity(Some(thread), &set))
                && error != Errno::SRCH
            {
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Binds the calling thread to the processors of both sides: what a process that cannot be told more inherits.
    pub fn pin_loosely(self) -> Outcome<()> {
        Ok(sched_setaffinity(None, &self.set(None)?)?)
    }

    fn set(self, side: Option<Side>) -> Outcome<CpuSet> {
        let all = processors()?;
        let first = *all.first().ok_or("there is no processor")?;
        // `apart` gives `Two` only where there is a second.
        let second = all.get(1).copied().unwrap_or(first);
        let mut set = CpuSet::new();
        let members: &[usize] = match (self, side) {
            (Placement::Free, _) => &all,
            (Placement::One, _) | (Placement::Two, Some(Side::Near)) => &[first],
            (Placement::Two, Some(Side::Far)) => &[second],
            (Placement::Two, None) => &[first, second],
        };
        members.iter().for_each(|processor| set.set(*processor));
        Ok(set)
    }

    /// As the arguments of a role.
    pub fn argument(self, side: Side) -> String {
        let (Some(place), Some(side)) = (PLACES.iter().position(|p| *p == self), SIDES.iter().position(|s| *s == side)) else {
            unreachable!("every placement and side is in its list");
        };
        format!("{place}{side}")
    }

    /// The reverse of [`Placement::argument`].
    pub fn from_argument(argument: &str) -> Outcome<(Placement, Side)> {
        let digit = |index: usize| argument.get(index..=index).and_then(|digit| digit.parse::<usize>().ok());
        let place = digit(0).and_then(|digit| PLACES.get(digit));
        let side = digit(1).and_then(|digit| SIDES.get(digit));
        Ok((*place.ok_or("no such placement")?, *side.ok_or("no such side")?))
    }
}

const PLACES: [Placement; 3] = [Placement::Two, Placement::One, Placement::Free];
const SIDES: [Side; 2] = [Side::Near, Side::Far];

/// The processors that this process could use when it was started, remembered before any thread is bound.
fn processors() -> Outcome<Vec<usize>> {
    static ALL: std::sync::OnceLock<Vec<usize>> = std::sync::OnceLock::new();
    if let Some(all) = ALL.get() {
        return Ok(all.clone());
    }
    let set = sched_getaffinity(None)?;
    let found: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|processor| set.is_set(*processor)).collect();
    Ok(ALL.get_or_init(|| found).clone())
}
