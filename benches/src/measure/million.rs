//! What do a million live channels cost, each with its ends in two processes?

use std::time::Duration;

use strait_ports::{Message, Port};

use crate::Outcome;
use crate::ours::{self, Counterpart, message, next};
use crate::placement::{Placement, Side};
use crate::process;
use crate::report::{Bar, Report, Row};
use crate::rounds::Effort;
use crate::system::{descriptors, proportional_memory};

/// Ends in a message.
const BATCH: usize = 1000;

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    let count = effort.count(1_000_000);
    let ours = process::output("million", (placement, Side::Near), &[count.to_string()])?;
    let flume = process::output("million-flume", (placement, Side::Near), &[count.to_string()])?;
    let number = |value: &serde_json::Value, key: &str| value[key].as_f64().ok_or("a figure is missing");
    let channels = f64::from(count);
    report.add(Row {
        name: "memory of a channel, both processes (PSS)".into(),
        unit: "bytes",
        strait: number(&ours, "bytes")? / channels,
        peer: number(&flume, "bytes")? / channels,
        peer_name: "flume, one process",
        bar: Bar::OursAtMost(1000.0),
    });
    report.add(Row {
        name: "descriptors of both processes".into(),
        unit: "descriptors",
        strait: number(&ours, "descriptors_after")?,
        peer: number(&ours, "descriptors_before")?,
        peer_name: "with none",
        bar: Bar::AtMost(1.0),
    });
    Ok(())
}

/// The role that holds one end of each and starts the process that holds the others. Prints what it finds.
pub(crate) fn hold(count: u32, placement: Placement) -> Outcome<()> {
    let node = ours::broker()?;
    let far = Counterpart::start_in(&node, "million-far", (placement, Side::Far))?;
    placement.pin(Side::Near)?;
    let processes = [std::process::id(), far.process.id()];
    let memory = || Outcome::Ok(proportional_memory(processes[0])? + proportional_memory(processes[1])?);
    let open = || Outcome::Ok(descriptors(processes[0])? + descriptors(processes[1])?);
    // A few come first, so that what is there once (a ring's pages, buffers) does not count as a channel's.
    let mut ends = Vec::with_capacity(count as usize + BATCH);
    hand_over(&far, BATCH, &mut ends)?;
    let (memory_before, descriptors_before) = (memory()?, open()?);
    hand_over(&far, count as usize, &mut ends)?;
    let (bytes, descriptors_after) = (memory()?.saturating_sub(memory_before), open()?);
    // They are alive: the far side answers on any of them.
    for (index, end) in ends.iter().enumerate().step_by(997) {
        end.post(&[7; 32][..])?;
        far.port.post((index as u64).to_le_bytes().to_vec())?;
        if message(end)?.data.len() != 32 {
            return Err("a channel gave something else back".into());
        }
    }
    println!("{}", serde_json::json!({ "bytes": bytes, "descriptors_before": descriptors_before, "descriptors_after": descriptors_after }));
    // Two million ends need not be closed one by one.
    drop(far.process);
    std::process::exit(0)
}

/// Makes channels and gives one end of each away, as many at a time as a message carries. Returns when nothing of that is under way.
fn hand_over(far: &Counterpart, count: usize, ends: &mut Vec<Port>) -> Outcome<()> {
    for _ in 0..count / BATCH {
        let (near, away): (Vec<Port>, Vec<Port>) = (0..BATCH).map(|_| far.node.channel()).unzip();
        ends.extend(near);
        far.port.post(Message::with_ports(Vec::new(), away))?;
        // It has them.
        message(&far.port)?;
    }
    while far.node.stats().proxies > 0 {
        let _ = far.node.wait(Some(Duration::from_secs(1)))?;
    }
    Ok(())
}

/// The role that holds the other ends. Given some, it says that it has them; given a number, it sends back what comes on that one.
pub(crate) fn hold_far() -> Outcome<()> {
    let (_node, port) = ours::join()?;
    let mut ends: Vec<Port> = Vec::new();
    while let Some(order) = next(&port)? {
        if order.data.is_empty() {
            ends.extend(order.ports);
            port.post(Vec::new())?;
        } else {
            let index = u64::from_le_bytes(order.data[..].try_into()?);
            let end = usize::try_from(index).ok().and_then(|index| ends.get(index)).ok_or("no such end")?;
            end.post(message(end)?)?;
        }
    }
    Ok(())
}

/// The peer's role: as many channels of `flume`, in this process alone.
pub(crate) fn hold_flume(count: u32) -> Outcome<()> {
    let mut ends = Vec::with_capacity(count as usize);
    let before = proportional_memory(std::process::id())?;
    ends.extend((0..count).map(|_| flume::unbounded::<Vec<u8>>()));
    let bytes = proportional_memory(std::process::id())?.saturating_sub(before);
    println!("{}", serde_json::json!({ "bytes": bytes }));
    Ok(())
}
