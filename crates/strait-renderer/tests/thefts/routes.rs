//! The ways that a port takes from main to B.

/// How main hands the port over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hand {
    /// Through the preload, which posts it to its page.
    Preload,
    /// The preload makes the channel, one end of which goes to main.
    Made,
    /// In a message of a port that A has.
    Message,
    /// In a message that waits in another port's queue when that one goes to B.
    Queue,
    /// In a message of a port that B has.
    Later,
}

/// A way, in the end of which B echoes what main posts.
pub(crate) struct Route {
    pub(crate) name: &'static str,
    /// What the pages call it.
    pub(crate) page: &'static str,
    pub(crate) hand: Hand,
    /// Each port gets a document or window of its own.
    pub(crate) fresh: bool,
    /// B may be gone before the port arrives.
    pub(crate) lossy: bool,
}

const STANDING: Route = Route { name: "", page: "frame", hand: Hand::Preload, fresh: false, lossy: false };

pub(crate) const ROUTES: &[Route] = &[
    Route { name: "an iframe", ..STANDING },
    Route { name: "a popup", page: "popup", ..STANDING },
    Route { name: "a dedicated worker behind an iframe", page: "dedicated", ..STANDING },
    Route { name: "a shared worker behind an iframe", page: "shared", ..STANDING },
    Route { name: "a service worker behind an iframe", page: "service", ..STANDING },
    Route { name: "a channel that the preload makes", hand: Hand::Made, ..STANDING },
    Route { name: "a port in a message of a port", hand: Hand::Message, ..STANDING },
    Route { name: "a port in the queue of a port", hand: Hand::Queue, ..STANDING },
    Route { name: "a port in a later message of a port", hand: Hand::Later, ..STANDING },
    Route { name: "an iframe of its own", page: "fresh-frame", fresh: true, ..STANDING },
    Route { name: "a popup of its own", page: "fresh-popup", fresh: true, ..STANDING },
    Route { name: "an iframe that navigates meanwhile", page: "navigating", fresh: true, lossy: true, ..STANDING },
];
