//! `strait-bench`: see the library.

use std::process::ExitCode;

use strait_bench::{Choice, Outcome, measure, play};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("strait-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == "--role").is_some() {
        return play(&arguments.collect::<Vec<_>>());
    }
    measure(&Choice::read("strait-bench", arguments)?)
}
