'use strict'
// Node's `events` (https://nodejs.org/api/events.html). `EventEmitter` is a function rather than a
// class, because old programs call `EventEmitter.call(this)`. This file holds the part that every
// page needs; `events-later.js` is loaded on first use.

const errorMonitor = Symbol('events.errorMonitor')
const captureRejectionSymbol = Symbol.for('nodejs.rejection')
const kCapture = Symbol('kCapture')

let defaultMaxListeners = 10
let captureRejections = false

const errors = () => require('strait:errors')

/** @param {any} value @param {string} name */
const checkFunction = (value, name) => {
  if (typeof value !== 'function') throw errors().wrongType(name, 'of type function', value)
}

/** @param {any} value @param {string} name */
const checkCount = (value, name) => {
  if (typeof value !== 'number') throw errors().wrongType(name, 'of type number', value)
  if (!(value >= 0)) throw errors().outOfRange(name, '>= 0', value)
}

/** @param {any} value @param {string} name */
const checkBoolean = (value, name) => {
  if (typeof value !== 'boolean') throw errors().wrongType(name, 'of type boolean', value)
}

/** @param {any} object @param {string} name @param {any} value */
const hide = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false })

/**
 * The lists of listeners by event. The table is made on first use, for objects that never ran the
 * constructor.
 * @param {any} emitter
 */
const tableOf = (emitter) => {
  if (!Object.hasOwn(emitter, '_events') || emitter._events === undefined) hide(emitter, '_events', Object.create(null))
  return emitter._events
}

/** @this {any} @param {{ captureRejections?: boolean }} [options] */
function EventEmitter (options) {
  EventEmitter.init.call(this, options)
}

EventEmitter.init = /** @this {any} */ function (/** @type {any} */ options) {
  tableOf(this)
  const capture = options?.captureRejections
  if (capture !== undefined) checkBoolean(capture, 'options.captureRejections')
  if (capture ?? captureRejections) this[kCapture] = true
}

/**
 * @param {any} emitter @param {string | symbol} type @param {any} listener @param {boolean} first
 */
const add = (emitter, type, listener, first) => {
  checkFunction(listener, 'listener')
  const table = tableOf(emitter)
  if (table.newListener !== undefined) emitter.emit('newListener', type, listener.listener ?? listener)
  // A listener of `newListener` may have added a list.
  const list = table[type] ??= []
  if (first) list.unshift(listener)
  else list.push(listener)
  const limit = emitter.getMaxListeners()
  if (limit > 0 && list.length > limit && !list.warned) {
    list.warned = true
    console.warn(`MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${list.length} ${String(type)} listeners added. Use emitter.setMaxListeners() to increase limit`)
  }
  return emitter
}

/** @param {any} emitter @param {string | symbol} type @param {any} listener */
const onceWrapper = (emitter, type, listener) => {
  checkFunction(listener, 'listener')
  let isDone = false
  const wrapper = (/** @type {any[]} */ ...args) => {
    if (isDone) return undefined
    isDone = true
    emitter.removeListener(type, wrapper)
    return Reflect.apply(listener, emitter, args)
  }
  return Object.assign(wrapper, { listener })
}

/**
 * Handles the rejected promise of a listener.
 * @param {any} emitter @param {any} error @param {string | symbol} type @param {any[]} args
 */
const rejected = (emitter, error, type, args) => {
  const own = emitter[captureRejectionSymbol]
  if (typeof own === 'function') {
    Reflect.apply(own, emitter, [error, type, ...args])
    return
  }
  // A rejection by a listener of `error` is not captured.
  const before = emitter[kCapture]
  emitter[kCapture] = false
  try {
    emitter.emit('error', error)
  } finally {
    emitter[kCapture] = before
  }
}

/** @param {any} error */
const unhandled = (error) => {
  if (error instanceof Error) return error
  const { coded } = errors()
  return Object.assign(coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${require('strait:inspect').inspect(error)})`), { context: error })
}

/** @type {Record<string, (this: any, ...args: any[]) => any>} */
const methods = {
  setMaxListeners (count) {
    checkCount(count, 'setMaxListeners')
    return hide(this, '_maxListeners', count)
  },
  getMaxListeners () {
    return this._maxListeners ?? defaultMaxListeners
  },
  emit (type, ...args) {
    const table = tableOf(this)
    if (type === 'error' && table[errorMonitor] !== undefined) this.emit(errorMonitor, ...args)
    const list = table[type]
    if (list === undefined) {
      if (type !== 'error') return false
      throw unhandled(args[0])
    }
    const capture = this[kCapture] === true
    // A copy, because listeners may be added and removed during the calls.
    for (const listener of list.length === 1 ? [list[0]] : list.slice()) {
      const result = Reflect.apply(listener, this, args)
      if (capture && typeof result?.then === 'function') result.then(undefined, (/** @type {any} */ error) => process.nextTick(rejected, this, error, type, args))
    }
    return true
  },
  addListener (type, listener) { return add(this, type, listener, false) },
  on (type, listener) { return add(this, type, listener, false) },
  prependListener (type, listener) { return add(this, type, listener, true) },
  once (type, listener) { return this.on(type, onceWrapper(this, type, listener)) },
  prependOnceListener (type, listener) { return this.prependListener(type, onceWrapper(this, type, listener)) },
  removeListener (type, listener) {
    checkFunction(listener, 'listener')
    const table = tableOf(this)
    const list = table[type]
    if (list === undefined) return this
    // As in Node, the listener that was added last is removed first.
    const at = list.findLastIndex((/** @type {any} */ entry) => entry === listener || entry.listener === listener)
    if (at < 0) return this
    list.splice(at, 1)
    if (list.length === 0) delete table[type]
    if (table.removeListener !== undefined) this.emit('removeListener', type, listener.listener ?? listener)
    return this
  },
  off (type, listener) { return this.removeListener(type, listener) },
  removeAllListeners (...types) {
    const table = tableOf(this)
    const all = types.length === 0 ? Reflect.ownKeys(table) : types
    if (table.removeListener === undefined) {
      for (const type of all) delete table[type]
      return this
    }
    for (const type of all) {
      if (type === 'removeListener' && types.length === 0) continue
      for (const listener of (table[type] ?? []).toReversed()) this.removeListener(type, listener)
    }
    if (types.length === 0) delete table.removeListener
    return this
  },
  listeners (type) { return (tableOf(this)[type] ?? []).map((/** @type {any} */ entry) => entry.listener ?? entry) },
  rawListeners (type) { return (tableOf(this)[type] ?? []).slice() },
  listenerCount (type, listener) {
    const list = tableOf(this)[type] ?? []
    return listener === undefined || listener === null ? list.length : list.filter((/** @type {any} */ entry) => entry === listener || entry.listener === listener).length
  },
  eventNames () { return Reflect.ownKeys(tableOf(this)) }
}
// Enumerable, because old programs copy the methods to other objects.
Object.assign(EventEmitter.prototype, methods)

module.exports = EventEmitter
const later = (/** @type {string} */ name) => ({ [name]: (/** @type {any[]} */ ...args) => require('strait:events-later')[name](...args) })[name]
Object.assign(EventEmitter, {
  EventEmitter,
  default: EventEmitter,
  errorMonitor,
  captureRejectionSymbol,
  usingDomains: false,
  ...Object.fromEntries(['addAbortListener', 'getEventListeners', 'getMaxListeners', 'listenerCount', 'on', 'once', 'setMaxListeners'].map((name) => [name, later(name)]))
})
Object.defineProperties(EventEmitter, {
  defaultMaxListeners: {
    get: () => defaultMaxListeners,
    set (count) {
      checkCount(count, 'defaultMaxListeners')
      defaultMaxListeners = count
    },
    enumerable: true
  },
  captureRejections: {
    get: () => captureRejections,
    set (value) {
      checkBoolean(value, 'EventEmitter.captureRejections')
      captureRejections = value
    },
    enumerable: true
  }
})
