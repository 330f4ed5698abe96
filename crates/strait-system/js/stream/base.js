'use strict'
// The common part of all streams (https://nodejs.org/api/stream.html): how they are destroyed, and
// how errors are reported.

const { coded } = require('strait:errors')

const nop = () => {}

/** @param {string} what */
const destroyed = (what) => coded(Error, 'ERR_STREAM_DESTROYED', `Cannot call ${what} after a stream was destroyed`)
/** @param {string} what */
const notImplemented = (what) => coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `The ${what} method is not implemented`)
const calledTwice = () => coded(Error, 'ERR_MULTIPLE_CALLBACK', 'Callback called multiple times')

/** Combines an error with one that occurred after it. @param {any} first @param {any} second */
const both = (first, second) => {
  if (!first || !second || first === second) return first || second
  if (Array.isArray(first.errors)) {
    first.errors.push(second)
    return first
  }
  return Object.assign(new AggregateError([second, first], second.message), { code: second.code })
}

/** The stream's states, for reading and for writing. @param {any} stream */
const states = (stream) => [stream._readableState, stream._writableState].filter((state) => state)

/** @param {any} stream @param {any} error */
const note = (stream, error) => {
  for (const state of states(stream)) state.errored ??= error
}

/** @param {any} stream @param {any} error */
const emitError = (stream, error) => {
  const all = states(stream)
  if (all.some((state) => state.errorEmitted)) return
  for (const state of all) state.errorEmitted = true
  stream.emit('error', error)
}

/** @param {any} stream */
const emitClose = (stream) => {
  const all = states(stream)
  for (const state of all) state.closeEmitted = true
  if (all.some((state) => state.emitClose)) stream.emit('close')
}

const readyToDestroy = Symbol('constructed, to be destroyed')

/** @param {any} stream @param {any} error @param {((error: any) => void) | undefined} callback */
const tearDown = (stream, error, callback) => {
  let isOver = false
  const over = (/** @type {any} */ failure) => {
    if (isOver) return
    isOver = true
    if (failure) note(stream, failure)
    const last = failure ?? error
    for (const state of states(stream)) state.closed = true
    callback?.(last)
    process.nextTick(() => {
      if (last) emitError(stream, last)
      emitClose(stream)
    })
  }
  try {
    stream._destroy(error ?? null, over)
  } catch (failure) {
    over(failure)
  }
}

/** `stream.destroy` @this {any} @param {any} [error] @param {(error: any) => void} [callback] */
function destroy(error, callback) {
  const all = states(this)
  if (all.some((state) => state.destroyed)) {
    callback?.(undefined)
    return this
  }
  if (error) note(this, error)
  for (const state of all) state.destroyed = true
  if (all.every((state) => state.constructed)) tearDown(this, error, callback)
  else this.once(readyToDestroy, (/** @type {any} */ failure) => tearDown(this, both(failure, error), callback))
  return this
}

/**
 * Handles an error of the stream itself: destroys the stream, or only emits the error if the stream
 * is not destroyed automatically.
 * @param {any} stream @param {any} error @param {boolean} [isSync]
 */
const fail = (stream, error, isSync = false) => {
  const all = states(stream)
  if (all.some((state) => state.destroyed)) return
  if (all.some((state) => state.autoDestroy)) {
    stream.destroy(error)
    return
  }
  if (!error) return
  note(stream, error)
  if (isSync) process.nextTick(emitError, stream, error)
  else emitError(stream, error)
}

const construction = Symbol('construct')

/**
 * Runs the stream's `_construct`, if it has one, and then `ready`.
 * @param {any} stream @param {() => void} ready
 */
const construct = (stream, ready) => {
  if (typeof stream._construct !== 'function') return
  for (const state of states(stream)) state.constructed = false
  stream.once(construction, ready)
  // A duplex stream calls this once for each half.
  if (stream.listenerCount(construction) > 1) return
  process.nextTick(() => {
    let isOver = false
    const over = (/** @type {any} */ error) => {
      if (isOver) {
        fail(stream, error ?? calledTwice())
        return
      }
      isOver = true
      const all = states(stream)
      for (const state of all) state.constructed = true
      if (all.some((state) => state.destroyed)) stream.emit(readyToDestroy, error)
      else if (error) fail(stream, error, true)
      else stream.emit(construction)
    }
    try {
      stream._construct((/** @type {any} */ error) => process.nextTick(over, error))
    } catch (error) {
      process.nextTick(over, error)
    }
  })
}

/**
 * The amount of buffered data from which the stream accepts no more.
 * @param {any} options @param {string} own the option of this half @param {boolean} isDuplex
 */
const highWaterMark = (options, own, isDuplex) => {
  const given = options?.highWaterMark ?? (isDuplex ? options?.[own] : undefined)
  const objects = options?.objectMode || (isDuplex && options?.[own.replace('HighWaterMark', 'ObjectMode')])
  if (given === undefined || given === null) return defaults[objects ? 1 : 0]
  if (!Number.isInteger(given) || given < 0) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The property 'options.${isDuplex && options.highWaterMark === undefined ? own : 'highWaterMark'}' is invalid. Received ${require('strait:inspect').inspect(given)}`)
  return Math.floor(given)
}
const defaults = [16 * 1024, 16]

/**
 * The common members of both states.
 * @param {any} options @param {string} half @param {boolean} isDuplex
 */
const commonState = (options, half, isDuplex) => ({
  objectMode: Boolean(options?.objectMode || (isDuplex && options?.[`${half}ObjectMode`])),
  highWaterMark: highWaterMark(options, `${half}HighWaterMark`, isDuplex),
  length: 0,
  sync: true,
  constructed: true,
  errorEmitted: false,
  emitClose: options?.emitClose !== false,
  autoDestroy: options?.autoDestroy !== false,
  destroyed: false,
  errored: /** @type {any} */ (null),
  closed: false,
  closeEmitted: false,
  defaultEncoding: options?.defaultEncoding ?? 'utf8',
})

/**
 * Adds accessors and methods that are not enumerable, as those of a class are. The classes are
 * functions, because old programs call them on their own objects.
 * @param {any} prototype @param {any} members
 */
const addMembers = (prototype, members) => {
  for (const key of Reflect.ownKeys(members)) Object.defineProperty(prototype, key, { ...Object.getOwnPropertyDescriptor(members, key), enumerable: false, configurable: true })
}

/** @param {Function} constructor @param {any} parent */
const inherit = (constructor, parent) => {
  Object.setPrototypeOf(constructor.prototype, parent.prototype)
  Object.setPrototypeOf(constructor, parent)
}

module.exports = { nop, destroyed, notImplemented, calledTwice, both, note, emitError, destroy, fail, construct, commonState, defaults, addMembers, inherit }
