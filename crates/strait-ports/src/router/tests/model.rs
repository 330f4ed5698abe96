//! Small cases, explored exhaustively: every order of operations, deliveries, one crash and a
//! forger's events.
//!
//! A state is a whole [`World`], with the operations that programs may still execute. After every
//! step the oracle checks the received events. Whenever no event is in transit, a copy of the world
//! receives all messages, closes all ports, and is searched for remains. `STRAIT_LONG=1` explores
//! bigger cases.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Property};

use super::Mutant;
use super::canon::fingerprint;
use super::forger::{Forgery, Known};
use super::oracle::{End, promise};
use super::world::{Order, World};

/// An operation that programs may execute once it is possible.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    Post(End),
    /// Posts the second end on the first.
    Carry(End, End),
    /// Sends the end to a node, over the channel that has led there from the start.
    Move(End, usize),
    /// Receives all events of the end's queue.
    Read(End),
    Close(End),
    /// Queries the outstanding amount: from then on changes are reported.
    Look(End),
    Crash(usize),
    /// The link between two live nodes, neither of them the broker, breaks.
    Break(usize, usize),
}

/// A case: the possible operations, and how often each may occur.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Nodes 1 and 2 are linked from the start.
    pub(super) acquainted: bool,
    /// The nodes that make channels. The first channel has ends 0 and 1, counted after the nodes'
    /// own ends.
    pub(super) channels: &'static [usize],
    pub(super) operations: &'static [(Op, u8)],
    /// The number of crashes among the operations that may occur.
    pub(super) crashes: u8,
    /// The number of events that node 2 may forge.
    pub(super) forgeries: u8,
}

#[derive(Clone, Debug)]
struct State {
    world: World,
    left: Vec<u8>,
    crashes: u8,
    forgeries: u8,
    /// The names that the forger has received.
    known: Known,
    /// The number of steps so far. It is part of the state, so that routers that exchange events
    /// for ever cause an endless path and not a circle.
    depth: u32,
    broken: Option<String>,
    fingerprint: u64,
}

/// A further guarantee of routers.
const NO_PANIC: &str = "no panic";

impl State {
    fn broken_promise(&self) -> Option<&'static str> {
        let text = self.broken.as_ref()?;
        let text = text.strip_prefix("assertion `left == right` failed: ").unwrap_or(text);
        Some(promise::ALL.into_iter().find(|promise| text.starts_with(promise)).unwrap_or(NO_PANIC))
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.fingerprint, &self.left, self.crashes, self.forgeries, self.depth, self.broken.is_some()).hash(state);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        (self.fingerprint, &self.left, self.crashes, self.forgeries, self.depth)
            == (other.fingerprint, &other.left, other.crashes, other.forgeries, other.depth)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Do(usize, Op),
    Deliver((usize, usize)),
    Forgery(Forgery),
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls `step` and returns the text of its panic. A panic is a finding here; printed for each of
/// its states, findings would hide each other.
fn quietly(step: impl FnOnce()) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                usual(info);
            }
        }));
    });
    QUIET.set(true);
    let ended = catch_unwind(AssertUnwindSafe(step));
    QUIET.set(false);
    ended.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        text.unwrap_or("a panic").to_owned()
    })
}

/// A case to check, with or without a fault in the routers.
struct Proof {
    case: Case,
    mutant: Option<Mutant>,
}

/// More steps than any case needs.
const FOR_EVER: u32 = 400;

impl Proof {
    fn first(&self, order: Order) -> State {
        let mut world = World::with_names(3, order, &[], self.case.acquainted.then_some(1));
        world.limit_hops(50);
        world.infect(self.mutant);
        if self.case.forgeries > 0 {
            world.forger = Some(2);
        }
        for node in self.case.channels {
            world.channel(*node);
        }
        let left = self.case.operations.iter().map(|(_, times)| *times).collect();
        let (crashes, forgeries) = (self.case.crashes, self.case.forgeries);
        let mut state = State { world, left, crashes, forgeries, known: Known::new(), depth: 0, broken: None, fingerprint: 0 };
        state.world.learn(&mut state.known);
        state.fingerprint = fingerprint(&state.world, &state.known);
        state
    }

    /// Converts an end of the case, which counts from the first channel.
    fn end(&self, world: &World, end: End) -> End {
        world.roads() + end
    }

    fn possible(&self, state: &State, op: Op) -> bool {
        let world = &state.world;
        let holder = |end| (0..world.nodes()).find(|node| world.lives(*node) && world.holds(*node, self.end(world, end)));
        match op {
            Op::Post(end) | Op::Close(end) | Op::Look(end) => holder(end).is_some(),
            Op::Read(end) => holder(end).is_some_and(|_| world.receivable(self.end(world, end))),
            Op::Carry(carrier, cargo) => holder(carrier).is_some() && holder(carrier) == holder(cargo),
            Op::Move(end, to) => holder(end)
                .and_then(|node| world.direct_road(node, to).map(|road| (node, road)))
                .is_some_and(|(node, road)| world.holds(node, road)),
            Op::Crash(node) => state.crashes > 0 && world.lives(node),
            Op::Break(a, b) => [(a, b), (b, a)].iter().all(|link| world.linked.contains(link)),
        }
    }

    fn perform(&self, state: &mut State, op: Op) {
        let world = &mut state.world;
        let base = world.roads();
        match op {
            Op::Post(end) => world.post(base + end, &[]),
            Op::Close(end) => world.close(base + end),
            Op::Look(end) => {
                world.observe_amount(base + end);
            }
            Op::Read(end) => while world.pop(base + end) {},
            Op::Carry(carrier, cargo) => world.post(base + carrier, &[base + cargo]),
            Op::Move(end, to) => {
                let end = base + end;
                let node = world.handles[world.index(end)].node;
                let road = world.direct_road(node, to).expect("looked for before");
                world.post(road, &[end]);
            }
            Op::Crash(node) => {
                state.crashes -= 1;
                world.crash(node);
            }
            Op::Break(a, b) => world.sever(a, b),
        }
    }

    fn step(&self, state: &mut State, step: &Step) {
        match step {
            Step::Do(index, op) => {
                state.left[*index] -= 1;
                self.perform(state, *op);
            }
            Step::Deliver(link) => {
                state.world.deliver(*link);
                // Messages on the nodes' own channels are taken at once.
                for road in (0..state.world.roads()).filter(|road| state.world.holds(link.1, *road)).collect::<Vec<_>>() {
                    while state.world.pop(road) {}
                }
            }
            Step::Forgery(forgery) => {
                state.forgeries -= 1;
                state.world.tell(*forgery, &state.known);
            }
        }
        if state.forgeries > 0 {
            state.world.learn(&mut state.known);
        } else {
            state.known.clear();
        }
        if state.world.deliverable().is_empty() {
            let mut rest = state.world.clone();
            if let Some(forger) = rest.forger
                && rest.crashes() > 0
                && rest.lives(forger)
            {
                // Once the forger's links are gone, the others have nothing of it left.
                rest.crash(forger);
            }
            // A fault makes amounts wrong too: a mutant has to violate a stronger guarantee.
            if self.mutant.is_none() {
                rest.check_amounts();
            }
            rest.receive_all();
            if self.mutant.is_none() {
                rest.check_amounts();
            }
            rest.check_at_rest();
            rest.check_empty();
        }
    }
}

impl Model for Proof {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![self.first(Order::Ascending), self.first(Order::Descending)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        if state.broken.is_some() {
            return;
        }
        let left = self.case.operations.iter().enumerate().filter(|(n, _)| state.left[*n] > 0);
        actions.extend(left.filter(|(_, (op, _))| self.possible(state, *op)).map(|(n, (op, _))| Step::Do(n, *op)));
        actions.extend(state.world.deliverable().into_iter().map(Step::Deliver));
        if state.forgeries > 0 {
            actions.extend(state.world.forgeries(&state.known).into_iter().map(Step::Forgery));
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        next.depth += 1;
        if let Err(broken) = quietly(|| self.step(&mut next, &step)) {
            next = state.clone();
            next.broken = Some(broken);
        }
        next.fingerprint = fingerprint(&next.world, &next.known);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! kept {
            ($($promise:ident),*) => {
                vec![$(Property::always(promise::$promise, |_, state: &State| state.broken_promise() != Some(promise::$promise))),*]
            };
        }
        let mut properties = kept![ORDER, ONE_CLOSE, NO_GAP, TOLD, PROXIES_END, NO_LEAK, NO_HARM, AMOUNTS];
        properties.push(Property::always(NO_PANIC, |_, state: &State| state.broken_promise() != Some(NO_PANIC)));
        properties.push(Property::always("everything comes to rest", |_, state: &State| state.depth < FOR_EVER));
        properties
    }
}

/// Explores the whole case.
pub(super) fn prove(case: Case) {
    let began = Instant::now();
    let summary = case.summary();
    let checker = Proof { case, mutant: None }.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
    let (unique, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!("{summary}: {unique} unique states, {steps} steps, depth {depth}, {:.1} s", began.elapsed().as_secs_f32());
    if let Some((promise, path)) = checker.discoveries().into_iter().next() {
        let broken = path.last_state().broken.clone();
        panic!("{summary}: {promise}: {broken:?}\n{:#?}", path.into_actions());
    }
}

/// Explores a case with a fault in every router until this guarantee is violated; others may be
/// violated before. Prints the shortest path to the violation.
pub(super) fn refute(case: Case, mutant: Mutant, breaks: &'static str) {
    let began = Instant::now();
    let summary = case.summary();
    let found = HasDiscoveries::AnyOf([breaks].into());
    let checker = Proof { case, mutant: Some(mutant) }.checker().finish_when(found).spawn_bfs().join();
    let unique = checker.unique_state_count();
    let discoveries = checker.discoveries();
    let Some(path) = discoveries.get(breaks).cloned() else {
        panic!("{mutant:?} does not break \"{breaks}\" in {unique} states of {summary}, but {:?}", discoveries.keys());
    };
    let steps = path.into_actions();
    let took = began.elapsed().as_secs_f32();
    println!("{mutant:?} breaks \"{breaks}\" after {} steps ({unique} unique states, {took:.1} s): {steps:?}", steps.len());
}

impl Case {
    fn summary(&self) -> String {
        let count = |what: fn(&Op) -> bool| self.operations.iter().filter(|(op, _)| what(op)).map(|(_, n)| usize::from(*n)).sum::<usize>();
        format!(
            "{}: 3 nodes, {} channels, {} messages, {} transfers, {} closes, {} crashes, {} broken links, {} forgeries",
            self.name,
            self.channels.len(),
            count(|op| matches!(op, Op::Post(_) | Op::Carry(..))),
            count(|op| matches!(op, Op::Move(..) | Op::Carry(..))),
            count(|op| matches!(op, Op::Close(_))),
            self.crashes,
            count(|op| matches!(op, Op::Break(..))),
            self.forgeries
        )
    }
}
