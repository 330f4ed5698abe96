'use strict'
// Large messages of ports. They are written and read part by part, in memory that both processes
// share.

const { native } = require('./native')

/** The codec's sink for a message to port `id`. */
class Writer {
  #id
  /** The engine's number of the message; 0 while the codec has all of it. */
  #number = 0

  constructor (id) { this.#id = id }

  /** The codec passes arrays to `put` as they are, without a copy in its own buffer. */
  get direct () { return true }

  put (bytes, size, more) {
    if (this.#number === 0) this.#number = native.writerOpen(this.#id, size + more)
    native.writerPut(this.#number, bytes, size)
  }

  cut (start, stop) { native.writerCut(this.#number, start, stop) }

  paste () { native.writerPaste(this.#number) }

  /** Posts the message: the bytes put so far, followed by the first `length` of `bytes`. */
  post (bytes, length, ids) {
    if (this.#number === 0) native.portPost(this.#id, bytes, length, ids)
    else native.writerPost(this.#number, bytes, length, ids)
    this.#number = 0
  }

  /** Discards a message that was not posted. */
  end () {
    if (this.#number !== 0) native.writerDrop(this.#number)
  }
}

/** An array that begins with `size` bytes of the message being read, from `start` on. */
function pull (start, size) {
  if (size > native.stage.length) return new Uint8Array(take(start, size))
  native.readPart(start, size)
  return native.stage
}

/** A new buffer with exactly `size` bytes of the message being read, from `start` on. */
function take (start, size) {
  const bytes = native.newBytes(size)
  native.readInto(start, bytes)
  return bytes.buffer
}

module.exports = { Writer, pull, take }
