//! Interleaved rounds and their medians.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Outcome;
use crate::placement::{Placement, Side};

/// How thoroughly to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Figures to keep.
    Full,
    /// To see that everything works.
    Quick,
}

impl Effort {
    fn rounds(self) -> usize {
        match self {
            Effort::Full => 5,
            Effort::Quick => 1,
        }
    }

    /// Operations before the rounds, where `count` make a round. Streams count in thousands.
    fn warm_up(self, count: u32) -> u32 {
        if count >= 10_000 { (count / 10).next_multiple_of(1000) } else { count.div_ceil(10) }
    }

    /// Operations in a round, where `full` are enough for a good figure.
    pub fn count(self, full: u32) -> u32 {
        match self {
            Effort::Full => full,
            Effort::Quick if full >= 20_000 => (full / 20).next_multiple_of(1000),
            Effort::Quick => full.div_ceil(20),
        }
    }
}

/// What `run` does: so many operations, and says how long they took.
type Run<'a> = Box<dyn FnMut(u32) -> Outcome<Duration> + 'a>;

struct Contestant<'a> {
    name: &'static str,
    count: u32,
    run: Run<'a>,
}

/// Contestants that run in turns.
pub struct Contest<'a> {
    effort: Effort,
    placement: Placement,
    contestants: Vec<Contestant<'a>>,
}

impl<'a> Contest<'a> {
    /// The measuring thread will run on the near side of `placement`.
    pub fn new(effort: Effort, placement: Placement) -> Self {
        Self { effort, placement, contestants: Vec::new() }
    }

    /// One more contestant; `count` operations make a round. Contestants of the same name have one median, that of all their rounds: for what differs from one
    /// process to the next.
    pub fn enter(&mut self, name: &'static str, count: u32, run: impl FnMut(u32) -> Outcome<Duration> + 'a) {
        self.contestants.push(Contestant { name, count, run: Box::new(run) });
    }

    /// Runs the rounds.
    ///
    /// The first one does not count: it fills caches and lets channels settle. Every other round goes backwards, so that nobody always runs
    /// behind the same neighbour.
    pub fn run(mut self) -> Outcome<Figures> {
        self.placement.pin(Side::Near)?;
        for Contestant { name, count, run } in &mut self.contestants {
            run(self.effort.warm_up(*count)).map_err(|why| format!("{name}: {why}"))?;
        }
        let mut seconds = vec![Vec::new(); self.contestants.len()];
        for round in 0..self.effort.rounds() {
            let mut order: Vec<_> = self.contestants.iter_mut().zip(&mut seconds).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for (Contestant { name, count, run }, seconds) in order {
                let took = run(*count).map_err(|why| format!("{name}: {why}"))?;
                seconds.push(took.as_secs_f64() / f64::from(*count));
            }
        }
        let mut rounds = BTreeMap::<_, Vec<f64>>::new();
        for (contestant, seconds) in self.contestants.iter().zip(seconds) {
            rounds.entry(contestant.name).or_default().extend(seconds);
        }
        Ok(Figures(rounds.into_iter().map(|(name, seconds)| (name, median(seconds))).collect()))
    }
}

/// Medians.
pub struct Figures(BTreeMap<&'static str, f64>);

impl Figures {
    /// Seconds an operation, if somebody of that name took part.
    pub fn seconds(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
