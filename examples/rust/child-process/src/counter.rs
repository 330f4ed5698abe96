//! The child: counts primes for whoever has the other end of a port that its parent gives it.

use std::error::Error;

use serde::{Deserialize, Serialize};
use strait_child::{ParentPort, PortRecvError};

/// What a page asks: `{ below: 1000 }`.
#[derive(Deserialize)]
struct Question {
    below: usize,
}

/// What it gets: `{ below: 1000, count: 168 }`.
#[derive(Serialize)]
struct Answer {
    below: usize,
    count: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let parent = ParentPort::from_env()?;
    parent.node().block_on(serve(&parent))?
}

async fn serve(parent: &ParentPort) -> Result<(), Box<dyn Error>> {
    // The parent says by its close that it needs no counter any more.
    while let Ok(introduction) = parent.recv().await {
        for port in introduction.ports {
            loop {
                match port.recv_as::<Question>().await {
                    Ok(Question { below }) => port.send_as(&Answer { below, count: primes(below) })?,
                    Err(PortRecvError::Closed(_)) => break,
                    Err(error) => {
                        eprintln!("counter: this is no question: {error}");
                        // As bad an end as any other: nobody takes leave.
                        std::process::exit(3);
                    }
                }
            }
        }
    }
    Ok(())
}

fn primes(below: usize) -> usize {
    let mut composite = vec![false; below];
    let mut count = 0;
    for number in 2..below {
        if !composite[number] {
            count += 1;
            (number * number..below).step_by(number).for_each(|multiple| composite[multiple] = true);
        }
    }
    count
}
