//! Memory blocks that pages have released, kept for the next large buffers.
//!
//! Fresh memory costs more than what is copied into it: the kernel clears it, page by page. A page that is sent one large buffer after the other lets go of them as
//! its collector runs, and so the same memory serves again.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ffi::{Args, Cage, Home, PoolBlock, Value, call_later};
use crate::idle_memory::{IdleMemory, Region};

/// The clock that gives up what nobody uses, in milliseconds: what it has seen twice goes.
const IDLE: u32 = 2000;

/// See the module. What pages have of blocks is theirs, and limited as all of their memory is; what comes back is limited here ([`crate::idle_memory::MAX_IDLE`]).
#[derive(Default)]
pub(crate) struct BufferPool {
    /// `None` inside: there is none to be had, and the glue makes the buffers.
    cage: OnceCell<Option<Arc<Cage>>>,
    store: Arc<Store>,
}

/// What pages have let go of.
#[derive(Default)]
struct Store {
    idle: Mutex<IdleMemory<PoolBlock>>,
    /// The clock runs.
    watched: AtomicBool,
}

impl Region for PoolBlock {
    fn size(&self) -> usize {
        PoolBlock::size(self)
    }
}

impl Store {
    fn idle(&self) -> MutexGuard<'_, IdleMemory<PoolBlock>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Home for Store {
    fn take_back(&self, block: PoolBlock) {
        let refused = self.idle().put(block);
        // The kernel takes its time for that: not under the lock.
        drop(refused);
        if !self.watched.swap(true, Ordering::AcqRel) {
            call_later(IDLE, retire);
        }
    }
}

impl BufferPool {
    /// No block can be made before [`reserve`](Self::reserve).
    pub(crate) fn are_without_room(&self) -> bool {
        self.cage.get().is_none()
    }

    /// Makes blocks of what this ArrayBuffer has reserved; called once in a process.
    pub(crate) fn reserve(&self, buffer: Value<'_>) {
        self.cage.get_or_init(|| {
            let cage = Cage::of(buffer);
            cage.inspect_err(|why| {
                eprintln!(
                    "strait agent: large buffers are copied once more than they need be, JavaScriptCore's memory is not as expected: {why}"
                )
            })
            .ok()
        });
    }

    /// An ArrayBuffer of so many bytes, in the realm of the running call. `fill` writes all of them, or none and says so: what was there before is nobody's
    /// business. `None`, too, if there is no room.
    pub(crate) fn buffer<'a>(&self, call: &Args<'a>, length: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> Option<Value<'a>> {
        let mut block = self.take(length)?;
        if !fill(block.start(length)) {
            self.store.take_back(block);
            return None;
        }
        block.lend(call, length, &self.store)
    }

    /// A block of so many bytes at least, warm or new.
    fn take(&self, length: usize) -> Option<PoolBlock> {
        let warm = self.store.idle().take(length);
        warm.or_else(|| self.cage.get()?.as_ref()?.block(IdleMemory::<PoolBlock>::size_for(length)))
    }
}

/// On the page's thread, every [`IDLE`] milliseconds as long as there is something.
fn retire() {
    let Some(agent) = crate::agent::current() else { return };
    let store = &agent.buffer_pool.store;
    let retired = {
        let mut idle = store.idle();
        let retired = idle.retire();
        if idle.is_empty() {
            // Before the lock is given back: who puts something in next starts the clock again.
            store.watched.store(false, Ordering::Release);
        } else {
            call_later(IDLE, retire);
        }
        retired
    };
    drop(retired);
}
