//! How long large messages take between two processes: posted from the heap, and written straight into shared memory.
//!
//! ```text
//! cargo run -p strait-ports --release --example large_payloads
//! ```

use std::error::Error;
use std::hint::black_box;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::thread::{CpuSet, sched_setaffinity};
use strait_ports::{Event, LinkKind, Message, Node, Port};

const SIZES: [usize; 4] = [64 << 10, 256 << 10, 1 << 20, 64 << 20];
/// Messages under way when they go one way.
const WINDOW: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("child") => child(),
        kind => parent(if kind == Some("socket") { LinkKind::Socket } else { LinkKind::Rings }),
    }
}

fn pin(cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    // On a machine with one processor they share it.
    let _ = sched_setaffinity(None, &set);
}

fn message(port: &Port) -> Result<Message, Box<dyn Error>> {
    match port.recv_blocking(Some(Duration::from_secs(60)))? {
        Event::Message(message) => Ok(message),
        Event::Close(reason) => Err(format!("closed: {reason}").into()),
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.chunks_exact(8).fold(0, |sum, word| sum.wrapping_add(u64::from_le_bytes(word.try_into().expect("8 bytes"))))
}

fn median(rounds: usize, mut round: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        round()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[rounds / 2])
}

fn parent(kind: LinkKind) -> Result<(), Box<dyn Error>> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let mut child = Command::new(std::env::current_exe()?).arg("child").stdin(Stdio::from(theirs)).spawn()?;
    pin(0);
    let node = Node::broker_with(kind)?;
    let port = node.invite(ours)?;
    println!("{kind:?}: per message, median");
    for size in SIZES {
        let rounds = (256 << 20) / size;
        let rounds = rounds.clamp(11, 2000);
        let (from, mut to) = (vec![1; size], vec![0; size]);
        let memcpy = median(rounds, || {
            black_box(&mut to).copy_from_slice(black_box(&from));
            Ok(())
        })?;
        let mut ball = Some(Message::new(vec![1; size]));
        let mut echo = || {
            port.post(ball.take().ok_or("no ball")?)?;
            ball = Some(message(&port)?);
            Ok(())
        };
        median(5, &mut echo)?;
        let posted = median(rounds, echo)?;
        // Every byte is written here and read there; the child says so once in a while.
        let mut number = 0u8;
        let mut one_way = |alloc: bool| {
            for _ in 0..WINDOW {
                number = number.wrapping_add(1);
                if alloc {
                    let mut buffer = port.alloc(size - 8)?;
                    black_box(&mut buffer[..]).fill(number);
                    port.post_buffer(buffer, Vec::new())?;
                } else {
                    port.post(vec![number; size - 8])?;
                }
            }
            for _ in 0..WINDOW {
                message(&port)?;
            }
            Ok(())
        };
        median(5, || one_way(false))?;
        let plain = median(rounds / WINDOW, || one_way(false))? / WINDOW as u32;
        let alloc = median(rounds / WINDOW, || one_way(true))? / WINDOW as u32;
        println!(
            "{:>6} KiB  memcpy {memcpy:>9.1?}  round trip {posted:>9.1?}  one way, posted {plain:>9.1?}  one way, alloc {alloc:>9.1?} ({:.2} x memcpy's bandwidth)",
            size >> 10,
            memcpy.as_secs_f64() / alloc.as_secs_f64()
        );
    }
    port.close();
    child.wait()?;
    Ok(())
}

/// Sends messages of whole pages back, sums others up.
fn child() -> Result<(), Box<dyn Error>> {
    pin(1);
    let socket = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3)?;
    let (_node, port) = Node::join(socket)?;
    while let Event::Message(ball) = port.recv_blocking(None)? {
        if ball.data.len().is_multiple_of(4096) {
            port.post(ball)?;
        } else {
            black_box(sum(&ball.data));
            port.post(Vec::new())?;
        }
    }
    Ok(())
}
