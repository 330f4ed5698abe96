// The ports of workers that are kept for them here, in the realm that made them. Inside, `js/worker-ports.js` knows them by their ids.
(function makeRelays(p, natives, ports, nativePost, retire) {
  'use strict'

  const { outgoing } = ports
  const bufferOf = p.getter(p.getPrototypeOf(p.Uint8Array.prototype), 'buffer')
  /** Ids that are given here; those below are the worker's. */
  const FIRST_ID = 0x80000000

  /** What takes the messages and the close of a port of ours that has no object. */
  const sinks = { __proto__: null }
  const intercept = {
    __proto__: null,
    /** Is the port without an object, and its messages for us? */
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
   * `sent`: to the worker; `ended`: the far end is gone, which the worker has been told but has not confirmed.
   * @typedef {{ handle: number, sent: number, ended: string }} Relay
   */
  const say = (/** @type {any} */ connection, op, id, data, length, words, transfer) =>
    nativePost(connection.worker, [connection.nonce, op, id, data, length, words], transfer)

  /** A handle, which is nobody's now, whose far end is gone. */
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

  /** Gives a port, which is nobody's now, to the worker: its id there. */
  const lend = (/** @type {any} */ connection, /** @type {number} */ handle) => {
    const id = connection.nextId++
    relay(connection, id, handle)
    return id
  }

  /** What arrives at one port goes out of the other, for good. */
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

  /** The worker gives a relayed port back, having settled so many of its messages: a handle that was never started. */
  const reclaim = (/** @type {any} */ connection, /** @type {number} */ id, /** @type {number} */ settled) => {
    const given = connection.relays[id]
    if (given === undefined) return orphan('dropped')
    delete connection.relays[id]
    delete sinks[given.handle]
    const left = given.sent - settled
    const old = given.ended === '' ? natives.move(given.handle) : 0
    if (left <= 0) return old === 0 ? orphan(given.ended === '' ? 'dropped' : given.ended) : old
    // Messages are on their way back that belong in front of those to come: the holder gets an end of a new channel.
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

  /** The handles of the ports that the worker named; 0 for those that are not ours. */
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

  /** A worker can say anything: a message that is no bytes is dropped. */
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

  /** The worker is no more: its ports close. */
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

  // ---- What the worker says -----------------------------------------------------------------------------------------------------

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
    /** A message of the worker's own that carries ports of ours; `names` follows. */
    message(connection, _id, data, _length, _words, event) {
      connection.held = { __proto__: null, data, ports: p.eventPorts(event), origin: p.eventOrigin(event) }
    },
    /** What the ports in it are: the listeners get the message that was meant. */
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
    /** What a connection begins with. */
    begin(/** @type {any} */ connection) {
      connection.relays = { __proto__: null }
      connection.far = { __proto__: null }
      connection.returning = { __proto__: null }
      connection.held = null
      connection.ended = false
      connection.nextId = FIRST_ID
      return connection
    },
    /** A message of the worker's for the glue, with its six parts; it can say anything. */
    hear(/** @type {any} */ connection, /** @type {any[]} */ said, /** @type {MessageEvent} */ event) {
      const handler = typeof said[1] === 'string' ? handlers[said[1]] : undefined
      if (handler === undefined || connection.ended || typeof said[2] !== 'number' || !p.isArray(said[5])) return
      handler(connection, said[2], said[3], said[4], said[5], event)
    },
  }
})
