//! What does it cost to give the same bytes to several processes?
//!
//! The figure is what all receivers together get in a second: what one of them costs, if the sender's work is shared out among them.

use super::flow::{Stream, Window, stream};
use crate::Outcome;
use crate::ours::stream::FanOut;
use crate::peers::memcpy;
use crate::placement::Placement;
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

const PAYLOAD: usize = 1 << 20;
const RECEIVERS: usize = 8;
const WINDOW: Window = Window { every: 1, most: 3 };

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    let mut ours = FanOut::start(placement, WINDOW, RECEIVERS)?;
    let mut payload = vec![7; PAYLOAD];
    let mut copy = memcpy::Copy::of(&payload);
    let mut contest = Contest::new(effort, placement);
    contest.enter("strait", effort.count(150), |count| stream(&mut ours as &mut dyn Stream, WINDOW, &mut payload, count));
    contest.enter("hot memcpy", effort.count(2000), |count| Ok(copy.run(count)));
    let figures = contest.run()?;
    let unit = Unit::Gibibytes { ours: RECEIVERS * PAYLOAD, peer: PAYLOAD };
    report.compare("1 MiB to 8 receivers, per receiver", unit, &figures, "strait", "hot memcpy", Bar::AtLeast(0.8));
    Ok(())
}
