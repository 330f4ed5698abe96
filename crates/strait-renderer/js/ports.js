// MessagePort and MessageChannel of a page: real DOM ports with the engine's behaviour.
//
// HTML, "Channel messaging". A *stamped* port has a private field, put on the DOM object by a
// constructor that returns it. The field holds the port's state and the agent's handle. The agent
// checks that a handle belongs to the document of the calling realm.
(function makePorts(p, natives, codec, transferList, makeOutbox, global) {
  'use strict'

  const { apply, addEventListener, dispatchEvent, defineProperty, deref } = p
  const portPrototype = p.MessagePort.prototype
  const own = p.getOwnPropertyDescriptor
  const native = {
    __proto__: null,
    postMessage: p.uncurry(portPrototype.postMessage),
    start: p.uncurry(portPrototype.start),
    close: p.uncurry(portPrototype.close),
    getOnmessage: p.uncurry(own(portPrototype, 'onmessage').get),
    setOnmessage: p.uncurry(own(portPrototype, 'onmessage').set),
  }

  /**
   * The state of a stamped port. `handle` is 0 once the port is detached: closed here, or
   * transferred.
   * @typedef {{ handle: number, started: boolean, peerGone: boolean, message: any, close: any, waiting: Waiting[] | null,
   *   mate: State | null, keeps: MessagePort | null, queued: number, depth: number,
   *   severed: boolean, hired: Waiting[], partner: number, carries: boolean }} State
   *
   * `carries`: the object is in use as the twin of a port (`untracked-ports.js`). `partner`: the
   * handle of a port in another realm whose twin this object is.
   *
   * `waiting`: the listeners for messages that WebKit does not have, because with listeners it
   * would keep the port alive. A port that was never started has them, and a *mated* one. Otherwise
   * null.
   * @typedef {{ __proto__: null, listener: any, run: any, capture: boolean, once: any, passive: any, signal: any }} Waiting
   *
   * A port is mated while both ends of its channel are objects of this realm. No other realm can
   * post to it then. As in HTML, it lives while it or its mate can be reached, or a message is
   * under way to it. So the port's own state holds `keeps`, the mate if that is started, and
   * `queued` counts messages under way. WebKit has the listeners only during a dispatch: `depth`
   * counts running dispatches, `hired` lists the listeners that WebKit has got.
   */

  // The function returns its argument, so that `super(port)` makes the port `this`.
  const identity = function (/** @type {any} */ port) {
    return port
  }
  class Stamp extends identity {
    #state
    constructor(port, state) {
      super(port)
      this.#state = state
    }
    /** @returns {State | undefined} */
    static of(value) {
      return #state in value ? value.#state : undefined
    }
  }

  /** @returns {State | undefined} the state of a stamped port */
  const stateOf = (/** @type {any} */ value) =>
    (typeof value === 'object' && value !== null) || typeof value === 'function' ? Stamp.of(value) : undefined

  // Prototypes whose objects were found not to be ports. The list exists because each query of
  // WebKit costs an exception.
  const portless = new p.WeakSet()

  /**
   * Whether ports can have this prototype, here or in another document. If so, one object of
   * another kind proves nothing about others.
   */
  const couldBePorts = (/** @type {any} */ prototype) => {
    for (let at = prototype; at !== null; at = p.getPrototypeOf(at)) {
      if (at === portPrototype || own(at, 'onmessage') !== undefined) return true
    }
    return false
  }

  /**
   * Whether the value is a MessagePort: stamped here, stamped in another document, or WebKit's own.
   */
  const isPort = (/** @type {any} */ value) => {
    if (stateOf(value) !== undefined) return true
    if (typeof value !== 'object' || value === null) return false
    const prototype = p.getPrototypeOf(value)
    if (prototype === null || prototype === p.objectPrototype || p.weakSetHas(portless, prototype)) return false
    try {
      native.getOnmessage(value)
      return true
    } catch {
      if (!couldBePorts(prototype)) p.weakSetAdd(portless, prototype)
      return false
    }
  }

  const cloneError = (/** @type {string} */ message) => new p.DOMException(message, 'DataCloneError')

  // The agent reads and writes handles in this array. No message has more ports: the limit is the
  // engine's.
  const MAXIMUM = natives.maximumPorts()
  const outgoing = new p.Uint32Array(MAXIMUM)
  // Where Blobs can be read at once, the codec reads them and there is no outbox.
  const outbox = makeOutbox === undefined ? null : makeOutbox(p, natives, codec, outgoing, cloneError, global)

  /**
   * The present object for a handle. A port that returns to a realm has the handle that it had
   * there before. The collection of its former object must not count as that of the new one, so
   * entries are compared and not handles.
   * `held`: the object, while a message may still arrive. `twin`: the port that WebKit made with
   * it; or `mate`, the handle of that port.
   * @typedef {{ handle: number, weak: WeakRef<MessagePort>, held: MessagePort | null, twin: MessagePort | undefined, mate: number, hidden: boolean }} Entry
   */
  const known = { __proto__: null }
  const isCurrent = (/** @type {Entry} */ entry) => known[entry.handle] === entry
  /** The entry's object has been collected, and the port did not leave with it. */
  const drop = (/** @type {Entry} */ entry) => {
    if (!isCurrent(entry)) return
    delete known[entry.handle]
    natives.collected(entry.handle)
  }
  const registry = new p.FinalizationRegistry((/** @type {Entry} */ entry) => {
    if (untracked === undefined) drop(entry)
    else if (isCurrent(entry)) untracked.collected(entry)
  })

  /** The object that has the handle in this realm, if there is one. */
  const objectOf = (/** @type {number} */ handle) => {
    const entry = known[handle]
    return entry === undefined ? undefined : (entry.held ?? deref(entry.weak))
  }

  const stamp = (/** @type {MessagePort} */ port, /** @type {number} */ handle, /** @type {MessagePort | undefined} */ twin, mate = 0, hidden = false) => {
    // The other realm of the document may have sent the port away before it returned. This realm's
    // former object is detached too.
    disown(handle)
    const state = { handle, started: false, peerGone: false, message: null, close: null, waiting: p.list(), mate: null, keeps: null, queued: 0, depth: 0, severed: false, hired: p.list(), partner: 0, carries: false }
    new Stamp(port, state)
    const entry = { __proto__: null, handle, weak: new p.WeakRef(port), held: null, twin, mate, hidden }
    known[handle] = entry
    p.register(registry, port, entry, state)
    return port
  }

  /** Makes a DOM port for a handle from the agent. Pages never get a `hidden` one. */
  const adopt = (/** @type {number} */ handle, hidden = false) => {
    const channel = new p.MessageChannel()
    const port = stamp(p.channelPort1(channel), handle, p.channelPort2(channel), 0, hidden)
    if (!hidden && untracked !== undefined) untracked.hold(port)
    return port
  }

  /**
   * Removes the handle from this realm. Its entry may live on in the registry, so it must hold
   * nothing.
   */
  const unlist = (/** @type {number} */ handle) => {
    const entry = known[handle]
    if (entry !== undefined) {
      entry.held = null
      entry.twin = undefined
    }
    delete known[handle]
  }

  /** Separates two mates when one leaves. From now on any realm can post to the other one. */
  const part = (/** @type {State} */ state) => {
    const { mate } = state
    if (mate === null) return
    state.mate = mate.mate = state.keeps = mate.keeps = null
    // If this mate's object stays, it is still the twin of the other mate. It is looked up, because
    // a state holds no strong reference to its port.
    const entry = known[mate.handle]
    if (entry !== undefined) {
      entry.twin = state.carries ? objectOf(state.handle) : undefined
      entry.mate = 0
    }
    const port = objectOf(mate.handle)
    if (!mate.started || port === undefined) return
    known[mate.handle].held = port
    hire(port, mate)
  }

  const forget = (/** @type {State} */ state) => {
    part(state)
    unlist(state.handle)
    p.unregister(registry, state)
    state.handle = 0
  }

  /** Detaches the object that has the handle, if there is one. */
  const disown = (/** @type {number} */ handle) => {
    const port = objectOf(handle)
    if (port === undefined) unlist(handle)
    else detach(port, stateOf(port), true)
  }

  /**
   * Detaches the port's object, because the port leaves this realm. With `left` WebKit has
   * transferred the port. Its object must then stay open, because closing it closes the port at its
   * new place.
   */
  const detach = (/** @type {any} */ port, /** @type {State} */ state, left = false) => {
    // WebKit has none of the object's listeners, so the object can be collected without being
    // closed.
    if (!left && state.mate !== null && state.waiting !== null) state.carries = true
    if (state.partner !== 0) untracked.leaves(port, state)
    forget(state)
    if (!left) sever(port, state)
  }

  /** Gives WebKit the waiting listeners. (It takes none whose signal has been aborted.) */
  const hire = (/** @type {any} */ port, /** @type {State} */ state) => {
    const { waiting } = state
    if (waiting === null) return
    state.waiting = null
    for (let i = 0; i < waiting.length; i++) {
      // WebKit may already have a `once` listener, in its wrapped form.
      if (state.depth === 0 || waiting[i].run === waiting[i].listener) addEventListener(port, 'message', waiting[i].listener, waiting[i])
    }
  }

  /**
   * Whether a waiting listener has a signal. WebKit ends listeners with their signals, so it must
   * have them from the start.
   */
  const heedsSignals = (/** @type {State} */ state) => {
    const { waiting } = state
    for (let i = 0; waiting !== null && i < waiting.length; i++) if (waiting[i].signal !== undefined) return true
    return false
  }

  /** Dispatches an event, and gives WebKit the waiting listeners for that time. */
  const dispatchTo = (/** @type {any} */ port, /** @type {State} */ state, /** @type {Event} */ event) => {
    const { waiting } = state
    for (let i = 0; waiting !== null && i < waiting.length; i++) {
      const { run, capture, passive } = waiting[i]
      addEventListener(port, 'message', run, { __proto__: null, capture, passive })
      state.hired[state.hired.length] = waiting[i]
    }
    return dispatchNow(port, state, event)
  }

  const dispatchNow = (/** @type {any} */ port, /** @type {State} */ state, /** @type {Event} */ event) => {
    state.depth++
    try {
      return dispatchEvent(port, event)
    } finally {
      // A listener may dispatch another event. WebKit keeps the listeners until the outermost
      // dispatch ends, or for good if they no longer wait.
      if (--state.depth === 0) {
        const { hired } = state
        if (hired.length > 0) state.hired = p.list()
        for (let i = 0; state.waiting !== null && i < hired.length; i++) p.removeEventListener(port, 'message', hired[i].run, hired[i].capture)
        if (state.severed) native.close(port)
      }
    }
  }

  /**
   * Closes WebKit's port, which removes its listeners. During a dispatch that waits, because the
   * remaining listeners still have to run.
   */
  const sever = (/** @type {any} */ port, /** @type {State} */ state) => {
    if (state.carries) return
    if (state.depth > 0) state.severed = true
    else native.close(port)
  }

  const start = (/** @type {any} */ port, /** @type {State} */ state) => {
    if (state.mate === null || heedsSignals(state)) hire(port, state)
    if (state.started || state.handle === 0) return
    state.started = true
    if (state.peerGone) return
    if (state.mate === null || state.queued > 0) known[state.handle].held = port
    if (state.mate !== null) state.mate.keeps = port
    natives.start(state.handle)
  }

  /** Never changed. */
  const none = p.list()
  const nothing = { __proto__: null, ports: none, buffers: none }

  // Set by `useForeignPorts`: handles native ports.
  let foreignPorts
  // Set by `useUntracked`, in realms that ports can leave untracked.
  let untracked

  /**
   * The handle under which `port` can be sent in a message. A native port is linked to a port of
   * Strait's.
   */
  const handleFor = (/** @type {any} */ port) => {
    const state = stateOf(port)
    if (state === undefined) return natives.rehome(port) || foreignPorts.bring(port)
    return state.peerGone ? orphan() : state.handle
  }

  /**
   * A port in the place of one whose other end and handle are gone. Its receiver gets the close.
   */
  const orphan = () => {
    const handle = natives.channel()
    natives.close(handle + 1)
    return handle
  }

  const isBuffer = (/** @type {any} */ value) => {
    try {
      p.byteLength(value)
      return true
    } catch {
      return false
    }
  }

  /**
   * Sorts a transfer list and refuses values that cannot be transferred. (As in HTML, detached
   * ports are found once the message has been cloned.)
   */
  const sortTransfer = (/** @type {any[]} */ entries, /** @type {any} */ source) => {
    const ports = p.list()
    const buffers = p.list()
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]
      for (let j = 0; j < i; j++) {
        if (entries[j] === entry) throw cloneError(`Transferable at index ${i} is a duplicate of an earlier one.`)
      }
      if (isPort(entry)) {
        if (entry === source) throw cloneError(`Port at index ${i} contains the source port.`)
        ports[ports.length] = entry
      } else if (isBuffer(entry)) {
        buffers[buffers.length] = entry
      } else {
        throw cloneError(`Value at index ${i} does not have a transferable type.`)
      }
    }
    return { __proto__: null, ports, buffers }
  }

  const isDetached = (/** @type {any} */ port) => {
    const state = stateOf(port)
    return state === undefined ? natives.foreignHandle(port) === 0 : state.handle === 0
  }

  /**
   * Clones `message`. Afterwards `codec.buffer` has its bytes and `outgoing` the handles of
   * `ports`. Takes nothing from the caller.
   */
  const pack = (
    /** @type {any} */ message,
    /** @type {any[]} */ ports,
    /** @type {any[]} */ buffers,
    /** @type {boolean} */ later,
    /** @type {any} */ sink,
  ) => {
    if (ports.length > MAXIMUM) throw cloneError('Too many ports in one message.')
    const length = codec.write(message, ports, buffers, later, sink)
    // Getters during cloning may have closed or transferred a port.
    for (let i = 0; i < ports.length; i++) {
      if (isDetached(ports[i])) throw cloneError(`Port at index ${i} is already neutered.`)
    }
    if (later && codec.blobs !== null) outbox.check(length, codec.blobs)
    for (let i = 0; i < ports.length; i++) outgoing[i] = handleFor(ports[i])
    return length
  }

  /** Detaches everything that was transferred, after a successful post. */
  const surrender = (/** @type {any[]} */ ports, /** @type {any[]} */ buffers) => {
    for (let i = 0; i < ports.length; i++) {
      const state = stateOf(ports[i])
      if (state !== undefined) detach(ports[i], state)
    }
    codec.detach(buffers)
  }

  // A message with large buffers is written directly where its receiver reads it, part by part, by
  // a writer of the agent. (Workers' natives have no writers.)
  let writer = 0
  let writerFor = 0
  const sink =
    natives.openWriter === undefined
      ? undefined
      : {
          __proto__: null,
          put(/** @type {Uint8Array} */ bytes, /** @type {number} */ size, /** @type {number} */ more) {
            if (writer === 0) writer = natives.openWriter(writerFor, size + more)
            natives.put(writer, bytes, size)
          },
          cut: (/** @type {number} */ start, /** @type {number} */ stop) => natives.cut(writer, start, stop),
          paste: () => natives.paste(writer),
        }

  const post = (/** @type {any} */ port, /** @type {any} */ message, /** @type {any} */ options) => {
    const state = stateOf(port)
    const { ports, buffers } = options === undefined ? nothing : sortTransfer(transferList(options), port)
    // A getter of the message may post another message.
    const outer = writer
    const outerFor = writerFor
    writer = 0
    writerFor = state.handle
    try {
      const length = pack(message, ports, buffers, outbox !== null, state.handle === 0 || state.peerGone ? undefined : sink)
      send(state, length, ports)
    } finally {
      if (writer !== 0) natives.abandon(writer)
      writer = outer
      writerFor = outerFor
    }
    surrender(ports, buffers)
  }

  /** Posts the packed message, or drops it. */
  const send = (/** @type {State} */ state, /** @type {number} */ length, /** @type {any[]} */ ports) => {
    if (state.handle !== 0 && !state.peerGone) {
      if (codec.blobs !== null) {
        outbox.post(state.handle, length - codec.sunk, ports.length, codec.blobs, writer)
        writer = 0
      } else if (writer === 0) {
        natives.post(state.handle, codec.buffer, length, outgoing, ports.length)
      } else {
        natives.postWritten(writer, codec.buffer, length - codec.sunk, outgoing, ports.length)
        writer = 0
      }
      const { mate } = state
      if (mate !== null) {
        mate.queued++
        if (mate.started) known[mate.handle].held = objectOf(mate.handle) ?? null
      }
    } else {
      // The message has no receiver: the ports in it close with `dropped`, not `closed`.
      for (let i = 0; i < ports.length; i++) natives.discard(outgoing[i])
    }
  }

  const newListener = (/** @type {any} */ listener, /** @type {boolean} */ capture) => ({
    __proto__: null,
    listener,
    run: listener,
    capture,
    once: undefined,
    passive: undefined,
    signal: undefined,
  })

  /** Adds a listener to the waiting ones, at the end. */
  const wait = (/** @type {any} */ port, /** @type {State} */ state, /** @type {any} */ entry) => {
    if (entry.once) {
      const { listener, capture } = entry
      entry.run = function (/** @type {any} */ event) {
        retract(port, state, 'message', listener, capture)
        return typeof listener === 'function' ? apply(listener, this, [event]) : listener.handleEvent(event)
      }
    }
    const next = without(state.waiting, entry.listener, entry.capture)
    next[next.length] = entry
    state.waiting = next
  }

  /** Removes a listener, whether it waits or WebKit has it. */
  const retract = (
    /** @type {any} */ port,
    /** @type {State | null} */ state,
    /** @type {string} */ type,
    /** @type {any} */ listener,
    /** @type {boolean} */ capture,
  ) => {
    p.removeEventListener(port, type, listener, capture)
    if (state === null) return
    if (state.waiting !== null) state.waiting = without(state.waiting, listener, capture)
    for (let i = 0; i < state.hired.length; i++) {
      const { run } = state.hired[i]
      if (run !== listener && state.hired[i].listener === listener && state.hired[i].capture === capture) p.removeEventListener(port, type, run, capture)
    }
  }

  // Event handler attributes (HTML, "Event handlers"): one listener each, in the place of the first
  // assignment.
  const handlerAttribute = (/** @type {'message' | 'close'} */ type) => {
    const listener = function (/** @type {any} */ event) {
      const handler = stateOf(this)[type]
      if (typeof handler === 'function') return apply(handler, this, [event])
      return undefined
    }
    return {
      get: (/** @type {State} */ state) => state[type],
      set(/** @type {any} */ port, /** @type {State} */ state, /** @type {any} */ value) {
        const had = state[type] !== null
        state[type] = (typeof value === 'object' && value !== null) || typeof value === 'function' ? value : null
        const has = state[type] !== null
        const waits = type === 'message' && state.waiting !== null
        if (has && !had) waits ? wait(port, state, newListener(listener, false)) : addEventListener(port, type, listener)
        if (had && !has) retract(port, type === 'message' ? state : null, type, listener, false)
      },
    }
  }
  const message = handlerAttribute('message')
  const close = handlerAttribute('close')

  const brand = (/** @type {any} */ value) => {
    if (!isPort(value)) throw new p.TypeError('Illegal invocation: this is not a MessagePort')
  }

  /**
   * Whether another document has stamped the port. Then that document's realm executes the methods.
   */
  const isElsewhere = (/** @type {any} */ port, /** @type {State | undefined} */ state) =>
    state === undefined && isPort(port) && natives.foreignHandle(port) >= 0

  const methods = {
    postMessage(/** @type {any} */ message, /** @type {any} */ options) {
      if (stateOf(this) !== undefined) {
        if (arguments.length === 0) throw new p.TypeError('Not enough arguments')
        post(this, message, options)
      } else {
        brand(this)
        if (isElsewhere(this)) natives.invoke(this, 'postMessage', message, options, arguments.length)
        else foreignPorts.post(native.postMessage, this, message, options, arguments.length)
      }
    },
    start() {
      const state = stateOf(this)
      if (isElsewhere(this, state)) natives.invoke(this, 'start')
      else if (state === undefined) native.start(this)
      else start(this, state)
    },
    close() {
      const state = stateOf(this)
      if (isElsewhere(this, state)) {
        natives.invoke(this, 'close')
        return
      }
      if (state !== undefined && state.handle !== 0) {
        if (!state.peerGone) natives.close(state.handle)
        forget(state)
      }
      if (state === undefined) native.close(this)
      else sever(this, state)
    },
  }

  const { addEventListener: nativeAdd, removeEventListener: nativeRemove, dispatchEvent: nativeDispatch } = p.EventTarget.prototype
  const isCallback = (/** @type {any} */ value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  /** The list without the listener, if it is there. */
  const without = (/** @type {Waiting[]} */ waiting, /** @type {any} */ listener, /** @type {boolean} */ capture) => {
    const rest = p.list()
    for (let i = 0; i < waiting.length; i++) {
      if (waiting[i].listener !== listener || waiting[i].capture !== capture) rest[rest.length] = waiting[i]
    }
    return rest
  }

  // EventTarget's methods, for listeners that wait.
  // `EventTarget.prototype.addEventListener.call(port, …)` is WebKit's own and bypasses them.
  const target = {
    addEventListener(/** @type {any} */ type, /** @type {any} */ listener) {
      const state = stateOf(this)
      if (type !== 'message' || !isCallback(listener) || state === undefined || state.waiting === null) {
        return apply(nativeAdd, this, arguments)
      }
      const options = arguments[2]
      const entry = newListener(listener, false)
      if (isCallback(options)) {
        entry.capture = !!options.capture
        entry.once = options.once
        entry.passive = options.passive
        entry.signal = options.signal
        if (entry.signal !== undefined && p.isAborted(entry.signal)) return undefined
      } else {
        entry.capture = !!options
      }
      // This is a mate, whose listeners wait although it is started. WebKit must have listeners
      // with signals.
      if (entry.signal !== undefined && state.started) hire(this, state)
      // A getter of the options may have started the port.
      if (state.waiting === null) {
        addEventListener(this, 'message', listener, entry)
        return undefined
      }
      for (let i = 0; i < state.waiting.length; i++) {
        const other = state.waiting[i]
        if (other.listener !== listener || other.capture !== entry.capture) continue
        if (other.signal === undefined || !p.isAborted(other.signal)) return undefined
      }
      wait(this, state, entry)
      return undefined
    },
    removeEventListener(/** @type {any} */ type, /** @type {any} */ listener) {
      const state = stateOf(this)
      if (type !== 'message' || !isCallback(listener) || state === undefined || state.waiting === null) {
        return apply(nativeRemove, this, arguments)
      }
      const options = arguments[2]
      const capture = !!(isCallback(options) ? options.capture : options)
      retract(this, state, 'message', listener, capture)
      return undefined
    },
    /** A page's own event must reach the waiting listeners too. */
    dispatchEvent(/** @type {any} */ event) {
      const state = stateOf(this)
      return state === undefined || arguments.length === 0 ? apply(nativeDispatch, this, arguments) : dispatchTo(this, state, event)
    },
  }

  const accessors = {
    get onmessage() {
      const state = stateOf(this)
      if (isElsewhere(this, state)) return natives.invoke(this, 'get onmessage')
      return state === undefined ? native.getOnmessage(this) : message.get(state)
    },
    set onmessage(value) {
      const state = stateOf(this)
      if (isElsewhere(this, state)) {
        natives.invoke(this, 'set onmessage', value)
      } else if (state === undefined) {
        native.setOnmessage(this, value)
      } else {
        // Messages arrive as separate tasks. Listeners that were added before the handler run
        // before it.
        start(this, state)
        message.set(this, state, value)
      }
    },
    get onclose() {
      const state = stateOf(this)
      if (state === undefined) brand(this)
      if (isElsewhere(this, state)) return natives.invoke(this, 'get onclose')
      return state === undefined ? null : close.get(state)
    },
    set onclose(value) {
      const state = stateOf(this)
      if (state === undefined) brand(this)
      if (isElsewhere(this, state)) natives.invoke(this, 'set onclose', value)
      else if (state !== undefined) close.set(this, state, value)
    },
  }
  const install = (/** @type {object} */ from, /** @type {string} */ name) => {
    const descriptor = p.getOwnPropertyDescriptor(from, name)
    descriptor.enumerable = true
    descriptor.configurable = true
    if (name === 'postMessage') defineProperty(descriptor.value, 'length', { __proto__: null, value: 1 })
    defineProperty(portPrototype, name, descriptor)
  }
  install(methods, 'postMessage')
  install(methods, 'start')
  install(methods, 'close')
  install(target, 'addEventListener')
  install(target, 'removeEventListener')
  install(target, 'dispatchEvent')
  install(accessors, 'onmessage')
  install(accessors, 'onclose')

  const NativeChannel = p.MessageChannel
  /** `new MessageChannel()`: a channel of the engine whose two ends are real DOM ports. */
  const MessageChannel = function MessageChannel() {
    if (new.target === undefined) throw new p.TypeError("Constructor MessageChannel requires 'new'")
    const channel = p.construct(NativeChannel, [], new.target)
    const handle = natives.channel()
    if (handle !== 0) {
      const one = stateOf(stamp(p.channelPort1(channel), handle, undefined, handle + 1))
      one.mate = stateOf(stamp(p.channelPort2(channel), handle + 1, undefined, handle))
      one.mate.mate = one
    }
    return channel
  }
  defineProperty(MessageChannel, 'prototype', { __proto__: null, value: NativeChannel.prototype, writable: false })
  defineProperty(NativeChannel.prototype, 'constructor', { __proto__: null, value: MessageChannel, writable: true, configurable: true })

  const release = (/** @type {any} */ port, left = false) => {
    const state = stateOf(port)
    const handle = state.peerGone ? orphan() : state.handle
    detach(port, state, left)
    return handle
  }

  return {
    __proto__: null,
    MessageChannel,
    isPort,
    isBuffer,
    stateOf,
    isDetached,
    /** Whether the port has a handle, from this realm or another document's. */
    isOurs: (/** @type {any} */ port) => stateOf(port) !== undefined || natives.foreignHandle(port) >= 0,
    /** Detaches a port of this realm, for another realm that transfers it. Returns its handle. */
    release,
    /**
     * Executes `natives.invoke` of another realm, for a method that was called there on a port of
     * this realm.
     */
    invoke(/** @type {any} */ port, /** @type {string} */ name, /** @type {any} */ first, /** @type {any} */ second, /** @type {number} */ count) {
      switch (name) {
        case 'postMessage':
          return apply(methods.postMessage, port, count === 0 ? none : count === 1 ? [first] : [first, second])
        case 'start':
        case 'close':
          return apply(methods[name], port, none)
        case 'get onmessage':
          return message.get(stateOf(port))
        case 'set onmessage':
          start(port, stateOf(port))
          return message.set(port, stateOf(port), first)
        case 'get onclose':
          return close.get(stateOf(port))
        default:
          return close.set(port, stateOf(port), first)
      }
    },
    /**
     * WebKit has moved a port of this realm to another object. That object gets a new handle, which
     * was never started.
     */
    reseat(/** @type {any} */ port, /** @type {MessagePort} */ to) {
      const entry = known[stateOf(port).handle]
      const twin = entry === undefined ? undefined : entry.twin
      const mate = entry === undefined ? 0 : entry.mate
      const handle = natives.move(release(port, true))
      stamp(to, handle, twin, mate)
      if (mate !== 0 && known[mate] !== undefined) known[mate].mate = handle
    },
    cloneError,
    stamp,
    adopt,
    detach,
    transferList,
    sortTransfer,
    pack,
    handleFor,
    surrender,
    outgoing,
    start,
    post,
    native,
    objectOf,
    drop,
    /** Removes a port whose object has been collected, without closing it. */
    abandon(/** @type {number} */ handle) {
      if (known[handle] === undefined) return
      const { mate } = known[handle]
      const port = mate === 0 ? undefined : objectOf(mate)
      const state = port === undefined ? undefined : stateOf(port)
      if (state !== undefined && state.mate !== null) part(state.mate)
      unlist(handle)
    },
    /** The handles of the ports that the page has. */
    handles() {
      const keys = p.ownKeys(known)
      const handles = p.list()
      for (let i = 0; i < keys.length; i++) {
        const { handle, hidden } = known[keys[i]]
        if (!hidden) handles[handles.length] = handle
      }
      return handles
    },
    /** The port that WebKit made together with this one, if it is in this realm. */
    twinOf(/** @type {number} */ handle) {
      const entry = known[handle]
      if (entry === undefined) return undefined
      return entry.mate === 0 ? entry.twin : objectOf(entry.mate)
    },
    useUntracked(/** @type {any} */ made) {
      untracked = made
    },
    useForeignPorts(/** @type {any} */ made) {
      foreignPorts = made
    },
    maximum: MAXIMUM,

    /** Delivers one message to a started port, as a separate task. */
    deliver(
      /** @type {number} */ handle,
      /** @type {Uint8Array} */ inbox,
      /** @type {number} */ length,
      /** @type {number} */ count,
      /** @type {((start: number, size: number) => Uint8Array) | undefined} */ pull,
      /** @type {((start: number, size: number) => ArrayBuffer | undefined) | undefined} */ take,
    ) {
      const port = objectOf(handle)
      const ports = count === 0 ? none : p.list()
      for (let i = 0; i < count; i++) ports[i] = adopt(outgoing[i])
      if (port === undefined) return
      const state = stateOf(port)
      if (state.queued > 0 && --state.queued === 0 && state.mate !== null) known[handle].held = null
      let event
      try {
        const data = codec.read(inbox, length, ports, pull, null, take)
        if (pull !== undefined) pull(0, 0)
        event = p.messageEvent(data, ports)
      } catch {
        event = new p.MessageEvent('messageerror', { __proto__: null })
      }
      // The event cannot be cancelled. So false means that WebKit could not dispatch it: the port
      // has left.
      if (!dispatchTo(port, state, event) && untracked !== undefined) untracked.missed(port, event)
    },

    /** The other end is gone, and all its messages have been delivered. */
    closed(/** @type {number} */ handle, /** @type {string} */ reason, /** @type {boolean} */ speaks) {
      const port = objectOf(handle)
      if (port === undefined) return
      const state = stateOf(port)
      unlist(handle)
      p.unregister(registry, state)
      state.mate = state.keeps = null
      state.peerGone = true
      // The other realm of the document dispatches the event, and listeners here get it too.
      if (!speaks) return
      const event = new p.Event('close')
      defineProperty(event, 'reason', { __proto__: null, value: reason, enumerable: true })
      dispatchNow(port, state, event)
      // WebKit keeps an open port with listeners alive.
      sever(port, state)
    },
  }
})
