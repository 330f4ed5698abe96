// The bridge between the two worlds of a document. Electron, "contextBridge".
//
// Only clones cross. The codec clones values, and a value without a clone is sent as a number of
// the world that has it. A function becomes a proxy that calls it. A promise becomes one that
// settles with it. Ports move. Nodes, Blobs and symbols take the world channel
// (`world-channel.js`). Each realm has one end of the bridge; `natives.bridge…` calls the other
// end, which only a realm of the same document can reach.
(function makeContextBridge(p, natives, codec, ports, makeWorldChannel, dress, inbox, isMainWorld, global) {
  'use strict'

  // The kinds of values without a clone.
  const FUNCTION = 0
  const HOME = 1
  const PROMISE = 2
  const PORT = 3
  const BROUGHT = 4

  // Requests to the other end, beside calls of its functions.
  const EXPOSE = 0
  const RUN = 1
  const MEET = 2

  /**
   * The deepest nesting of a message: an array around the value, or around an array of arguments.
   */
  const DEPTH = 1000 + 1
  /**
   * The most nested calls of this realm under way. Usually the engine's own stack limit comes
   * first.
   */
  const MAX_CALLS = 100
  const TOO_DEEP = 'Electron contextBridge recursion depth exceeded.  Nested objects deeper than 1000 are not supported.'
  const RELEASED = 'IPC method called after context was released'
  const UNKNOWN = 'An unknown exception occurred in the isolated context, an error occurred but a valid exception was not thrown.'

  const { outgoing } = ports
  const none = p.list()

  // ---- Functions ----------------------------------------------------------------------------------------------------------------

  /** Functions of this world that the other world has, and how often each was sent there. */
  const functions = { __proto__: null }
  const sent = { __proto__: null }
  const functionIds = new p.WeakMap()
  let lastId = MEET

  /** Functions of the other world that this world has: a proxy each, and how often it arrived. */
  const proxies = { __proto__: null }
  const received = { __proto__: null }
  const proxyIds = new p.WeakMap()
  const collected = new p.FinalizationRegistry((/** @type {number} */ id) => {
    const weak = proxies[id]
    if (weak === undefined || p.deref(weak) !== undefined) return
    const count = received[id]
    delete proxies[id]
    delete received[id]
    natives.bridgeRelease(id, count)
  })

  const exportFunction = (/** @type {Function} */ f) => {
    let id = p.weakMapGet(functionIds, f)
    if (id === undefined) {
      id = ++lastId
      p.weakMapSet(functionIds, f, id)
    }
    return id
  }

  const importFunction = (/** @type {number} */ id) => {
    received[id] = (received[id] ?? 0) + 1
    const weak = proxies[id]
    const known = weak === undefined ? undefined : p.deref(weak)
    if (known !== undefined) return known
    const proxy = (/** @type {any[]} */ ...args) => call(id, args)
    p.defineProperty(proxy, 'name', { __proto__: null, value: '', configurable: true })
    dress(proxy, '')
    p.weakMapSet(proxyIds, proxy, id)
    proxies[id] = new p.WeakRef(proxy)
    p.register(collected, proxy, id)
    return proxy
  }

  // ---- Promises -----------------------------------------------------------------------------------------------------------------

  /** The functions that settle this world's copies of the other world's promises. */
  const pending = { __proto__: null }
  let lastPromise = 0

  const isPromise = (/** @type {any} */ value) => p.objectToString(value) === '[object Promise]'

  /**
   * `await` uses nothing of `Promise.prototype`, and of the promise only what `Promise.resolve`
   * uses.
   */
  const follow = async (/** @type {number} */ id, /** @type {any} */ promise) => {
    let ok = true
    let value
    try {
      value = await promise
    } catch (error) {
      ok = false
      value = error
    }
    try {
      send(value, (/** @type {any} */ bytes, /** @type {number} */ length, /** @type {number} */ count) =>
        natives.bridgeSettle(id, ok, bytes, length, outgoing, count))
    } catch (error) {
      send(new p.Error(textOf(error)), (/** @type {any} */ bytes, /** @type {number} */ length, /** @type {number} */ count) =>
        natives.bridgeSettle(id, false, bytes, length, outgoing, count))
    }
  }

  const importPromise = (/** @type {number} */ id) => {
    const promise = new p.Promise((/** @type {any} */ resolve, /** @type {any} */ reject) => {
      pending[id] = { __proto__: null, resolve, reject }
    })
    return promise
  }

  // ---- Messages -----------------------------------------------------------------------------------------------------------------

  const isObject = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  /** The message of an error. The error may be a program's, whose getters can throw. */
  const textOf = (/** @type {any} */ error) => {
    try {
      const { message } = error
      return typeof message === 'string' ? message : UNKNOWN
    } catch {
      return UNKNOWN
    }
  }

  const newCrosser = (/** @type {number} */ depth) => {
    const crosser = {
      __proto__: null,
      depth,
      id: 0,
      functions: p.list(),
      promises: p.list(),
      promiseIds: p.list(),
      ports: p.list(),
      brought: p.list(),
      broughtIds: p.list(),
      tooDeep() {
        throw new p.TypeError(TOO_DEEP)
      },
      out(/** @type {any} */ value) {
        crosser.id = 0
        if (typeof value === 'function') {
          const home = p.weakMapGet(proxyIds, value)
          if (home !== undefined) {
            crosser.id = home
            return HOME
          }
          crosser.functions[crosser.functions.length] = value
          crosser.id = exportFunction(value)
          return FUNCTION
        }
        if (ports.isPort(value)) {
          let index = 0
          while (index < crosser.ports.length && crosser.ports[index] !== value) index++
          crosser.ports[index] = value
          crosser.id = index
          return PORT
        }
        if (isPromise(value)) {
          let index = 0
          while (index < crosser.promises.length && crosser.promises[index] !== value) index++
          if (index === crosser.promises.length) {
            crosser.promises[index] = value
            crosser.promiseIds[index] = ++lastPromise
          }
          crosser.id = crosser.promiseIds[index]
          return PROMISE
        }
        let index = 0
        while (index < crosser.brought.length && crosser.brought[index] !== value) index++
        if (index === crosser.brought.length) {
          const id = worldChannel.bring(value)
          if (id === 0) return -1
          crosser.brought[index] = value
          crosser.broughtIds[index] = id
        }
        crosser.id = crosser.broughtIds[index]
        return BROUGHT
      },
    }
    return crosser
  }

  /** The message will not be sent: values that were brought over for it are discarded. */
  const unload = (/** @type {any} */ crosser) => {
    for (let i = 0; i < crosser.broughtIds.length; i++) worldChannel.forget(crosser.broughtIds[i])
  }

  /**
   * Writes a value for the other world and passes its bytes and ports to `carry`, which gives them
   * to the agent. An exception before that has taken nothing.
   * @template T
   * @param {any} value
   * @param {(bytes: Uint8Array, length: number, count: number) => T} carry
   * @param {number} [depth]
   * @returns {T}
   */
  const send = (value, carry, depth = DEPTH) => {
    const crosser = newCrosser(depth)
    // (An ordinary array could have a setter of the program.)
    const items = p.list()
    items[0] = value
    const message = p.array(items)
    let length
    try {
      length = codec.write(message, none, none, false, undefined, crosser)
      const moving = crosser.ports
      if (moving.length > ports.maximum) throw ports.cloneError('Too many ports in one message.')
      // Getters of the value may have transferred a port.
      for (let i = 0; i < moving.length; i++) {
        if (ports.isDetached(moving[i])) throw ports.cloneError(`Port at index ${i} is already neutered.`)
      }
    } catch (error) {
      unload(crosser)
      throw plain(error)
    }
    const moving = crosser.ports
    const handles = p.list()
    for (let i = 0; i < moving.length; i++) outgoing[i] = handles[i] = ports.handleFor(moving[i])
    // Functions are registered here before the other world can call them.
    for (let i = 0; i < crosser.functions.length; i++) {
      const id = exportFunction(crosser.functions[i])
      functions[id] = crosser.functions[i]
      sent[id] = (sent[id] ?? 0) + 1
    }
    const bytes = codec.buffer
    ports.surrender(moving, none)
    let result
    try {
      result = carry(bytes, length, moving.length)
    } catch (error) {
      // For instance, the stack was exhausted: ports under way are dropped.
      for (let i = 0; i < handles.length; i++) natives.discard(handles[i])
      unload(crosser)
      throw error
    }
    for (let i = 0; i < crosser.promises.length; i++) follow(crosser.promiseIds[i], crosser.promises[i])
    return result
  }

  const exceptionName = p.getter(p.DOMException.prototype, 'name')
  const exceptionMessage = p.getter(p.DOMException.prototype, 'message')
  /** Makes a plain error of a DataCloneError of the codec or the ports. */
  const plain = (/** @type {any} */ error) => {
    try {
      return exceptionName(error) === 'DataCloneError' ? new p.Error(exceptionMessage(error)) : error
    } catch {
      // A getter of the value threw it.
      return error
    }
  }

  /** Objects that arrived through the world channel. */
  const passengers = new p.WeakSet()
  const admit = (/** @type {any} */ value) => {
    if (isObject(value)) p.weakSetAdd(passengers, value)
    return value
  }

  /**
   * Reads an arrived message: `length` bytes in the receive buffer, the handles of `count` ports in
   * `outgoing`.
   */
  const receive = (/** @type {number} */ length, /** @type {number} */ count) => {
    const arrived = p.list()
    for (let i = 0; i < count; i++) arrived[i] = ports.adopt(outgoing[i])
    const came = { __proto__: null }
    const unloaded = p.list()
    const value = codec.read(inbox(), length, none, undefined, null, undefined, (/** @type {number} */ kind, /** @type {number} */ id) => {
      switch (kind) {
        case FUNCTION:
          return importFunction(id)
        case HOME:
          return functions[id]
        case PROMISE:
          // One promise may occur several times in a message.
          came[id] ??= importPromise(id)
          return came[id]
        case PORT:
          return arrived[id]
        default:
          // One value may occur several times in a message.
          unloaded[unloaded.length] = id
          return admit(worldChannel.take(id))
      }
    })[0]
    for (let i = 0; i < unloaded.length; i++) worldChannel.taken(unloaded[i])
    return value
  }

  let calls = 0

  /** Calls the other world's function `id`. */
  const call = (/** @type {number} */ id, /** @type {any} */ args) => {
    if (calls === MAX_CALLS) throw new p.RangeError('Maximum call stack size exceeded.')
    calls++
    try {
      const outcome = send(args, (bytes, length, count) => natives.bridgeCall(id, bytes, length, outgoing, count), DEPTH + 1)
      if (outcome === undefined) throw new p.Error(RELEASED)
      // A negative number means an exception; its absolute value is the length of the error's
      // message.
      const value = receive(outcome < 0 ? -outcome : outcome, natives.bridgePorts())
      if (outcome < 0) throw new p.Error(value)
      return value
    } finally {
      calls--
    }
  }

  const worldChannel = makeWorldChannel(
    p,
    (/** @type {string} */ name) => {
      const args = p.list()
      args[0] = name
      call(MEET, p.array(args))
    },
    isMainWorld,
    global,
  )

  // ---- The page's side of `exposeInMainWorld` -----------------------------------------------------------------------------------

  const isView = global.ArrayBuffer.isView
  const isPlatform = (/** @type {any} */ value) => ports.isBuffer(value) || ports.isPort(value) || p.weakSetHas(passengers, value)
  /**
   * Freezes an exposed value. Views cannot be frozen, and objects of the platform stay as they are.
   */
  const freeze = (/** @type {any} */ value, /** @type {any} */ seen) => {
    if (!isObject(value) || isView(value) || isPlatform(value) || p.weakSetHas(seen, value)) return
    p.weakSetAdd(seen, value)
    const keys = p.ownKeys(value)
    for (let i = 0; i < keys.length; i++) {
      const found = p.getOwnPropertyDescriptor(value, keys[i])
      if (p.getOwnPropertyDescriptor(found, 'value') !== undefined) freeze(found.value, seen)
    }
    p.freeze(value)
  }

  const bind = (/** @type {string} */ key, /** @type {any} */ api) => {
    if (p.has(global, key)) throw new p.Error('Cannot bind an API on top of an existing property on the window object')
    p.defineProperty(global, key, { __proto__: null, value: api, enumerable: true, writable: false, configurable: false })
  }

  const expose = (/** @type {string} */ key, /** @type {any} */ api) => {
    freeze(api, new p.WeakSet())
    bind(key, api)
  }

  /** Executes a request of the other world. */
  const perform = (/** @type {number} */ id, /** @type {any[]} */ args) => {
    switch (id) {
      case EXPOSE:
        return expose(args[0], args[1])
      case RUN:
        return p.apply(natives.bridgeCompile(args[0]), undefined, args[1])
      case MEET:
        return worldChannel.await(args[0])
      default:
        return p.apply(functions[id], undefined, args)
    }
  }

  return {
    __proto__: null,

    /** The other world calls a function of this one. A native returns the answer. */
    invoke(/** @type {number} */ id, /** @type {number} */ length, /** @type {number} */ count) {
      let failed
      try {
        const args = receive(length, count)
        send(perform(id, args), (bytes, size, ported) => natives.bridgeAnswer(true, bytes, size, outgoing, ported))
        return
      } catch (error) {
        failed = textOf(error)
      }
      send(failed, (bytes, size, ported) => natives.bridgeAnswer(false, bytes, size, outgoing, ported))
    },

    /** A promise of the other world has settled. */
    settle(/** @type {number} */ id, /** @type {boolean} */ ok, /** @type {number} */ length, /** @type {number} */ count) {
      const value = receive(length, count)
      const waiting = pending[id]
      if (waiting === undefined) return
      delete pending[id]
      if (ok) waiting.resolve(value)
      else waiting.reject(value)
    },

    /** The other world has dropped a function, which it had received `count` times. */
    release(/** @type {number} */ id, /** @type {number} */ count) {
      if (sent[id] !== count) return
      delete functions[id]
      delete sent[id]
    },

    call,
    bind,
    EXPOSE,
    RUN,
  }
})
