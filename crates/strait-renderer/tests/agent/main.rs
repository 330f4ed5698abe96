//! The agent in real web processes: a main process in miniature opens windows and watches what their pages do.

mod blobs;
mod bridge;
mod buffer_pool;
mod closes;
mod collection;
mod display;
mod flow;
mod foreign;
mod host;
mod hostile;
mod ipc;
mod large;
mod modules;
mod popups;
mod ports;
mod server;
mod values;
mod window_messages;
mod wire;
mod workers;

use host::{Case, Host};

fn main() {
    display::or_run_again_under_xvfb();
    gtk::init().expect("a display");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let host = Host::start().expect("the host starts");
    let cases: Vec<Case> = [
        ipc::CASES,
        window_messages::CASES,
        bridge::CASES,
        modules::CASES,
        ports::CASES,
        blobs::CASES,
        popups::CASES,
        foreign::CASES,
        workers::CASES,
        closes::CASES,
        hostile::CASES,
        flow::CASES,
        values::CASES,
        large::CASES,
        buffer_pool::CASES,
        collection::CASES,
    ]
    .concat();
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases.into_iter().filter(|(name, _)| filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&host)));
        match outcome {
            Ok(Ok(())) => {
                passed += 1;
                println!("ok      {name}");
            }
            Ok(Err(text)) => {
                failed += 1;
                println!("FAILED  {name}: {text}");
            }
            Err(_) => {
                failed += 1;
                println!("FAILED  {name}: panicked");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    drop(host);
    std::process::exit(i32::from(failed > 0));
}
