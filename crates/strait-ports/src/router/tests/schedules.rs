//! Generated schedules: any order of operations and deliveries that links permit.

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;

use super::forger::Known;
use super::oracle::End;
use super::world::World;
use crate::flow::HighWaterMark;

#[derive(Clone, Debug)]
enum Step {
    Channel {
        node: u8,
    },
    Post {
        port: u16,
        cargo: Vec<u16>,
    },
    /// Sends a port to a random node, over the broker if necessary.
    Move {
        port: u16,
        to: u8,
    },
    Receive {
        port: u16,
    },
    /// Sets a high-water mark.
    Mark {
        port: u16,
        mark: HighWaterMark,
    },
    /// Queries the outstanding amount.
    Look {
        port: u16,
    },
    Close {
        port: u16,
    },
    Crash {
        node: u8,
    },
    /// The link between two nodes breaks.
    Sever {
        a: u8,
        b: u8,
    },
    Deliver {
        links: Vec<u8>,
    },
    /// The forger, if there is one, sends one of its possible events.
    Forgery {
        what: u16,
    },
}

fn step(crashes: bool) -> impl Strategy<Value = Step> {
    let cargo = proptest::collection::vec(any::<u16>(), 0..3);
    let most = |most: usize| proptest::option::of(0..most);
    let mark = (most(20), most(200)).prop_map(|(messages, bytes)| HighWaterMark { messages, bytes });
    prop_oneof![
        2 => any::<u8>().prop_map(|node| Step::Channel { node }),
        6 => (any::<u16>(), cargo).prop_map(|(port, cargo)| Step::Post { port, cargo }),
        6 => (any::<u16>(), any::<u8>()).prop_map(|(port, to)| Step::Move { port, to }),
        4 => any::<u16>().prop_map(|port| Step::Receive { port }),
        1 => any::<u16>().prop_map(|port| Step::Close { port }),
        2 => (any::<u16>(), mark).prop_map(|(port, mark)| Step::Mark { port, mark }),
        1 => any::<u16>().prop_map(|port| Step::Look { port }),
        u32::from(crashes) => any::<u8>().prop_map(|node| Step::Crash { node }),
        u32::from(crashes) => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Step::Sever { a, b }),
        12 => proptest::collection::vec(any::<u8>(), 1..8).prop_map(|links| Step::Deliver { links }),
    ]
}

fn step_or_lie() -> impl Strategy<Value = Step> {
    prop_oneof![7 => step(false), 1 => any::<u16>().prop_map(|what| Step::Forgery { what })]
}

/// A port may only move through channels made before its own, so that it is never queued inside its
/// own other end's queue.
fn carriable(carrier: End, cargo: End) -> bool {
    cargo / 2 > carrier / 2
}

fn play(world: &mut World, steps: &[Step]) {
    let mut known = Known::new();
    for step in steps {
        world.learn(&mut known);
        let pick = |world: &World, n: u16| (!world.handles.is_empty()).then(|| world.handles[n as usize % world.handles.len()]);
        match step {
            Step::Channel { node } => {
                let node = *node as usize % world.nodes();
                if world.lives(node) {
                    world.channel(node);
                }
            }
            Step::Post { port, cargo } => {
                let Some(carrier) = pick(world, *port) else { continue };
                let mut ports: Vec<End> = Vec::new();
                for handle in cargo.iter().filter_map(|n| pick(world, *n)) {
                    if handle.node == carrier.node && carriable(carrier.end, handle.end) && !ports.contains(&handle.end) {
                        ports.push(handle.end);
                    }
                }
                world.post(carrier.end, &ports);
            }
            Step::Move { port, to } => {
                let Some(cargo) = pick(world, *port) else { continue };
                let Some(road) = world.road_from(cargo.node, *to as usize % world.nodes()) else { continue };
                if !world.is_road(cargo.end) && world.holds(cargo.node, road) {
                    world.post(road, &[cargo.end]);
                }
            }
            Step::Receive { port } => {
                if let Some(handle) = pick(world, *port) {
                    world.pop(handle.end);
                }
            }
            Step::Mark { port, mark } => {
                if let Some(handle) = pick(world, *port) {
                    world.set_mark(handle.end, *mark);
                }
            }
            Step::Look { port } => {
                if let Some(handle) = pick(world, *port) {
                    world.observe_amount(handle.end);
                }
            }
            Step::Close { port } => {
                if let Some(handle) = pick(world, *port) {
                    world.close(handle.end);
                }
            }
            Step::Crash { node } => {
                let node = *node as usize % world.nodes();
                if world.lives(node) && world.crashes() < 2 {
                    world.crash(node);
                }
            }
            Step::Sever { a, b } => world.sever(*a as usize % world.nodes(), *b as usize % world.nodes()),
            Step::Forgery { what } => {
                let forgeries = world.forgeries(&known);
                if !forgeries.is_empty() {
                    world.tell(forgeries[*what as usize % forgeries.len()], &known);
                }
            }
            Step::Deliver { links } => {
                for n in links {
                    let ready = world.deliverable();
                    if !ready.is_empty() {
                        world.deliver(ready[*n as usize % ready.len()]);
                    }
                }
            }
        }
    }
}

fn check(nodes: usize, seed: u64, apart: &[(usize, usize)], hub: Option<usize>, steps: &[Step]) {
    check_world(World::new(nodes, seed, apart, hub), seed, steps);
}

fn check_world(mut world: World, seed: u64, steps: &[Step]) {
    play(&mut world, steps);
    let mut noise = seed;
    world.settle(|links| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (noise >> 33) as usize % links
    });
    if let Some(forger) = world.forger.filter(|_| world.crashes() > 0) {
        // Once the forger's links are gone, the others have nothing of it left.
        world.crash(forger);
    }
    world.check_amounts();
    world.receive_all();
    world.check_amounts();
    world.check_at_rest();
    world.check_empty();
}

/// The number of schedules of each property; `STRAIT_SCHEDULES` increases it.
fn config() -> ProptestConfig {
    let cases = std::env::var("STRAIT_SCHEDULES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    // The default generator takes most of the time without optimisation, and its unpredictability
    // is not needed here.
    let rng_algorithm = RngAlgorithm::XorShift;
    ProptestConfig { cases, max_shrink_iters: 20_000, failure_persistence: None, rng_algorithm, ..ProptestConfig::default() }
}

/// A member that is linked to all others, or none.
fn hub() -> impl Strategy<Value = Option<usize>> {
    proptest::option::of(1usize..6)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn without_crashes_nothing_is_lost(nodes in 2usize..=6, seed: u64, hub in hub(), steps in proptest::collection::vec(step(false), 1..120)) {
        check(nodes, seed, &[], hub, &steps);
    }

    #[test]
    fn with_crashes_nothing_is_out_of_order_and_every_end_is_told(
        nodes in 2usize..=6, seed: u64, hub in hub(), steps in proptest::collection::vec(step(true), 1..120)
    ) {
        check(nodes, seed, &[], hub, &steps);
    }

    #[test]
    fn where_introductions_fail_channels_go_the_long_way(
        seed: u64, hub in hub(), apart in proptest::collection::vec((1usize..4, 1usize..4), 1..3), crashes: bool,
        steps in proptest::collection::vec((step(false), step(true)), 1..120)
    ) {
        let steps: Vec<Step> = steps.into_iter().map(|(calm, wild)| if crashes { wild } else { calm }).collect();
        check(4, seed, &apart, hub, &steps);
    }

    #[test]
    fn who_lies_harms_only_its_own(
        nodes in 3usize..=5, seed: u64, hub in hub(), forger in 1usize..3,
        honest in proptest::collection::vec(step(false), 20..80), steps in proptest::collection::vec(step_or_lie(), 1..40)
    ) {
        let mut world = World::new(nodes, seed, &[], hub);
        world.limit_hops(200);
        world.forger = Some(forger);
        check_world(world, seed, &[honest, steps].concat());
    }
}
