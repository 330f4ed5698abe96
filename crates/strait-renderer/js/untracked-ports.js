// Ports that leave by a function that no glue can replace: `postMessage` of a window of another origin.
//
// WebKit transfers the DOM port alone; its stamp and its handle stay here. So does its *twin*, the port that WebKit made with it. What is posted to the
// twin arrives at the port wherever WebKit has taken it, and nowhere else. So the port's messages are relayed over the twin: the receiver is
// identified by WebKit's own channel, never by what arrives where. A port without a twin closes.
//
// A port that is sent by window messages leaves its twin with the first sender, its *keeper*. The agent knows the keeper of each such port.
(function makeUntrackedPorts(p, natives, ports, foreignPorts, codec, global) {
  'use strict'

  const { stateOf, native, outgoing } = ports
  const { setTimeout } = global
  const transfer = global.structuredClone
  const none = p.list()
  /** How long a port that has come is held at least, in milliseconds; twice as long at most. */
  const HOLD = 250

  /** Has WebKit transferred the port? No port may be sent through itself; but one that is entangled with nothing any more does not object. */
  const hasLeft = (/** @type {any} */ port) => {
    const list = p.list()
    list[0] = port
    try {
      native.postMessage(port, 0, { __proto__: null, transfer: p.sequence(list) })
      return true
    } catch {
      return false
    }
  }

  // ---- Relays -----------------------------------------------------------------------------------------------------------------

  /** Relays between the port of this handle, which has no object, and `twin`; the message of `event` goes to the twin first. */
  const relay = (/** @type {number} */ handle, /** @type {any} */ twin, /** @type {MessageEvent | undefined} */ event) => {
    if (handle === 0) return
    natives.reportRelay()
    const carrier = stateOf(twin)
    if (carrier !== undefined) carrier.carries = true
    const ours = ports.adopt(handle, true)
    // A twin may be a port of the page's: then this must be the first of its listeners, for WebKit's events are none of the page's.
    const forward = (/** @type {MessageEvent} */ came) => {
      if (!p.isTrusted(came)) return
      p.stopImmediatePropagation(came)
      const arrived = p.eventPorts(came)
      const list = p.list()
      for (let i = 0; i < arrived.length; i++) list[i] = arrived[i]
      ports.post(ours, p.eventData(came), p.array(list))
    }
    p.addEventListener(twin, 'message', forward, true)
    const back = (/** @type {MessageEvent} */ came) => foreignPorts.post(native.postMessage, twin, p.eventData(came), p.eventPorts(came), 2)
    p.addEventListener(ours, 'message', back)
    p.addEventListener(ours, 'close', () => native.close(twin))
    ports.start(ours, stateOf(ours))
    if (event !== undefined) back(event)
    native.start(twin)
  }

  // ---- Twins that are kept for other realms -------------------------------------------------------------------------------------

  /**
   * What is kept for ports that other realms have, under the ports' handles of then: the twin; or, as long as the twin is a port of the page's, its handle.
   * @type {{ [key: number]: MessagePort | number }}
   */
  const kept = { __proto__: null }

  const takeKept = (/** @type {number} */ key) => {
    const twin = kept[key]
    delete kept[key]
    return typeof twin === 'number' ? ports.objectOf(twin) : twin
  }

  /** Relays where the twin is; false if that is nowhere. */
  const followElsewhere = (/** @type {number} */ handle, /** @type {MessageEvent | undefined} */ event) => {
    if (event === undefined) return natives.follow(handle, codec.buffer, 0, outgoing, 0) === true
    const arrived = p.eventPorts(event)
    let length
    try {
      length = ports.pack(p.eventData(event), arrived, none, false)
    } catch {
      // It cannot be written at once (a Blob): the port closes rather than lose a message.
      return false
    }
    ports.surrender(arrived, none)
    return natives.follow(handle, codec.buffer, length, outgoing, arrived.length) === true
  }

  // ---- Ports that have left -----------------------------------------------------------------------------------------------------

  /** Follows a port that has left, or closes it. `event` was dispatched on its object (if that is still there) and found it gone. */
  const follow = (/** @type {number} */ handle, /** @type {any} */ port, /** @type {MessageEvent | undefined} */ event) => {
    const twin = ports.twinOf(handle)
    if (port === undefined) ports.abandon(handle)
    else ports.release(port, true)
    if (twin === undefined) {
      if (!followElsewhere(handle, event)) natives.discard(handle)
    } else if (hasLeft(twin)) {
      // Both ends have left: if the other was a port of the page's until now, WebKit joins them where they are.
      const other = stateOf(twin)
      if (other !== undefined && other.handle !== 0) natives.discard(ports.release(twin, true))
      natives.discard(handle)
    } else {
      relay(natives.move(handle), twin, event)
    }
  }

  // A page mostly forgets a port that it has sent. Its object may then be collected before the message that took the port has arrived, and the port would pass
  // for one that the page has dropped. So a port that has just come is held for a while, and the end of a port waits for a timer after its object's: a timer
  // that is set after a message was posted fires after the message has arrived.
  let recent = p.list()
  let older = p.list()
  const age = () => {
    older = recent
    recent = p.list()
    if (older.length > 0) setTimeout(age, HOLD)
  }
  /** A port has come to the page. */
  const hold = (/** @type {any} */ port) => {
    if (recent.length === 0 && older.length === 0) setTimeout(age, HOLD)
    recent[recent.length] = port
  }
  let collected = p.list()
  const settle = () => {
    const entries = collected
    collected = p.list()
    for (let i = 0; i < entries.length; i++) ports.drop(entries[i])
  }

  return {
    __proto__: null,
    /** The timers of the document are gone. */
    renew() {
      recent = p.list()
      older = p.list()
      settle()
    },
    hold,
    /** An event was dispatched on a port that is not there any more. */
    missed(/** @type {any} */ port, /** @type {MessageEvent} */ event) {
      const { handle } = stateOf(port)
      if (handle !== 0 && hasLeft(port)) follow(handle, port, event)
    },
    /**
     * Looks for ports that have left: one that the glue did not see has come to somebody. With `sent` it was this document, or one of its origin, that
     * sent it; if none of the ports that still have objects has left, it can be one whose object has been collected. (If it is none of those, that one's other
     * end hears of its end only when the page goes.)
     */
    look(/** @type {boolean} */ sent) {
      const gone = p.list()
      let found = false
      const handles = ports.handles()
      for (let i = 0; i < handles.length; i++) {
        const port = ports.objectOf(handles[i])
        if (port === undefined) {
          gone[gone.length] = handles[i]
        } else if (hasLeft(port)) {
          found = true
          follow(handles[i], port, undefined)
        }
      }
      if (!sent || found) return
      for (let i = 0; i < gone.length; i++) follow(gone[i], undefined, undefined)
    },
    /** A port's object has been collected. */
    collected(/** @type {any} */ entry) {
      collected[collected.length] = entry
      if (collected.length === 1) setTimeout(settle, 0)
    },
    /** A window message is about to take the port out of this realm: its twin stays. */
    keep(/** @type {any} */ port) {
      const { handle } = stateOf(port)
      const twin = ports.twinOf(handle)
      if (twin === undefined) return
      const mate = stateOf(twin)
      if (mate === undefined || mate.handle === 0) {
        kept[handle] = twin
        natives.keepTwin(handle, 0)
      } else {
        kept[handle] = mate.handle
        mate.partner = handle
        natives.keepTwin(handle, mate.handle)
      }
    },
    /** A window message has brought a port to this realm: if its twin is a stamped port of another realm, this port is that one's twin. */
    arrived(/** @type {any} */ port) {
      hold(port)
      const state = stateOf(port)
      const partner = natives.partner(state.handle)
      if (partner === 0) return
      kept[partner] = state.handle
      state.partner = partner
    },
    /** A port that is the twin of one in another realm stops being the page's. */
    leaves(/** @type {any} */ port, /** @type {any} */ state) {
      const { partner } = state
      if (kept[partner] !== state.handle) return
      delete kept[partner]
      if (hasLeft(port)) return
      if (state.waiting !== null) {
        // WebKit has none of its listeners.
        state.carries = true
        kept[partner] = port
        natives.keepInstead(partner)
      } else if (state.depth === 0) {
        const list = p.list()
        list[0] = port
        kept[partner] = transfer(port, { __proto__: null, transfer: p.sequence(list) })
        natives.keepInstead(partner)
      }
    },
    /** The port has gone. */
    forget(/** @type {number} */ key) {
      delete kept[key]
    },
    /** Another realm's port has left, the twin of which is here; `read` makes the event that found it gone. */
    relay(/** @type {number} */ key, /** @type {number} */ handle, /** @type {MessageEvent | undefined} */ event) {
      const twin = takeKept(key)
      if (twin === undefined || hasLeft(twin)) natives.discard(handle)
      else relay(handle, twin, event)
    },
  }
})
