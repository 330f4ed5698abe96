'use strict'
// Decodes bytes that arrive in parts (https://nodejs.org/api/string_decoder.html). An incomplete
// character waits for its remaining bytes.

const { coded, wrongType } = require('strait:errors')
const { Buffer } = require('buffer')
const encodings = require('strait:encodings')

/**
 * The number of bytes at the end that begin a character in UTF-8. As in Node, only the first of
 * these bytes is checked.
 * @param {Uint8Array} bytes
 */
const begunInUtf8 = (bytes) => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]
    if (byte < 0x80 || byte >= 0xf8) return 0
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0
  }
  return 0
}

/** The same for UTF-16, where surrogate pairs must stay together. @param {Uint8Array} bytes */
const begunInUtf16 = (bytes) => {
  const odd = bytes.length % 2
  const high = bytes[bytes.length - odd - 1]
  return odd + (bytes.length - odd >= 2 && high >= 0xd8 && high <= 0xdb ? 2 : 0)
}

const inThrees = (/** @type {Uint8Array} */ bytes) => bytes.length % 3
/** @type {Record<string, (bytes: Uint8Array) => number>} */
const BEGUN = { utf8: begunInUtf8, utf16le: begunInUtf16, base64: inThrees, base64url: inThrees }

class StringDecoder {
  #waiting = Buffer.alloc(0)

  /** @param {any} [encoding] */
  constructor(encoding) {
    const known = encoding === undefined || encoding === null ? 'utf8' : encodings.named(encoding)
    if (known === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`)
    this.encoding = known
  }

  /** @param {any} bytes */
  write(bytes) {
    if (typeof bytes === 'string') return bytes
    if (!ArrayBuffer.isView(bytes)) throw wrongType('buf', 'an instance of Buffer, TypedArray, or DataView', bytes)
    const all = Buffer.concat([this.#waiting, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)])
    const begun = BEGUN[this.encoding]?.(all) ?? 0
    this.#waiting = Buffer.from(all.subarray(all.length - begun))
    return all.toString(this.encoding, 0, all.length - begun)
  }

  /** @param {any} [bytes] */
  end(bytes) {
    const text = bytes === undefined ? '' : this.write(bytes)
    const rest = this.#waiting
    this.#waiting = Buffer.alloc(0)
    return text + rest.toString(this.encoding)
  }

  text(/** @type {any} */ bytes, /** @type {number} */ offset) {
    this.#waiting = Buffer.alloc(0)
    return this.write(bytes.subarray(offset))
  }
}

module.exports = { StringDecoder }
