//! The fuzz targets as ordinary tests: they replay inputs that the fuzzer has found.

use strait_fuzz::replay;

use super::*;

/// A frame of every kind that the decoder accepts, found by trial.
fn frames() -> Vec<(String, Vec<u8>)> {
    let mut frames = Vec::new();
    for kind in 0..=u8::MAX {
        let fill = |length: usize, byte: u8| [vec![byte; length], vec![kind]].concat();
        let known = |frame: &Vec<u8>| crate::wire::decode(frame.clone()).is_ok();
        let shortest = [0, 1].into_iter().find_map(|byte| (0..200).map(|length| fill(length, byte)).find(known));
        let Some(shortest) = shortest else { continue };
        // Some frames may be longer.
        let longer = [vec![7; 5], shortest.clone()].concat();
        if known(&longer) {
            frames.push((format!("kind-{kind:03}-longer"), longer));
        }
        frames.push((format!("kind-{kind:03}"), shortest));
    }
    assert!(frames.len() > 10);
    frames
}

/// The same frames as a forger builds them. Before each are the bytes that make a target send the
/// next bytes, then its pieces.
fn forgeries(prefix: &[u8], say: &[u8]) -> Vec<(String, Vec<u8>)> {
    let forgery = |(name, frame): (String, Vec<u8>)| {
        let (kind, fields) = frame.split_last().expect("a kind");
        let (rest, names) = fields.split_at(fields.len() % 16);
        // Names that it has received, instead of names that no node has.
        let pieces = names.chunks(16).enumerate().map(|(number, _)| 0x80 + input::Names::OWN + number as u8);
        let count = pieces.len() as u8 + 1;
        (name, [prefix, say, &[count, rest.len() as u8], rest, &pieces.collect::<Vec<_>>(), &[*kind]].concat())
    };
    frames().into_iter().map(forgery).collect()
}

#[test]
fn wire_seeds_and_their_mutants() {
    replay("wire", &frames(), 20_000, wire);
}

#[test]
fn port_variable_seeds_and_their_mutants() {
    let seeds = ["3", "1023", "2147483647", "2147483648", "007", "-1", "+3", " 3", "", "0x3", "３"];
    let seeds = seeds.iter().enumerate().map(|(n, value)| (format!("{n:02}"), value.as_bytes().to_vec())).collect::<Vec<_>>();
    replay("port_variable", &seeds, 20_000, port_variable);
}

#[test]
fn socket_link_seeds_and_their_mutants() {
    let seeds = [
        ("frame", &[0, 4, 0, 1, 2, 3, 7][..]),
        ("parts", &[0, 3, 1, 1, 1, 0, 2, 1, 5, 0, 1, 0, 7, 7]),
        ("descriptors", &[32, 2, 0, 9, 64, 2, 1, 9, 7, 32, 1, 0, 7]),
        ("too-many-descriptors", &[0xa0, 2, 0, 9, 7]),
        ("large", &[3, 0xff, 0x3f, 0, 1, 7, 3, 0x01, 0x40, 0, 7]),
        ("talk", &[4, 5, 0, 1, 0, 7, 4, 1, 5, 6, 7]),
        ("empty", &[0, 0, 7]),
        ("bad-flag", &[0, 1, 2, 7]),
    ];
    replay("socket_link", &seeds.map(|(name, bytes)| (name.into(), bytes.to_vec())), 3_000, socket_link);
}

#[test]
fn ring_link_seeds_and_their_mutants() {
    let seeds = [
        ("talk", &[0, 0, 4, 1, 2, 3, 4, 13, 10, 5, 0, 3, 1, 0, 13][..]),
        ("descriptors", &[1, 0x40, 2, 1, 2, 0x80, 2, 1, 2, 13, 0xc0, 1, 9, 13]),
        ("full", &[0, 2, 0xff, 0xff, 2, 0xff, 0xff, 2, 0xff, 0xff, 2, 0xff, 0xff, 13, 3, 13, 3, 13]),
        (
            "both-full",
            &[
                0, 2, 0xff, 0xff, 2, 0xff, 0xff, 2, 0xff, 0xff, 10, 0xff, 0xff, 10, 0xff, 0xff, 10, 0xff, 0xff, 10, 0xff, 0xff, 10, 0xff,
                0xff, 13, 3,
            ],
        ),
        ("tail", &[0, 0, 1, 5, 13, 5, 2, 0, 0, 13, 5, 2, 0, 32, 13]),
        ("head", &[1, 10, 9, 0, 5, 1, 0, 2, 10, 9, 0, 5, 1, 0, 34, 10, 0xff, 0xff, 13]),
        ("header", &[0, 7 | 0x20, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0, 0, 5, 2, 0, 32, 13]),
        ("packets", &[0, 0x48, 1, 0, 0x48, 2, 1, 0x48, 2, 0, 13]),
        ("end", &[0, 0, 3, 1, 2, 3, 12, 13, 10, 1, 0]),
    ];
    replay("ring_link", &seeds.map(|(name, bytes)| (name.into(), bytes.to_vec())), 2_000, ring_link);
}

/// Ports move from node to node and on to the forger, which receives their names.
const TRAFFIC: &[u8] =
    &[0, 1, 1, 5, 0, 8, 13, 4, 2, 1, 1, 5, 2, 9, 13, 0x10, 1, 1, 3, 4, 11, 7, 0x17, 0x27, 9, 1, 2, 9, 3, 8, 7, 13, 5, 1, 5, 3, 5, 6];

#[test]
fn router_seeds_and_their_mutants() {
    let mut seeds = forgeries(TRAFFIC, &[14]);
    seeds.push(("traffic".into(), TRAFFIC.repeat(4)));
    seeds.push(("denied".into(), [TRAFFIC, &[10, 10], TRAFFIC, &[0xcb, 10, 13], TRAFFIC].concat()));
    seeds.push(("closes".into(), [TRAFFIC, &[6, 1, 6, 2, 6, 3, 0xdc, 13], TRAFFIC].concat()));
    replay("router", &seeds, 4_000, router);
}

#[test]
fn node_seeds_and_their_mutants() {
    const TRAFFIC: &[u8] = &[0x45, 1, 3, 4, 3, 0x45, 0, 4, 4, 6, 14, 0, 4, 0x4d, 0, 7, 4, 6, 0, 0x85, 2, 1, 4, 3];
    let mut seeds = forgeries(&[&[0], TRAFFIC].concat(), &[0]);
    seeds.extend(forgeries(&[&[1], TRAFFIC].concat(), &[0x40]).into_iter().map(|(name, seed)| (format!("rings-{name}"), seed)));
    seeds.push(("end".into(), [&[1], TRAFFIC, &[0xf7, 4], TRAFFIC].concat()));
    seeds.push(("closes".into(), [&[0], TRAFFIC, &[7, 1, 15, 0, 7, 0], TRAFFIC].concat()));
    replay("node", &seeds, 400, node);
}
