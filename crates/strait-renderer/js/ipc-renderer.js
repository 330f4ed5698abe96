// `ipcRenderer`: a document's messages to and from main. Electron, "ipcRenderer".
(function makeIpcRenderer(p, natives, codec, ports, EventEmitter, refuse, inbox) {
  'use strict'

  const KIND_SEND = 0
  const KIND_POST = 1
  const KIND_INVOKE = 2
  const RELEASED = 'IPC method called after context was released'

  const { outgoing } = ports
  const none = p.list()
  const { on, prependListener, emit, listenerCount } = EventEmitter.prototype
  const ipcRenderer = { __proto__: EventEmitter.prototype }
  // All functions that add listeners end in one of these.
  const listening = (/** @type {any} */ add) =>
    function (/** @type {any} */ channel, /** @type {any} */ listener) {
      p.apply(add, ipcRenderer, [channel, listener])
      if (typeof channel === 'string') natives.listen(channel)
      return ipcRenderer
    }
  ipcRenderer.on = listening(on)
  ipcRenderer.addListener = ipcRenderer.on
  ipcRenderer.prependListener = listening(prependListener)
  // Invocations without an answer yet.
  const pending = { __proto__: null }
  let requests = 0

  const checkChannel = (/** @type {any} */ channel) => {
    if (typeof channel !== 'string') throw new p.TypeError('Missing required channel argument')
  }

  // Electron's ipcRenderer throws plain errors where the platform's own functions throw a
  // DataCloneError.
  const exceptionName = p.getter(p.DOMException.prototype, 'name')
  const exceptionMessage = p.getter(p.DOMException.prototype, 'message')
  const plain = (/** @type {any} */ error) => {
    try {
      return exceptionName(error) === 'DataCloneError' ? new p.Error(exceptionMessage(error)) : error
    } catch {
      // The error is not a DOMException: a getter of the value threw it.
      return error
    }
  }
  /** Clones `message` with its transferred values; `ports.pack` stores the bytes and handles. */
  const pack = (/** @type {any} */ message, /** @type {any[]} */ transferred, /** @type {any[]} */ buffers) => {
    try {
      return ports.pack(message, transferred, buffers)
    } catch (error) {
      throw plain(error)
    }
  }

  const ipc = (/** @type {number} */ kind, /** @type {string} */ channel, /** @type {number} */ length, /** @type {number} */ count, /** @type {number} */ request) => {
    if (!natives.ipc(kind, channel, codec.buffer, length, outgoing, count, request)) throw new p.Error(RELEASED)
  }

  ipcRenderer.send = (channel, ...args) => {
    checkChannel(channel)
    ipc(KIND_SEND, channel, pack(args, none, none), 0, 0)
  }

  ipcRenderer.postMessage = (channel, message, transfer) => {
    checkChannel(channel)
    const entries = p.list()
    if (transfer !== undefined) {
      if (!p.isArray(transfer)) throw new p.TypeError('Invalid value for transfer')
      for (let i = 0; i < transfer.length; i++) {
        const entry = transfer[i]
        if (!ports.isPort(entry) && !ports.isBuffer(entry)) throw new p.TypeError('Invalid value for transfer')
        entries[i] = entry
      }
    }
    const sorted = ports.sortTransfer(entries, undefined)
    const length = pack(message, sorted.ports, sorted.buffers)
    ipc(KIND_POST, channel, length, sorted.ports.length, 0)
    ports.surrender(sorted.ports, sorted.buffers)
  }

  ipcRenderer.sendToHost = () => refuse('ipcRenderer', 'sendToHost')

  ipcRenderer.invoke = (channel, ...args) =>
    new p.Promise((/** @type {any} */ resolve, /** @type {any} */ reject) => {
      checkChannel(channel)
      const length = pack(args, none, none)
      const request = ++requests
      pending[request] = { resolve, reject, channel }
      try {
        ipc(KIND_INVOKE, channel, length, 0, request)
      } catch (error) {
        delete pending[request]
        throw error
      }
    })

  // Main sends an exception in its printed form. The error made here prints its name itself.
  const startsWith = p.uncurry(String.prototype.startsWith)
  const slice = p.uncurry(String.prototype.slice)
  const withoutName = (/** @type {string} */ text) => (startsWith(text, 'Error: ') ? slice(text, 7) : text)

  ipcRenderer.sendSync = (channel, ...args) => {
    checkChannel(channel)
    const length = pack(args, none, none)
    const answer = natives.sendSync(channel, codec.buffer, length, ++requests)
    if (typeof answer === 'string') throw new p.Error(withoutName(answer))
    return codec.read(inbox(), answer, none)
  }

  return {
    __proto__: null,
    ipcRenderer,

    hears: (/** @type {string} */ channel) => p.apply(listenerCount, ipcRenderer, [channel]) !== 0,

    /** Emits a message from main. */
    emit(/** @type {string} */ channel, /** @type {boolean} */ isArguments, /** @type {Uint8Array} */ inbox, /** @type {number} */ length, /** @type {number} */ count) {
      const arrived = p.list()
      for (let i = 0; i < count; i++) arrived[i] = ports.adopt(outgoing[i])
      const value = codec.read(inbox, length, arrived)
      const event = { sender: ipcRenderer, ports: p.array(arrived) }
      const args = p.list()
      args[0] = channel
      args[1] = event
      if (isArguments) for (let i = 0; i < value.length; i++) args[i + 2] = value[i]
      else args[2] = value
      p.apply(emit, ipcRenderer, args)
    },

    /**
     * Settles an invocation that main has answered: with `length` bytes in the receive buffer, or
     * with an error.
     */
    reply(/** @type {number} */ request, /** @type {string} */ error, /** @type {Uint8Array} */ inbox, /** @type {number} */ length) {
      const waiting = pending[request]
      if (waiting === undefined) return
      delete pending[request]
      const fail = (/** @type {string} */ text) => waiting.reject(new p.Error(`Error invoking remote method '${waiting.channel}': ${text}`))
      if (error !== '') return fail(error)
      let value
      try {
        value = codec.read(inbox, length, none)
      } catch (thrown) {
        // Main can write values that exceed this engine's limits or its stack.
        return fail(`Error: the result cannot be read: ${thrown.message}`)
      }
      waiting.resolve(value)
    },
  }
})
