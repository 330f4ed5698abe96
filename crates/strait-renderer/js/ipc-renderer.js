// ipcRenderer: a document's side of the conversation with main. Electron, "ipcRenderer".
(function makeIpcRenderer(p, natives, codec, ports, makeEmitter, inbox) {
  'use strict'

  const KIND_SEND = 0
  const KIND_POST = 1
  const KIND_INVOKE = 2
  const RELEASED = 'IPC method called after context was released'

  const { outgoing } = ports
  const none = p.list()
  const { emitter: ipcRenderer, emit, count } = makeEmitter(p, (/** @type {any} */ channel) => {
    if (typeof channel === 'string') natives.listen(channel)
  })
  // Invocations without an answer yet.
  const pending = { __proto__: null }
  let requests = 0

  const checkChannel = (/** @type {any} */ channel) => {
    if (typeof channel !== 'string') throw new p.TypeError('Missing required channel argument')
  }
  const ipc = (/** @type {number} */ kind, /** @type {string} */ channel, /** @type {number} */ length, /** @type {number} */ count, /** @type {number} */ request) => {
    if (!natives.ipc(kind, channel, codec.buffer, length, outgoing, count, request)) throw new p.Error(RELEASED)
  }

  ipcRenderer.send = (channel, ...args) => {
    checkChannel(channel)
    ipc(KIND_SEND, channel, codec.write(args, none, none), 0, 0)
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
    const length = ports.pack(message, sorted.ports, sorted.buffers)
    ipc(KIND_POST, channel, length, sorted.ports.length, 0)
    ports.surrender(sorted.ports, sorted.buffers)
  }

  ipcRenderer.invoke = (channel, ...args) =>
    new p.Promise((/** @type {any} */ resolve, /** @type {any} */ reject) => {
      checkChannel(channel)
      const length = codec.write(args, none, none)
      const request = ++requests
      pending[request] = { resolve, reject, channel }
      try {
        ipc(KIND_INVOKE, channel, length, 0, request)
      } catch (error) {
        delete pending[request]
        throw error
      }
    })

  ipcRenderer.sendSync = (channel, ...args) => {
    checkChannel(channel)
    const length = codec.write(args, none, none)
    const answer = natives.sendSync(channel, codec.buffer, length, ++requests)
    if (typeof answer === 'string') throw new p.Error(answer)
    return codec.read(inbox(), answer, none)
  }

  return {
    __proto__: null,
    ipcRenderer,

    hears: (/** @type {string} */ channel) => count(channel) !== 0,

    /** From main. */
    emit(/** @type {string} */ channel, /** @type {boolean} */ isArguments, /** @type {Uint8Array} */ inbox, /** @type {number} */ length, /** @type {number} */ count) {
      const arrived = p.list()
      for (let i = 0; i < count; i++) arrived[i] = ports.adopt(outgoing[i])
      const value = codec.read(inbox, length, arrived)
      const event = { sender: ipcRenderer, ports: p.array(arrived) }
      const args = p.list()
      args[0] = event
      if (isArguments) for (let i = 0; i < value.length; i++) args[i + 1] = value[i]
      else args[1] = value
      emit(channel, args)
    },

    /** Main has answered an invocation: with `length` bytes in the inbox, or with an error. */
    reply(/** @type {number} */ request, /** @type {string} */ error, /** @type {Uint8Array} */ inbox, /** @type {number} */ length) {
      const waiting = pending[request]
      if (waiting === undefined) return
      delete pending[request]
      if (error !== '') waiting.reject(new p.Error(`Error invoking remote method '${waiting.channel}': ${error}`))
      else waiting.resolve(codec.read(inbox, length, none))
    },
  }
})
