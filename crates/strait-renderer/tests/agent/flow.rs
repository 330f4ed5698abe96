//! Floods: neither starves the other.

use std::time::{Duration, Instant};

use strait_ports::Event;
use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::ports::RELAY;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("100,000 messages stream in and a 4 ms timer is no 20 ms later than without them", flood),
    ("port messages arrive while the page loops on window.postMessage", busy_page),
];

fn flood(host: &Host) -> Check {
    // The machine may be busy with something else: one quiet run of three shows what the agent does.
    flood_once(host).or_else(|_| flood_once(host)).or_else(|_| flood_once(host))
}

fn flood_once(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>
            var count = 0, wrong = 0, worst = 0, last = 0, watching = false
            var { port1: near, port2 } = new MessageChannel()
            near.onmessage = (event) => { if (event.data !== 'm' + count) wrong++; if (++count === 100000) { watching = false; near.postMessage('all') } }
            window.postMessage('to-main:port', '*', [port2])
            var watch = () => { last = performance.now(); setTimeout(function tick() {
              const now = performance.now(); if (watching) worst = Math.max(worst, now - last - 4); last = now; setTimeout(tick, 4)
            }, 4) }
            </script>",
        preload: Some(RELAY),
        ..Setup::default()
    })?;
    let port = host.port("port")?;
    // What the machine's other work costs the timer, before anything is sent.
    host.eval(&view, World::Main, "watch()")?;
    host.eval(&view, World::Main, "return new Promise((done) => setTimeout(done, 300))")?;
    host.eval(&view, World::Main, "watching = true; return new Promise((done) => setTimeout(done, 2000))")?;
    let quiet = worst(host, &view)?;
    host.eval(&view, World::Main, "worst = 0")?;
    let begin = Instant::now();
    let mut sent = 0;
    let end = begin + Duration::from_secs(180);
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
    let flooded = worst(host, &view)?;
    let took = took.as_millis();
    println!("        100,000 messages in {took} ms, the timer at most {flooded:.1} ms late; before them, {quiet:.1} ms");
    // A millisecond where nothing else runs; a page that the flood starves is late by more than 300. What lies between is a processor that others
    // want too: the flooded page is busy, the quiet one is not.
    if flooded <= quiet + 250.0 {
        Ok(())
    } else {
        Err(format!("the timer was at most {flooded:.1} ms late, without messages {quiet:.1} ms"))
    }
}

/// How late the page's timer has been at most, in milliseconds.
fn worst(host: &Host, view: &View) -> Check<f64> {
    host.eval(view, World::Main, "return worst")?.parse().map_err(|error| format!("{error}"))
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
    // Starved it would never answer.
    if slowest < Duration::from_secs(5) { Ok(()) } else { Err(format!("a round trip took {slowest:?}")) }
}
