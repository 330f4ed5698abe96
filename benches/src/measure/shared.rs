//! What does it cost to give the same bytes to several processes?
//!
//! Two ways to look at it. A receiver's bandwidth is what it gets in a second; eight receivers on two processors share those, so what one process has that copies
//! alone is out of reach for each of them, and the fair peer is that many processes copying at the same time. And what all of them get together is there for scale: it tells
//! what a receiver costs.

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

const ALONE: &str = "hot memcpy";
const CROWD: &str = "memcpy in 8 processes";

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    let mut ours = FanOut::start(placement, WINDOW, RECEIVERS)?;
    let mut payload = vec![7; PAYLOAD];
    let mut copy = memcpy::Copy::of(&payload);
    let mut crowd = memcpy::Crowd::start(placement, RECEIVERS, PAYLOAD)?;
    let mut contest = Contest::new(effort, placement);
    contest.enter("strait", effort.count(150), |count| stream(&mut ours as &mut dyn Stream, WINDOW, &mut payload, count));
    contest.enter(ALONE, effort.count(2000), |count| Ok(copy.run(count)));
    contest.enter(CROWD, effort.count(500), |count| crowd.run(count));
    let figures = contest.run()?;
    let each = Unit::Gibibytes { ours: PAYLOAD, peer: PAYLOAD };
    let all = |peer| Unit::Gibibytes { ours: RECEIVERS * PAYLOAD, peer };
    let name = "1 MiB to 8 receivers, each";
    report.compare(name, each, &figures, "strait", ALONE, Bar::AtLeast(0.8));
    report.compare(name, each, &figures, "strait", CROWD, Bar::AtLeast(0.8));
    let name = "1 MiB to 8 receivers, all together";
    report.compare(name, all(PAYLOAD), &figures, "strait", ALONE, Bar::None);
    report.compare(name, all(RECEIVERS * PAYLOAD), &figures, "strait", CROWD, Bar::None);
    Ok(())
}
