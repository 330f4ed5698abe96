//! The explored cases, and the faults that must be detected in them.

use super::Mutant;
use super::model::Op::{Break, Carry, Close, Crash, Look, Move, Post, Read};
use super::model::{Case, Op, prove, refute};
use super::oracle::promise::{NO_GAP, NO_HARM, NO_LEAK, ONE_CLOSE, ORDER, PROXIES_END, TOLD};

/// Proves the case, or a bigger one in a long run.
fn prove_either(case: Case, bigger: &'static [(Op, u8)]) {
    let long = std::env::var_os("STRAIT_LONG").is_some();
    prove(if long { Case { operations: bigger, ..case } } else { case });
}

/// The ends of a channel go to two nodes without a link.
const APART: Case = Case {
    name: "both ends leave for strangers",
    acquainted: false,
    channels: &[0],
    operations: &[(Move(0, 1), 1), (Move(1, 2), 1), (Post(0), 1), (Post(1), 1), (Close(0), 1)],
    crashes: 0,
    forgeries: 0,
};

/// Both ends move at the same time, over nodes that are linked: proxies become neighbours.
const SWAP: Case = Case {
    name: "both ends move on at the same time",
    acquainted: true,
    channels: &[1],
    operations: &[(Move(0, 0), 1), (Move(0, 2), 1), (Move(1, 2), 1), (Post(0), 1)],
    crashes: 0,
    forgeries: 0,
};

/// A queue with messages moves along, and returns.
const RETURN: Case = Case {
    name: "an end leaves and comes back",
    acquainted: false,
    channels: &[0],
    operations: &[(Move(0, 1), 1), (Move(0, 0), 1), (Post(0), 1), (Post(1), 2), (Read(0), 1), (Close(1), 1)],
    crashes: 0,
    forgeries: 0,
};

/// A port in a message on a port.
const NESTED: Case = Case {
    name: "an end travels through a channel whose ends travel",
    acquainted: true,
    channels: &[1, 1],
    operations: &[(Carry(0, 2), 1), (Move(0, 0), 1), (Move(1, 2), 1), (Post(3), 1), (Read(1), 1), (Close(0), 1)],
    crashes: 0,
    forgeries: 0,
};

/// Any one of three nodes crashes at any moment.
const CRASH: Case = Case {
    name: "one node dies",
    acquainted: false,
    channels: &[0, 0],
    operations: &[(Move(0, 1), 1), (Move(1, 2), 1), (Move(3, 2), 1), (Post(0), 1), (Crash(0), 1), (Crash(1), 1), (Crash(2), 1)],
    crashes: 1,
    forgeries: 0,
};

/// The link over which a port has moved breaks; both of its nodes live.
const BREAK: Case = Case {
    name: "a link breaks",
    acquainted: true,
    channels: &[0],
    operations: &[(Move(0, 1), 1), (Move(0, 2), 1), (Post(0), 1), (Post(1), 1), (Break(1, 2), 1)],
    crashes: 0,
    forgeries: 0,
};

/// Node 2 receives a port, passes it on, and forges events at any time.
const FORGER: Case = Case {
    name: "one node forges events",
    acquainted: true,
    channels: &[0, 0],
    operations: &[(Move(0, 2), 1), (Move(0, 1), 1)],
    crashes: 0,
    forgeries: 1,
};

/// Messages, and then a close, go through the proxy and past it.
const TWO_PATHS: Case = Case {
    name: "messages take two paths",
    acquainted: true,
    channels: &[0],
    operations: &[(Move(0, 1), 1), (Move(1, 2), 1), (Post(0), 2), (Close(0), 1)],
    crashes: 0,
    forgeries: 0,
};

/// Everything at once: both ends of a channel and one of another move, one of them to node 2, which
/// forges events; a close; one of the other nodes crashes.
const ALL: Case = Case {
    name: "one node dies and another forges events",
    acquainted: true,
    channels: &[0, 0],
    operations: &[(Move(0, 2), 1), (Move(1, 1), 1), (Post(0), 1), (Close(2), 1), (Crash(0), 1), (Crash(1), 1)],
    crashes: 1,
    forgeries: 1,
};

/// The outstanding amount is queried while the ends move and messages are received.
const LOOK: Case = Case {
    name: "amounts are looked at while both ends travel",
    acquainted: true,
    channels: &[0],
    operations: &[(Look(0), 1), (Move(0, 1), 1), (Move(1, 2), 1), (Post(0), 2), (Read(1), 2)],
    crashes: 0,
    forgeries: 0,
};

#[test]
fn amounts_are_looked_at_while_both_ends_travel() {
    prove_either(LOOK, &[(Look(0), 1), (Look(1), 1), (Move(0, 1), 1), (Move(1, 2), 1), (Post(0), 2), (Post(1), 1), (Read(1), 2)]);
}

#[test]
fn one_node_dies_and_another_lies() {
    prove_either(ALL, &[(Move(0, 2), 1), (Move(1, 1), 1), (Move(3, 1), 1), (Post(2), 1), (Close(2), 1), (Crash(0), 1), (Crash(1), 1)]);
}

#[test]
fn both_ends_leave_for_strangers() {
    prove_either(APART, &[(Move(0, 1), 1), (Move(1, 2), 1), (Post(0), 2), (Post(1), 2), (Close(0), 1), (Close(1), 1)]);
}

#[test]
fn both_ends_move_on_at_the_same_time() {
    prove_either(SWAP, &[(Move(0, 0), 1), (Move(0, 2), 1), (Move(1, 2), 1), (Post(0), 1), (Post(1), 1), (Close(1), 1)]);
}

#[test]
fn an_end_leaves_and_comes_back() {
    prove_either(RETURN, &[(Move(0, 1), 1), (Move(0, 0), 1), (Move(0, 2), 1), (Post(0), 1), (Post(1), 1), (Close(1), 1)]);
}

#[test]
fn an_end_travels_through_a_channel_whose_ends_travel() {
    const BIGGER: &[(Op, u8)] =
        &[(Carry(0, 2), 1), (Move(0, 0), 1), (Move(1, 2), 1), (Move(3, 2), 1), (Post(3), 1), (Read(1), 1), (Close(0), 1), (Close(3), 1)];
    prove_either(NESTED, BIGGER);
}

#[test]
fn one_node_dies() {
    const BIGGER: &[(Op, u8)] = &[
        (Move(0, 1), 1),
        (Move(1, 2), 1),
        (Move(3, 2), 1),
        (Post(0), 1),
        (Post(1), 1),
        (Close(0), 1),
        (Crash(0), 1),
        (Crash(1), 1),
        (Crash(2), 1),
    ];
    prove_either(CRASH, BIGGER);
}

#[test]
fn a_link_breaks() {
    prove_either(BREAK, &[(Move(0, 1), 1), (Move(0, 2), 1), (Move(1, 2), 1), (Post(0), 1), (Post(1), 1), (Break(1, 2), 1)]);
}

#[test]
fn one_node_lies() {
    prove_either(FORGER, &[(Move(0, 2), 1), (Move(0, 1), 1), (Move(2, 1), 1), (Post(1), 1)]);
}

#[test]
fn one_node_lies_twice() {
    prove_either(
        Case { name: "one node forges events twice", operations: &[(Move(0, 2), 1)], forgeries: 2, ..FORGER },
        &[(Move(0, 2), 1), (Post(1), 1)],
    );
}

#[test]
fn messages_take_two_paths() {
    prove_either(TWO_PATHS, &[(Move(0, 1), 1), (Move(1, 2), 1), (Post(0), 3), (Post(1), 2), (Close(0), 1)]);
}

#[test]
fn a_router_that_holds_nothing_before_the_fence_breaks_order() {
    refute(TWO_PATHS, Mutant::NothingIsHeld, ORDER);
}

#[test]
fn a_router_that_lets_a_close_overtake_messages_leaves_a_gap() {
    refute(TWO_PATHS, Mutant::CloseOvertakes, NO_GAP);
}

#[test]
fn a_router_that_does_not_return_the_fence_keeps_proxies() {
    refute(APART, Mutant::FenceIsNotReturned, PROXIES_END);
}

#[test]
fn a_router_that_grants_a_lock_twice_loses_messages() {
    refute(SWAP, Mutant::BothAreGranted, TOLD);
}

#[test]
fn a_router_that_does_not_cut_what_led_to_a_lost_node_loses_closes() {
    refute(CRASH, Mutant::LossDoesNotCut, TOLD);
}

#[test]
fn a_router_that_hears_strangers_takes_their_messages_in() {
    refute(FORGER, Mutant::StrangersAreHeard, ORDER);
}

#[test]
fn a_router_that_forgets_a_queue_in_a_transfer_loses_messages() {
    refute(RETURN, Mutant::TransferForgetsQueue, TOLD);
}

#[test]
fn a_router_that_keeps_the_end_to_itself_leaves_the_other_open() {
    refute(BREAK, Mutant::EndIsNotPassedOn, TOLD);
}

#[test]
fn a_router_that_cuts_every_channel_with_a_lost_node_harms_others() {
    refute(CRASH, Mutant::LossCutsAll, NO_HARM);
}

#[test]
fn a_router_that_tells_a_close_twice_is_found() {
    refute(TWO_PATHS, Mutant::ClosesAreToldTwice, ONE_CLOSE);
}

#[test]
fn a_router_that_keeps_names_leaks() {
    refute(TWO_PATHS, Mutant::NamesAreKept, NO_LEAK);
}
