//! Floods: neither starves the other.

use std::time::{Duration, Instant};

use strait_ports::Event;
use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, same};
use crate::ports::RELAY;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("100,000 messages stream in and a 4 ms timer is never 20 ms late", flood),
    ("port messages arrive while the page loops on window.postMessage", busy_page),
];

fn flood(host: &Host) -> Check {
    // The machine may be busy with something else: one quiet run of three shows what the agent does.
    flood_once(host).or_else(|_| flood_once(host)).or_else(|_| flood_once(host))
}

fn flood_once(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>
            var count = 0, wrong = 0, worst = 0, last = 0
            var { port1: near, port2 } = new MessageChannel()
            near.onmessage = (event) => { if (event.data !== 'm' + count) wrong++; if (++count === 100000) near.postMessage('all') }
            window.postMessage('to-main:port', '*', [port2])
            var watch = () => { last = performance.now(); setTimeout(function tick() {
              const now = performance.now(); if (count > 0 && count < 100000) worst = Math.max(worst, now - last - 4); last = now; setTimeout(tick, 4)
            }, 4) }
            </script>",
        preload: Some(RELAY),
        ..Setup::default()
    })?;
    let port = host.port("port")?;
    host.eval(&view, World::Main, "watch()")?;
    let begin = Instant::now();
    let mut sent = 0;
    let end = begin + Duration::from_secs(60);
    loop {
        for _ in 0..200 {
            if sent < 100_000 {
                port.post(wire::of_string(&format!("m{sent}"))).map_err(|error| error.to_string())?;
                sent += 1;
            }
        }
        if sent < 100_000 {
            host.turn_at_once();
        } else {
            host.turn();
        }
        match port.try_recv() {
            Some(Event::Message(_)) => break,
            Some(Event::Close(reason)) => return Err(format!("closed: {reason}")),
            None => {}
        }
        if Instant::now() > end {
            return Err(format!("the page has {}", host.eval(&view, World::Main, "return [count, wrong]")?));
        }
    }
    let took = begin.elapsed();
    same("out of order", &host.eval(&view, World::Main, "return wrong")?, "0")?;
    let worst: f64 = host.eval(&view, World::Main, "return worst")?.parse().map_err(|error| format!("{error}"))?;
    println!("        100,000 messages in {} ms, the timer at most {worst:.1} ms late", took.as_millis());
    if worst <= 20.0 { Ok(()) } else { Err(format!("the timer was {worst} ms late")) }
}

fn busy_page(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>
            var loops = 0
            onmessage = (event) => { if (event.data === 'loop') { loops++; window.postMessage('loop', '*') } }
            var { port1: near, port2 } = new MessageChannel()
            near.onmessage = (event) => near.postMessage(event.data)
            window.postMessage('to-main:port', '*', [port2])
            </script>",
        preload: Some(RELAY),
        ..Setup::default()
    })?;
    let port = host.port("port")?;
    host.eval(&view, World::Main, "window.postMessage('loop', '*')")?;
    host.until_true(&view, World::Main, "loops > 1000")?;
    let mut slowest = Duration::ZERO;
    for i in 0..200 {
        let begin = Instant::now();
        port.post(wire::of_string(&format!("{i}"))).map_err(|error| error.to_string())?;
        same("the echo", &host.text(&port)?, &format!("{i}"))?;
        slowest = slowest.max(begin.elapsed());
    }
    println!("        slowest of 200 round trips to a busy page: {:.1} ms", slowest.as_secs_f64() * 1000.0);
    if slowest < Duration::from_millis(200) { Ok(()) } else { Err(format!("a round trip took {slowest:?}")) }
}
