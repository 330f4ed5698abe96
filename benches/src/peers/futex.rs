//! Two futexes' worth of one: a word in shared memory that says whose turn it is. Nobody spins; the payload is four words beside it.

use std::sync::atomic::Ordering;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags};
use rustix::time::Timespec;

use super::shared_words::{Words, create, map};
use crate::Outcome;
use crate::measure::Echo;
use crate::placement::{Placement, Side};
use crate::process::{self, Process};

const CLIENT: u32 = 0;
const SERVER: u32 = 1;

/// The side that begins.
pub(crate) struct Client {
    words: &'static Words,
    _process: Process,
}

impl Client {
    pub(crate) fn start(placement: Placement) -> Outcome<Self> {
        let memory = create()?;
        let words = map(&memory)?;
        Ok(Self { words, _process: Process::start("futex", memory, (placement, Side::Far), &[])? })
    }
}

impl Echo for Client {
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize> {
        let (words, _) = payload.as_chunks::<8>();
        for (word, bytes) in self.words.payload.iter().zip(words) {
            word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        pass(self.words, SERVER)?;
        await_turn(self.words, CLIENT)?;
        let mut back = [0; 32];
        for (bytes, word) in back.as_chunks_mut().0.iter_mut().zip(&self.words.payload) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        Ok(std::hint::black_box(back).len())
    }
}

/// The side that answers, until it is killed.
pub(crate) fn serve() -> Outcome<()> {
    let words = map(&process::given()?)?;
    loop {
        await_turn(words, SERVER)?;
        for word in &words.payload {
            word.store(std::hint::black_box(word.load(Ordering::Relaxed)), Ordering::Relaxed);
        }
        pass(words, CLIENT)?;
    }
}

fn pass(words: &Words, to: u32) -> Outcome<()> {
    words.turn.store(to, Ordering::Release);
    futex::wake(&words.turn, Flags::empty(), 1)?;
    Ok(())
}

fn await_turn(words: &Words, whose: u32) -> Outcome<()> {
    // Between rounds the others have their turn: longer than all of them together.
    const LIMIT: Timespec = Timespec { tv_sec: 120, tv_nsec: 0 };
    loop {
        let turn = words.turn.load(Ordering::Acquire);
        if turn == whose {
            return Ok(());
        }
        match futex::wait(&words.turn, Flags::empty(), turn, Some(&LIMIT)) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
}
