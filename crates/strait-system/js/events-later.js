'use strict'
// The functions of `events` that wait for events or inspect emitters
// (https://nodejs.org/api/events.html).

const EventEmitter = require('events')
const { checkInteger, coded, outOfRange, wrongType } = require('strait:errors')

/** @typedef {{ signal?: AbortSignal, close?: string[], highWaterMark?: number, lowWaterMark?: number }} Options */

const disposal = Symbol.dispose ?? Symbol('nodejs.dispose')

/**
 * The limits that programs have set for targets. They cause no warnings.
 * @type {WeakMap<EventTarget, number>}
 */
const limits = new WeakMap()

/** @param {any} value */
const isEmitter = (value) => typeof value?.on === 'function' && typeof value.removeListener === 'function'
/** @param {any} value */
const isTarget = (value) => typeof value?.addEventListener === 'function'

/** @param {any} signal */
const aborted = (signal) => Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' })

/** @param {any} signal @param {string} name */
const checkSignal = (signal, name) => {
  if (signal !== undefined && (typeof signal !== 'object' || signal === null || !('aborted' in signal))) throw wrongType(name, 'an instance of AbortSignal', signal)
}

/** @param {any} options */
const checkOptions = (options) => {
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options))) throw wrongType('options', 'of type object', options)
}

/**
 * Adds a listener, and returns a function that removes it.
 * @param {any} emitter @param {string | symbol} type @param {any} listener
 * @param {boolean} [once] whether the first event removes the listener
 */
const listen = (emitter, type, listener, once = false) => {
  if (typeof emitter?.on === 'function') {
    if (once) emitter.once(type, listener)
    else emitter.on(type, listener)
    return () => { emitter.removeListener(type, listener) }
  }
  if (!isTarget(emitter)) throw wrongType('emitter', 'an instance of EventEmitter', emitter)
  emitter.addEventListener(type, listener, { once })
  return () => { emitter.removeEventListener(type, listener) }
}

/**
 * Waits for the next event and returns its arguments. Rejects if `error` comes first.
 * @param {any} emitter @param {string | symbol} type @param {Options} [options]
 */
const once = async (emitter, type, options) => {
  checkOptions(options)
  const signal = options?.signal
  checkSignal(signal, 'options.signal')
  if (signal?.aborted) throw aborted(signal)
  return await new Promise((resolve, reject) => {
    /** @type {(() => void)[]} */
    const ends = []
    const settle = (/** @type {(value: any) => void} */ how) => (/** @type {any} */ value) => {
      for (const end of ends) end()
      how(value)
    }
    const resolved = settle(resolve)
    const rejected = settle(reject)
    ends.push(listen(emitter, type, (/** @type {any[]} */ ...args) => resolved(args), true))
    // For targets, `error` is an ordinary event.
    if (type !== 'error' && typeof emitter.once === 'function') ends.push(listen(emitter, 'error', rejected, true))
    if (signal !== undefined) ends.push(listen(signal, 'abort', () => rejected(aborted(signal)), true))
  })
}

/** @type {any} */
const asyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(async function * () {}).prototype)

/**
 * Iterates over the arguments of every event.
 * @param {any} emitter @param {string | symbol} type @param {Options} [options]
 */
const on = (emitter, type, options) => {
  checkOptions(options)
  const { signal, close, highWaterMark: high = Number.MAX_SAFE_INTEGER, lowWaterMark: low = 1 } = options ?? {}
  checkSignal(signal, 'options.signal')
  if (signal?.aborted) throw aborted(signal)
  checkInteger(high, 'options.highWaterMark', 1)
  checkInteger(low, 'options.lowWaterMark', 1)

  /** @type {any[][]} */
  const events = []
  /** @type {{ resolve: (result: any) => void, reject: (error: any) => void }[]} */
  const readers = []
  let isPaused = false
  let isOver = false
  /** @type {{ error: any } | undefined} */
  let failure
  /** @type {(() => void)[]} */
  const ends = []

  const finish = () => {
    for (const end of ends.splice(0)) end()
    isOver = true
    for (const { resolve } of readers.splice(0)) resolve({ value: undefined, done: true })
    return Promise.resolve({ value: undefined, done: true })
  }
  const fail = (/** @type {any} */ error) => {
    const reader = readers.shift()
    if (reader === undefined) failure = { error }
    else reader.reject(error)
    finish()
  }
  const arrived = (/** @type {any[]} */ ...args) => {
    const reader = readers.shift()
    if (reader !== undefined) {
      reader.resolve({ value: args, done: false })
      return
    }
    events.push(args)
    if (!isPaused && events.length > high) {
      isPaused = true
      emitter.pause()
    }
  }

  ends.push(listen(emitter, type, arrived))
  if (type !== 'error' && typeof emitter.on === 'function') ends.push(listen(emitter, 'error', fail))
  for (const name of close ?? []) ends.push(listen(emitter, name, finish))
  if (signal !== undefined) ends.push(listen(signal, 'abort', () => fail(aborted(signal)), true))

  return Object.setPrototypeOf({
    next () {
      if (events.length > 0) {
        const value = events.shift()
        if (isPaused && events.length < low) {
          emitter.resume()
          isPaused = false
        }
        return Promise.resolve({ value, done: false })
      }
      if (failure !== undefined) {
        const { error } = failure
        failure = undefined
        return Promise.reject(error)
      }
      if (isOver) return finish()
      return new Promise((resolve, reject) => { readers.push({ resolve, reject }) })
    },
    return: finish,
    throw (/** @type {any} */ error) {
      if (!(error instanceof Error)) throw wrongType('EventEmitter.AsyncIterator', 'an instance of Error', error)
      fail(error)
    },
    [Symbol.asyncIterator] () { return this }
  }, asyncIteratorPrototype)
}

/**
 * Calls the listener when the signal aborts. Other listeners cannot prevent the call.
 * @param {any} signal @param {any} listener
 */
const addAbortListener = (signal, listener) => {
  if (signal === undefined) throw wrongType('signal', 'an instance of AbortSignal', signal)
  checkSignal(signal, 'signal')
  if (typeof listener !== 'function') throw wrongType('listener', 'of type function', listener)
  let end = () => {}
  if (signal.aborted) queueMicrotask(() => listener())
  else end = listen(signal, 'abort', listener, true)
  return { __proto__: null, [disposal]: end }
}

/** @param {any} emitter @param {string | symbol} type */
const getEventListeners = (emitter, type) => {
  if (typeof emitter?.listeners === 'function') return emitter.listeners(type)
  if (!isTarget(emitter)) throw wrongType('emitter', 'an instance of EventEmitter or EventTarget', emitter)
  throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'events.getEventListeners of an EventTarget is not supported by Strait (docs/node-modules.md#events)')
}

/** @param {any} emitter */
const getMaxListeners = (emitter) => {
  if (typeof emitter?.getMaxListeners === 'function') return emitter.getMaxListeners()
  if (!isTarget(emitter)) throw wrongType('emitter', 'an instance of EventEmitter or EventTarget', emitter)
  return limits.get(emitter) ?? EventEmitter.defaultMaxListeners
}

/**
 * @param {any} count
 * @param {any[]} emitters if empty, the limit is set for all emitters without one of their own
 */
const setMaxListeners = (count = EventEmitter.defaultMaxListeners, ...emitters) => {
  if (typeof count !== 'number') throw wrongType('setMaxListeners', 'of type number', count)
  if (!(count >= 0)) throw outOfRange('setMaxListeners', '>= 0', count)
  if (emitters.length === 0) EventEmitter.defaultMaxListeners = count
  for (const emitter of emitters) {
    if (typeof emitter?.setMaxListeners === 'function') emitter.setMaxListeners(count)
    else if (isTarget(emitter)) limits.set(emitter, count)
    else throw wrongType('eventTargets', 'an instance of EventEmitter or EventTarget', emitter)
  }
}

/** @param {any} emitter @param {string | symbol} type */
const listenerCount = (emitter, type) => isEmitter(emitter) && typeof emitter.listenerCount === 'function' ? emitter.listenerCount(type) : EventEmitter.prototype.listenerCount.call(emitter, type)

module.exports = { addAbortListener, getEventListeners, getMaxListeners, listenerCount, on, once, setMaxListeners }
