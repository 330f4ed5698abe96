//! How many bytes a second are written here, copied out there, and read?

use super::flow::{Stream, Window, stream};
use crate::Outcome;
use crate::ours::stream::Sender;
use crate::peers::{ipc_channel, memcpy};
use crate::placement::Placement;
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

const PAYLOAD: usize = 1 << 20;
/// As deep as it takes to keep both busy; more would only leave the caches.
const WINDOW: Window = Window { every: 1, most: 3 };

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    let mut ours = Sender::start(placement, WINDOW)?;
    let mut bytes = ipc_channel::Client::bytes_sink(placement, WINDOW)?;

    let payload = vec![7; PAYLOAD];
    let mut copy = memcpy::Copy::of(&payload);
    let mut contest = Contest::new(effort, placement);
    let entries: [(&'static str, &mut dyn Stream); 2] = [("strait", &mut ours), ("ipc-channel bytes", &mut bytes)];
    for (name, sender) in entries {
        let mut payload = payload.clone();
        contest.enter(name, effort.count(800), move |count| stream(sender, WINDOW, &mut payload, count));
    }
    contest.enter("hot memcpy", effort.count(2000), |count| Ok(copy.run(count)));
    let figures = contest.run()?;
    for (peer, bar) in [("hot memcpy", Bar::AtLeast(0.4)), ("ipc-channel bytes", Bar::None)] {
        report.compare("one-way 1 MiB", Unit::Gibibytes { ours: PAYLOAD, peer: PAYLOAD }, &figures, "strait", peer, bar);
    }
    Ok(())
}
