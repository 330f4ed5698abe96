'use strict'
// Deep equality of two values (https://nodejs.org/api/assert.html#comparison-details_1).

const tagOf = (/** @type {any} */ value) => Object.prototype.toString.call(value)
const BOXES = [Number, String, Boolean, BigInt, Symbol]

/** @param {any} value */
const enumerable = (value) => Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key))

/** @param {boolean} isStrict */
const comparer = (isStrict) => {
  /** @param {any} one @param {any} other @param {Map<any, any>} seen */
  const same = (one, other, seen) => {
    if (Object.is(one, other)) return true
    if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
      const isObject = [one, other].some((value) => value !== null && (typeof value === 'object' || typeof value === 'function'))
      return !isStrict && !isObject && one == other
    }
    if (isStrict && Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false
    if (tagOf(one) !== tagOf(other) || Array.isArray(one) !== Array.isArray(other)) return false
    // An outer call already compares this pair. If the values differ, that call finds the
    // difference elsewhere.
    if (seen.get(one) === other) return true
    seen.set(one, other)
    try {
      return sameContents(one, other, seen) && sameProperties(one, other, seen)
    } finally {
      seen.delete(one)
    }
  }

  /** @param {any} one @param {any} other @param {Map<any, any>} seen */
  const sameContents = (one, other, seen) => {
    if (one instanceof Date) return other instanceof Date && Object.is(one.getTime(), other.getTime())
    if (one instanceof RegExp) return other instanceof RegExp && String(one) === String(other) && one.lastIndex === other.lastIndex
    if (one instanceof Error) return other instanceof Error && one.name === other.name && one.message === other.message
    if (ArrayBuffer.isView(one)) return sameBytes(one, other)
    if (one instanceof ArrayBuffer) return sameBytes(new Uint8Array(one), new Uint8Array(other))
    if (one instanceof Map) return other instanceof Map && one.size === other.size && sameEntries(one, other, seen)
    if (one instanceof Set) return other instanceof Set && one.size === other.size && sameMembers(one, other, seen)
    const box = BOXES.find((Box) => one instanceof Box)
    if (box !== undefined) return other instanceof box && Object.is(one.valueOf(), other.valueOf())
    return !Array.isArray(one) || one.length === other.length
  }

  /** @param {any} one @param {any} other */
  const sameBytes = (one, other) => {
    if (one.byteLength !== other.byteLength) return false
    if (one instanceof Float32Array || one instanceof Float64Array) {
      const numbers = /** @type {Float64Array} */ (other)
      return one.every((number, index) => (isStrict ? Object.is(number, numbers[index]) : number === numbers[index]))
    }
    const [left, right] = [one, other].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
    return left.every((byte, index) => byte === right[index])
  }

  /** @param {Map<any, any>} one @param {Map<any, any>} other @param {Map<any, any>} seen */
  const sameEntries = (one, other, seen) => {
    const rest = new Set(other.keys())
    return [...one].every(([key, value]) => {
      const found = rest.has(key) && same(value, other.get(key), seen) ? [key] : [...rest].filter((match) => same(key, match, seen) && same(value, other.get(match), seen))
      return found.length > 0 && rest.delete(found[0])
    })
  }

  /** @param {Set<any>} one @param {Set<any>} other @param {Map<any, any>} seen */
  const sameMembers = (one, other, seen) => {
    const rest = new Set(other)
    return [...one].every((value) => {
      const found = rest.has(value) ? [value] : [...rest].filter((match) => same(value, match, seen))
      return found.length > 0 && rest.delete(found[0])
    })
  }

  /** @param {any} one @param {any} other @param {Map<any, any>} seen */
  const sameProperties = (one, other, seen) => {
    const isBytes = ArrayBuffer.isView(one)
    const keysOf = (/** @type {any} */ value) => enumerable(value).filter((key) => (isStrict || typeof key === 'string') && !(isBytes && typeof key === 'string' && /^\d+$/.test(key)))
    const [keys, others] = [keysOf(one), keysOf(other)]
    return keys.length === others.length && keys.every((key) => Object.prototype.propertyIsEnumerable.call(other, key) && same(one[key], other[key], seen))
  }

  return (/** @type {any} */ one, /** @type {any} */ other) => same(one, other, new Map())
}

module.exports = { isDeepEqual: comparer(false), isDeepStrictEqual: comparer(true) }
