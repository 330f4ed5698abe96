// The natives that `js/ports.js` calls in a worker, in the place of the agent's.
//
// A channel with both ends in the worker lives here, so it works while the owner is busy. A port
// whose other end is elsewhere is *relayed*: the realm that made the worker has the real port, and
// both sides refer to it by the same `id`. If a port leaves while messages for it are under way to
// the worker, the messages are returned in order. The owner puts them in front of later ones.
(function makeWorkerPorts(p, send, maximumPorts) {
  'use strict'

  /**
   * @typedef {{ data: any, length: number, handles: number[], reason: string, next: Node | null }} Node a message, or a close (`reason`)
   * @typedef {{ handle: number, id: number, peer: Endpoint | null, first: Node | null, last: Node | null, count: number, started: boolean,
   *   asked: boolean, received: number, ended: boolean, away: boolean }} Endpoint
   *   `asked`: the owner was requested to start the port; `received`: the number of messages from
   *   the owner; `away`: the port is in an undelivered message, so its close has to wait
   */
  const byHandle = { __proto__: null }
  const byId = { __proto__: null }
  let nextHandle = 1
  let nextId = 1
  // Set by `connect`: passes messages and closes to the realm's objects, and has the array for
  // their handles.
  let target

  const make = (/** @type {number} */ id) => {
    const endpoint = { __proto__: null, handle: nextHandle++, id, peer: null, first: null, last: null, count: 0, started: false }
    endpoint.asked = false
    endpoint.received = 0
    endpoint.ended = false
    endpoint.away = false
    byHandle[endpoint.handle] = endpoint
    if (id !== 0) byId[id] = endpoint
    return endpoint
  }

  const take = (/** @type {number} */ handle) => {
    const endpoint = byHandle[handle]
    if (endpoint === undefined) return undefined
    delete byHandle[handle]
    if (endpoint.id !== 0) delete byId[endpoint.id]
    return endpoint
  }

  // ---- Deliveries: each is a separate task, made by a message on a native channel
  // -----------------

  const ready = { __proto__: null, first: null, last: null }
  const ring = p.uncurry(p.MessagePort.prototype.postMessage)
  const open = p.uncurry(p.MessagePort.prototype.start)
  let bell = null
  const laterTasks = { __proto__: null, first: null, last: null }

  const push = (/** @type {any} */ queue, /** @type {any} */ node) => {
    if (queue.last === null) queue.first = node
    else queue.last.next = node
    queue.last = node
  }
  const shift = (/** @type {any} */ queue) => {
    const node = queue.first
    if (node === null) return null
    queue.first = node.next
    if (queue.first === null) queue.last = null
    return node
  }

  /** Runs `todo` as a task. */
  const later = (/** @type {() => void} */ todo) => {
    if (bell === null) {
      const channel = new p.MessageChannel()
      bell = p.channelPort2(channel)
      p.addEventListener(p.channelPort1(channel), 'message', () => shift(laterTasks).todo())
      open(p.channelPort1(channel))
    }
    push(laterTasks, { __proto__: null, todo, next: null })
    ring(bell, 0)
  }

  const tell = (/** @type {Endpoint} */ endpoint, /** @type {Node} */ node) => {
    if (node.reason !== '') {
      take(endpoint.handle)
      target.closed(endpoint.handle, node.reason)
      return
    }
    for (let i = 0; i < node.handles.length; i++) {
      target.outgoing[i] = node.handles[i]
      const inside = byHandle[node.handles[i]]
      if (inside === undefined) continue
      inside.away = false
      if (inside.first !== null && inside.first.reason !== '') wake(inside)
    }
    target.deliver(endpoint.handle, node.data, node.length, node.handles.length)
  }

  const serve = () => {
    const { endpoint } = shift(ready)
    // The port may have left or ended since.
    if (byHandle[endpoint.handle] !== endpoint || endpoint.first === null || endpoint.away) return
    if (!endpoint.started && endpoint.first.reason === '') return
    endpoint.count--
    tell(endpoint, shift(endpoint))
  }
  const wake = (/** @type {Endpoint} */ endpoint) => {
    push(ready, { __proto__: null, endpoint, next: null })
    later(serve)
  }

  const enqueue = (/** @type {Endpoint} */ endpoint, /** @type {Node} */ node) => {
    const alone = endpoint.first === null
    push(endpoint, node)
    endpoint.count++
    if (node.reason !== '') endpoint.ended = true
    if (endpoint.started || (alone && node.reason !== '')) wake(endpoint)
  }

  const message = (/** @type {any} */ data, /** @type {number} */ length, /** @type {number[]} */ handles) => ({
    __proto__: null,
    data,
    length,
    handles,
    reason: '',
    next: null,
  })
  const ending = (/** @type {string} */ reason) => ({ __proto__: null, data: null, length: 0, handles: none, reason, next: null })
  const none = p.list()

  // ---- Ports that leave -------------------------------------------------------------------------------------------------------

  /** Ends a port here, and drops the messages that wait in it. */
  const letGo = (/** @type {number} */ handle, /** @type {string} */ reason) => {
    const endpoint = take(handle)
    if (endpoint === undefined) return
    const { peer, id } = endpoint
    if (peer !== null) {
      peer.peer = null
      enqueue(peer, ending(reason))
    } else if (id !== 0 && !endpoint.ended) {
      send('close', id, reason, 0, none)
    }
    for (let node = shift(endpoint); node !== null; node = shift(endpoint)) {
      for (let i = 0; i < node.handles.length; i++) letGo(node.handles[i], 'dropped')
    }
  }

  /**
   * Names the ports for the owner, in threes: kind (0 native, 1 new, 2 relayed), id, number of its
   * messages that were settled here.
   */
  const describe = (/** @type {number[]} */ handles, /** @type {(() => void)[]} */ after) => {
    const words = p.list()
    for (let i = 0; i < handles.length; i++) {
      const endpoint = handles[i] === 0 ? undefined : take(handles[i])
      let kind = 1
      let id = 0
      let settled = 0
      if (handles[i] === 0) {
        kind = 0
      } else if (endpoint !== undefined && endpoint.id !== 0 && !endpoint.ended) {
        kind = 2
        id = endpoint.id
        settled = endpoint.received - endpoint.count
        after[after.length] = () => {
          for (let node = shift(endpoint); node !== null; node = shift(endpoint)) {
            transmit('return', id, node.data, node.length, node.handles)
          }
        }
      } else {
        // The owner makes a channel and relays its near end to the end that stays here, if there is
        // one. Waiting messages go first.
        const peer = endpoint === undefined ? null : endpoint.peer
        id = nextId++
        send('open', id, null, 0, none)
        let reason = 'dropped'
        if (endpoint !== undefined) {
          for (let node = shift(endpoint); node !== null; node = shift(endpoint)) {
            if (node.reason === '') transmit('post', id, node.data, node.length, node.handles)
            else reason = node.reason
          }
        }
        if (peer === null) {
          send('close', id, reason, 0, none)
        } else {
          peer.peer = null
          peer.id = id
          byId[id] = peer
          if (peer.started) ask(peer)
        }
      }
      words[3 * i] = kind
      words[3 * i + 1] = id
      words[3 * i + 2] = settled
    }
    return words
  }

  const transmit = (/** @type {string} */ op, /** @type {number} */ id, /** @type {any} */ data, /** @type {number} */ length, handles) => {
    const after = p.list()
    send(op, id, data, length, describe(handles, after))
    for (let i = 0; i < after.length; i++) after[i]()
  }

  const ask = (/** @type {Endpoint} */ endpoint) => {
    if (endpoint.asked) return
    endpoint.asked = true
    send('start', endpoint.id, null, 0, none)
  }

  const natives = {
    __proto__: null,
    maximumPorts: () => maximumPorts,
    channel() {
      const near = make(0)
      const far = make(0)
      near.peer = far
      far.peer = near
      return near.handle
    },
    post(
      /** @type {number} */ handle,
      /** @type {any} */ bytes,
      /** @type {number} */ length,
      /** @type {any} */ words,
      /** @type {number} */ count,
    ) {
      const handles = p.list()
      for (let i = 0; i < count; i++) handles[i] = words[i]
      const endpoint = byHandle[handle]
      let doomed = endpoint === undefined || endpoint.ended
      const peer = endpoint === undefined ? null : endpoint.peer
      // HTML: a message that contains its own destination port is not delivered.
      for (let i = 0; i < count; i++) doomed = doomed || (peer !== null && handles[i] === peer.handle)
      if (doomed) {
        for (let i = 0; i < count; i++) letGo(handles[i], 'dropped')
      } else if (peer !== null) {
        for (let i = 0; i < count; i++) {
          handles[i] = natives.move(handles[i])
          const inside = byHandle[handles[i]]
          if (inside !== undefined) inside.away = true
        }
        enqueue(peer, message(p.slice(bytes, 0, length), length, handles))
      } else {
        transmit('post', endpoint.id, p.slice(bytes, 0, length), length, handles)
      }
    },
    start(/** @type {number} */ handle) {
      const endpoint = byHandle[handle]
      if (endpoint === undefined || endpoint.started) return
      endpoint.started = true
      for (let i = 0; i < endpoint.count; i++) wake(endpoint)
      if (endpoint.id !== 0) ask(endpoint)
    },
    close: (/** @type {number} */ handle) => letGo(handle, 'closed'),
    discard: (/** @type {number} */ handle) => letGo(handle, 'dropped'),
    collected: (/** @type {number} */ handle) => letGo(handle, 'dropped'),
    end: letGo,
    move(/** @type {number} */ handle) {
      const endpoint = byHandle[handle]
      if (endpoint === undefined) return 0
      delete byHandle[handle]
      endpoint.handle = nextHandle++
      endpoint.started = false
      byHandle[endpoint.handle] = endpoint
      if (endpoint.first !== null && endpoint.first.reason !== '') wake(endpoint)
      return endpoint.handle
    },
    // No other realm can reach this one.
    rehome: () => 0,
    foreignHandle: () => -1,
  }

  const adoptAll = (/** @type {number[]} */ ids) => {
    const handles = p.list()
    for (let i = 0; i < ids.length; i++) handles[i] = ids[i] === 0 ? 0 : make(ids[i]).handle
    return handles
  }

  return {
    __proto__: null,
    natives,
    later,
    /** Sends a message of the worker itself with ports. */
    transmit,
    connect(/** @type {any} */ given) {
      target = given
    },
    /** The handles of ports that the owner sent under these ids. */
    adoptAll,
    /** A message for a relayed port. */
    arrive(/** @type {number} */ id, /** @type {any} */ data, /** @type {number} */ length, /** @type {number[]} */ ids) {
      const endpoint = byId[id]
      const node = message(data, length, adoptAll(ids))
      if (endpoint === undefined) {
        // The port left or was closed while the message was under way.
        transmit('return', id, data, length, node.handles)
        return
      }
      endpoint.received++
      for (let i = 0; i < node.handles.length; i++) if (node.handles[i] !== 0) byHandle[node.handles[i]].away = true
      if (endpoint.started && endpoint.first === null) tell(endpoint, node)
      else enqueue(endpoint, node)
    },
    /** The other end of a relayed port is gone. */
    depart(/** @type {number} */ id, /** @type {string} */ reason) {
      const endpoint = byId[id]
      // If the port has left, the owner handles its end.
      if (endpoint === undefined) return
      send('close', id, reason, 0, none)
      delete byId[id]
      endpoint.id = 0
      if (endpoint.first === null && !endpoint.away) tell(endpoint, ending(reason))
      else enqueue(endpoint, ending(reason))
    },
  }
})
