'use strict'
// The global `crypto` (https://nodejs.org/api/webcrypto.html): randomness, and of `subtle` the digests.

/** What the system gives at once, and `getRandomValues` too. */
const MOST = 65536

function fault (name, message) {
  const { DOMException } = globalThis
  return typeof DOMException === 'function' ? new DOMException(message, name) : Object.assign(new Error(message), { name })
}

function getRandomValues (view) {
  if (!ArrayBuffer.isView(view) || view instanceof DataView || view instanceof Float32Array || view instanceof Float64Array) throw new TypeError('The data argument must be an integer-type TypedArray')
  if (view.byteLength > MOST) throw fault('QuotaExceededError', `The requested length exceeds ${MOST} bytes`)
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(native.randomBytes(view.byteLength))
  return view
}

function randomUUID () {
  const bytes = native.randomBytes(16)
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-')
}

const DIGESTS = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' }

const subtle = {
  async digest (algorithm, data) {
    const name = String(typeof algorithm === 'string' ? algorithm : algorithm?.name).toUpperCase()
    if (!Object.hasOwn(DIGESTS, name)) throw fault('NotSupportedError', `Unrecognized algorithm name: ${name}`)
    if (!ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer)) throw new TypeError('The data argument must be an ArrayBuffer or a view of one')
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
    const { later } = require('strait:system')
    const digits = await new Promise((resolve, reject) => later({ name: 'digest', first: DIGESTS[name], data: bytes }, (error, value) => error ? reject(error) : resolve(value)))
    return Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16)).buffer
  }
}
for (const name of ['decrypt', 'deriveBits', 'deriveKey', 'encrypt', 'exportKey', 'generateKey', 'importKey', 'sign', 'unwrapKey', 'verify', 'wrapKey']) {
  subtle[name] = async () => { throw fault('NotSupportedError', `crypto.subtle.${name} is not supported by Strait (docs/node-modules.md)`) }
}

if (globalThis.crypto === undefined) {
  Object.defineProperty(globalThis, 'crypto', { value: { getRandomValues, randomUUID, subtle }, writable: true, configurable: true, enumerable: true })
}
