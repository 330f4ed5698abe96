'use strict'
// Conversion of texts to bytes and back, in the encodings of Node's `buffer`
// (https://nodejs.org/api/buffer.html#buffers-and-character-encodings).


const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const { fromCharCode } = String

/** The number of character codes that one call of `fromCharCode` receives. */
const PART = 4096

const NAMES = { __proto__: null, 'utf8': 'utf8', 'utf-8': 'utf8', 'ucs2': 'utf16le', 'ucs-2': 'utf16le', 'utf16le': 'utf16le', 'utf-16le': 'utf16le', 'latin1': 'latin1', 'binary': 'latin1', 'base64': 'base64', 'base64url': 'base64url', 'hex': 'hex', 'ascii': 'ascii' }

/** The encoding's name in this module; undefined if it is unknown. @param {any} given */
const named = (given) => (typeof given === 'string' ? NAMES[given] ?? NAMES[given.toLowerCase()] : undefined)

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const digits = (/** @type {string} */ letters) => [...letters].map((letter) => letter.charCodeAt(0))
const BASE64 = digits(`${ALPHABET}+/`)
const BASE64URL = digits(`${ALPHABET}-_`)
const HEX = digits('0123456789abcdef')
/** The values of the digits of both base64 alphabets, by character code. */
const SEXTETS = new Int8Array(128).fill(-1)
for (const letters of [BASE64URL, BASE64]) letters.forEach((code, value) => { SEXTETS[code] = value })
const EQUALS = 61

const nibble = (/** @type {number} */ code) => {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** The text with these character codes. @param {Uint8Array | Uint16Array} codes */
const textOf = (codes) => {
  let text = ''
  for (let at = 0; at < codes.length; at += PART) text += fromCharCode.apply(undefined, /** @type {any} */ (codes.subarray(at, at + PART)))
  return text
}

const toHex = (/** @type {Uint8Array} */ bytes) => {
  const codes = new Uint8Array(bytes.length * 2)
  for (let i = 0; i < bytes.length; i++) {
    codes[2 * i] = HEX[bytes[i] >> 4]
    codes[2 * i + 1] = HEX[bytes[i] & 15]
  }
  return textOf(codes)
}

const fromHex = (/** @type {string} */ text) => {
  const bytes = new Uint8Array(text.length >> 1)
  for (let i = 0; i < bytes.length; i++) {
    const high = nibble(text.charCodeAt(2 * i))
    const low = nibble(text.charCodeAt(2 * i + 1))
    // Decoding ends at the first character that is not a digit.
    if (high < 0 || low < 0) return bytes.slice(0, i)
    bytes[i] = (high << 4) | low
  }
  return bytes
}

const toBase64 = (/** @type {Uint8Array} */ bytes, /** @type {number[]} */ letters, /** @type {boolean} */ padded) => {
  const codes = new Uint8Array(Math.ceil(bytes.length / 3) * 4)
  let length = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const whole = Math.min(4, bytes.length - i + 1)
    for (let j = 0; j < 4; j++) {
      if (j < whole) codes[length++] = letters[(three >> (18 - 6 * j)) & 63]
      else if (padded) codes[length++] = EQUALS
    }
  }
  return textOf(codes.subarray(0, length))
}

/** Decodes both alphabets of base64. Other characters are skipped, and decoding ends at `=`. */
const fromBase64 = (/** @type {string} */ text) => {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let [length, bits, many] = [0, 0, 0]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === EQUALS) break
    const sextet = code < 128 ? SEXTETS[code] : -1
    if (sextet < 0) continue
    bits = ((bits << 6) | sextet) & 0xffffff
    many += 6
    if (many >= 8) {
      many -= 8
      bytes[length++] = (bits >> many) & 255
    }
  }
  return bytes.slice(0, length)
}

const fromCodes = (/** @type {string} */ text) => {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

const fromUtf16 = (/** @type {string} */ text) => {
  const bytes = new Uint8Array(text.length * 2)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    bytes[2 * i] = code & 255
    bytes[2 * i + 1] = code >> 8
  }
  return bytes
}

const toUtf16 = (/** @type {Uint8Array} */ bytes) => {
  const codes = new Uint16Array(bytes.length >> 1)
  for (let i = 0; i < codes.length; i++) codes[i] = bytes[2 * i] | (bytes[2 * i + 1] << 8)
  return textOf(codes)
}

/** The encodings, by their names in this module. */
const TABLE = {
  __proto__: null,
  utf8: { encode: (text) => encoder.encode(text), decode: (bytes) => decoder.decode(bytes), size: (text) => encoder.encode(text).length },
  utf16le: { encode: fromUtf16, decode: toUtf16, size: (text) => text.length * 2 },
  latin1: { encode: fromCodes, decode: textOf, size: (text) => text.length },
  ascii: { encode: fromCodes, decode: (bytes) => textOf(bytes.map((byte) => byte & 127)), size: (text) => text.length },
  hex: { encode: fromHex, decode: toHex, size: (text) => text.length >> 1 },
  base64: { encode: fromBase64, decode: (bytes) => toBase64(bytes, BASE64, true), size: sizeOfBase64 },
  base64url: { encode: fromBase64, decode: (bytes) => toBase64(bytes, BASE64URL, false), size: sizeOfBase64 },
}

/** The decoded size of the text, if it has no characters to skip. @param {string} text */
function sizeOfBase64(text) {
  let { length } = text
  if (length > 0 && text.charCodeAt(length - 1) === EQUALS) length--
  if (length > 1 && text.charCodeAt(length - 1) === EQUALS) length--
  return (length * 3) >>> 2
}

module.exports = {
  named,
  /** @param {string} text @param {string} encoding @returns {Uint8Array} */
  encode: (text, encoding) => TABLE[encoding].encode(text),
  /** @param {Uint8Array} bytes @param {string} encoding @returns {string} */
  decode: (bytes, encoding) => TABLE[encoding].decode(bytes),
  /** @param {string} text @param {string} encoding @returns {number} */
  size: (text, encoding) => TABLE[encoding].size(text),
  /**
   * Writes the whole characters that fit, and returns the number of bytes.
   * @param {Uint8Array} room @param {string} text @param {string} encoding
   */
  write(room, text, encoding) {
    if (encoding === 'utf8') return encoder.encodeInto(text, room).written
    const bytes = TABLE[encoding].encode(text)
    const length = Math.min(bytes.length, encoding === 'utf16le' ? room.length & ~1 : room.length)
    room.set(bytes.subarray(0, length))
    return length
  },
}
