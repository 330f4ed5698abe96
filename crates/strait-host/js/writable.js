'use strict'
// The writing half of pipes and sockets in Node's manner (https://nodejs.org/api/stream.html#writable-streams), mixed into emitters: write, end,
// 'drain', 'finish', 'error'.

/** More than this that waits makes `write` say no. */
const HIGH_WATER_MARK = 16 << 10

function bytesOf (chunk, encoding) {
  if (typeof chunk === 'string') return globalThis.Buffer.from(chunk, encoding)
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  throw Object.assign(new TypeError('The "chunk" argument must be of type string or an instance of Buffer, TypedArray, or DataView.'), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** What Node says of an error's code. */
function systemError (code, syscall, details = {}) {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall, ...details })
}

class Writer {
  #emitter
  #put
  #close
  #queue = []
  #busy = false
  #ending = false
  #done = false
  #wantsDrain = false
  length = 0

  /**
   * @param {(bytes: Uint8Array) => Promise<null | string>} put settles when all is on its way, with an error's code if it failed
   * @param {() => Promise<null | string>} close after the last byte
   */
  constructor (emitter, put, close) {
    this.#emitter = emitter
    this.#put = put
    this.#close = close
  }

  get ended () { return this.#ending }
  get finished () { return this.#done }

  write (chunk, encoding, callback) {
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding]
    const bytes = bytesOf(chunk, encoding)
    if (this.#ending || this.#done) {
      const error = Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' })
      globalThis.process.nextTick(() => {
        callback?.(error)
        this.#emitter.emit('error', error)
      })
      return false
    }
    // The caller may use its buffer again.
    this.#queue.push({ bytes: bytes.slice(), callback })
    this.length += bytes.length
    this.#pump()
    const room = this.length < HIGH_WATER_MARK
    this.#wantsDrain ||= !room
    return room
  }

  end (chunk, encoding, callback) {
    if (typeof chunk === 'function') [chunk, callback] = [undefined, chunk]
    else if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding]
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding)
    if (typeof callback === 'function') {
      if (this.#done) globalThis.process.nextTick(callback)
      else this.#emitter.once('finish', callback)
    }
    if (this.#ending) return
    this.#ending = true
    this.#pump()
  }

  /** Nothing more is written. */
  destroy () {
    this.#ending = this.#done = true
    this.#queue = []
    this.length = 0
  }

  async #pump () {
    if (this.#busy || this.#done) return
    this.#busy = true
    while (this.#queue.length > 0) {
      const { bytes, callback } = this.#queue.shift()
      const failed = await this.#put(bytes)
      this.length = Math.max(0, this.length - bytes.length)
      if (this.#done) return
      if (typeof failed === 'string') {
        this.destroy()
        const error = systemError(failed, 'write')
        callback?.(error)
        this.#emitter.destroy(error)
        return
      }
      callback?.()
      if (this.#wantsDrain && this.length === 0) {
        this.#wantsDrain = false
        this.#emitter.emit('drain')
      }
    }
    if (this.#ending) {
      const failed = await this.#close()
      this.#done = true
      if (typeof failed === 'string') this.#emitter.destroy(systemError(failed, 'shutdown'))
      else this.#emitter.emit('finish')
    }
    this.#busy = false
  }
}

module.exports = { Writer, systemError }
