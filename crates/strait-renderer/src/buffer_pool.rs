//! The buffer pool: memory blocks that pages have released, kept for the next large buffers.
//!
//! Fresh memory costs more than the copy into it, because the kernel clears it page by page. A page
//! that receives one large buffer after the other releases them as its collector runs, so the same
//! memory is used again.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ffi::{Args, Cage, Home, PoolBlock, Value, call_later};
use crate::idle_memory::{IdleMemory, Region};

/// The period of the clock that frees unused blocks, in milliseconds. A block that is idle at two
/// ticks is freed.
const IDLE: u32 = 2000;

/// The buffer pool (see the module). Blocks in pages count as the pages' own memory and are limited
/// with it. Idle blocks are limited by [`crate::idle_memory::MAX_IDLE`].
#[derive(Default)]
pub(crate) struct BufferPool {
    /// The inner `None` means that the process can have no blocks; the glue then makes the buffers.
    cage: OnceCell<Option<Arc<Cage>>>,
    store: Arc<Store>,
}

/// The blocks that pages have released.
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
        // Freeing memory takes the kernel some time, so it happens without the lock.
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

    /// Uses the memory that this ArrayBuffer has reserved for blocks; called once in a process.
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

    /// An ArrayBuffer of `length` bytes, in the realm of the running call. `fill` writes all of
    /// them and returns true, or writes nothing and returns false, because no earlier content of
    /// the memory may show. `None` if `fill` returned false or there is no room.
    pub(crate) fn buffer<'a>(&self, call: &Args<'a>, length: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> Option<Value<'a>> {
        let mut block = self.take(length)?;
        if !fill(block.start(length)) {
            self.store.take_back(block);
            return None;
        }
        block.lend(call, length, &self.store)
    }

    /// A block of at least `length` bytes, idle or new.
    fn take(&self, length: usize) -> Option<PoolBlock> {
        let warm = self.store.idle().take(length);
        warm.or_else(|| self.cage.get()?.as_ref()?.block(IdleMemory::<PoolBlock>::size_for(length)))
    }
}

/// Frees unused blocks. Called on the page's thread every [`IDLE`] milliseconds while there are
/// idle blocks.
fn retire() {
    let Some(agent) = crate::agent::current() else { return };
    let store = &agent.buffer_pool.store;
    let retired = {
        let mut idle = store.idle();
        let retired = idle.retire();
        if idle.is_empty() {
            // This precedes the unlock, so the thread that adds the next block starts the clock
            // again.
            store.watched.store(false, Ordering::Release);
        } else {
            call_later(IDLE, retire);
        }
        retired
    };
    drop(retired);
}
