//! A pool of worker processes. Every job brings the port for its answer along: whichever worker does it answers whoever asked, directly.
//!
//! ```text
//! cargo run -p strait-ports --example worker_pool
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::process::Command;

use strait_ports::{CloseReason, Event, Message, Node, PortSet};

const WORKERS: usize = 3;
const JOBS: u64 = 12;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("worker") { worker() } else { pool() }
}

fn pool() -> Result<(), Box<dyn Error>> {
    let node = Node::broker()?;
    let program = std::env::current_exe()?;
    let workers = (0..WORKERS).map(|_| node.spawn(Command::new(&program).arg("worker"))).collect::<Result<Vec<_>, _>>()?;

    let mut answers = PortSet::new();
    let mut asked = HashMap::new();
    for number in 1..=JOBS {
        let (answer, theirs) = node.channel();
        let (_, worker) = &workers[number as usize % WORKERS];
        worker.post(Message::with_ports(number.to_le_bytes().to_vec(), vec![theirs]))?;
        asked.insert(answers.insert(answer), number);
    }
    while let Some((id, event)) = answers.recv_blocking(None)? {
        let number = asked[&id];
        match event {
            Event::Message(sum) => println!("1 + … + {number} squared is {}", u64::from_le_bytes(sum.data[..].try_into()?)),
            Event::Close(CloseReason::Closed) => {}
            Event::Close(reason) => println!("no answer for {number}: the worker's port was {reason}"),
        }
    }

    for (mut child, jobs) in workers {
        jobs.close();
        child.wait()?;
    }
    println!("{JOBS} jobs done by {WORKERS} processes");
    Ok(())
}

fn worker() -> Result<(), Box<dyn Error>> {
    let (node, jobs) = Node::from_env()?;
    while let Event::Message(job) = jobs.recv_blocking(None)? {
        let number = u64::from_le_bytes(job.data[..].try_into()?);
        let sum: u64 = (1..=number).map(|n| n * n).sum();
        for answer in job.ports {
            answer.post(sum.to_le_bytes().to_vec())?;
            answer.close();
        }
    }
    node.leave(CloseReason::Exited);
    Ok(())
}
