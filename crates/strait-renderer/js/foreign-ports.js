// Where ports of ours meet ports of WebKit's own: those of shared workers, worklets, and workers without our glue, which no agent can reach.
//
// A foreign port that enters one of our channels, and a port of ours that leaves for a worker, are linked: what arrives on one side is
// posted on the other. A link knows when our side closes; WebKit does not tell when the foreign one does.
(function makeForeignPorts(p, natives, codec, ports) {
  'use strict'

  const { stateOf, native } = ports

  /** Joins a port of ours, which nobody else uses, with a foreign one. */
  const link = (/** @type {MessagePort} */ ours, /** @type {MessagePort} */ foreign) => {
    p.addEventListener(foreign, 'message', (/** @type {MessageEvent} */ event) => {
      const arrived = p.eventPorts(event)
      const list = p.list()
      for (let i = 0; i < arrived.length; i++) list[i] = arrived[i]
      ports.post(ours, p.eventData(event), p.array(list))
    })
    p.addEventListener(ours, 'message', (/** @type {MessageEvent} */ event) => {
      post(native.postMessage, foreign, p.eventData(event), p.eventPorts(event), 2)
    })
    p.addEventListener(ours, 'close', () => native.close(foreign))
    native.start(foreign)
    ports.start(ours, stateOf(ours))
  }

  /** A foreign port that stands for a port of ours, which stops being usable itself. */
  const carry = (/** @type {any} */ port) => {
    const channel = new p.MessageChannel()
    const handle = stateOf(port) === undefined ? natives.rehome(port) : ports.release(port)
    link(ports.adopt(handle, true), p.channelPort1(channel))
    return p.channelPort2(channel)
  }

  /** Posts natively to a worker or to a foreign port: ports of ours in the list are carried. */
  const post = (
    /** @type {Function} */ send,
    /** @type {any} */ target,
    /** @type {any} */ message,
    /** @type {any} */ options,
    /** @type {number} */ count,
  ) => {
    const entries = count > 1 ? ports.transferList(options) : p.list()
    let ours = false
    for (let i = 0; i < entries.length; i++) ours = ours || (ports.isPort(entries[i]) && ports.isOurs(entries[i]))
    if (!ours) {
      if (count === 0) send(target)
      else if (count === 1) send(target, message)
      else if (options === undefined || options === null) send(target, message, options)
      // A list may be gone once it has been read.
      else send(target, message, { __proto__: null, transfer: p.sequence(entries) })
      return
    }
    const sorted = ports.sortTransfer(entries, target)
    const length = codec.write(message, sorted.ports, sorted.buffers, true)
    for (let i = 0; i < sorted.ports.length; i++) {
      if (ports.isDetached(sorted.ports[i])) throw ports.cloneError(`Port at index ${i} is already neutered.`)
    }
    const carriers = p.list()
    for (let i = 0; i < sorted.ports.length; i++) {
      carriers[i] = ports.isOurs(sorted.ports[i]) ? carry(sorted.ports[i]) : sorted.ports[i]
    }
    // Read back, the message refers to the carriers where it referred to our ports, and to the same Blobs.
    send(target, codec.read(codec.buffer, length, carriers, undefined, codec.blobs), { __proto__: null, transfer: p.sequence(carriers) })
    codec.detach(sorted.buffers)
  }

  return {
    __proto__: null,
    post,
    /** A foreign port comes in: the handle of the end of ours that travels on in its place. */
    bring(/** @type {MessagePort} */ foreign) {
      const handle = natives.channel()
      link(ports.adopt(handle + 1, true), foreign)
      return handle
    },
  }
})
