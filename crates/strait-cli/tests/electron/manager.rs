//! As much of a window manager as windows need to become icons, fill the screen and stay above others: it does what they ask for, and draws nothing.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read, Write};
use std::thread;

use crate::x11::{X11, word};

const CLIENT_MESSAGE: u8 = 33;
const ICONIC: u32 = 3;
const TYPE_ATOM: u32 = 4;
const TYPE_WINDOW: u32 = 33;

/// Manages the windows of a display that has no window manager, as long as this process lives. One without an X server, or with a manager of its own, is left alone.
pub(crate) fn begin(display: &str) {
    let begun = Manager::new(display);
    match begun {
        Ok(Some(manager)) => drop(thread::spawn(move || manager.run())),
        Ok(None) => {}
        Err(error) => println!("note: windows are not managed: {error}"),
    }
}

struct Manager {
    x11: X11,
    change_state: u32,
    net_state: u32,
    /// What each window is said to be.
    states: HashMap<u32, BTreeSet<u32>>,
}

impl Manager {
    fn new(display: &str) -> io::Result<Option<Self>> {
        let mut x11 = X11::connect(display)?;
        let (change_state, net_state) = (x11.atom("WM_CHANGE_STATE")?, x11.atom("_NET_WM_STATE")?);
        let check = x11.atom("_NET_SUPPORTING_WM_CHECK")?;
        let root = x11.root;
        if !x11.property(root, check, TYPE_WINDOW)?.is_empty() {
            return Ok(None);
        }
        // Who wants something of the manager tells the root window, and so who looks at what happens to its children.
        const EVENT_MASK: u32 = 1 << 11;
        const SUBSTRUCTURE_NOTIFY: u32 = 1 << 19;
        request(&mut x11, 2, 0, &[root, EVENT_MASK, SUBSTRUCTURE_NOTIFY])?;
        Ok(Some(Self { x11, change_state, net_state, states: HashMap::new() }))
    }

    /// Until the server is gone.
    fn run(mut self) {
        let mut event = [0; 32];
        while self.x11.stream.read_exact(&mut event).is_ok() {
            // The highest bit says that a program has sent it.
            if event[0] & 0x7f == CLIENT_MESSAGE && self.asked(&event).is_err() {
                return;
            }
        }
    }

    fn asked(&mut self, event: &[u8; 32]) -> io::Result<()> {
        let [window, kind, first, second, third] = [4, 8, 12, 16, 20].map(|at| word(event, at));
        if kind == self.change_state && first == ICONIC {
            // UnmapWindow: a window that has not hidden itself and is not on the screen is an icon.
            return request(&mut self.x11, 10, 0, &[window]);
        }
        if kind != self.net_state {
            return Ok(());
        }
        let states = self.states.entry(window).or_default();
        for state in [second, third].into_iter().filter(|state| *state != 0) {
            match first {
                0 => drop(states.remove(&state)),
                _ => drop(states.insert(state)),
            }
        }
        // ChangeProperty: replace, in words of 32 bits.
        let mut words = vec![window, self.net_state, TYPE_ATOM, 32, states.len() as u32];
        words.extend(states.iter());
        request(&mut self.x11, 18, 0, &words)
    }
}

fn request(x11: &mut X11, code: u8, detail: u8, words: &[u32]) -> io::Result<()> {
    let mut request = vec![code, detail];
    request.extend((1 + words.len() as u16).to_le_bytes());
    words.iter().for_each(|word| request.extend(word.to_le_bytes()));
    x11.stream.write_all(&request)
}
