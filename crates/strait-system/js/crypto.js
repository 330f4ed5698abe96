'use strict'
// Random values and digests as in Node's `crypto` (https://nodejs.org/api/crypto.html). The page's
// own WebCrypto has the other functions.

const { coded, wrongType, outOfRange, checkInteger, refusals } = require('strait:errors')
const { Buffer } = require('buffer')
const encodings = require('strait:encodings')
const system = require('strait:system')

const webcrypto = globalThis.crypto
const { setTimeout } = globalThis

/** The most bytes that one call of `getRandomValues` returns. */
const MOST = 65536
const RANGE = 2 ** 48

/** @param {Uint8Array} bytes */
const fill = (bytes) => {
  for (let at = 0; at < bytes.length; at += MOST) webcrypto.getRandomValues(new Uint8Array(bytes.buffer, bytes.byteOffset + at, Math.min(MOST, bytes.length - at)))
}

/**
 * Returns the value, or passes it to the callback later.
 * @param {any} value @param {any} callback
 */
const giveTo = (value, callback) => {
  if (callback === undefined) return value
  if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback)
  setTimeout(() => callback(null, value), 0)
}

/** @param {any} size @param {any} [callback] */
const randomBytes = (size, callback) => {
  if (typeof size !== 'number') throw wrongType('size', 'of type number', size)
  if (!(size >= 0 && size <= 2 ** 31 - 1)) throw outOfRange('size', '>= 0 && <= 2147483647', size)
  const bytes = Buffer.alloc(size)
  fill(bytes)
  return giveTo(bytes, callback)
}

/** @param {any} value */
const bytesOf = (value) => {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw wrongType('buf', 'an instance of ArrayBuffer or ArrayBufferView', value)
}

/** @param {any} target @param {any} [offset] @param {any} [size] */
const randomFillSync = (target, offset = 0, size) => {
  const bytes = bytesOf(target)
  checkInteger(offset, 'offset', 0, bytes.length)
  if (size !== undefined) checkInteger(size, 'size', 0, bytes.length - offset)
  fill(bytes.subarray(offset, size === undefined ? bytes.length : offset + size))
  return target
}

/** @param {any} min @param {any} [max] @param {any} [callback] */
const randomInt = (min, max, callback) => {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max]
  if (!Number.isSafeInteger(min)) throw wrongType('min', 'a safe integer', min)
  if (!Number.isSafeInteger(max)) throw wrongType('max', 'a safe integer', max)
  if (max <= min) throw outOfRange('max', `greater than the value of "min" (${min})`, max)
  const range = max - min
  if (!(range < RANGE)) throw outOfRange('max - min', `<= ${RANGE - 1}`, range)
  // Numbers above the last whole multiple of the range are discarded, because they would make some
  // values more likely than others.
  const limit = RANGE - (RANGE % range)
  let number
  do number = randomBytes(6).readUIntBE(0, 6)
  while (number >= limit)
  const value = (number % range) + min
  if (callback === undefined) return value
  setTimeout(() => callback(undefined, value), 0)
}

const DIGESTS = ['md5', 'sha1', 'sha256', 'sha384', 'sha512']
const algorithm = (/** @type {string} */ name) => {
  const known = name.toLowerCase().replace(/^rsa-/, '').replace(/^sha(2-|-)/, 'sha')
  return DIGESTS.includes(known) ? known : undefined
}

/** @param {any} data @param {any} encoding @param {string} name */
const inputOf = (data, encoding, name) => {
  if (typeof data === 'string') return Buffer.from(data, encodings.named(encoding) ?? 'utf8')
  if (ArrayBuffer.isView(data)) return Buffer.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  throw wrongType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data)
}

/** Collects parts of the data, which are digested at the end. */
class Digest {
  /** @type {Buffer[]} */
  #parts = []
  #isOver = false
  #call

  /** @param {any} call @param {Buffer[]} [parts] */
  constructor(call, parts = []) {
    this.#call = call
    this.#parts = parts
  }

  /** @param {any} data @param {any} [encoding] */
  update(data, encoding) {
    if (this.#isOver) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called')
    this.#parts.push(inputOf(data, encoding, 'data'))
    return this
  }

  /** @param {any} [encoding] */
  digest(encoding) {
    if (this.#isOver) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called')
    this.#isOver = true
    const bytes = Buffer.from(system.now({ ...this.#call, data: Buffer.concat(this.#parts) }), 'hex')
    this.#parts = []
    return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding)
  }

  /** The call and a copy of the parts, for another digest. */
  fork() {
    if (this.#isOver) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called')
    return /** @type {[any, Buffer[]]} */ ([this.#call, [...this.#parts]])
  }
}

class Hash extends Digest {
  copy() {
    return new Hash(...this.fork())
  }
}

class Hmac extends Digest {
  #done = false

  /**
   * In Node a second call of an HMAC's `digest` returns an empty value, whereas that of a hash
   * throws.
   * @param {any} [encoding]
   */
  digest(encoding) {
    if (this.#done) return encoding === undefined || encoding === 'buffer' ? Buffer.alloc(0) : ''
    this.#done = true
    return super.digest(encoding)
  }
}

/** @param {any} name */
const createHash = (name) => {
  if (typeof name !== 'string') throw wrongType('algorithm', 'of type string', name)
  const first = algorithm(name)
  if (first === undefined) throw new Error('Digest method not supported')
  return new Hash({ name: 'digest', first })
}

/** @param {any} name @param {any} given */
const createHmac = (name, given) => {
  if (typeof name !== 'string') throw wrongType('hmac', 'of type string', name)
  const key = typeof given === 'string' ? Buffer.from(given) : ArrayBuffer.isView(given) || given instanceof ArrayBuffer ? bytesOf(given) : undefined
  if (key === undefined) throw wrongType('key', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey', given)
  const first = algorithm(name)
  if (first === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`)
  return new Hmac({ name: 'hmac', first, number: key.length }, [Buffer.from(key)])
}

/** @param {any} one @param {any} other */
const timingSafeEqual = (one, other) => {
  const [left, right] = [one, other].map((value, index) => {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return bytesOf(value)
    throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The "buf${index + 1}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`)
  })
  if (left.length !== right.length) throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length')
  let difference = 0
  for (let i = 0; i < left.length; i++) difference |= left[i] ^ right[i]
  return difference === 0
}

module.exports = {
  webcrypto,
  subtle: webcrypto.subtle,
  randomBytes,
  pseudoRandomBytes: randomBytes,
  randomFillSync,
  randomFill(/** @type {any} */ target, /** @type {any[]} */ ...rest) {
    const callback = rest.pop()
    if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback)
    giveTo(randomFillSync(target, ...rest), callback)
  },
  randomInt,
  randomUUID: () => webcrypto.randomUUID(),
  getRandomValues: (/** @type {any} */ view) => webcrypto.getRandomValues(view),
  timingSafeEqual,
  Hash,
  Hmac,
  createHash,
  createHmac,
  getHashes: () => [...DIGESTS],
  ...refusals('crypto', 'createCipheriv createDecipheriv createSign createVerify createDiffieHellman createECDH createPrivateKey createPublicKey createSecretKey generateKey generateKeyPair generateKeyPairSync generateKeySync hkdf hkdfSync pbkdf2 pbkdf2Sync privateDecrypt privateEncrypt publicDecrypt publicEncrypt scrypt scryptSync sign verify hash getCiphers getCurves'),
}
