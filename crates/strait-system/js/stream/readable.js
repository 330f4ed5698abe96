'use strict'
// Streams for reading (https://nodejs.org/api/stream.html#readable-streams).

const { coded, wrongType, refusals } = require('strait:errors')
const { Buffer } = require('buffer')
const { StringDecoder } = require('string_decoder')
const Stream = require('strait:stream/legacy')
const { notImplemented, destroy, fail, construct, commonState, addMembers, inherit } = require('strait:stream/base')

/** @param {any} options @param {boolean} isDuplex */
const makeState = (options, isDuplex) => ({
  ...commonState(options, 'readable', isDuplex),
  /** @type {any[]} */
  buffer: [],
  /** @type {any[]} */
  pipes: [],
  /** Null, which is neither paused nor flowing, until the program chooses. */
  flowing: /** @type {boolean | null} */ (null),
  paused: /** @type {boolean | null} */ (null),
  ended: false,
  endEmitted: false,
  reading: false,
  needReadable: false,
  emittedReadable: false,
  readableListening: false,
  resumeScheduled: false,
  readingMore: false,
  dataEmitted: false,
  /** The targets of `pipe` that are full at present. */
  drains: new Set(),
  /** @type {any} */
  decoder: null,
  encoding: /** @type {string | null} */ (null),
})

/** @this {any} @param {any} [options] */
function Readable(options) {
  if (!(this instanceof Readable)) return new /** @type {any} */ (Readable)(options)
  const self = /** @type {any} */ (this)
  self._readableState = makeState(options, self instanceof require('strait:stream/duplex').Duplex)
  if (options?.encoding) {
    self._readableState.decoder = new StringDecoder(options.encoding)
    self._readableState.encoding = options.encoding
  }
  if (options) {
    if (typeof options.read === 'function') self._read = options.read
    if (typeof options.destroy === 'function') self._destroy = options.destroy
    if (typeof options.construct === 'function') self._construct = options.construct
    if (options.signal) require('strait:stream/finished').addAbortSignal(options.signal, self)
  }
  Stream.call(self, options)
  construct(self, () => { if (self._readableState.needReadable) readMore(self, self._readableState) })
}
inherit(Readable, Stream)

/** @param {any} stream @param {any} chunk @param {any} encoding @param {boolean} isFront */
const add = (stream, chunk, encoding, isFront) => {
  const state = stream._readableState
  if (!state.objectMode) {
    if (typeof chunk === 'string') {
      encoding ||= state.defaultEncoding
      if (state.encoding !== encoding) {
        // A chunk that is put back is converted to the encoding of the stream's output.
        if (isFront && state.encoding) chunk = Buffer.from(chunk, encoding).toString(state.encoding)
        else [chunk, encoding] = [Buffer.from(chunk, encoding), '']
      }
    } else if (chunk instanceof Buffer) {
      encoding = ''
    } else if (ArrayBuffer.isView(chunk)) {
      [chunk, encoding] = [Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), '']
    } else if (chunk !== undefined && chunk !== null) {
      fail(stream, wrongType('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk))
      return false
    }
  }
  if (chunk === null) {
    state.reading = false
    end(stream, state)
  } else if (state.objectMode || chunk?.length > 0) {
    if (isFront) {
      if (state.endEmitted) fail(stream, coded(Error, 'ERR_STREAM_UNSHIFT_AFTER_END_EVENT', 'stream.unshift() after end event'))
      else if (state.destroyed || state.errored) return false
      else keep(stream, state, chunk, true)
    } else if (state.ended) {
      fail(stream, coded(Error, 'ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'))
    } else if (state.destroyed || state.errored) {
      return false
    } else {
      state.reading = false
      if (state.decoder !== null && !encoding) {
        chunk = state.decoder.write(chunk)
        if (state.objectMode || chunk.length !== 0) keep(stream, state, chunk, false)
        else readMore(stream, state)
      } else {
        keep(stream, state, chunk, false)
      }
    }
  } else if (!isFront) {
    state.reading = false
    readMore(stream, state)
  }
  return !state.ended && (state.length < state.highWaterMark || state.length === 0)
}

/** @param {any} stream @param {any} state @param {any} chunk @param {boolean} isFront */
const keep = (stream, state, chunk, isFront) => {
  if (state.flowing && state.length === 0 && !state.sync && stream.listenerCount('data') > 0) {
    state.drains.clear()
    state.dataEmitted = true
    stream.emit('data', chunk)
  } else {
    state.length += state.objectMode ? 1 : chunk.length
    if (isFront) state.buffer.unshift(chunk)
    else state.buffer.push(chunk)
    if (state.needReadable) tellReadable(stream)
  }
  readMore(stream, state)
}

/** Handles the end of the data. @param {any} stream @param {any} state */
const end = (stream, state) => {
  if (state.ended) return
  if (state.decoder !== null) {
    const chunk = state.decoder.end()
    if (chunk?.length > 0) {
      state.buffer.push(chunk)
      state.length += state.objectMode ? 1 : chunk.length
    }
  }
  state.ended = true
  if (state.sync) {
    tellReadable(stream)
  } else {
    state.needReadable = false
    state.emittedReadable = true
    emitReadable(stream)
  }
}

/** @param {any} stream */
const tellReadable = (stream) => {
  const state = stream._readableState
  state.needReadable = false
  if (state.emittedReadable) return
  state.emittedReadable = true
  process.nextTick(emitReadable, stream)
}

/** @param {any} stream */
const emitReadable = (stream) => {
  const state = stream._readableState
  if (!state.destroyed && !state.errored && (state.length > 0 || state.ended)) {
    stream.emit('readable')
    state.emittedReadable = false
  }
  state.needReadable = !state.flowing && !state.ended && state.length <= state.highWaterMark
  flow(stream)
}

/** Reads ahead, up to the mark. @param {any} stream @param {any} state */
const readMore = (stream, state) => {
  if (state.readingMore || !state.constructed) return
  state.readingMore = true
  process.nextTick(() => {
    while (!state.reading && !state.ended && (state.length < state.highWaterMark || (state.flowing && state.length === 0))) {
      const before = state.length
      stream.read(0)
      if (before === state.length) break
    }
    state.readingMore = false
  })
}

/** @param {any} stream */
const flow = (stream) => {
  const state = stream._readableState
  while (state.flowing && stream.read() !== null);
}

/** @param {number} count @param {any} state */
const sizeToRead = (count, state) => {
  if (count <= 0 || (state.length === 0 && state.ended)) return 0
  if (state.objectMode) return 1
  if (Number.isNaN(count)) return state.flowing && state.length > 0 ? state.buffer[0].length : state.length
  if (count <= state.length) return count
  return state.ended ? state.length : 0
}

/** Takes `count` bytes from the buffer. @param {number} count @param {any} state */
const takeFrom = (count, state) => {
  if (state.length === 0) return null
  const { buffer } = state
  if (state.objectMode) return buffer.shift()
  if (!count || count >= state.length) {
    const all = buffer.splice(0)
    if (state.decoder !== null) return all.join('')
    return all.length === 1 ? all[0] : Buffer.concat(all, state.length)
  }
  const parts = []
  for (let missing = count; missing > 0;) {
    const first = buffer[0]
    if (first.length > missing) {
      parts.push(first.slice(0, missing))
      buffer[0] = first.slice(missing)
      break
    }
    parts.push(buffer.shift())
    missing -= first.length
  }
  if (parts.length === 1) return parts[0]
  return state.decoder !== null ? parts.join('') : Buffer.concat(parts, count)
}

/** @param {any} stream */
const endReadable = (stream) => {
  const state = stream._readableState
  if (state.endEmitted) return
  state.ended = true
  process.nextTick(() => {
    if (state.errored || state.closeEmitted || state.endEmitted || state.length !== 0) return
    state.endEmitted = true
    stream.emit('end')
    const writing = stream._writableState
    if (stream.writable && stream.allowHalfOpen === false) {
      process.nextTick(() => { if (stream.writable && !stream.writableEnded && !stream.destroyed) stream.end() })
    } else if (state.autoDestroy && (!writing || (writing.autoDestroy && (writing.finished || writing.writable === false)))) {
      stream.destroy()
    }
  })
}

/** @param {any} stream @param {any} state */
const resume = (stream, state) => {
  if (state.resumeScheduled) return
  state.resumeScheduled = true
  process.nextTick(() => {
    if (!state.reading) stream.read(0)
    state.resumeScheduled = false
    stream.emit('resume')
    flow(stream)
    if (state.flowing && !state.reading) stream.read(0)
  })
}

/** Updates the state after a listener for 'readable' was removed. @param {any} stream */
const lookAtListeners = (stream) => {
  const state = stream._readableState
  state.readableListening = stream.listenerCount('readable') > 0
  if (state.resumeScheduled && state.paused === false) state.flowing = true
  else if (stream.listenerCount('data') > 0) stream.resume()
  else if (!state.readableListening) state.flowing = null
}

/** @this {any} @param {any} target @param {any} [options] */
function pipe(target, options) {
  const source = this
  const state = source._readableState
  state.pipes.push(target)
  const endsToo = options?.end !== false && target !== process.stdout && target !== process.stderr
  const atEnd = () => { if (endsToo) target.end(); else source.unpipe(target) }
  if (state.endEmitted) process.nextTick(atEnd)
  else source.once('end', atEnd)

  const onUnpipe = (/** @type {any} */ from, /** @type {any} */ info) => {
    if (from === source && info && info.hasUnpiped === false) {
      info.hasUnpiped = true
      cleanUp()
    }
  }
  const onDrain = () => {
    state.drains.delete(target)
    if (state.drains.size === 0 && source.listenerCount('data') > 0) source.resume()
  }
  const wait = () => {
    if (state.pipes.includes(target)) state.drains.add(target)
    source.pause()
    if (!target.listeners('drain').includes(onDrain)) target.on('drain', onDrain)
  }
  const onData = (/** @type {any} */ chunk) => { if (target.write(chunk) === false) wait() }
  const onError = (/** @type {any} */ error) => {
    source.unpipe(target)
    target.removeListener('error', onError)
    if (target.listenerCount('error') > 0) return
    const its = target._writableState ?? target._readableState
    if (its && !its.errorEmitted) fail(target, error)
    else target.emit('error', error)
  }
  const onClose = () => {
    target.removeListener('finish', onFinish)
    source.unpipe(target)
  }
  const onFinish = () => {
    target.removeListener('close', onClose)
    source.unpipe(target)
  }
  const cleanUp = () => {
    target.removeListener('close', onClose)
    target.removeListener('finish', onFinish)
    target.removeListener('drain', onDrain)
    target.removeListener('error', onError)
    target.removeListener('unpipe', onUnpipe)
    source.removeListener('end', atEnd)
    source.removeListener('data', onData)
    // The source must not wait for a removed target.
    if (state.drains.has(target)) onDrain()
  }
  target.on('unpipe', onUnpipe)
  source.on('data', onData)
  if (typeof target.prependListener === 'function') target.prependListener('error', onError)
  else target.on('error', onError)
  target.once('close', onClose)
  target.once('finish', onFinish)
  target.emit('pipe', source)
  if (target.writableNeedDrain === true) wait()
  else if (!state.flowing) source.resume()
  return target
}

const iterate = () => require('strait:stream/iterate').iterate

/** @type {(name: string) => (this: any) => any} */
const said = (name) => function () { return this._readableState?.[name] }

const members = {
  /** @this {any} */
  push(/** @type {any} */ chunk, /** @type {any} */ encoding) { return add(this, chunk, encoding, false) },
  /** @this {any} */
  unshift(/** @type {any} */ chunk, /** @type {any} */ encoding) { return add(this, chunk, encoding, true) },

  /** @this {any} */
  read(/** @type {any} */ given) {
    const state = this._readableState
    const asked = given === undefined ? NaN : Number.isInteger(given) ? given : Number.parseInt(given, 10)
    if (asked > state.highWaterMark) state.highWaterMark = 2 ** Math.ceil(Math.log2(Math.min(asked, 2 ** 30)))
    if (asked !== 0) state.emittedReadable = false
    if (asked === 0 && state.needReadable && ((state.highWaterMark !== 0 ? state.length >= state.highWaterMark : state.length > 0) || state.ended)) {
      if (state.length === 0 && state.ended) endReadable(this)
      else tellReadable(this)
      return null
    }
    let count = sizeToRead(asked, state)
    if (count === 0 && state.ended) {
      if (state.length === 0) endReadable(this)
      return null
    }
    const wants = state.needReadable || state.length === 0 || state.length - count < state.highWaterMark
    if (wants && !state.ended && !state.reading && !state.destroyed && !state.errored && state.constructed) {
      state.reading = true
      state.sync = true
      if (state.length === 0) state.needReadable = true
      try {
        this._read(state.highWaterMark)
      } catch (error) {
        fail(this, error)
      }
      state.sync = false
      // The data may have arrived synchronously.
      if (!state.reading) count = sizeToRead(asked, state)
    }
    const chunk = count > 0 ? takeFrom(count, state) : null
    if (chunk === null) {
      state.needReadable = state.length <= state.highWaterMark
      count = 0
    } else {
      state.length -= state.objectMode ? 1 : count
      state.drains.clear()
    }
    if (state.length === 0) {
      if (!state.ended) state.needReadable = true
      if (asked !== count && state.ended) endReadable(this)
    }
    if (chunk !== null && !state.errorEmitted && !state.closeEmitted) {
      state.dataEmitted = true
      this.emit('data', chunk)
    }
    return chunk
  },
  _read() { throw notImplemented('_read()') },

  /** @this {any} */
  isPaused() { return this._readableState.paused === true || this._readableState.flowing === false },

  /** @this {any} */
  setEncoding(/** @type {any} */ encoding) {
    const state = this._readableState
    const decoder = new StringDecoder(encoding)
    state.decoder = decoder
    state.encoding = decoder.encoding
    const text = state.buffer.splice(0).map((/** @type {any} */ chunk) => decoder.write(chunk)).join('')
    if (text !== '') state.buffer.push(text)
    state.length = text.length
    return this
  },

  pipe,

  /** @this {any} */
  unpipe(/** @type {any} */ target) {
    const { pipes } = this._readableState
    if (pipes.length === 0) return this
    if (!target) {
      this.pause()
      for (const one of pipes.splice(0)) one.emit('unpipe', this, { hasUnpiped: false })
      return this
    }
    const index = pipes.indexOf(target)
    if (index < 0) return this
    pipes.splice(index, 1)
    if (pipes.length === 0) this.pause()
    target.emit('unpipe', this, { hasUnpiped: false })
    return this
  },

  /** @this {any} */
  on(/** @type {any} */ name, /** @type {any} */ listener) {
    const answer = Stream.prototype.on.call(this, name, listener)
    const state = this._readableState
    if (name === 'data') {
      state.readableListening = this.listenerCount('readable') > 0
      if (state.flowing !== false) this.resume()
    } else if (name === 'readable' && !state.endEmitted && !state.readableListening) {
      state.readableListening = state.needReadable = true
      state.flowing = false
      state.emittedReadable = false
      if (state.length > 0) tellReadable(this)
      else if (!state.reading) process.nextTick(() => this.read(0))
    }
    return answer
  },

  /** @this {any} */
  removeListener(/** @type {any} */ name, /** @type {any} */ listener) {
    const answer = Stream.prototype.removeListener.call(this, name, listener)
    if (name === 'readable') process.nextTick(lookAtListeners, this)
    return answer
  },

  /** @this {any} */
  removeAllListeners(/** @type {any[]} */ ...names) {
    const answer = Stream.prototype.removeAllListeners.apply(this, names)
    if (names[0] === 'readable' || names[0] === undefined) process.nextTick(lookAtListeners, this)
    return answer
  },

  /** @this {any} */
  resume() {
    const state = this._readableState
    if (!state.flowing) {
      // With a listener for 'readable', only that listener reads.
      state.flowing = !state.readableListening
      resume(this, state)
    }
    state.paused = false
    return this
  },

  /** @this {any} */
  pause() {
    const state = this._readableState
    if (state.flowing !== false) {
      state.flowing = false
      this.emit('pause')
    }
    state.paused = true
    return this
  },

  /** Reads from an old stream, which has no states. @this {any} */
  wrap(/** @type {any} */ old) {
    let isPaused = false
    old.on('data', (/** @type {any} */ chunk) => {
      if (!this.push(chunk) && old.pause) {
        isPaused = true
        old.pause()
      }
    })
    old.on('end', () => { this.push(null) })
    old.on('error', (/** @type {any} */ error) => fail(this, error))
    old.on('close', () => { this.destroy() })
    this._read = () => {
      if (!isPaused || !old.resume) return
      isPaused = false
      old.resume()
    }
    return this
  },

  destroy,
  _destroy(/** @type {any} */ error, /** @type {any} */ callback) { callback(error) },

  /** @this {any} */
  iterator(/** @type {any} */ options) { return iterate()(this, options) },
  /** @this {any} */
  [Symbol.asyncIterator]() { return iterate()(this, undefined) },

  get readable() {
    const state = /** @type {any} */ (this)._readableState
    return Boolean(state) && state.readable !== false && !state.destroyed && !state.errorEmitted && !state.endEmitted
  },
  set readable(value) {
    const state = /** @type {any} */ (this)._readableState
    if (state) state.readable = Boolean(value)
  },
  get destroyed() { return Boolean(/** @type {any} */ (this)._readableState?.destroyed) },
  set destroyed(value) {
    const state = /** @type {any} */ (this)._readableState
    if (state) state.destroyed = value
  },
  get readableFlowing() { return said('flowing').call(this) },
  set readableFlowing(value) { /** @type {any} */ (this)._readableState.flowing = value },
  get readableDidRead() { return said('dataEmitted').call(this) },
  get readableAborted() {
    const state = /** @type {any} */ (this)._readableState
    return state.readable !== false && (state.destroyed || Boolean(state.errored)) && !state.endEmitted
  },
  get readableLength() { return said('length').call(this) },
  get readableHighWaterMark() { return said('highWaterMark').call(this) },
  get readableObjectMode() { return Boolean(said('objectMode').call(this)) },
  get readableEncoding() { return said('encoding').call(this) ?? null },
  get readableEnded() { return Boolean(said('endEmitted').call(this)) },
  get errored() { return said('errored').call(this) ?? null },
  get closed() { return Boolean(said('closed').call(this)) },
}
addMembers(Readable.prototype, members)
addMembers(Readable.prototype, { addListener: members.on, off: members.removeListener, ...refusals('stream', 'asIndexedPairs compose drop every filter find flatMap forEach map reduce some take toArray') })

require('strait:stream/iterate').addFrom(Readable)

module.exports = { Readable, members }
