// Untracked ports: they left through a function that no glue can replace, `postMessage` of a window
// of another origin.
//
// WebKit transfers the DOM port alone; its stamp and its handle stay here. So does its *twin*, the
// port that WebKit made together with it. A message posted on the twin arrives at the port,
// wherever WebKit has taken that, and nowhere else. So the port's messages are relayed over the
// twin: WebKit's own channel identifies the receiver, and no arrivals are compared. A port without
// a twin closes.
//
// A port that window messages transfer leaves its twin with the first sender, its *keeper*. The
// agent records the keeper of each such port.
(function makeUntrackedPorts(p, natives, ports, foreignPorts, codec, global) {
  'use strict'

  const { stateOf, native, outgoing } = ports
  const { setTimeout } = global
  const transfer = global.structuredClone
  const none = p.list()
  /** The least time that an arrived port is held, in milliseconds; the longest is twice that. */
  const HOLD = 250

  /**
   * Whether WebKit has transferred the port. WebKit refuses to send an entangled port through
   * itself, and accepts a port that has left.
   */
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

  /**
   * Relays between the port of this handle, which has no object, and `twin`. The message of `event`
   * goes to the twin first.
   */
  const relay = (/** @type {number} */ handle, /** @type {any} */ twin, /** @type {MessageEvent | undefined} */ event) => {
    if (handle === 0) return
    natives.reportRelay()
    const carrier = stateOf(twin)
    if (carrier !== undefined) carrier.carries = true
    const ours = ports.adopt(handle, true)
    // A twin may be a port of the page. Then this must be its first listener, because WebKit's
    // events are not for the page.
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
   * The kept twins, by the handle that the port in the other realm had when it left. A number is
   * the handle of a twin that is still the page's port.
   * @type {{ [key: number]: MessagePort | number }}
   */
  const kept = { __proto__: null }

  const takeKept = (/** @type {number} */ key) => {
    const twin = kept[key]
    delete kept[key]
    return typeof twin === 'number' ? ports.objectOf(twin) : twin
  }

  /** Relays in the realm that has the twin; false if there is none. */
  const followElsewhere = (/** @type {number} */ handle, /** @type {MessageEvent | undefined} */ event) => {
    if (event === undefined) return natives.follow(handle, codec.buffer, 0, outgoing, 0) === true
    const arrived = p.eventPorts(event)
    let length
    try {
      length = ports.pack(p.eventData(event), arrived, none, false)
    } catch {
      // The message cannot be written at once (it has a Blob). The port closes, because a message
      // would be lost otherwise.
      return false
    }
    ports.surrender(arrived, none)
    return natives.follow(handle, codec.buffer, length, outgoing, arrived.length) === true
  }

  // ---- Ports that have left -----------------------------------------------------------------------------------------------------

  /**
   * Relays for a port that has left, or closes it. `event` could not be dispatched on its object,
   * because the port had left.
   */
  const follow = (/** @type {number} */ handle, /** @type {any} */ port, /** @type {MessageEvent | undefined} */ event) => {
    const twin = ports.twinOf(handle)
    if (port === undefined) ports.abandon(handle)
    else ports.release(port, true)
    if (twin === undefined) {
      if (!followElsewhere(handle, event)) natives.discard(handle)
    } else if (hasLeft(twin)) {
      // Both ends have left. If the twin was a port of the page until now, WebKit connects both
      // ends at their new places.
      const other = stateOf(twin)
      if (other !== undefined && other.handle !== 0) natives.discard(ports.release(twin, true))
      natives.discard(handle)
    } else {
      relay(natives.move(handle), twin, event)
    }
  }

  // A page mostly drops a port that it has sent. The object may then be collected before the
  // message with the port has arrived, and the port would count as dropped by the page. So an
  // arrived port is held for a while. And the end of a port waits for a timer after its object's
  // collection: a timer that is set after a message was posted fires after the message has arrived.
  let recent = p.list()
  let older = p.list()
  const age = () => {
    older = recent
    recent = p.list()
    if (older.length > 0) setTimeout(age, HOLD)
  }
  /** A port has arrived in the page. */
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
    /** The document's timers have ended. */
    renew() {
      recent = p.list()
      older = p.list()
      settle()
    },
    hold,
    /** An event could not be dispatched on a port, which may have left. */
    missed(/** @type {any} */ port, /** @type {MessageEvent} */ event) {
      const { handle } = stateOf(port)
      if (handle !== 0 && hasLeft(port)) follow(handle, port, event)
    },
    /**
     * Checks for ports that have left, because an untracked port has arrived in some document.
     * `sent` means that this document, or one of its origin, has sent it. If then no port with an
     * object has left, the port may be one whose object has been collected, so all such ports are
     * relayed. The other end of a wrongly relayed port gets its close only when the page ends.
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
    /** Keeps the twin of a port that a window message will take out of this realm. */
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
    /**
     * A window message has brought a port to this realm. If its twin is a stamped port of another
     * realm, this port is the twin of that port.
     */
    arrived(/** @type {any} */ port) {
      hold(port)
      const state = stateOf(port)
      const partner = natives.partner(state.handle)
      if (partner === 0) return
      kept[partner] = state.handle
      state.partner = partner
    },
    /** A port that is the twin of a port in another realm leaves the page. */
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
    /** The port is gone. */
    forget(/** @type {number} */ key) {
      delete kept[key]
    },
    /**
     * Relays for a port that has left another realm, and whose twin is here. `event` is the message
     * that could not be dispatched.
     */
    relay(/** @type {number} */ key, /** @type {number} */ handle, /** @type {MessageEvent | undefined} */ event) {
      const twin = takeKept(key)
      if (twin === undefined || hasLeft(twin)) natives.discard(handle)
      else relay(handle, twin, event)
    },
  }
})
