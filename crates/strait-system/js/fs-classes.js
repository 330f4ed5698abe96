'use strict'
// The classes in which `fs` describes files, file systems and folder entries: Stats, StatFs and
// Dirent (https://nodejs.org/api/fs.html#class-fsstats).

/**
 * Methods that check the type of a file, with the type's bits in a mode and its number in a folder
 * entry.
 * @type {[string, number, number][]}
 */
const KINDS = [
  ['isFile', 0o100000, 1],
  ['isDirectory', 0o040000, 2],
  ['isSymbolicLink', 0o120000, 3],
  ['isFIFO', 0o010000, 4],
  ['isSocket', 0o140000, 5],
  ['isCharacterDevice', 0o020000, 6],
  ['isBlockDevice', 0o060000, 7],
]
const FIELDS = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks', 'atimeMs', 'mtimeMs', 'ctimeMs', 'birthtimeMs']
const TIMES = ['atime', 'mtime', 'ctime', 'birthtime']

class Stats {
  /** @param {number[]} values */
  constructor(values) {
    const self = /** @type {any} */ (this)
    FIELDS.forEach((name, index) => { self[name] = values[index] })
    for (const name of TIMES) self[name] = new Date(Math.round(self[`${name}Ms`]))
  }
}

/** Like Stats, with exact values as BigInts. */
class BigIntStats {
  /** @param {string[]} values */
  constructor(values) {
    const self = /** @type {any} */ (this)
    const numbers = values.map(BigInt)
    FIELDS.forEach((name, index) => { self[name] = name.endsWith('Ms') ? numbers[index] / 1_000_000n : numbers[index] })
    TIMES.forEach((name, index) => { self[`${name}Ns`] = numbers[FIELDS.length - TIMES.length + index] })
    for (const name of TIMES) self[name] = new Date(Number(self[`${name}Ms`]))
  }
}

const OF_SYSTEMS = ['type', 'bsize', 'blocks', 'bfree', 'bavail', 'files', 'ffree']

class StatFs {
  /** @param {any[]} values texts if BigInts were requested */
  constructor(values) {
    const self = /** @type {any} */ (this)
    OF_SYSTEMS.forEach((name, index) => { self[name] = typeof values[index] === 'string' ? BigInt(values[index]) : values[index] })
  }
}

const kind = Symbol('type')

class Dirent {
  /** @param {any} name @param {string} parent @param {number} type */
  constructor(name, parent, type) {
    this.name = name
    this.parentPath = parent
    this.path = parent
    this[kind] = type
  }
}

const method = (/** @type {object} */ prototype, /** @type {string} */ name, /** @type {Function} */ value) =>
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
for (const [name, bits, type] of KINDS) {
  method(Stats.prototype, name, function () { return (this.mode & 0o170000) === bits })
  method(BigIntStats.prototype, name, function () { return (Number(this.mode) & 0o170000) === bits })
  method(Dirent.prototype, name, function () { return this[kind] === type })
}

module.exports = { Stats, BigIntStats, StatFs, Dirent }
