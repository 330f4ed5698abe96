// Ports that leave by a way that no glue can replace: `postMessage` of a window of another origin.
//
// There the DOM port goes alone. It arrives as one of WebKit's own, and its state and handle stay behind. But so does its *twin*, the port
// that WebKit made with it: what comes over that is posted on, and what comes for the handle goes back that way. If the twin has gone too,
// there is no telling which of the ports that arrive is which; but if one is missing and one has come, it is that one, and gets its handle.
(function makeStrays(p, natives, ports, bridge) {
  'use strict'

  const { stateOf, native } = ports

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

  const relay = (/** @type {MessagePort} */ ours, /** @type {any} */ twin) => {
    const back = (/** @type {MessageEvent} */ event) => bridge.post(native.postMessage, twin, p.eventData(event), p.eventPorts(event), 2)
    p.addEventListener(ours, 'message', back)
    p.addEventListener(ours, 'close', () => native.close(twin))
    ports.start(ours, stateOf(ours))
    return back
  }

  /** Goes after a port that has left; false if there is no twin. `event` came for it and found it gone. */
  const follow = (/** @type {any} */ port, /** @type {MessageEvent | undefined} */ event) => {
    const state = stateOf(port)
    const twin = ports.twinOf(state)
    if (twin === undefined) return false
    if (hasLeft(twin)) {
      const other = stateOf(twin)
      if (other === undefined || other.handle === 0) return false
      // Both ends have left: WebKit joins them where they are.
      natives.discard(ports.release(twin))
      natives.discard(ports.release(port))
      return true
    }
    let ours
    // A twin may be a port of the page's: then ours must be the first of its listeners, for WebKit's events are none of the page's. It has
    // been given no other, as mates have none.
    const forward = (/** @type {MessageEvent} */ event) => {
      if (!p.isTrusted(event)) return
      p.stopImmediatePropagation(event)
      const arrived = p.eventPorts(event)
      const list = p.list()
      for (let i = 0; i < arrived.length; i++) list[i] = arrived[i]
      ports.post(ours, p.eventData(event), p.array(list))
    }
    p.addEventListener(twin, 'message', forward, true)
    const carrier = stateOf(twin)
    if (carrier !== undefined) carrier.carries = true
    ours = ports.adopt(natives.move(ports.release(port)))
    const back = relay(ours, twin)
    if (event !== undefined) back(event)
    native.start(twin)
    return true
  }

  return {
    __proto__: null,
    /** A port that was to hear an event did not. */
    missed(/** @type {any} */ port, /** @type {MessageEvent} */ event) {
      if (stateOf(port).handle !== 0 && hasLeft(port)) follow(port, event)
    },
    /** Looks for ports that have left: one of WebKit's own has come to somebody. With `all`, those that cannot be followed are the agent's. */
    look(/** @type {boolean} */ all) {
      const handles = ports.handles()
      for (let i = 0; i < handles.length; i++) {
        const port = ports.objectOf(handles[i])
        if (port === undefined || !hasLeft(port)) continue
        if (!follow(port, undefined) && all) natives.stray(ports.release(port))
      }
    },
  }
})
