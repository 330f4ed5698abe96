// Foreign ports: native ports of shared workers, worklets, and workers without the glue, which no
// agent can reach.
//
// A foreign port that enters a channel of Strait's is linked with a port of Strait's, and so is a
// port of Strait's that leaves for a worker. A link posts each side's messages on the other. It
// reports the close of Strait's side; WebKit does not report that of the foreign side.
(function makeForeignPorts(p, natives, codec, ports) {
  'use strict'

  const { stateOf, native } = ports

  /** Links a port of Strait's, which has no other user, with a foreign one. */
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

  /**
   * Makes a foreign port that stands for a port of Strait's, which can no longer be used itself.
   */
  const carry = (/** @type {any} */ port) => {
    const channel = new p.MessageChannel()
    const handle = stateOf(port) === undefined ? natives.rehome(port) : ports.release(port)
    link(ports.adopt(handle, true), p.channelPort1(channel))
    return p.channelPort2(channel)
  }

  /**
   * Posts natively to a worker or a foreign port. Ports of Strait's in the list are replaced by
   * foreign ports.
   */
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
      // An iterator can be read only once.
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
    // The message is cloned, so that it refers to the carriers in the place of Strait's ports. The
    // clone has the same Blobs.
    send(target, codec.read(codec.buffer, length, carriers, undefined, codec.blobs), { __proto__: null, transfer: p.sequence(carriers) })
    codec.detach(sorted.buffers)
  }

  return {
    __proto__: null,
    post,
    /**
     * Links an incoming foreign port. Returns the handle of the port that continues in its place.
     */
    bring(/** @type {MessagePort} */ foreign) {
      const handle = natives.channel()
      link(ports.adopt(handle + 1, true), foreign)
      return handle
    },
  }
})
