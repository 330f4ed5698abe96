'use strict'
// EventEmitter with Node's semantics (https://nodejs.org/api/events.html): listeners run synchronously in order of
// registration on a snapshot of the list, 'error' without a listener throws, 'newListener' and 'removeListener' are announced.
// A plain function rather than a class, because old programs call `EventEmitter.call(this)`.

const kErrorMonitor = Symbol('events.errorMonitor')

/** `value` in the words of Node's argument errors. */
function described (value) {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') {
    const name = value.constructor?.name
    return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object'
  }
  let text = typeof value === 'string' ? `'${value}'` : typeof value === 'bigint' ? `${value}n` : String(value)
  if (text.length > 28) text = text.slice(0, 25) + '...'
  return `type ${typeof value} (${text})`
}

/** @param {unknown} listener */
function checkListener (listener) {
  if (typeof listener !== 'function') {
    const error = new TypeError(`The "listener" argument must be of type function. Received ${described(listener)}`)
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' })
  }
}

function EventEmitter () {
  EventEmitter.init.call(this)
}

EventEmitter.init = function () {
  table(this)
}

/** The listener table of `emitter`, made on demand for objects that never ran the constructor. */
function table (emitter) {
  if (!Object.hasOwn(emitter, '_events') || emitter._events === undefined) {
    Object.defineProperty(emitter, '_events', { value: new Map(), writable: true, configurable: true, enumerable: false })
  }
  return emitter._events
}

function add (emitter, type, listener, prepend) {
  checkListener(listener)
  const events = table(emitter)
  if (events.has('newListener')) emitter.emit('newListener', type, listener.listener ?? listener)
  let list = events.get(type)
  if (list === undefined) events.set(type, list = [])
  if (prepend) list.unshift(listener)
  else list.push(listener)
  const limit = emitter.getMaxListeners()
  if (limit > 0 && list.length > limit && !list.warned) {
    list.warned = true
    console.warn(`MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${list.length} ${String(type)} listeners added. ` +
      'Use emitter.setMaxListeners() to increase limit')
  }
  return emitter
}

function onceWrapper (emitter, type, listener) {
  checkListener(listener)
  let fired = false
  const wrapped = function (...args) {
    if (fired) return
    fired = true
    emitter.removeListener(type, wrapped)
    return listener.apply(emitter, args)
  }
  wrapped.listener = listener
  return wrapped
}

const methods = {
  setMaxListeners (count) {
    if (typeof count !== 'number' || Number.isNaN(count) || count < 0) {
      throw new RangeError(`The value of "n" is out of range. It must be a non-negative number. Received ${String(count)}`)
    }
    Object.defineProperty(this, '_maxListeners', { value: count, writable: true, configurable: true, enumerable: false })
    return this
  },
  getMaxListeners () {
    return this._maxListeners ?? EventEmitter.defaultMaxListeners
  },
  emit (type, ...args) {
    const events = table(this)
    if (type === 'error' && events.has(kErrorMonitor)) this.emit(kErrorMonitor, ...args)
    const list = events.get(type)
    if (list === undefined) {
      if (type !== 'error') return false
      if (args[0] instanceof Error) throw args[0]
      const error = new Error(`Unhandled error. (${typeof args[0] === 'string' ? `'${args[0]}'` : String(args[0])})`)
      throw Object.assign(error, { code: 'ERR_UNHANDLED_ERROR', context: args[0] })
    }
    if (list.length === 1) Reflect.apply(list[0], this, args)
    else for (const listener of list.slice()) Reflect.apply(listener, this, args)
    return true
  },
  addListener (type, listener) { return add(this, type, listener, false) },
  on (type, listener) { return add(this, type, listener, false) },
  prependListener (type, listener) { return add(this, type, listener, true) },
  once (type, listener) { return this.on(type, onceWrapper(this, type, listener)) },
  prependOnceListener (type, listener) { return this.prependListener(type, onceWrapper(this, type, listener)) },
  removeListener (type, listener) {
    checkListener(listener)
    const events = table(this)
    const list = events.get(type)
    if (list === undefined) return this
    // The one added last goes first, as in Node.
    const index = list.findLastIndex((entry) => entry === listener || entry.listener === listener)
    if (index < 0) return this
    list.splice(index, 1)
    if (list.length === 0) events.delete(type)
    if (events.has('removeListener')) this.emit('removeListener', type, listener)
    return this
  },
  off (type, listener) { return this.removeListener(type, listener) },
  removeAllListeners (type) {
    const events = table(this)
    if (events.has('removeListener')) {
      const types = type === undefined ? [...events.keys()].filter((key) => key !== 'removeListener') : [type]
      for (const key of types) {
        for (const listener of [...(events.get(key) ?? [])].reverse()) this.removeListener(key, listener)
      }
      if (type === undefined) events.clear()
    } else if (type === undefined) events.clear()
    else events.delete(type)
    return this
  },
  listeners (type) { return (table(this).get(type) ?? []).map((entry) => entry.listener ?? entry) },
  rawListeners (type) { return (table(this).get(type) ?? []).slice() },
  listenerCount (type, listener) {
    const list = table(this).get(type) ?? []
    return listener === undefined ? list.length : list.filter((entry) => entry === listener || entry.listener === listener).length
  },
  eventNames () { return [...table(this).keys()] }
}
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(EventEmitter.prototype, name, { value, writable: true, configurable: true, enumerable: false })
}

/** Resolves with the arguments of the next `type`, rejects with the next 'error'. */
function once (emitter, type, { signal } = {}) {
  return new Promise((resolve, reject) => {
    const settle = () => {
      emitter.removeListener(type, onEvent)
      if (type !== 'error') emitter.removeListener('error', onError)
      signal?.removeEventListener('abort', onAbort)
    }
    const onEvent = (...args) => { settle(); resolve(args) }
    const onError = (error) => { settle(); reject(error) }
    const onAbort = () => { settle(); reject(abortError(signal)) }
    if (signal?.aborted) { reject(abortError(signal)); return }
    signal?.addEventListener('abort', onAbort)
    emitter.on(type, onEvent)
    if (type !== 'error') emitter.on('error', onError)
  })
}

function abortError (signal) {
  return Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR', cause: signal.reason })
}

/** An async iterator over the arguments of every `type`; an 'error' ends it with that error. */
function on (emitter, type) {
  const queue = []
  const waiting = []
  let failure = null
  let done = false
  const onEvent = (...args) => { if (waiting.length) waiting.shift().resolve({ value: args, done: false }); else queue.push(args) }
  const onError = (error) => { if (waiting.length) waiting.shift().reject(error); else failure = error }
  emitter.on(type, onEvent)
  emitter.on('error', onError)
  const finish = () => {
    done = true
    emitter.removeListener(type, onEvent)
    emitter.removeListener('error', onError)
    for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true })
  }
  return {
    next () {
      if (queue.length) return Promise.resolve({ value: queue.shift(), done: false })
      if (failure !== null) { const error = failure; failure = null; finish(); return Promise.reject(error) }
      if (done) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    return () { finish(); return Promise.resolve({ value: undefined, done: true }) },
    throw (error) { finish(); return Promise.reject(error) },
    [Symbol.asyncIterator] () { return this }
  }
}

EventEmitter.EventEmitter = EventEmitter
EventEmitter.defaultMaxListeners = 10
EventEmitter.errorMonitor = kErrorMonitor
EventEmitter.once = once
EventEmitter.on = on
EventEmitter.listenerCount = (emitter, type) => emitter.listenerCount(type)
EventEmitter.default = EventEmitter

module.exports = EventEmitter
