//! Tests of the router: all schedules of small cases, generated schedules, and scripted ones.

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

/// Faults that can be planted in a router, each at one place: the proof must detect every one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mutant {
    /// Events of the next neighbour are accepted before the fence.
    NothingIsHeld,
    /// A close of the next neighbour is accepted before the fence, although messages are held for
    /// it.
    CloseOvertakes,
    /// R does not return L's fence.
    FenceIsNotReturned,
    /// Two proxies that request each other are both granted the edge.
    BothAreGranted,
    /// A side whose neighbour's node is lost waits for ever.
    LossDoesNotCut,
    /// A side accepts events from every sender that has its name.
    StrangersAreHeard,
    /// A port's queue is not transferred with it.
    TransferForgetsQueue,
    /// L does not pass on the close that it receives from the leaving proxy.
    EndIsNotPassedOn,
    /// A lost node ends all channels.
    LossCutsAll,
    /// A close is queued twice.
    ClosesAreToldTwice,
    /// The names of a removed proxy stay in the side table.
    NamesAreKept,
}
