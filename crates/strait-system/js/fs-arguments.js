'use strict'
// Checks the arguments of `fs` functions, and converts them to the form that the operations take.

const { coded, wrongType, wrongValue, outOfRange, checkInteger } = require('strait:errors')
const { Buffer } = require('buffer')
const encodings = require('strait:encodings')
const url = require('url')

const constants = {
  F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4,
  COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4,
  UV_FS_COPYFILE_EXCL: 1, UV_FS_COPYFILE_FICLONE: 2, UV_FS_COPYFILE_FICLONE_FORCE: 4, UV_FS_O_FILEMAP: 0, UV_FS_SYMLINK_DIR: 1, UV_FS_SYMLINK_JUNCTION: 2,
  O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_NOCTTY: 256, O_TRUNC: 512, O_APPEND: 1024, O_NONBLOCK: 2048, O_DSYNC: 4096, O_DIRECT: 16384,
  O_DIRECTORY: 65536, O_NOFOLLOW: 131072, O_NOATIME: 262144, O_SYNC: 1052672,
  S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192, S_IFBLK: 24576, S_IFIFO: 4096, S_IFLNK: 40960, S_IFSOCK: 49152,
  S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64, S_IRWXG: 56, S_IRGRP: 32, S_IWGRP: 16, S_IXGRP: 8, S_IRWXO: 7, S_IROTH: 4, S_IWOTH: 2, S_IXOTH: 1,
  UV_DIRENT_UNKNOWN: 0, UV_DIRENT_FILE: 1, UV_DIRENT_DIR: 2, UV_DIRENT_LINK: 3, UV_DIRENT_FIFO: 4, UV_DIRENT_SOCKET: 5, UV_DIRENT_CHAR: 6, UV_DIRENT_BLOCK: 7,
}

/** @param {any} given */
const pathOf = (given, name = 'path') => {
  let text = given
  if (given instanceof URL) text = url.fileURLToPath(given)
  else if (given instanceof Uint8Array) text = Buffer.from(given).toString()
  if (typeof text !== 'string') throw wrongType(name, 'of type string or an instance of Buffer or URL', given)
  if (text.includes('\0')) throw wrongValue(name, given, 'must be a string, Uint8Array, or URL without null bytes')
  return text
}

/** @param {any} options @param {any} [absent] */
const optionsOf = (options, absent = {}) => {
  if (options === undefined || options === null || typeof options === 'function') return absent
  if (typeof options === 'string') return { ...absent, encoding: options }
  if (typeof options !== 'object') throw wrongType('options', 'one of type string or object', options)
  return { ...absent, ...options }
}

/** @param {any} encoding */
const encodingOf = (encoding) => {
  if (encoding === undefined || encoding === null || encoding === 'buffer') return encoding
  const known = encodings.named(encoding)
  if (known === undefined) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'encoding' is invalid encoding. Received '${encoding}'`)
  return known
}

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC } = constants
/**
 * The flags by letter (https://nodejs.org/api/fs.html#file-system-flags).
 * @type {Record<string, number>}
 */
const FLAGS = {
  // @ts-ignore: no prototype
  __proto__: null,
  r: O_RDONLY,
  'r+': O_RDWR,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  a: O_APPEND | O_CREAT | O_WRONLY,
  'a+': O_APPEND | O_CREAT | O_RDWR,
}
/**
 * Letters that may precede or follow others. `x`: the file must be new. `s`: data is on the disk
 * before a write ends.
 * @type {[string, string[], number][]}
 */
const MARKS = [['x', ['w', 'a'], O_EXCL], ['s', ['r', 'a'], O_SYNC]]
for (const [mark, letters, bit] of MARKS) {
  for (const letter of letters) {
    const plus = FLAGS[`${letter}+`] | bit
    // With `r` alone the `s` has no effect, because nothing is written.
    FLAGS[`${letter}${mark}`] = FLAGS[`${mark}${letter}`] = FLAGS[letter] | bit
    FLAGS[`${letter}${mark}+`] = FLAGS[`${mark}${letter}+`] = plus
  }
}

/** @param {any} flags */
const flagsOf = (flags, absent = 'r') => {
  if (flags === undefined || flags === null) return FLAGS[absent]
  if (typeof flags === 'number') {
    checkInteger(flags, 'flags', -(2 ** 31), 2 ** 31 - 1)
    return flags
  }
  const known = typeof flags === 'string' ? FLAGS[flags] : undefined
  if (known === undefined) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'flags' is invalid. Received ${typeof flags === 'string' ? `'${flags}'` : flags}`)
  return known
}

/** @param {any} mode @param {number} absent */
const modeOf = (mode, absent, name = 'mode') => {
  if (mode === undefined || mode === null) return absent
  if (typeof mode === 'string' && /^[0-7]+$/.test(mode)) return parseInt(mode, 8)
  if (typeof mode === 'string') throw wrongValue(name, mode, 'must be a 32-bit unsigned integer or an octal string')
  checkInteger(mode, name, 0, 2 ** 32 - 1)
  return mode
}

/** @param {any} data @param {any} encoding */
const dataOf = (data, encoding) => {
  if (typeof data === 'string') return Buffer.from(data, encodingOf(encoding) ?? 'utf8')
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  throw wrongType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data)
}

/** A name in the requested encoding. @param {string} name @param {any} encoding */
const nameIn = (name, encoding) => {
  const known = encodingOf(encoding)
  if (known === undefined || known === null || known === 'utf8') return name
  return known === 'buffer' ? Buffer.from(name) : Buffer.from(name).toString(known)
}

/** @param {any} time */
const secondsOf = (time, name = 'time') => {
  if (time instanceof Date) return time.getTime() / 1000
  const seconds = typeof time === 'string' ? +time : time
  if (typeof seconds === 'number' && Number.isFinite(seconds)) return seconds
  throw wrongType(name, 'an instance of Date or one of type number or string', time)
}

/** @param {any} fd */
const descriptorOf = (fd) => {
  checkInteger(fd, 'fd', 0, 2 ** 31 - 1)
  return fd
}

/**
 * Checks a user or group number; -1 leaves the present one.
 * @param {any} number @param {string} name
 */
const ownerOf = (number, name) => {
  checkInteger(number, name, -1, 2 ** 32 - 1)
  return number
}

/** @param {any} position @param {number} length */
const positionOf = (position, length) => {
  if (position === undefined || position === null) return -1
  if (typeof position === 'bigint') {
    if (position < -1n || position > 2n ** 63n - 1n - BigInt(length)) throw outOfRange('position', `>= -1 && <= ${2n ** 63n - 1n - BigInt(length)}`, position)
    return Number(position)
  }
  if (typeof position !== 'number') throw wrongType('position', 'of type bigint or integer', position)
  checkInteger(position, 'position', -1)
  return position
}

const VIEWS = 'an instance of Buffer, TypedArray, or DataView'

/** The bytes of a view, over the same memory. @param {ArrayBufferView} view */
const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

/**
 * For all forms of `read`: the memory for the data, and the position in the file.
 * @param {any} target @param {any[]} where
 */
const roomOf = (target, where) => {
  let [offset, length, position] = where
  if (!ArrayBuffer.isView(target)) {
    if (target !== undefined && target !== null && (typeof target !== 'object' || Array.isArray(target))) throw wrongType('buffer', VIEWS, target)
    const options = target ?? {}
    target = options.buffer ?? Buffer.alloc(16384)
    if (!ArrayBuffer.isView(target)) throw wrongType('buffer', VIEWS, target)
    ;({ offset, length, position } = options)
  } else if (where.length === 1) {
    if (offset !== undefined && typeof offset !== 'object') throw wrongType('options', 'of type object', offset)
    ;({ offset, length, position } = offset ?? {})
  }
  const size = target.byteLength
  if (offset === undefined || offset === null) offset = 0
  else checkInteger(offset, 'offset', 0)
  length = length === undefined || length === null ? size - offset : Math.trunc(+length) | 0
  if (length !== 0 && size === 0) throw wrongValue('buffer', target, 'is empty and cannot be written')
  if (length < 0) throw outOfRange('length', '>= 0', length)
  if (length > size - offset && length !== 0) throw outOfRange('length', `<= ${size - offset}`, length)
  return { target, bytes: bytesOf(target).subarray(offset, offset + length), position: positionOf(position, length) }
}

/**
 * For all forms of `write`: the data, and the position in the file.
 * @param {any} data @param {any} offset @param {any} length @param {any} position
 */
const partOf = (data, offset, length, position) => {
  if (typeof data === 'string') {
    // With a text, the second and third argument are position and encoding.
    return { bytes: Buffer.from(data, encodings.named(length) ?? 'utf8'), position: typeof offset === 'number' || typeof offset === 'bigint' ? positionOf(offset, 0) : -1 }
  }
  if (!ArrayBuffer.isView(data)) throw wrongType('buffer', `of type string or ${VIEWS}`, data)
  if (offset !== null && typeof offset === 'object') ({ offset, length, position } = offset)
  const size = data.byteLength
  if (offset === undefined || offset === null || typeof offset === 'function') offset = 0
  else checkInteger(offset, 'offset', 0)
  if (typeof length !== 'number') length = size - offset
  if (offset > size) throw outOfRange('offset', `<= ${size}`, offset)
  if (length > size - offset) throw outOfRange('length', `<= ${size - offset}`, length)
  if (length < 0) throw outOfRange('length', '>= 0', length)
  checkInteger(length, 'length', 0, 2 ** 31 - 1)
  return { bytes: bytesOf(data).subarray(offset, offset + length), position: typeof position === 'number' || typeof position === 'bigint' ? positionOf(position, length) : -1 }
}

/** Checks a list of views. @param {any} views */
const viewsOf = (views) => {
  if (!Array.isArray(views) || !views.every((view) => ArrayBuffer.isView(view))) throw wrongType('buffers', 'an instance of ArrayBufferView[]', views)
  return views.map(bytesOf)
}

module.exports = { constants, pathOf, optionsOf, encodingOf, flagsOf, modeOf, dataOf, nameIn, secondsOf, descriptorOf, ownerOf, positionOf, roomOf, partOf, viewsOf }
