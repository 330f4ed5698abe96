//! The questions, in the order of the table.

mod node;

use std::time::Duration;

use strait_bench::placement::{Placement, Side};
use strait_bench::report::{Bar, Report, Unit};
use strait_bench::rounds::{Contest, Effort, Figures};
use strait_bench::{Choice, Echo, Outcome, round_trips, seqpacket};

use crate::chromium::CHROMIUM;
use crate::contestants::{Contestants, RUST, SANDBOXED, UNSANDBOXED, WEBVIEW};

/// The longest one round may take.
const LIMIT: Duration = Duration::from_secs(120);

/// As many bytes as the small object has as a structured clone.
const SMALL: [u8; 48] = [7; 48];

/// Messages of a flood.
const FLOOD: u32 = 200_000;

/// Requests of a page while another one floods main.
const REQUESTS: u32 = 5000;

/// A question: what it is called, and how it is answered.
type Measurement = (&'static str, fn(&Contestants, &mut Report, Effort) -> Outcome<()>);

const MEASUREMENTS: &[Measurement] = &[
    ("round trip of a small object, visible windows", round_trip),
    ("round trip of a small object, with and without the sandbox", sandbox),
    ("a main process in Node.js, on two processors", node::latency),
    ("a main process in Node.js while messages stream in", node::others),
    ("a main process in Node.js and one of an older build", node::older),
    ("two ports in one page", in_page),
    ("stream of small objects between two pages", stream),
    ("round trip of 1 MiB between two pages", large),
    ("a channel for each request", create),
    ("timers of a page while messages stream in", gap),
    ("timers of a page while 64 MiB go out or come in", huge),
    ("a page's requests while another page floods main", flooded),
];

/// Runs what is chosen. A bar that is not met is a figure; a measurement that fails is an error.
pub(crate) fn run(choice: &Choice) -> Outcome<()> {
    if choice.list {
        MEASUREMENTS.iter().for_each(|(title, _)| println!("{title}"));
        return Ok(());
    }
    let chosen: Vec<_> = MEASUREMENTS.iter().filter(|(title, _)| choice.includes(title)).collect();
    if chosen.is_empty() {
        return Err(format!("no measurement's title contains {}", choice.names.join(" or ")).into());
    }
    let contestants = Contestants::start()?;
    if let Some(chromium) = &contestants.chromium {
        println!("measured against {}", chromium.version);
    }
    let mut report = Report::new();
    let mut failed = Vec::new();
    for (title, measure) in chosen {
        report.title(title);
        if let Err(why) = measure(&contestants, &mut report, choice.effort) {
            println!("  failed: {why}");
            failed.push(*title);
        }
    }
    report.finish(&choice.target, "page.json", &failed)
}

/// Lets pages run in turns: each has a name in the table, a name at the desk, an order, and how often it is carried out in a round.
fn pages<'a>(contestants: &'a Contestants, effort: Effort, entries: &[(&'static str, &'static str, &'static str, u32)]) -> Contest<'a> {
    // Browsers put their threads where they like, and so may the rest.
    let mut contest = Contest::new(effort, Placement::Free);
    for &(name, who, what, count) in entries {
        if who != CHROMIUM || contestants.chromium.is_some() {
            contest.enter(name, effort.count(count), move |count| contestants.desk.order(who, what, count, LIMIT));
        }
    }
    contest
}

fn round_trip(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let mut socket = seqpacket::Client::start(Placement::Free)?;
    let mut apart = seqpacket::Client::start(Placement::apart()?)?;
    let mut contest = pages(
        contestants,
        effort,
        &[
            ("Rust main", RUST, "main", 5000),
            ("other page", RUST, "page", 5000),
            ("Chromium, two processes", CHROMIUM, "page", 2000),
            ("wry IPC", WEBVIEW, "main", 1000),
        ],
    );
    contest.enter("raw SEQPACKET", effort.count(10_000), |count| round_trips(&mut socket as &mut dyn Echo, &SMALL, count));
    contest.enter("raw SEQPACKET, apart", effort.count(10_000), |count| {
        Placement::apart()?.pin(Side::Near)?;
        let took = round_trips(&mut apart as &mut dyn Echo, &SMALL, count);
        Placement::Free.pin(Side::Near)?;
        took
    });
    let figures = contest.run()?;
    let mut row = |name: &str, ours, peer, bar| report.compare(name, Unit::Microseconds, &figures, ours, peer, bar);
    row("page ↔ Rust main, round trip", "Rust main", "raw SEQPACKET", Bar::AtMost(1.6));
    row("page ↔ Rust main, round trip", "Rust main", "raw SEQPACKET, apart", Bar::None);
    row("page ↔ Rust main, round trip", "Rust main", "Chromium, two processes", Bar::AtMost(0.1667));
    row("page ↔ Rust main, round trip", "Rust main", "wry IPC", Bar::AtMost(0.1));
    row("page ↔ page, two windows, round trip", "other page", "Chromium, two processes", Bar::AtMost(0.2));
    Ok(())
}

fn sandbox(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let _pages = contestants.start_sandboxes()?;
    let pairs = SANDBOXED.into_iter().zip(UNSANDBOXED);
    let entries: Vec<_> = pairs
        .flat_map(|(inside, outside)| {
            [
                (INSIDE, inside, "main", 4000),
                (OUTSIDE, outside, "main", 4000),
                (INSIDE_PAGE, inside, "page", 4000),
                (OUTSIDE_PAGE, outside, "page", 4000),
            ]
        })
        .collect();
    let figures = pages(contestants, effort, &entries).run()?;
    let mut row = |name, ours, peer| report.compare(name, Unit::Microseconds, &figures, ours, peer, Bar::AtMost(1.05));
    row("sandboxed page ↔ Rust main, round trip", INSIDE, OUTSIDE);
    row("sandboxed page ↔ another page, round trip", INSIDE_PAGE, OUTSIDE_PAGE);
    Ok(())
}

const INSIDE: &str = "sandboxed";
const OUTSIDE: &str = "unsandboxed";
const INSIDE_PAGE: &str = "sandboxed page";
const OUTSIDE_PAGE: &str = "unsandboxed page";

fn in_page(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let figures = pages(
        contestants,
        effort,
        &[
            ("strait", RUST, "inPage", 20_000),
            ("Chromium, one page", CHROMIUM, "inPage", 20_000),
            ("WebKit's own", WEBVIEW, "inPage", 1000),
        ],
    )
    .run()?;
    let name = "two ports in one page, round trip";
    report.compare(name, Unit::Microseconds, &figures, "strait", "Chromium, one page", Bar::AtMost(1.0));
    report.compare(name, Unit::Microseconds, &figures, "strait", "WebKit's own", Bar::AtMost(0.2));
    Ok(())
}

/// Strait against Chromium with two processes.
fn duel(contestants: &Contestants, effort: Effort, what: &'static str, ours: u32, theirs: u32) -> Outcome<Figures> {
    pages(contestants, effort, &[("strait", RUST, what, ours), (TWO, CHROMIUM, what, theirs)]).run()
}

const TWO: &str = "Chromium, two processes";

fn stream(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let figures = duel(contestants, effort, "stream", 50_000, 10_000)?;
    report.compare("echo stream page ↔ page, 64 under way", Unit::PerSecond, &figures, "strait", TWO, Bar::AtLeast(10.0));
    Ok(())
}

fn large(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let figures = duel(contestants, effort, "large", 200, 60)?;
    report.compare("1 MiB Uint8Array page ↔ page, round trip", Unit::Microseconds, &figures, "strait", TWO, Bar::AtMost(0.125));
    Ok(())
}

fn create(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let figures = duel(contestants, effort, "create", 2000, 1000)?;
    let name = "create, transfer, first reply, page ↔ main, in turns";
    report.compare(name, Unit::ChannelsPerSecond, &figures, "strait", TWO, Bar::OursAtLeast(5000.0));
    Ok(())
}

fn gap(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    // A round is one flood, and its figure is a gap: nothing to be divided by the number of messages.
    let messages = effort.count(FLOOD);
    let mut contest = Contest::new(effort, Placement::Free);
    let flood = |who: &'static str| move |_| contestants.desk.order(who, "gap", messages, LIMIT);
    contest.enter("strait", 1, flood(RUST));
    if contestants.chromium.is_some() {
        contest.enter(TWO, 1, flood(CHROMIUM));
    }
    let figures = contest.run()?;
    let name = format!("longest gap of a 4 ms timer, {messages} messages in");
    report.compare(name, Unit::Milliseconds, &figures, "strait", TWO, Bar::OursAtMost(20.0));
    Ok(())
}

fn huge(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    // A round's figure is a gap, as above.
    let figures = pages(
        contestants,
        effort,
        &[
            ("page → main", RUST, "hugeOut", 1),
            ("main → page", RUST, "hugeIn", 1),
            ("page → page", RUST, "hugeAcross", 1),
            (QUIET, RUST, "quiet", 1),
        ],
    )
    .run()?;
    let mut row = |name, ours| report.compare(name, Unit::Milliseconds, &figures, ours, QUIET, Bar::OursAtMost(66.8));
    row("longest gap of a 4 ms timer, 64 MiB page → main", "page → main");
    row("longest gap of a 4 ms timer, 64 MiB main → page", "main → page");
    row("longest gap of a 4 ms timer, 64 MiB page → page, either's", "page → page");
    Ok(())
}

fn flooded(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    // A round's figure is a median of requests, as above.
    let requests = effort.count(REQUESTS);
    let mut contest = Contest::new(effort, Placement::Free);
    contest.enter(FLOODED, 1, move |_| contestants.desk.order(RUST, "askedInFlood", requests, LIMIT));
    contest.enter(UNFLOODED, 1, move |_| contestants.desk.order(RUST, "asked", requests, LIMIT));
    let figures = contest.run()?;
    let name = format!("median of {requests} × invoke while another page floods `send`");
    report.compare(name, Unit::Microseconds, &figures, FLOODED, UNFLOODED, Bar::OursAtMost(20_000.0));
    Ok(())
}

const FLOODED: &str = "in a flood";
const UNFLOODED: &str = "no flood";

/// The scale for those: a page to which nothing happens.
const QUIET: &str = "nothing sent";
