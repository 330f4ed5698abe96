'use strict'
// Streams for writing (https://nodejs.org/api/stream.html#writable-streams).

const { coded, wrongType } = require('strait:errors')
const { Buffer } = require('buffer')
const encodings = require('strait:encodings')
const Stream = require('strait:stream/legacy')
const { nop, destroyed, notImplemented, calledTwice, destroy, note, fail, construct, commonState, addMembers, inherit } = require('strait:stream/base')

/** @param {any} options @param {boolean} isDuplex */
const makeState = (options, isDuplex) => ({
  ...commonState(options, 'writable', isDuplex),
  decodeStrings: options?.decodeStrings !== false,
  finalCalled: false,
  needDrain: false,
  ending: false,
  ended: false,
  finished: false,
  prefinished: false,
  writing: false,
  corked: 0,
  bufferProcessing: false,
  /** The number of calls of `write` and similar functions whose outcome has not been reported. */
  pendingcb: 0,
  /** The callback of the write in progress. */
  writecb: /** @type {any} */ (null),
  writelen: 0,
  /** @type {any[]} */
  buffered: [],
  /** The callbacks of `end`. @type {any[]} */
  waiting: [],
  /** Calls whose outcome is reported together in one tick. @type {any} */
  told: null,
})

/** @this {any} @param {any} [options] */
function Writable(options) {
  const isDuplex = this instanceof require('strait:stream/duplex').Duplex
  // The ordinary check by prototype, because `instanceof Writable` also accepts other objects with
  // a Writable's state.
  if (!isDuplex && !Function.prototype[Symbol.hasInstance].call(Writable, this)) return new /** @type {any} */ (Writable)(options)
  this._writableState = makeState(options, isDuplex)
  if (options) {
    if (typeof options.write === 'function') this._write = options.write
    if (typeof options.writev === 'function') this._writev = options.writev
    if (typeof options.destroy === 'function') this._destroy = options.destroy
    if (typeof options.final === 'function') this._final = options.final
    if (typeof options.construct === 'function') this._construct = options.construct
    if (options.signal) require('strait:stream/finished').addAbortSignal(options.signal, this)
  }
  Stream.call(this, options)
  construct(this, () => {
    const state = this._writableState
    if (!state.writing) flush(this, state)
    finishMaybe(this, state)
  })
}
inherit(Writable, Stream)

Object.defineProperty(Writable, Symbol.hasInstance, {
  /** @this {any} @param {any} value */
  value(value) {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true
    return this === Writable && value?._writableState !== undefined && value._writableState !== null && typeof value._writableState === 'object' && 'pendingcb' in value._writableState
  },
})

/** @param {any} state @param {any} chunk */
const sizeOf = (state, chunk) => (state.objectMode ? 1 : chunk.length)

/**
 * Writes a chunk. Returns an error, or whether the stream accepts more.
 * @param {any} stream @param {any} chunk @param {any} encoding @param {any} callback
 */
const put = (stream, chunk, encoding, callback) => {
  const state = stream._writableState
  if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding]
  if (typeof callback !== 'function') callback = nop
  if (!encoding) encoding = state.defaultEncoding
  else if (encoding !== 'buffer' && encodings.named(encoding) === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`)
  if (chunk === null) throw coded(TypeError, 'ERR_STREAM_NULL_VALUES', 'May not write null values to stream')
  if (!state.objectMode) {
    if (typeof chunk === 'string') {
      if (state.decodeStrings) [chunk, encoding] = [Buffer.from(chunk, encoding), 'buffer']
    } else if (ArrayBuffer.isView(chunk)) {
      if (!(chunk instanceof Buffer)) chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      encoding = 'buffer'
    } else {
      throw wrongType('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk)
    }
  }
  let error
  if (state.ending) error = coded(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end')
  else if (state.destroyed) error = destroyed('write')
  if (error !== undefined) {
    process.nextTick(callback, error)
    fail(stream, error, true)
    return error
  }
  state.pendingcb++
  return take(stream, state, chunk, encoding, callback)
}

/**
 * @param {any} stream @param {any} state @param {any} chunk @param {any} encoding
 * @param {any} callback
 */
const take = (stream, state, chunk, encoding, callback) => {
  const size = sizeOf(state, chunk)
  state.length += size
  const isEnough = state.length >= state.highWaterMark
  if (isEnough) state.needDrain = true
  if (state.writing || state.corked || state.errored || !state.constructed) state.buffered.push({ chunk, encoding, callback })
  else write(stream, state, size, callback, () => stream._write(chunk, encoding, stream._writableState.onwrite))
  return !isEnough && !state.errored && !state.destroyed
}

/**
 * @param {any} stream @param {any} state @param {number} size @param {any} callback
 * @param {() => void} action
 */
const write = (stream, state, size, callback, action) => {
  state.writelen = size
  state.writecb = callback
  state.writing = true
  state.sync = true
  state.onwrite ??= (/** @type {any} */ error) => written(stream, error)
  if (state.destroyed) state.onwrite(destroyed('write'))
  else action()
  state.sync = false
}

/** @param {any} stream @param {any} error */
const written = (stream, error) => {
  const state = stream._writableState
  const { sync, writecb: callback } = state
  if (typeof callback !== 'function') {
    fail(stream, calledTwice())
    return
  }
  state.writing = false
  state.writecb = null
  state.length -= state.writelen
  state.writelen = 0
  if (error) {
    note(stream, error)
    if (sync) process.nextTick(notWritten, stream, state, error, callback)
    else notWritten(stream, state, error, callback)
    return
  }
  if (state.buffered.length > 0) flush(stream, state)
  if (!sync) tell(stream, state, 1, callback)
  else if (state.told !== null && state.told.callback === callback) state.told.count++
  else {
    const told = state.told = { count: 1, callback }
    process.nextTick(() => {
      if (state.told === told) state.told = null
      tell(stream, state, told.count, callback)
    })
  }
}

/** @param {any} stream @param {any} state @param {any} error @param {any} callback */
const notWritten = (stream, state, error, callback) => {
  state.pendingcb--
  callback(error)
  dropBuffered(state)
  fail(stream, error)
}

/** @param {any} stream @param {any} state @param {number} count @param {any} callback */
const tell = (stream, state, count, callback) => {
  if (!state.ending && !stream.destroyed && state.length === 0 && state.needDrain) {
    state.needDrain = false
    stream.emit('drain')
  }
  for (; count > 0; count--) {
    state.pendingcb--
    callback(null)
  }
  if (state.destroyed) dropBuffered(state)
  finishMaybe(stream, state)
}

/** Discards the buffered chunks, and reports that to their callbacks. @param {any} state */
const dropBuffered = (state) => {
  if (state.writing) return
  for (const { chunk, callback } of state.buffered.splice(0)) {
    state.length -= sizeOf(state, chunk)
    callback(state.errored ?? destroyed('write'))
  }
  for (const callback of state.waiting.splice(0)) callback(state.errored ?? destroyed('end'))
}

/** Writes the buffered chunks. @param {any} stream @param {any} state */
const flush = (stream, state) => {
  if (state.corked || state.bufferProcessing || state.destroyed || !state.constructed || state.buffered.length === 0) return
  state.bufferProcessing = true
  if (state.buffered.length > 1 && typeof stream._writev === 'function') {
    const all = state.buffered.splice(0)
    state.pendingcb -= all.length - 1
    const callback = (/** @type {any} */ error) => { for (const { callback } of all) callback(error) }
    all.allBuffers = all.every((/** @type {any} */ { encoding }) => encoding === 'buffer')
    write(stream, state, state.length, callback, () => stream._writev(all, state.onwrite))
  } else {
    do {
      const { chunk, encoding, callback } = state.buffered.shift()
      write(stream, state, sizeOf(state, chunk), callback, () => stream._write(chunk, encoding, state.onwrite))
    } while (state.buffered.length > 0 && !state.writing)
  }
  state.bufferProcessing = false
}

/** @param {any} state */
const canFinish = (state) => state.ending && !state.destroyed && state.constructed && state.length === 0 && !state.errored && state.buffered.length === 0 &&
  !state.finished && !state.writing && !state.errorEmitted && !state.closeEmitted

/** @param {any} stream @param {any} state @param {boolean} [isSync] */
const finishMaybe = (stream, state, isSync = false) => {
  if (!canFinish(state)) return
  prefinish(stream, state)
  if (state.pendingcb !== 0) return
  if (isSync) {
    state.pendingcb++
    process.nextTick(() => {
      if (canFinish(state)) finish(stream, state)
      else state.pendingcb--
    })
  } else if (canFinish(state)) {
    state.pendingcb++
    finish(stream, state)
  }
}

/** @param {any} stream @param {any} state */
const prefinish = (stream, state) => {
  if (state.prefinished || state.finalCalled) return
  if (typeof stream._final !== 'function' || state.destroyed) {
    state.prefinished = true
    stream.emit('prefinish')
    return
  }
  state.finalCalled = true
  let isOver = false
  const over = (/** @type {any} */ error) => {
    if (isOver) {
      fail(stream, error ?? calledTwice())
      return
    }
    isOver = true
    state.pendingcb--
    if (error) {
      for (const callback of state.waiting.splice(0)) callback(error)
      fail(stream, error, state.sync)
    } else if (canFinish(state)) {
      state.prefinished = true
      stream.emit('prefinish')
      // Later, so that the call is handled like the last write.
      state.pendingcb++
      process.nextTick(finish, stream, state)
    }
  }
  state.sync = true
  state.pendingcb++
  try {
    stream._final(over)
  } catch (error) {
    over(error)
  }
  state.sync = false
}

/** @param {any} stream @param {any} state */
const finish = (stream, state) => {
  state.pendingcb--
  state.finished = true
  for (const callback of state.waiting.splice(0)) callback()
  stream.emit('finish')
  if (!state.autoDestroy) return
  const reading = stream._readableState
  if (!reading || (reading.autoDestroy && (reading.endEmitted || reading.readable === false))) stream.destroy()
}

/** @type {(name: string) => (this: any) => any} */
const said = (name) => function () { return this._writableState?.[name] }

const members = {
  /** @this {any} */
  write(/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) { return put(this, chunk, encoding, callback) === true },

  /** @this {any} */
  end(/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) {
    const state = this._writableState
    if (typeof chunk === 'function') [chunk, encoding, callback] = [undefined, undefined, chunk]
    else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding]
    let error
    if (chunk !== undefined && chunk !== null) {
      const answer = put(this, chunk, encoding, undefined)
      if (answer instanceof Error) error = answer
    }
    if (state.corked) {
      state.corked = 1
      this.uncork()
    }
    if (error !== undefined) {
      // The error has been reported.
    } else if (!state.errored && !state.ending) {
      state.ending = true
      finishMaybe(this, state, true)
      state.ended = true
    } else if (state.finished) {
      error = coded(Error, 'ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished')
    } else if (state.destroyed) {
      error = destroyed('end')
    }
    if (typeof callback === 'function') {
      if (error !== undefined) process.nextTick(callback, error)
      else if (state.finished) process.nextTick(callback)
      else state.waiting.push(callback)
    }
    return this
  },

  /** @this {any} */
  cork() { this._writableState.corked++ },

  /** @this {any} */
  uncork() {
    const state = this._writableState
    if (!state.corked) return
    state.corked--
    if (!state.writing) flush(this, state)
  },

  /** @this {any} */
  setDefaultEncoding(/** @type {any} */ encoding) {
    const known = typeof encoding === 'string' ? encoding.toLowerCase() : encoding
    if (encodings.named(known) === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`)
    this._writableState.defaultEncoding = known
    return this
  },

  /** @this {any} */
  _write(/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) {
    if (typeof this._writev !== 'function') throw notImplemented('_write()')
    this._writev([{ chunk, encoding }], callback)
  },
  _writev: null,

  /** @this {any} */
  destroy(/** @type {any} */ error, /** @type {any} */ callback) {
    const state = this._writableState
    if (!state.destroyed && (state.buffered.length > 0 || state.waiting.length > 0)) process.nextTick(dropBuffered, state)
    return destroy.call(this, error, callback)
  },
  _destroy(/** @type {any} */ error, /** @type {any} */ callback) { callback(error) },

  /** @this {any} */
  pipe() { fail(this, coded(Error, 'ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable')) },

  get writable() {
    const state = /** @type {any} */ (this)._writableState
    return Boolean(state) && state.writable !== false && !state.destroyed && !state.errored && !state.ending && !state.ended
  },
  set writable(value) {
    const state = /** @type {any} */ (this)._writableState
    if (state) state.writable = Boolean(value)
  },
  get destroyed() { return Boolean(/** @type {any} */ (this)._writableState?.destroyed) },
  set destroyed(value) {
    const state = /** @type {any} */ (this)._writableState
    if (state) state.destroyed = value
  },
  get writableNeedDrain() {
    const state = /** @type {any} */ (this)._writableState
    return Boolean(state) && !state.destroyed && !state.ending && state.needDrain
  },
  get writableAborted() {
    const state = /** @type {any} */ (this)._writableState
    return state.writable !== false && (state.destroyed || Boolean(state.errored)) && !state.finished
  },
  get writableLength() { return said('length').call(this) },
  get writableHighWaterMark() { return said('highWaterMark').call(this) },
  get writableObjectMode() { return Boolean(said('objectMode').call(this)) },
  get writableCorked() { return said('corked').call(this) ?? 0 },
  get writableFinished() { return Boolean(said('finished').call(this)) },
  get writableEnded() { return Boolean(said('ending').call(this)) },
  get errored() { return said('errored').call(this) ?? null },
  get closed() { return Boolean(said('closed').call(this)) },
}
addMembers(Writable.prototype, members)

module.exports = { Writable, members }
