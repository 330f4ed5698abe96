'use strict'
// Large messages of ports are written and read part by part, in memory that both processes have.

const { native } = require('./native')

/** What the codec writes a message for port `id` to. */
class Writer {
  #id
  /** The engine's number of what is written; 0 as long as the codec has all of it. */
  #number = 0

  constructor (id) { this.#id = id }

  /** Arrays are given whole, not by way of the codec's own. */
  get direct () { return true }

  put (bytes, size, more) {
    if (this.#number === 0) this.#number = native.writerOpen(this.#id, size + more)
    native.writerPut(this.#number, bytes, size)
  }

  cut (start, stop) { native.writerCut(this.#number, start, stop) }

  paste () { native.writerPaste(this.#number) }

  /** Posts the message: what was put, and the first `length` of `bytes` behind it. */
  post (bytes, length, ids) {
    if (this.#number === 0) native.portPost(this.#id, bytes, length, ids)
    else native.writerPost(this.#number, bytes, length, ids)
    this.#number = 0
  }

  /** Nothing is kept of a message that was not posted. */
  end () {
    if (this.#number !== 0) native.writerDrop(this.#number)
  }
}

/** An array that begins with `size` bytes of the message that is being read. */
function pull (start, size) {
  if (size > native.stage.length) return new Uint8Array(take(start, size))
  native.readPart(start, size)
  return native.stage
}

/** A new buffer with just those bytes of the message that is being read. */
function take (start, size) {
  const bytes = native.newBytes(size)
  native.readInto(start, bytes)
  return bytes.buffer
}

module.exports = { Writer, pull, take }
