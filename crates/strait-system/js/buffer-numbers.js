'use strict'
// Numbers in a Buffer, of each size and in both byte orders: methods of its prototype
// (https://nodejs.org/api/buffer.html).

const { coded, wrongType, outOfRange } = require('strait:errors')

const view = (/** @type {Uint8Array} */ bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * Checks the offset of a number of `size` bytes.
 * @param {Uint8Array} bytes @param {any} offset @param {number} size
 */
const check = (bytes, offset, size) => {
  if (typeof offset !== 'number') throw wrongType('offset', 'of type number', offset)
  if (Number.isInteger(offset) && offset >= 0 && offset + size <= bytes.length) return
  if (Math.floor(offset) !== offset) throw outOfRange('offset', 'an integer', offset)
  if (bytes.length < size) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds')
  throw outOfRange('offset', `>= 0 and <= ${bytes.length - size}`, offset)
}

/** @param {any} value @param {any} least @param {any} most @param {number} size */
const checkRange = (value, least, most, size) => {
  if (value >= least && value <= most || Number.isNaN(value)) return
  const n = typeof least === 'bigint' ? 'n' : ''
  const power = `2${n} ** ${size * 8 - (least < 0 ? 1 : 0)}${n}`
  const range = size <= 4 ? `>= ${least} and <= ${most}` : least < 0 ? `>= -(${power}) and < ${power}` : `>= 0${n} and < ${power}`
  throw outOfRange('value', range, value)
}

const methods = /** @type {Record<string, any>} */ ({})

/** Adds the method under both spellings that Node has. */
const add = (/** @type {string} */ name, /** @type {Function} */ method) => {
  methods[name] = method
  if (name.includes('UInt')) methods[name.replace('UInt', 'Uint')] = method
}

/**
 * Numbers of a size that DataView supports: Node's name, DataView's name, the size, and the range.
 * @type {[string, string, number, any, any][]}
 */
const KINDS = [
  ['UInt8', 'Uint8', 1, 0, 255],
  ['UInt16', 'Uint16', 2, 0, 65535],
  ['UInt32', 'Uint32', 4, 0, 2 ** 32 - 1],
  ['Int8', 'Int8', 1, -128, 127],
  ['Int16', 'Int16', 2, -32768, 32767],
  ['Int32', 'Int32', 4, -(2 ** 31), 2 ** 31 - 1],
  ['BigUInt64', 'BigUint64', 8, 0n, 2n ** 64n - 1n],
  ['BigInt64', 'BigInt64', 8, -(2n ** 63n), 2n ** 63n - 1n],
  ['Float', 'Float32', 4, undefined, undefined],
  ['Double', 'Float64', 8, undefined, undefined],
]

for (const [name, kind, size, least, most] of KINDS) {
  for (const order of size === 1 ? [''] : ['LE', 'BE']) {
    const isLittle = order === 'LE'
    add(`read${name}${order}`, function (/** @type {any} */ offset = 0) {
      check(this, offset, size)
      return view(this)[`get${kind}`](offset, isLittle)
    })
    add(`write${name}${order}`, function (/** @type {any} */ value, /** @type {any} */ offset = 0) {
      if (typeof least !== 'bigint') value = +value
      else if (typeof value !== 'bigint') throw new TypeError('Cannot mix BigInt and other types, use explicit conversions')
      if (least !== undefined) checkRange(value, least, most, size)
      check(this, offset, size)
      view(this)[`set${kind}`](offset, value, isLittle)
      return offset + size
    })
  }
}

const checkWidth = (/** @type {any} */ size) => {
  if (typeof size !== 'number') throw wrongType('byteLength', 'of type number', size)
  if (!Number.isInteger(size)) throw outOfRange('byteLength', 'an integer', size)
  if (size < 1 || size > 6) throw outOfRange('byteLength', '>= 1 and <= 6', size)
}

// Numbers of one to six bytes.
for (const isSigned of [false, true]) {
  for (const order of ['LE', 'BE']) {
    const name = `${isSigned ? 'Int' : 'UInt'}${order}`
    const at = (/** @type {number} */ index, /** @type {number} */ size) => (order === 'LE' ? index : size - 1 - index)
    add(`read${name}`, function (/** @type {any} */ offset, /** @type {any} */ size) {
      if (offset === undefined) throw wrongType('offset', 'of type number', offset)
      checkWidth(size)
      check(this, offset, size)
      let value = 0
      for (let i = size - 1; i >= 0; i--) value = value * 256 + this[offset + at(i, size)]
      return isSigned && value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value
    })
    add(`write${name}`, function (/** @type {any} */ value, /** @type {any} */ offset, /** @type {any} */ size) {
      checkWidth(size)
      value = +value
      const span = 2 ** (8 * size)
      checkRange(value, isSigned ? -span / 2 : 0, (isSigned ? span / 2 : span) - 1, size)
      check(this, offset, size)
      let rest = Math.trunc(value) || 0
      if (rest < 0) rest += span
      for (let i = 0; i < size; i++) {
        this[offset + at(i, size)] = rest % 256
        rest = Math.floor(rest / 256)
      }
      return offset + size
    })
  }
}

module.exports = methods
