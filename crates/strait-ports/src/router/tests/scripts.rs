//! Scripted situations.

use super::oracle::End;
use super::world::World;

/// A million live channels must fit into memory.
#[test]
fn a_port_is_small() {
    let (slot, side) = crate::router::element::sizes();
    assert!(slot <= 160, "an element takes {slot} bytes");
    assert!(side <= 72, "a side takes {side} bytes");
}

/// Both ends of a channel move to each other's node at the same time, repeatedly, while messages
/// flow.
#[test]
fn both_ends_swap_places_while_messages_flow() {
    let mut world = World::new(3, 7, &[], None);
    let end = world.channel(0);
    world.post(0, &[end]);
    world.post(2, &[end + 1]);
    world.receive_all();
    for round in 0..20 {
        // Each holder sends its end over the broker to the other.
        for member in [1, 2] {
            let port = if world.holds(member, end) { end } else { end + 1 };
            assert!(world.holds(member, port));
            for _ in 0..10 {
                world.post(port, &[]);
            }
            world.post(2 * (member - 1) + 1, &[port]);
        }
        // The broker passes on each end as soon as it has it.
        let mut passed = 0;
        let mut turn = round;
        while passed < 2 {
            for (at_broker, to) in [(0, 2), (2, 0)] {
                world.pop(at_broker);
                for port in [end, end + 1] {
                    if world.holds(0, port) && passed < 2 {
                        world.post(to, &[port]);
                        passed += 1;
                    }
                }
            }
            let links = world.deliverable();
            if !links.is_empty() {
                turn += 1;
                world.deliver(links[turn % links.len()]);
            }
        }
        world.receive_all();
    }
    world.check_at_rest();
    world.check_empty();
}

/// A message that carries its own target is discarded: the target closes, and so does the port on
/// which it was posted.
#[test]
fn a_port_posted_through_its_own_channel_closes_it() {
    let mut world = World::new(2, 3, &[], None);
    let end = world.channel(0);
    world.post_cyclic(end, end + 1);
    assert!(world.pop(end), "the close");
    world.check_empty();
}

/// A receiver of a port that is already closed receives the close, in the same node and in another.
#[test]
fn a_closed_port_tells_its_new_holder() {
    let mut world = World::new(2, 3, &[], None);
    let (carrier, end) = (world.channel(0), world.channel(0));
    world.close(end);
    assert!(world.pop(end + 1));
    for (out, into) in [(carrier, carrier + 1), (0, 1), (1, 0)] {
        assert!(!world.pop(end + 1), "told once");
        world.post(out, &[end + 1]);
        world.settle(|_| 0);
        assert!(world.pop(into));
        assert!(world.pop(end + 1), "told again");
    }
    world.check_at_rest();
    world.check_empty();
}

/// A port that was posted towards its own other end over a detour cannot be received, and does not
/// circulate for ever.
#[test]
fn a_port_that_chases_its_own_end_is_cut() {
    let mut world = World::new(2, 3, &[], None);
    world.limit_hops(100);
    let end = world.channel(0);
    // One end goes to the member and returns, and is posted through the other before the detour has
    // been bypassed.
    world.post(0, &[end]);
    world.deliver((0, 1));
    world.pop(1);
    world.post(1, &[end]);
    world.deliver((1, 0));
    world.pop(0);
    assert!(world.holds(0, end) && world.holds(0, end + 1));
    world.post_cyclic(end + 1, end);
    world.settle(|_| 0);
    while world.pop(end + 1) {}
    world.check_empty();
}

/// Two ports in transit through each other's channels.
#[test]
fn ports_that_chase_each_other_are_cut() {
    let mut world = World::new(2, 3, &[], None);
    world.limit_hops(100);
    let (x, y) = (world.channel(0), world.channel(0));
    // Node 0 keeps x and y + 1; node 1 gets the other ends.
    world.post(0, &[x + 1, y]);
    world.receive_all();
    // y + 1 goes through x (towards x + 1), x + 1 goes through y (towards y + 1), at the same time.
    world.post_cyclic(x, y + 1);
    world.post_cyclic(y, x + 1);
    world.settle(|_| 0);
    world.check_empty();
}

/// Node 1 sends the ends of a channel to 2 and 3, to which it is linked and which are not linked to
/// each other; returns the end at 2.
fn split_over_a_hub(world: &mut World) -> End {
    let end = world.channel(1);
    for (to, port) in [(2, end), (3, end + 1)] {
        let road = world.road_from(1, to).unwrap();
        world.post(road, &[port]);
        world.deliver_all((1, to));
        world.pop(road ^ 1);
    }
    end
}

/// One end's host already has a link to the other end's host, but not vice versa: the channel
/// continues through the proxy until it has.
#[test]
fn bypass_waits_for_the_link() {
    for late in [(0, 2), (0, 3)] {
        let mut world = World::new(4, 11, &[], Some(1));
        let end = split_over_a_hub(&mut world);
        for _ in 0..3 {
            // Everything but one introduction arrives.
            while let Some(link) = world.deliverable().into_iter().find(|link| *link != late) {
                world.deliver(link);
            }
            world.post(end, &[]);
            world.post(end + 1, &[]);
        }
        world.receive_all();
        world.check_at_rest();
        world.check_empty();
    }
}

/// The steps after [`split_over_a_hub`]: locks, the introduction, `Expect` and `Expecting`. The
/// next event is `Bypass`, from 1 to 2.
const UP_TO_BYPASS: [[(usize, usize); 2]; 6] =
    [[(2, 1), (3, 1)], [(1, 2), (1, 3)], [(2, 1), (3, 1)], [(1, 3), (3, 0)], [(0, 3), (0, 2)], [(3, 1), (3, 1)]];

/// R is ready, but the link to it breaks before L receives `Bypass`: the channel stays as before.
#[test]
fn a_bypass_that_fails_late_is_taken_back() {
    for r_hears_first in [false, true] {
        let mut world = World::new(4, 5, &[], Some(1));
        let end = split_over_a_hub(&mut world);
        UP_TO_BYPASS.into_iter().flatten().for_each(|link| world.deliver_all(link));
        world.sever(2, 3);
        world.deliver_all((3, 2));
        if r_hears_first {
            world.deliver_all((2, 3));
        }
        for _ in 0..3 {
            world.post(end, &[]);
            world.post(end + 1, &[]);
            world.settle(|_| 0);
            assert!(world.pop(end) && world.pop(end + 1), "messages take the long way");
        }
        assert_eq!(world.proxies(), 1);
        // The bypass is tried again from the start, once the end at node 2 has moved to a node that
        // can be reached.
        world.post(world.road_from(2, 0).unwrap(), &[end]);
        world.receive_all();
        assert_eq!(world.proxies(), 0);
        assert!(!world.is_told(end) && !world.is_told(end + 1), "the channel has been cut");
        world.check_at_rest();
        world.check_empty();
    }
}

/// A proxy whose neighbours cannot reach each other stays, unlocks its edges, and leaves as soon as
/// one neighbour has moved.
#[test]
fn a_stuck_proxy_goes_once_a_neighbour_has_changed() {
    let mut world = World::new(4, 5, &[(2, 3)], Some(1));
    let end = world.channel(1);
    let (to_2, to_3) = (world.road_from(1, 2).unwrap(), world.road_from(1, 3).unwrap());
    world.post(to_2, &[end]);
    world.post(to_3, &[end + 1]);
    world.receive_all();
    assert_eq!(world.proxies(), 1);
    world.post(end, &[]);
    world.post(end + 1, &[]);
    world.receive_all();
    // Node 3 sends its end to the broker, which 2 can reach; node 3's own proxy must find the edges free.
    world.post(world.road_from(3, 0).unwrap(), &[end + 1]);
    world.receive_all();
    assert_eq!(world.proxies(), 0);
    world.post(end, &[]);
    world.receive_all();
    world.check_at_rest();
    world.check_empty();
}

/// A node detects that the link to the node after next is broken before the proxy has finished: the
/// proxy's remaining events come first.
#[test]
fn what_the_go_between_has_comes_before_the_loss() {
    for fenced in [false, true] {
        let mut world = World::new(4, 5, &[], Some(1));
        let end = split_over_a_hub(&mut world);
        UP_TO_BYPASS.into_iter().flatten().for_each(|link| world.deliver_all(link));
        world.post(end, &[]);
        world.deliver_all((1, 2));
        world.post(end, &[]);
        // One message is in transit through node 1, one directly; node 2 crashes, and node 3 is
        // notified of that first.
        if fenced {
            world.deliver_all((2, 1));
        }
        world.crash(2);
        world.owe(end + 1);
        world.deliver_all((2, 3));
        world.receive_all();
        world.check_at_rest();
        world.check_empty();
    }
}

/// A message posted towards a node that is reported as lost, before the proxy's fence has arrived:
/// the ports in it close.
#[test]
fn ports_posted_to_a_lost_node_close() {
    let mut world = World::new(4, 5, &[], Some(1));
    let end = split_over_a_hub(&mut world);
    UP_TO_BYPASS.into_iter().flatten().for_each(|link| world.deliver_all(link));
    world.deliver_all((1, 2));
    world.crash(3);
    world.deliver_all((3, 2));
    let cargo = world.channel(2);
    world.post(end, &[cargo]);
    world.receive_all();
    world.check_at_rest();
    world.check_empty();
}

/// The link between the leaving proxy and R breaks after L's fence has reached R and before R's has
/// returned. L receives the close from the proxy. R has finished with the proxy, so it must receive
/// the close from L.
#[test]
fn a_link_that_breaks_between_the_fences_ends_the_channel_at_both_ends() {
    for posted in [0, 3] {
        let mut world = World::new(4, 5, &[], Some(1));
        let end = split_over_a_hub(&mut world);
        UP_TO_BYPASS.into_iter().flatten().for_each(|link| world.deliver_all(link));
        world.deliver_all((1, 2));
        world.deliver_all((2, 1));
        (0..posted).for_each(|_| world.post(end, &[]));
        world.sever(1, 3);
        world.owe(end + 1);
        world.deliver_all((1, 3));
        (0..posted).for_each(|_| world.post(end + 1, &[]));
        world.receive_all();
        assert!(world.is_told(end) && world.is_told(end + 1), "one end goes on alone");
        world.check_at_rest();
        world.check_empty();
    }
}
