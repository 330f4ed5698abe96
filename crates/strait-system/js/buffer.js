'use strict'
// Node's `buffer` (https://nodejs.org/api/buffer.html): Buffer is a Uint8Array with encodings.
// Memory is not pooled.

const { coded, wrongType, wrongValue, outOfRange, refusals } = require('strait:errors')
const encodings = require('strait:encodings')
const numbers = require('strait:buffer-numbers')

const MOST = 2 ** 32
const { construct } = Reflect

/**
 * May be called without `new` and with a text, as programs older than `Buffer.from` do.
 * @param {any} value @param {any} second @param {any} third
 */
function Buffer(value, second, third) {
  if (typeof value === 'number' && new.target === undefined) return alloc(value)
  if (new.target === undefined || typeof value === 'string') return from(value, second, third)
  return construct(Uint8Array, [value, second, third], new.target)
}
Object.setPrototypeOf(Buffer, Uint8Array)
Object.setPrototypeOf(Buffer.prototype, Uint8Array.prototype)

const make = (/** @type {any[]} */ ...given) => construct(Uint8Array, given, Buffer)
const isBytes = (/** @type {any} */ value) => value instanceof Uint8Array
const isBuffers = (/** @type {any} */ value) => value instanceof ArrayBuffer || (typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer)

/** The encoding's name; UTF-8 if none is given. @param {any} given */
const encodingOf = (given) => {
  if (given === undefined || given === null || given === '') return 'utf8'
  const known = encodings.named(given)
  if (known === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${given}`)
  return known
}

/** A Buffer over the same memory. @param {Uint8Array} bytes */
const dressed = (bytes) => make(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const FIRST = 'The first argument'
const SOURCES = 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object'

/** @param {any} value @param {any} [second] @param {any} [length] */
function from(value, second, length) {
  if (typeof value === 'string') return dressed(encodings.encode(value, encodingOf(second)))
  if (typeof value === 'object' && value !== null) {
    if (isBuffers(value)) return fromMemory(value, second, length)
    if (value.type === 'Buffer' && Array.isArray(value.data)) return make(value.data)
    const primitive = value.valueOf && value.valueOf()
    if (primitive !== value && primitive !== null && primitive !== undefined) return from(primitive, second, length)
    if (typeof value.length === 'number' || isBuffers(value.buffer)) return make(Number.isFinite(value.length) && value.length > 0 ? value : 0)
    if (typeof value[Symbol.toPrimitive] === 'function') {
      const text = value[Symbol.toPrimitive]('string')
      if (typeof text === 'string') return from(text, second)
    }
  }
  throw wrongType(FIRST, SOURCES, value)
}

/** @param {ArrayBufferLike} memory @param {any} offset @param {any} length */
const fromMemory = (memory, offset, length) => {
  const start = offset === undefined ? 0 : Math.trunc(+offset) || 0
  const most = memory.byteLength - start
  if (most < 0) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds')
  if (length === undefined) return make(memory, start, most)
  const size = Math.max(0, Math.trunc(+length) || 0)
  if (size > most) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds')
  return make(memory, start, size)
}

/** @param {any} size */
const checkSize = (size) => {
  if (typeof size !== 'number') throw wrongType('size', 'of type number', size)
  if (!(size >= 0 && size <= MOST)) throw outOfRange('size', `>= 0 && <= ${MOST}`, size)
}

/** @param {any} size @param {any} [value] @param {any} [encoding] */
function alloc(size, value, encoding) {
  checkSize(size)
  const made = make(size)
  return value === undefined || value === 0 ? made : made.fill(value, encoding)
}

/** @param {any} size */
const allocUnsafe = (size) => alloc(size)

/**
 * Converts an index as `slice` does.
 * @param {any} given @param {number} absent @param {number} most
 */
const clamp = (given, absent, most) => {
  if (given === undefined) return absent
  const whole = Math.trunc(+given) || 0
  return whole <= 0 ? 0 : Math.min(whole, most)
}

const bytewise = (/** @type {Uint8Array} */ one, /** @type {Uint8Array} */ other) => {
  const most = Math.min(one.length, other.length)
  for (let i = 0; i < most; i++) if (one[i] !== other[i]) return one[i] < other[i] ? -1 : 1
  return Math.sign(one.length - other.length)
}

/** @param {any} value @param {string} name */
const checkBytes = (value, name) => {
  if (!isBytes(value)) throw wrongType(name, 'an instance of Buffer or Uint8Array', value)
}

Object.assign(Buffer, {
  poolSize: 8192,
  from,
  of: (/** @type {any[]} */ ...bytes) => make(bytes),
  alloc,
  allocUnsafe,
  allocUnsafeSlow: allocUnsafe,
  isBuffer: (/** @type {any} */ value) => value instanceof Buffer,
  isEncoding: (/** @type {any} */ name) => encodings.named(name) !== undefined,

  byteLength(/** @type {any} */ value, /** @type {any} */ encoding) {
    if (typeof value === 'string') return encodings.size(value, encodings.named(encoding) ?? 'utf8')
    if (ArrayBuffer.isView(value) || isBuffers(value)) return value.byteLength
    throw wrongType('string', 'of type string or an instance of Buffer or ArrayBuffer', value)
  },

  compare(/** @type {any} */ one, /** @type {any} */ other) {
    checkBytes(one, 'buf1')
    checkBytes(other, 'buf2')
    return bytewise(one, other)
  },

  concat(/** @type {any} */ list, /** @type {any} */ length) {
    if (!Array.isArray(list)) throw wrongType('list', 'an instance of Array', list)
    list.forEach((bytes, index) => {
      if (!isBytes(bytes)) throw wrongType(`list[${index}]`, 'an instance of Buffer or Uint8Array', bytes)
    })
    const all = make(length === undefined ? list.reduce((sum, bytes) => sum + bytes.length, 0) : (checkSize(length), length))
    let at = 0
    for (const bytes of list) {
      if (at >= all.length) break
      all.set(bytes.subarray(0, all.length - at), at)
      at += bytes.length
    }
    return all
  },
})

/** The index of a value, or -1. The arguments are those of `indexOf` and similar functions. */
const search = (/** @type {any} */ bytes, /** @type {any} */ value, /** @type {any} */ start, /** @type {any} */ encoding, /** @type {boolean} */ forwards) => {
  if (typeof start === 'string') [encoding, start] = [start, undefined]
  let at = +start
  if (Number.isNaN(at)) at = forwards ? 0 : bytes.length
  at = Math.trunc(Math.max(-MOST, Math.min(MOST, at)))
  if (at < 0) at += bytes.length
  if (typeof value === 'number') {
    if (forwards) return Uint8Array.prototype.indexOf.call(bytes, value & 255, Math.max(0, at))
    return at < 0 ? -1 : Uint8Array.prototype.lastIndexOf.call(bytes, value & 255, at)
  }
  if (typeof value !== 'string' && !isBytes(value)) throw wrongType('value', 'one of type number or string or an instance of Buffer or Uint8Array', value)
  const sought = typeof value === 'string' ? encodings.encode(value, encodingOf(encoding)) : value
  const step = encodings.named(encoding) === 'utf16le' ? 2 : 1
  const last = bytes.length - sought.length
  if (sought.length === 0) return forwards ? Math.max(0, Math.min(at, bytes.length)) : at < 0 ? -1 : Math.min(at, bytes.length)
  const is = (/** @type {number} */ place) => {
    for (let i = 0; i < sought.length; i++) if (bytes[place + i] !== sought[i]) return false
    return true
  }
  if (forwards) {
    for (let place = Math.max(0, at); place <= last; place += 1) {
      place = Uint8Array.prototype.indexOf.call(bytes, sought[0], place)
      if (place < 0 || place > last) return -1
      if (place % step === 0 && is(place)) return place
    }
  } else {
    for (let place = Math.min(at, last); place >= 0; place -= 1) if (place % step === 0 && is(place)) return place
  }
  return -1
}

const swapper = (/** @type {number} */ size) => function swap() {
  // @ts-ignore: the buffer
  const bytes = this
  if (bytes.length % size !== 0) throw coded(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`)
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse()
  return bytes
}

/** Checks an offset in the buffer. @param {any} given @param {string} name @param {number} most */
const place = (given, name, most) => {
  if (typeof given !== 'number') throw wrongType(name, 'of type number', given)
  if (!Number.isInteger(given)) throw outOfRange(name, 'an integer', given)
  if (given < 0 || given > most) throw outOfRange(name, `>= 0 && <= ${most}`, given)
  return given
}

const methods = {
  toString(/** @type {any} */ encoding, /** @type {any} */ start, /** @type {any} */ end) {
    const from = clamp(start, 0, this.length)
    const to = clamp(end, this.length, this.length)
    return from >= to ? '' : encodings.decode(new Uint8Array(this.buffer, this.byteOffset + from, to - from), encodingOf(encoding))
  },

  toJSON() {
    return { type: 'Buffer', data: Array.from(this) }
  },

  equals(/** @type {any} */ other) {
    checkBytes(other, 'otherBuffer')
    return this === other || (this.length === other.length && bytewise(this, other) === 0)
  },

  compare(/** @type {any} */ target, /** @type {any} */ targetStart = 0, /** @type {any} */ targetEnd = target?.length, start = 0, end = this.length) {
    checkBytes(target, 'target')
    place(targetStart, 'targetStart', MOST)
    place(targetEnd, 'targetEnd', target.length)
    place(start, 'sourceStart', MOST)
    place(end, 'sourceEnd', this.length)
    if (start >= end) return targetStart >= targetEnd ? 0 : -1
    if (targetStart >= targetEnd) return 1
    return bytewise(this.subarray(start, end), target.subarray(targetStart, targetEnd))
  },

  copy(/** @type {any} */ target, /** @type {any} */ targetStart, /** @type {any} */ start, /** @type {any} */ end) {
    checkBytes(target, 'target')
    const to = targetStart === undefined ? 0 : Math.trunc(+targetStart) || 0
    const from = start === undefined ? 0 : Math.trunc(+start) || 0
    const until = end === undefined ? this.length : Math.trunc(+end) || 0
    if (to < 0) throw outOfRange('targetStart', '>= 0', to)
    if (from < 0 || from > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, from)
    if (until < 0) throw outOfRange('sourceEnd', '>= 0', until)
    if (to >= target.length || from >= until) return 0
    const part = new Uint8Array(this.buffer, this.byteOffset + from, Math.min(until, this.length) - from).subarray(0, target.length - to)
    Uint8Array.prototype.set.call(target, part, to)
    return part.length
  },

  slice(/** @type {any} */ start, /** @type {any} */ end) {
    return this.subarray(start, end)
  },

  write(/** @type {any} */ text, /** @type {any} */ offset, /** @type {any} */ length, /** @type {any} */ encoding) {
    if (typeof offset === 'string') [offset, length, encoding] = [undefined, undefined, offset]
    else if (typeof length === 'string') [length, encoding] = [undefined, length]
    if (typeof text !== 'string') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string')
    const start = offset === undefined ? 0 : place(offset, 'offset', this.length)
    const most = this.length - start
    const room = new Uint8Array(this.buffer, this.byteOffset + start, length === undefined ? most : Math.min(place(length, 'length', this.length), most))
    return encodings.write(room, text, encodingOf(encoding))
  },

  fill(/** @type {any} */ value, /** @type {any} */ start, /** @type {any} */ end, /** @type {any} */ encoding) {
    if (typeof start === 'string') [start, end, encoding] = [undefined, undefined, start]
    else if (typeof end === 'string') [end, encoding] = [undefined, end]
    const from = start === undefined ? 0 : place(start, 'offset', Number.MAX_SAFE_INTEGER)
    const to = end === undefined ? this.length : place(end, 'end', this.length)
    if (typeof value !== 'string' && !isBytes(value)) {
      Uint8Array.prototype.fill.call(this, (typeof value === 'boolean' ? +value : value) & 255, from, to)
      return this
    }
    const pattern = typeof value === 'string' ? encodings.encode(value, encodingOf(encoding)) : value
    if (pattern.length === 0 && value.length > 0) throw wrongValue('value', value)
    if (pattern.length === 0) Uint8Array.prototype.fill.call(this, 0, from, to)
    else if (from < to) {
      const room = new Uint8Array(this.buffer, this.byteOffset + from, to - from)
      room.set(pattern.subarray(0, room.length))
      // The filled part is copied repeatedly and doubles each time.
      for (let done = pattern.length; done < room.length; done *= 2) room.copyWithin(done, 0, Math.min(done, room.length - done))
    }
    return this
  },

  indexOf(/** @type {any} */ value, /** @type {any} */ start, /** @type {any} */ encoding) {
    return search(this, value, start, encoding, true)
  },

  lastIndexOf(/** @type {any} */ value, /** @type {any} */ start, /** @type {any} */ encoding) {
    return search(this, value, start, encoding, false)
  },

  includes(/** @type {any} */ value, /** @type {any} */ start, /** @type {any} */ encoding) {
    return search(this, value, start, encoding, true) >= 0
  },

  swap16: swapper(2),
  swap32: swapper(4),
  swap64: swapper(8),
  ...numbers,
}
for (const [name, value] of Object.entries(methods)) Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true })
Object.defineProperties(Buffer.prototype, {
  toLocaleString: { value: methods.toString, writable: true, configurable: true },
  parent: { get() { return this instanceof Buffer ? this.buffer : undefined }, configurable: true },
  offset: { get() { return this instanceof Buffer ? this.byteOffset : undefined }, configurable: true },
})

const { atob, btoa, Blob, File } = globalThis
module.exports = {
  Buffer,
  kMaxLength: MOST,
  kStringMaxLength: 2 ** 31 - 1,
  constants: { MAX_LENGTH: MOST, MAX_STRING_LENGTH: 2 ** 31 - 1 },
  INSPECT_MAX_BYTES: 50,
  Blob,
  File,
  atob: (/** @type {any} */ text) => atob(text),
  btoa: (/** @type {any} */ text) => btoa(text),
  isAscii: (/** @type {any} */ bytes) => from(bytes.buffer ?? bytes, bytes.byteOffset, bytes.byteLength).every((/** @type {number} */ byte) => byte < 128),
  ...refusals('buffer', 'transcode isUtf8 resolveObjectURL'),
}
