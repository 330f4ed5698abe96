//! The router under every schedule of small cases, under schedules that nobody would write by hand, and some that somebody did.

mod canon;
mod cases;
mod flow;
mod forger;
mod limits;
mod losses;
mod model;
mod oracle;
mod schedules;
mod scripts;
mod world;

/// Faults that can be planted in a router, each at one place of it: the proof must find every one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mutant {
    /// What the next neighbour says is heard before the fence.
    NothingIsHeld,
    /// A close of the next neighbour is heard before the fence, though messages wait for it.
    CloseOvertakes,
    /// R does not answer L's fence.
    FenceIsNotReturned,
    /// Two proxies that ask each other both get the edge.
    BothAreGranted,
    /// A side whose neighbour's node is gone waits for ever.
    LossDoesNotCut,
    /// A side hears whoever knows its name.
    StrangersAreHeard,
    /// What waited in a port's queue stays behind.
    TransferForgetsQueue,
    /// What L hears from the leaving proxy of the channel's end it keeps to itself.
    EndIsNotPassedOn,
    /// A lost node takes every channel with it.
    LossCutsAll,
    /// A close is queued twice.
    ClosesAreToldTwice,
    /// The names of a proxy that has left stay in the books.
    NamesAreKept,
}
