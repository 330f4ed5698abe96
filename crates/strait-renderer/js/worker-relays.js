// Relays: the ports of workers, kept for them in the realm that made them. In the worker,
// `js/worker-ports.js` refers to them by their ids.
(function makeRelays(p, natives, ports, nativePost, retire) {
  'use strict'

  const { outgoing } = ports
  const bufferOf = p.getter(p.getPrototypeOf(p.Uint8Array.prototype), 'buffer')
  /** The first id that this side gives out; smaller ids are the worker's. */
  const FIRST_ID = 0x80000000

  /**
   * The receivers of messages and closes for ports of this realm that have no object, by handle.
   */
  const sinks = { __proto__: null }
  const intercept = {
    __proto__: null,
    /** Whether the port has no object and its messages are relayed. */
    takes: (/** @type {number} */ handle) => sinks[handle] !== undefined,
    deliver(/** @type {number} */ handle, /** @type {Uint8Array} */ inbox, /** @type {number} */ length, /** @type {number} */ count) {
      sinks[handle].deliver(inbox, length, count)
    },
    closed(/** @type {number} */ handle, /** @type {string} */ reason) {
      const sink = sinks[handle]
      if (sink === undefined) return false
      delete sinks[handle]
      sink.closed(reason)
      return true
    },
  }
  /**
   * `sent`: the number of messages sent to the worker. `ended`: the close reason, if the other end
   * is gone; the worker was notified and has not confirmed.
   * @typedef {{ handle: number, sent: number, ended: string }} Relay
   */
  const say = (/** @type {any} */ connection, op, id, data, length, words, transfer) =>
    nativePost(connection.worker, [connection.nonce, op, id, data, length, words], transfer)

  /** Makes a handle without an owner, whose other end is gone. */
  const orphan = (/** @type {string} */ reason) => {
    const handle = natives.channel()
    natives.end(handle + 1, reason)
    return handle
  }

  const relay = (/** @type {any} */ connection, /** @type {number} */ id, /** @type {number} */ handle) => {
    const made = { __proto__: null, handle, sent: 0, ended: '' }
    connection.relays[id] = made
    sinks[handle] = {
      __proto__: null,
      deliver(/** @type {any} */ inbox, /** @type {number} */ length, /** @type {number} */ count) {
        const ids = p.list()
        for (let i = 0; i < count; i++) ids[i] = lend(connection, outgoing[i])
        const bytes = p.slice(inbox, 0, length)
        made.sent++
        say(connection, 'deliver', id, bytes, length, p.array(ids), [bufferOf(bytes)])
      },
      closed(/** @type {string} */ reason) {
        made.ended = reason
        say(connection, 'closed', id, reason, 0, [], [])
      },
    }
    return made
  }

  /** Gives the worker a port without an owner. Returns its id there. */
  const lend = (/** @type {any} */ connection, /** @type {number} */ handle) => {
    const id = connection.nextId++
    relay(connection, id, handle)
    return id
  }

  /** Passes all messages from one port on to another, for good. */
  const splice = (/** @type {number} */ from, /** @type {number} */ to) => {
    sinks[from] = {
      __proto__: null,
      deliver(/** @type {any} */ inbox, /** @type {number} */ length, /** @type {number} */ count) {
        natives.post(to, inbox, length, outgoing, count)
      },
      closed(/** @type {string} */ reason) {
        delete sinks[to]
        natives.end(to, reason)
      },
    }
    natives.start(from)
  }

  /**
   * Takes back a relayed port from the worker, which has settled `settled` of its messages. Returns
   * a handle that was never started.
   */
  const reclaim = (/** @type {any} */ connection, /** @type {number} */ id, /** @type {number} */ settled) => {
    const given = connection.relays[id]
    if (given === undefined) return orphan('dropped')
    delete connection.relays[id]
    delete sinks[given.handle]
    const left = given.sent - settled
    const old = given.ended === '' ? natives.move(given.handle) : 0
    if (left <= 0) return old === 0 ? orphan(given.ended === '' ? 'dropped' : given.ended) : old
    // Messages that are on their way back come before later ones. So the holder gets an end of a
    // new channel.
    const far = natives.channel()
    const back = { __proto__: null, left, near: far + 1, old, ended: given.ended }
    connection.returning[id] = back
    if (old !== 0) {
      splice(back.near, old)
      sinks[old] = {
        __proto__: null,
        deliver() {},
        closed(/** @type {string} */ reason) {
          back.old = 0
          back.ended = reason
        },
      }
    }
    return far
  }

  /** The handles of the ports that the worker named; 0 for native ports. */
  const resolve = (/** @type {any} */ connection, /** @type {any} */ words) => {
    const handles = p.list()
    for (let i = 0; 3 * i + 2 < words.length && i < ports.maximum; i++) {
      const kind = words[3 * i]
      const id = words[3 * i + 1]
      const settled = words[3 * i + 2]
      if (typeof id !== 'number' || typeof settled !== 'number') {
        handles[i] = orphan('dropped')
      } else if (kind === 0) {
        handles[i] = 0
      } else if (kind === 1) {
        handles[i] = connection.far[id] ?? orphan('dropped')
        delete connection.far[id]
      } else {
        handles[i] = reclaim(connection, id, settled)
      }
    }
    return handles
  }

  const lay = (/** @type {number[]} */ handles) => {
    for (let i = 0; i < handles.length; i++) outgoing[i] = handles[i]
  }
  const discardAll = (/** @type {number[]} */ handles) => {
    for (let i = 0; i < handles.length; i++) natives.discard(handles[i])
  }

  /**
   * Posts a message of the worker. A worker can send anything, so a message that is not bytes is
   * dropped.
   */
  const post = (/** @type {number} */ handle, /** @type {any} */ data, /** @type {any} */ length, /** @type {number[]} */ handles) => {
    try {
      lay(handles)
      natives.post(handle, data, length, outgoing, handles.length)
    } catch {
      discardAll(handles)
    }
  }

  const settle = (/** @type {any} */ connection, /** @type {number} */ id, data, length, words) => {
    const handles = resolve(connection, words)
    const back = connection.returning[id]
    if (back === undefined) {
      // The worker had closed that port.
      discardAll(handles)
      return
    }
    post(back.near, data, length, handles)
    if (--back.left > 0) return
    delete connection.returning[id]
    if (back.old !== 0) {
      splice(back.old, back.near)
    } else {
      delete sinks[back.near]
      natives.end(back.near, back.ended)
    }
  }

  const release = (/** @type {any} */ connection, /** @type {number} */ id, /** @type {any} */ reason) => {
    const given = connection.relays[id]
    if (given === undefined) return
    delete connection.relays[id]
    if (given.ended !== '') return
    delete sinks[given.handle]
    natives.end(given.handle, typeof reason === 'string' ? reason : 'closed')
  }

  /** The worker has ended: its ports close. */
  const end = (/** @type {any} */ connection) => {
    if (connection.ended) return
    connection.ended = true
    retire(connection)
    for (const id in connection.relays) release(connection, id, 'unloaded')
    for (const id in connection.far) natives.end(connection.far[id], 'unloaded')
    for (const id in connection.returning) {
      const { near, old } = connection.returning[id]
      delete sinks[near]
      delete sinks[old]
      natives.end(near, 'unloaded')
      natives.end(old, 'unloaded')
    }
    connection.relays = { __proto__: null }
    connection.far = { __proto__: null }
    connection.returning = { __proto__: null }
  }

  // ---- Messages of the worker
  // ---------------------------------------------------------------------

  const handlers = {
    __proto__: null,
    open(connection, id) {
      if (connection.relays[id] !== undefined || typeof id !== 'number' || id >= FIRST_ID) return
      const handle = natives.channel()
      relay(connection, id, handle)
      connection.far[id] = handle + 1
    },
    post(connection, id, data, length, words) {
      const given = connection.relays[id]
      const handles = resolve(connection, words)
      if (given === undefined || given.ended !== '') discardAll(handles)
      else post(given.handle, data, length, handles)
    },
    start(connection, id) {
      const given = connection.relays[id]
      if (given !== undefined) natives.start(given.handle)
    },
    close: release,
    return: settle,
    /** A message of the worker itself with ports of Strait's; `names` follows. */
    message(connection, _id, data, _length, _words, event) {
      connection.held = { __proto__: null, data, ports: p.eventPorts(event), origin: p.eventOrigin(event) }
    },
    /** Names the ports in the held message. The listeners then get the intended message. */
    names(connection, _id, _data, _length, words) {
      const handles = resolve(connection, words)
      const { held } = connection
      connection.held = null
      if (held === null) {
        discardAll(handles)
        return
      }
      const { data, ports: arrived, origin } = held
      for (let i = 0; i < handles.length; i++) {
        if (handles[i] === 0) continue
        if (i < arrived.length && ports.stateOf(arrived[i]) === undefined) ports.stamp(arrived[i], handles[i])
        else natives.discard(handles[i])
      }
      p.dispatchEvent(connection.worker, p.messageEvent(data, arrived, origin))
    },
    ready: (connection) => retire(connection),
    /** The script could not be loaded. */
    failed(connection) {
      end(connection)
      p.dispatchEvent(connection.worker, new p.Event('error'))
    },
    closing: end,
  }

  return {
    __proto__: null,
    intercept,
    say,
    orphan,
    relay,
    end,
    /** Adds the initial state of a connection. */
    begin(/** @type {any} */ connection) {
      connection.relays = { __proto__: null }
      connection.far = { __proto__: null }
      connection.returning = { __proto__: null }
      connection.held = null
      connection.ended = false
      connection.nextId = FIRST_ID
      return connection
    },
    /**
     * Handles a message of the worker for the glue, with its six parts. A worker can send anything.
     */
    hear(/** @type {any} */ connection, /** @type {any[]} */ said, /** @type {MessageEvent} */ event) {
      const handler = typeof said[1] === 'string' ? handlers[said[1]] : undefined
      if (handler === undefined || connection.ended || typeof said[2] !== 'number' || !p.isArray(said[5])) return
      handler(connection, said[2], said[3], said[4], said[5], event)
    },
  }
})
