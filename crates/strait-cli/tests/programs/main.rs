//! End to end: whole programs run by the `strait` command, on real windows.
//!
//! A program of its own instead of libtest's, because the tests share one X server, take turns on a small machine, and are skipped
//! with a reason where something they need is absent. Arguments: words that a test's name must contain.

mod agent;
mod bad_input;
mod bridge;
mod churn;
mod closes;
mod collects;
mod compromised;
mod contained;
mod debugging;
mod display;
mod downloads;
mod examples;
mod exits;
mod floods;
mod full_stderr;
mod http;
mod inspect;
mod instances;
mod ipc;
mod isolation;
mod module_positions;
mod node_modules;
mod origins;
mod printed;
mod program;
mod readme;
mod sandbox;
mod scaffold;
mod seed;
mod stopped_main;
mod transfers;
mod user_data;
mod utility;
mod values;
mod without_libuv;
mod x11;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

/// Why a test did not run.
struct Skip(String);

/// A test fails by panicking.
type Outcome = Result<(), Skip>;

/// A test and its name.
struct Test {
    name: String,
    run: Box<dyn Fn() -> Outcome>,
}

/// A test for the list.
fn test(name: impl Into<String>, run: impl Fn() -> Outcome + 'static) -> Test {
    Test { name: name.into(), run: Box::new(run) }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let suites = [
        sandbox::tests(),
        seed::tests(),
        examples::tests(),
        stopped_main::tests(),
        origins::tests(),
        printed::tests(),
        transfers::tests(),
        values::tests(),
        ipc::tests(),
        collects::tests(),
        compromised::tests(),
        closes::tests(),
        churn::tests(),
        exits::tests(),
        utility::tests(),
        floods::tests(),
        full_stderr::tests(),
        instances::tests(),
        isolation::tests(),
        bridge::tests(),
        bad_input::tests(),
        contained::tests(),
        debugging::tests(),
        without_libuv::tests(),
        agent::tests(),
        downloads::tests(),
        user_data::tests(),
        readme::tests(),
        scaffold::tests(),
        inspect::tests(),
        node_modules::tests(),
        module_positions::tests(),
    ];
    let chosen: Vec<Test> =
        suites.into_iter().flatten().filter(|test| words.iter().all(|word| test.name.contains(word.as_str()))).collect();
    if chosen.is_empty() {
        println!("0 passed, 0 failed");
        return ExitCode::SUCCESS;
    }
    let display = display::Display::present_or_own();
    display.take_part();

    // What a test has to say stands in its line.
    panic::set_hook(Box::new(|_| {}));
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    for Test { name, run } in chosen {
        let start = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(run));
        let took = start.elapsed().as_secs_f64();
        match outcome {
            Ok(Ok(())) => {
                println!("ok      {name} ({took:.1} s)");
                passed += 1;
            }
            Ok(Err(Skip(reason))) => {
                println!("skipped {name}: {reason}");
                skipped += 1;
            }
            Err(panic) => {
                println!("FAILED  {name} ({took:.1} s): {}", message(&*panic));
                failed.push(name);
            }
        }
    }
    drop(display);
    for name in &failed {
        println!("failed: {name}");
    }
    print!("{passed} passed, {} failed", failed.len());
    println!("{}", if skipped > 0 { format!(", {skipped} skipped") } else { String::new() });
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked")
}
