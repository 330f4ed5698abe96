//! A loop of the program's own, on poll(2): the node is one descriptor among others, here a timer.
//!
//! ```text
//! cargo run -p strait-ports --example poll_loop
//! ```

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
use strait_ports::{CloseReason, Event, Node};

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("child") { child() } else { parent() }
}

fn parent() -> Result<(), Box<dyn Error>> {
    let node = Node::broker()?;
    let (mut child, port) = node.spawn(Command::new(std::env::current_exe()?).arg("child"))?;
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let interval = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: interval, it_value: interval })?;

    let mut ticks = 0;
    loop {
        let mut fds = [PollFd::new(&node, PollFlags::IN), PollFd::new(&timer, PollFlags::IN)];
        poll(&mut fds, None)?;
        let [node_ready, tick] = fds.map(|fd| !fd.revents().is_empty());
        if tick {
            rustix::io::read(&timer, &mut [0; 8])?;
            ticks += 1;
            println!("tick {ticks}");
            if ticks <= 3 {
                port.post(format!("tick {ticks}"))?;
            }
        }
        if node_ready {
            // At most so long: the timer is not to be late. What is left keeps the descriptor readable.
            let _ = node.dispatch(Duration::from_millis(1))?;
        }
        while let Some(event) = port.try_recv() {
            match event {
                Event::Message(answer) => println!("the child has heard {}", String::from_utf8(answer.data)?),
                Event::Close(reason) => {
                    println!("the child has {reason}");
                    child.wait()?;
                    return Ok(());
                }
            }
        }
    }
}

fn child() -> Result<(), Box<dyn Error>> {
    let (node, port) = Node::from_env()?;
    for _ in 0..3 {
        if let Event::Message(tick) = port.recv_blocking(None)? {
            port.post(tick)?;
        }
    }
    node.leave(CloseReason::Exited);
    Ok(())
}
