// Node's EventEmitter, as far as ipcRenderer shows it.
(function makeEmitter(p, onListener) {
  'use strict'

  // Channel → list of { listener, once }; lists are replaced, never changed, so an emit in progress keeps its own.
  const channels = { __proto__: null }
  const emitter = {}

  const check = (/** @type {any} */ listener) => {
    if (typeof listener !== 'function') {
      throw new p.TypeError(`The "listener" argument must be of type function. Received ${listener === null ? 'null' : `type ${typeof listener}`}`)
    }
  }
  const add = (/** @type {any} */ channel, /** @type {any} */ listener, /** @type {boolean} */ once, /** @type {boolean} */ first) => {
    check(listener)
    const old = channels[channel]
    const next = p.list()
    if (first) next[0] = { listener, once }
    for (let i = 0; old !== undefined && i < old.length; i++) next[next.length] = old[i]
    if (!first) next[next.length] = { listener, once }
    channels[channel] = next
    onListener(channel)
    return emitter
  }
  const remove = (/** @type {any} */ channel, /** @type {any} */ matches) => {
    const old = channels[channel]
    if (old === undefined) return
    let last = -1
    for (let i = 0; i < old.length; i++) if (matches(old[i])) last = i
    if (last === -1) return
    const next = p.list()
    for (let i = 0; i < old.length; i++) if (i !== last) next[next.length] = old[i]
    if (next.length === 0) delete channels[channel]
    else channels[channel] = next
  }
  const listeners = (/** @type {any} */ channel) => {
    const result = p.list()
    const present = channels[channel]
    for (let i = 0; present !== undefined && i < present.length; i++) result[i] = present[i].listener
    return p.array(result)
  }

  emitter.on = (channel, listener) => add(channel, listener, false, false)
  emitter.addListener = emitter.on
  emitter.once = (channel, listener) => add(channel, listener, true, false)
  emitter.prependListener = (channel, listener) => add(channel, listener, false, true)
  emitter.prependOnceListener = (channel, listener) => add(channel, listener, true, true)
  emitter.off = (channel, listener) => {
    check(listener)
    remove(channel, (/** @type {any} */ entry) => entry.listener === listener)
    return emitter
  }
  emitter.removeListener = emitter.off
  emitter.removeAllListeners = function (channel) {
    if (arguments.length === 0) {
      const names = p.ownKeys(channels)
      for (let i = 0; i < names.length; i++) delete channels[names[i]]
    } else {
      delete channels[channel]
    }
    return emitter
  }
  emitter.listeners = listeners
  emitter.rawListeners = listeners
  const count = (/** @type {any} */ channel) => (channels[channel] === undefined ? 0 : channels[channel].length)
  emitter.listenerCount = count
  emitter.eventNames = () => p.ownKeys(channels)
  emitter.setMaxListeners = () => emitter
  emitter.getMaxListeners = () => 0
  emitter.emit = (channel, ...args) => emit(channel, args)

  /** Calls every listener in order; what one throws stops the rest and reaches the caller, as in Node. */
  const emit = (/** @type {any} */ channel, /** @type {any[]} */ args) => {
    const present = channels[channel]
    if (present === undefined) return false
    for (let i = 0; i < present.length; i++) {
      const entry = present[i]
      if (entry.once) remove(channel, (/** @type {any} */ other) => other === entry)
      p.apply(entry.listener, emitter, args)
    }
    return true
  }

  return { __proto__: null, emitter, emit, count }
})
