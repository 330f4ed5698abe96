// Messages with Blobs. WebKit gives no script a Blob's bytes at once. So the agent keeps such a
// message, and later ones on the same port, until the bytes have been read here and added. The rest
// of the message has been cloned before.
(function makeOutbox(p, natives, codec, outgoing, cloneError, global) {
  'use strict'

  const { FileReader } = global
  const slice = p.uncurry(global.Blob.prototype.slice)
  const readBytes = p.uncurry(FileReader.prototype.readAsArrayBuffer)
  const getResult = p.getter(FileReader.prototype, 'result')
  const maximum = natives.maximumData()
  /** The number of bytes of a Blob that one task reads and copies (1 MiB). */
  const PART = 1 << 20

  const padded = (/** @type {number} */ size) => size + (size % 2)

  /** Reads the Blobs of message `id`; `blobs` is the codec's list. */
  const read = (/** @type {number} */ id, /** @type {any[]} */ blobs) => {
    const reader = new FileReader()
    let which = 0
    // `shift`: the number of bytes inserted before the present Blob; `start`: its place in the
    // message; `size`: its length; `done`: its bytes that are added; `part`: its bytes that are
    // being read.
    let shift = 0
    let start = blobs[1]
    let size = blobs[2]
    let done = 0
    let part = 0
    const next = () => {
      while (done === size) {
        shift += padded(size)
        which += 3
        if (which === blobs.length) {
          natives.filled(id, true)
          return
        }
        start = blobs[which + 1] + shift
        size = blobs[which + 2]
        done = 0
      }
      part = size - done < PART ? size - done : PART
      readBytes(reader, part === size ? blobs[which] : slice(blobs[which], done, done + part))
    }
    const took = () => {
      const result = getResult(reader)
      if (p.byteLength(result) !== part) {
        natives.filled(id, false)
        return
      }
      // False means that the message is no longer needed: the other end of its port is gone.
      if (natives.fill(id, start + done, new p.Uint8Array(result), part) !== true) return
      done += part
      next()
    }
    p.addEventListener(reader, 'load', took)
    // The file is missing, or has changed since it was chosen.
    p.addEventListener(reader, 'error', () => natives.filled(id, false))
    next()
  }

  return {
    __proto__: null,
    /** Throws if the message would be too large with these Blobs in it. */
    check(/** @type {number} */ length, /** @type {any[]} */ blobs) {
      let total = length
      for (let i = 2; i < blobs.length; i += 3) total += padded(blobs[i])
      if (total > maximum) throw cloneError('A Blob is too large for a message.')
    },
    /**
     * Posts on a port the message that the codec has just written, with `count` ports in
     * `outgoing`. `length` bytes of it follow the bytes in `writer` (0: none).
     */
    post(
      /** @type {number} */ handle,
      /** @type {number} */ length,
      /** @type {number} */ count,
      /** @type {any[]} */ blobs,
      /** @type {number} */ writer,
    ) {
      const rooms = new p.Uint32Array((blobs.length / 3) * 2)
      let words = 0
      for (let i = 0; i < blobs.length; i += 3) {
        rooms[words++] = blobs[i + 1]
        rooms[words++] = blobs[i + 2]
      }
      const id = natives.hold(handle, codec.buffer, length, outgoing, count, rooms, words, writer)
      codec.blobs = null
      if (id > 0) read(id, blobs)
    },
  }
})
