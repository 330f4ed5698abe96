'use strict'
// crypto (https://nodejs.org/api/crypto.html), as far as it is randomness.

const Buffer = globalThis.Buffer
/** What the system gives at once, and `getRandomValues` too. */
const MOST = 65536

function outOfRange (name, value) {
  return Object.assign(new RangeError(`The value of "${name}" is out of range. Received ${value}`), { code: 'ERR_OUT_OF_RANGE' })
}

function fill (bytes) {
  for (let at = 0; at < bytes.length; at += MOST) bytes.set(native.randomBytes(Math.min(MOST, bytes.length - at)), at)
}

function randomBytes (size, callback) {
  if (!Number.isInteger(size) || size < 0 || size > 2 ** 31 - 1) throw outOfRange('size', size)
  const bytes = Buffer.alloc(size)
  fill(bytes)
  if (typeof callback !== 'function') return bytes
  globalThis.setImmediate(callback, null, bytes)
}

function randomFillSync (buffer, offset = 0, size = undefined) {
  const bytes = ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : new Uint8Array(buffer)
  const end = size === undefined ? bytes.length : offset + size
  if (offset < 0 || end > bytes.length) throw outOfRange('offset', offset)
  fill(bytes.subarray(offset, end))
  return buffer
}

function randomUUID () {
  const bytes = native.randomBytes(16)
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-')
}

function randomInt (min, max, callback) {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max]
  if (!Number.isSafeInteger(min)) throw outOfRange('min', min)
  if (!Number.isSafeInteger(max) || max <= min || max - min > 2 ** 48 - 1) throw outOfRange('max', max)
  const range = max - min
  // Values beyond the last whole multiple of the range would make some numbers likelier.
  const limit = 2 ** 48 - (2 ** 48 % range)
  let value
  do {
    value = native.randomBytes(6).reduce((sum, byte) => sum * 256 + byte, 0)
  } while (value >= limit)
  value = min + value % range
  if (typeof callback !== 'function') return value
  globalThis.setImmediate(callback, null, value)
}

function timingSafeEqual (left, right) {
  const [one, other] = [left, right].map((view) => new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength))
  if (one.length !== other.length) throw Object.assign(new RangeError('Input buffers must have the same byte length'), { code: 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH' })
  let difference = 0
  for (let i = 0; i < one.length; i++) difference |= one[i] ^ other[i]
  return difference === 0
}

function getRandomValues (view) {
  if (!ArrayBuffer.isView(view) || view instanceof DataView || view instanceof Float32Array || view instanceof Float64Array) throw new TypeError('The data argument must be an integer-type TypedArray')
  if (view.byteLength > MOST) throw Object.assign(new Error(`The requested length exceeds ${MOST} bytes`), { name: 'QuotaExceededError' })
  return randomFillSync(view)
}

const has = { randomBytes, randomFillSync, randomInt, randomUUID, getRandomValues, timingSafeEqual }
has.webcrypto = globalThis.crypto ?? { randomUUID, getRandomValues }
if (globalThis.crypto === undefined) Object.defineProperty(globalThis, 'crypto', { value: has.webcrypto, writable: true, configurable: true, enumerable: true })

/** What programs would miss most: they are told when they use it. */
for (const name of ['createHash', 'createHmac', 'createCipheriv', 'createDecipheriv', 'createSign', 'createVerify', 'pbkdf2', 'pbkdf2Sync', 'scrypt', 'scryptSync', 'hash', 'generateKeyPair', 'generateKeyPairSync']) {
  has[name] = () => { throw new Error(`crypto.${name} is not supported by Strait, whose crypto has ${Object.keys(has).slice(0, 6).join(', ')}`) }
}

module.exports = has
