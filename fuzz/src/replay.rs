//! What did fuzzing find, and does it still pass? Without a fuzzer.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

/// Runs a target over its seeds and over `mutants` mutations of them, the same in every run.
///
/// Seeds are the files in `fuzz/seeds/TARGET/` and those of `generated`, which has the same after a change of format as long as nobody has written
/// them to files anew: with `STRAIT_WRITE_SEEDS=1` in the environment this does that, and nothing else.
///
/// # Panics
/// When the target does. What it was given is printed first, and saved to a file that `cargo xtask fuzz TARGET --replay FILE` takes.
pub fn replay(target: &str, generated: &[(String, Vec<u8>)], mutants: usize, run: impl Fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    if std::env::var_os("STRAIT_WRITE_SEEDS").is_some() {
        fs::create_dir_all(&folder).expect("the seeds' folder can be made");
        for (name, bytes) in generated {
            fs::write(folder.join(name), bytes).expect("a seed can be written");
        }
        return;
    }
    let mut seeds = files(&folder);
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    seeds.extend(generated.iter().map(|(_, bytes)| bytes.clone()));
    let checked = |bytes: &[u8]| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(bytes))) {
            let file = std::env::temp_dir().join(format!("strait-fuzz-{target}-{}", std::process::id()));
            let saved = fs::write(&file, bytes).map_or_else(|error| error.to_string(), |()| file.display().to_string());
            eprintln!("the target `{target}` fails with {} bytes: {}\nsaved: {saved}", bytes.len(), bytes.escape_ascii());
            resume_unwind(panic);
        }
    };
    seeds.iter().for_each(|seed| checked(seed));
    let mut mutator = Mutator::new(0x5eed);
    for _ in 0..mutants {
        checked(&mutator.mutant(&seeds));
    }
}

/// The files of a folder, in the order of their names.
fn files(folder: &PathBuf) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect()
}

/// Changes bytes at random, always in the same way.
#[derive(Debug)]
pub struct Mutator(u64);

/// The longest mutant.
const MAX_LENGTH: usize = 4096;

/// Bytes at which things change.
const TURNS: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 0x20, 0x40, 0xfe];

impl Mutator {
    /// Equal seeds make equal changes.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    /// One of the seeds, changed in one to eight places.
    pub fn mutant(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(MAX_LENGTH);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let byte = self.below(256) as u8;
        match (self.below(7), bytes.get_mut(at)) {
            (0, Some(there)) => *there ^= 1 << (byte % 8),
            (1, Some(there)) => *there = byte,
            (2, Some(there)) => *there = TURNS[usize::from(byte) % TURNS.len()],
            (3, Some(_)) => {
                let end = (at + 1 + self.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            (4, _) => bytes.insert(at, byte),
            (5, _) => {
                // A piece of this or another seed, once more.
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let to = (from + 1 + self.below(64)).min(other.len());
                let piece = other[from.min(to)..to].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.truncate(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_differ_and_are_the_same_in_every_run() {
        let seeds = [b"some bytes to begin with".to_vec(), vec![]];
        let run = || {
            let mut mutator = Mutator::new(1);
            (0..200).map(|_| mutator.mutant(&seeds)).collect::<Vec<_>>()
        };
        let (mut mutants, again) = (run(), run());
        assert_eq!(mutants, again);
        mutants.sort();
        mutants.dedup();
        assert!(mutants.len() > 100, "{}", mutants.len());
    }

    #[test]
    fn a_fault_behind_a_few_bytes_is_found() {
        let found = catch_unwind(|| {
            let mut mutator = Mutator::new(2);
            (0..100_000).for_each(|_| {
                let mutant = mutator.mutant(&[b"abcd".to_vec()]);
                assert!(!(mutant.first() == Some(&b'a') && mutant.get(1) == Some(&0xff) && mutant.len() > 4));
            });
        });
        assert!(found.is_err());
    }
}
