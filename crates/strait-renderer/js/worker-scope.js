// The glue of a dedicated worker's realm, which runs before the worker's own script. The owner's
// side is `js/worker.js`.
(function makeWorkerScope(p, parts, global, given, entry) {
  'use strict'

  const { nonce, href, source, isModule, maximum } = given
  const nativePost = p.uncurry(global.postMessage)
  const nativeClose = p.uncurry(global.close)
  const { importScripts } = global
  const functionToString = p.uncurry(Function.prototype.toString)

  const holder = (/** @type {string} */ name) => {
    let at = global
    while (p.getOwnPropertyDescriptor(at, name) === undefined) at = p.getPrototypeOf(at)
    return at
  }
  const replace = (/** @type {string} */ name, /** @type {Function} */ value) =>
    p.defineProperty(holder(name), name, { __proto__: null, value, writable: true, enumerable: true, configurable: true })

  const send = (
    /** @type {string} */ op,
    /** @type {number} */ id,
    /** @type {any} */ data,
    /** @type {number} */ length,
    /** @type {number[]} */ words,
  ) =>
    nativePost(global, [nonce, op, id, data, length, p.array(words)])
  const table = parts.makeWorkerPorts(p, send, maximum)
  const { natives } = table
  const dress = parts.makeNativeLook(p, global)
  const fileReader = new global.FileReaderSync()
  const readBlob = p.uncurry(global.FileReaderSync.prototype.readAsArrayBuffer)
  let ports
  const codec = parts.makeCodec({
    cloneError: (/** @type {string} */ message) => ports.cloneError(message),
    isPort: (/** @type {any} */ value) => ports.isPort(value),
    blobBytes: (/** @type {Blob} */ blob) => new p.Uint8Array(readBlob(fileReader, blob)),
  })
  ports = parts.makePorts(p, natives, codec, parts.makeTransferList(p))
  p.defineProperty(global, 'MessageChannel', { __proto__: null, value: ports.MessageChannel, writable: true, configurable: true })
  const foreignPorts = parts.makeForeignPorts(p, natives, codec, ports)
  ports.useForeignPorts(foreignPorts)
  const base = parts.patchBase(p, global, href)
  const workers = parts.makeWorkers(p, natives, codec, ports, foreignPorts, parts.makeRelays, global, () => functionToString(entry), href)
  parts.patchClone(p, natives, ports, global)
  table.connect({
    __proto__: null,
    outgoing: ports.outgoing,
    deliver(/** @type {number} */ handle, /** @type {Uint8Array} */ bytes, /** @type {number} */ length, /** @type {number} */ count) {
      if (workers.takes(handle)) workers.deliver(handle, bytes, length, count)
      else ports.deliver(handle, bytes, length, count)
    },
    closed(/** @type {number} */ handle, /** @type {string} */ reason) {
      if (!workers.closed(handle, reason)) ports.closed(handle, reason, true)
    },
  })

  // HTML: once the scope is closing, its event loop runs no more tasks. Messages that the present
  // task still posts are sent.
  let closing = false
  let finished = false
  const { setTimeout } = global
  const finish = () => {
    if (finished) return
    finished = true
    send('closing', 0, null, 0, none)
    nativeClose(global)
  }

  const methods = {
    postMessage(/** @type {any} */ message, /** @type {any} */ options) {
      const count = arguments.length
      if (count < 2) {
        if (count === 0) nativePost(global)
        else nativePost(global, message)
        return
      }
      const entries = ports.transferList(options)
      const travelling = p.list()
      let ours = false
      for (let i = 0; i < entries.length; i++) {
        if (!ports.isPort(entries[i])) continue
        const state = ports.stateOf(entries[i])
        if (state !== undefined && state.handle === 0) throw ports.cloneError(`Port at index ${i} is already neutered.`)
        ours = ours || state !== undefined
        travelling[travelling.length] = entries[i]
      }
      const list = { __proto__: null, transfer: p.sequence(entries) }
      if (!ours) {
        nativePost(global, message, list)
        return
      }
      if (travelling.length > maximum) throw ports.cloneError('Too many ports in one message.')
      // If the message cannot be cloned, nothing has been taken. The owner holds the message until
      // `names` names its ports.
      nativePost(global, [nonce, 'message', 0, message, 0, []], list)
      const handles = p.list()
      for (let i = 0; i < travelling.length; i++) handles[i] = ports.stateOf(travelling[i]) === undefined ? 0 : release(travelling[i])
      table.transmit('names', 0, null, 0, handles)
    },
    close() {
      if (closing) return
      closing = true
      // The earlier of these two tasks ends the worker, before any timer that the worker sets
      // later.
      table.later(finish)
      setTimeout(finish, 0)
    },
  }
  replace('postMessage', methods.postMessage)
  replace('close', methods.close)
  dress()

  const none = p.list()
  /** Takes a port; a getter of the message may have closed it. */
  const release = (/** @type {any} */ port) => {
    const handle = ports.release(port)
    if (handle !== 0) return handle
    const near = natives.channel()
    natives.close(near + 1)
    return near
  }

  p.addEventListener(
    global,
    'message',
    (/** @type {MessageEvent} */ event) => {
      if (closing) {
        p.stopImmediatePropagation(event)
        return
      }
      const said = p.eventData(event)
      if (!p.isArray(said) || said.length !== 6 || said[0] !== nonce || !p.isTrusted(event)) return
      p.stopImmediatePropagation(event)
      if (said[1] === 'deliver') table.arrive(said[2], said[3], said[4], said[5])
      else if (said[1] === 'closed') table.depart(said[2], said[3])
      else hear(event, said[3], said[5])
    },
    true,
  )

  /**
   * Handles a message of the owner itself with ports of Strait's: the listeners get the intended
   * message.
   */
  const hear = (/** @type {MessageEvent} */ event, /** @type {any} */ data, /** @type {number[]} */ ids) => {
    const arrived = p.eventPorts(event)
    const handles = table.adoptAll(ids)
    for (let i = 0; i < handles.length; i++) if (handles[i] !== 0) ports.stamp(arrived[i], handles[i])
    p.dispatchEvent(global, p.messageEvent(data, arrived, p.eventOrigin(event)))
  }

  if (isModule) {
    // The entry imports the worker's script next.
    send('ready', 0, null, 0, none)
    return
  }

  // An exception must pass `importScripts` unchanged, or it would be reported as thrown here. A
  // NetworkError means that the script is missing.
  const errorOf = p.getter(global.ErrorEvent.prototype, 'error')
  const nameOf = p.getter(p.DOMException.prototype, 'name')
  const prevent = p.uncurry(p.Event.prototype.preventDefault)
  let starting = true
  const isMissing = (/** @type {any} */ event) => {
    try {
      const error = errorOf(event)
      return nameOf(error) === 'NetworkError' && !base.isRefused(error)
    } catch {
      return false
    }
  }
  p.addEventListener(
    global,
    'error',
    (/** @type {any} */ event) => {
      if (!starting || !p.isTrusted(event)) return
      starting = false
      if (!isMissing(event)) return
      p.stopImmediatePropagation(event)
      prevent(event)
      send('failed', 0, null, 0, none)
      nativeClose(global)
    },
    true,
  )
  p.apply(importScripts, global, [source])
  starting = false
  send('ready', 0, null, 0, none)
})
