'use strict'
// Files and folders as Node's `fs` has them (https://nodejs.org/api/fs.html): each function once, made into its three forms. The forms with `Sync` work in the
// page's thread, the others beside it.

const { coded, wrongType, wrongValue, outOfRange, checkInteger, refusals } = require('strait:errors')
const { Buffer } = require('buffer')
const encodings = require('strait:encodings')
const url = require('url')
const path = require('path')
const system = require('strait:system')
const { p } = require('strait:natives')
const { Stats, Dirent } = require('strait:fs-classes')

const constants = {
  F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4,
  COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4,
  O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024,
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

const FLAGS = ['r', 'r+', 'w', 'wx', 'w+', 'wx+', 'a', 'ax', 'a+', 'ax+']

/** @param {any} flags */
const flagsOf = (flags) => {
  const text = typeof flags === 'string' ? flags.replace(/^(x)([wa])/, '$2$1').replace('s', '') : flags
  if (!FLAGS.includes(text)) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'flags' is invalid. Received ${typeof flags === 'string' ? `'${flags}'` : flags}`)
  return text
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

/** A name as it was asked for. @param {string} name @param {any} encoding */
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

const asked = (/** @type {string} */ name, /** @type {any} */ options) => {
  if (options.bigint) throw coded(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `fs.${name} with { bigint } is not supported in pages of Strait (docs/node-modules.md#fs)`)
}

const write = (/** @type {any} */ file, /** @type {any} */ data, /** @type {any} */ given, /** @type {string} */ usual) => {
  const options = optionsOf(given, { flag: usual })
  return [{ name: 'writeFile', data: dataOf(data, options.encoding), first: pathOf(file), second: flagsOf(options.flag ?? usual), number: modeOf(options.mode, 0o666) }]
}

const stat = (/** @type {string} */ name) => (/** @type {any} */ file, /** @type {any} */ given) => {
  const options = optionsOf(given)
  asked(name, options)
  const absent = (/** @type {any} */ error) => {
    if (options.throwIfNoEntry === false && error.code === 'ENOENT') return undefined
    throw error
  }
  return [{ name, first: pathOf(file) }, (/** @type {any[]} */ values) => new Stats(values), absent]
}

const between = (/** @type {string} */ name, /** @type {string[]} */ names) => (/** @type {any} */ from, /** @type {any} */ to) =>
  [{ name, first: pathOf(from, names[0]), second: pathOf(to, names[1]) }]

/** The page's own words for what Node says in a class of its own. @param {any} error */
const removalFailed = (error) => {
  if (error.code !== 'EISDIR' || error.syscall !== 'rm') throw error
  const said = coded(Error, 'ERR_FS_EISDIR', `Path is a directory: rm returned EISDIR (is a directory) ${error.path}`)
  throw Object.assign(said, { name: 'SystemError', errno: 21, syscall: 'rm', path: error.path })
}

const realPath = (/** @type {number} */ number) => (/** @type {any} */ file, /** @type {any} */ given) => {
  const { encoding } = optionsOf(given)
  return [{ name: 'realpath', first: pathOf(file), number }, (/** @type {string} */ real) => nameIn(real, encoding)]
}

/**
 * What each function asks of the system; what it makes of the answer, and of an error.
 * @type {Record<string, (...args: any[]) => [any, ((value: any) => any)?, ((error: any) => any)?]>}
 */
const FUNCTIONS = {
  // @ts-ignore: no prototype
  __proto__: null,
  readFile(file, given) {
    const options = optionsOf(given, { flag: 'r' })
    const encoding = encodingOf(options.encoding)
    const finish = (/** @type {any} */ data) => {
      if (data.tooLarge !== undefined) throw coded(RangeError, 'ERR_FS_FILE_TOO_LARGE', `File size (${data.tooLarge}) is greater than 2 GiB`)
      return encoding && encoding !== 'buffer' ? data.toString(encoding) : data
    }
    return [{ name: 'readFile', first: pathOf(file), second: flagsOf(options.flag ?? 'r'), number: 0o666 }, finish]
  },
  writeFile: (file, data, options) => write(file, data, options, 'w'),
  appendFile: (file, data, options) => write(file, data, options, 'a'),
  truncate(file, length = 0) {
    checkInteger(length, 'len')
    return [{ name: 'truncate', first: pathOf(file), number: Math.max(0, length) }]
  },
  stat: stat('stat'),
  lstat: stat('lstat'),
  readdir(folder, given) {
    const { encoding, withFileTypes, recursive } = optionsOf(given)
    const first = pathOf(folder)
    const finish = (/** @type {[string, number, string][]} */ all) => all.map(([name, kind, inside]) => {
      if (withFileTypes) return new Dirent(nameIn(name, encoding), inside === '' ? first : path.join(first, inside), kind)
      return nameIn(inside === '' ? name : `${inside}/${name}`, encoding)
    })
    return [{ name: 'readdir', first, number: recursive ? 1 : 0 }, finish]
  },
  mkdir(folder, given) {
    const options = typeof given === 'number' || typeof given === 'string' ? { mode: given } : optionsOf(given)
    const call = { name: options.recursive ? 'mkdirAll' : 'mkdir', first: pathOf(folder), number: modeOf(options.mode, 0o777) }
    return [call, (first) => first ?? undefined]
  },
  mkdtemp(prefix, given) {
    const { encoding } = optionsOf(given)
    return [{ name: 'mkdtemp', first: pathOf(prefix, 'prefix') }, (made) => nameIn(made, encoding)]
  },
  rmdir: (folder) => [{ name: 'rmdir', first: pathOf(folder) }],
  rm(file, given) {
    const { recursive = false, force = false } = optionsOf(given)
    return [{ name: 'rm', first: pathOf(file), number: +recursive, other: +force }, undefined, removalFailed]
  },
  unlink: (file) => [{ name: 'unlink', first: pathOf(file) }],
  rename: between('rename', ['oldPath', 'newPath']),
  copyFile(from, to, mode = 0) {
    if (typeof mode === 'function') mode = 0
    checkInteger(mode, 'mode', 0, 7)
    return [{ name: 'copyFile', first: pathOf(from, 'src'), second: pathOf(to, 'dest'), number: mode & constants.COPYFILE_EXCL }]
  },
  access(file, mode = 0) {
    if (typeof mode === 'function') mode = 0
    checkInteger(mode, 'mode', 0, 7)
    return [{ name: 'access', first: pathOf(file), number: mode }]
  },
  realpath: realPath(0),
  readlink(file, given) {
    const { encoding } = optionsOf(given)
    return [{ name: 'readlink', first: pathOf(file) }, (said) => nameIn(said, encoding)]
  },
  symlink: (target, file) => [{ name: 'symlink', first: pathOf(target, 'target'), second: pathOf(file) }],
  link: between('link', ['existingPath', 'newPath']),
  chmod: (file, mode) => {
    if (mode === undefined || mode === null) throw wrongType('mode', 'of type number', mode)
    return [{ name: 'chmod', first: pathOf(file), number: modeOf(mode, 0) }]
  },
  utimes: (file, read, changed) => [{ name: 'utimes', first: pathOf(file), number: secondsOf(read, 'atime'), other: secondsOf(changed, 'mtime') }],
}

const nothing = (/** @type {any} */ value) => value ?? undefined
const same = (/** @type {any} */ error) => { throw error }

// From here on nothing is looked up that a page without context isolation could have replaced, for whom these functions are not.

/** A function of the table, asked what to do. @param {Function} prepare @param {any[]} args */
const plan = (prepare, args) => {
  const made = p.apply(prepare, undefined, args)
  return { __proto__: null, call: made[0], finish: made[1] ?? nothing, failed: made[2] ?? same }
}

const inThePage = (/** @type {Function} */ prepare) => (/** @type {any[]} */ ...args) => {
  const { call, finish, failed } = plan(prepare, args)
  let value
  try {
    value = system.now(call)
  } catch (error) {
    return failed(error)
  }
  return finish(value)
}

/** What it came to, for one who is told later. @param {any} planned @param {any} error @param {any} value */
const conclude = ({ finish, failed }, error, value) => {
  try {
    return { __proto__: null, thrown: null, result: error === null ? finish(value) : failed(error) }
  } catch (thrown) {
    return { __proto__: null, thrown }
  }
}

/** @param {any} callback */
const checkCallback = (callback) => {
  if (typeof callback !== 'function') throw wrongType('cb', 'of type function', callback)
}

const withCallback = (/** @type {Function} */ prepare) => (/** @type {any[]} */ ...args) => {
  const last = args.length - 1
  const callback = last > 0 ? args[last] : undefined
  checkCallback(callback)
  args.length = last
  const planned = plan(prepare, args)
  system.later(planned.call, (error, value) => {
    const { thrown, result } = conclude(planned, error, value)
    if (thrown !== null) callback(thrown)
    else if (result === undefined) callback(null)
    else callback(null, result)
  })
}

const withPromise = (/** @type {Function} */ prepare) => async (/** @type {any[]} */ ...args) => {
  const planned = plan(prepare, args)
  args[args.length - 1]?.signal?.throwIfAborted()
  return new p.Promise((/** @type {Function} */ resolve, /** @type {Function} */ reject) => {
    system.later(planned.call, (error, value) => {
      const { thrown, result } = conclude(planned, error, value)
      if (thrown === null) resolve(result)
      else reject(thrown)
    })
  })
}

/** @type {Record<string, any>} */
const fs = {}
/** @type {Record<string, any>} */
const promises = {}
const add = (/** @type {any} */ target, /** @type {string} */ name, /** @type {any} */ value) =>
  p.defineProperty(target, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true })
const addFunction = (/** @type {any} */ target, /** @type {string} */ name, /** @type {any} */ value) => {
  p.defineProperty(value, 'name', { __proto__: null, value: name, configurable: true })
  add(target, name, value)
}
const addAll = (/** @type {any} */ target, /** @type {any} */ all) => {
  for (const name in all) add(target, name, all[name])
}

addAll(fs, { __proto__: null, constants, F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4, Stats, Dirent })
add(promises, 'constants', constants)
for (const name in FUNCTIONS) {
  const prepare = FUNCTIONS[name]
  addFunction(fs, name, withCallback(prepare))
  addFunction(fs, `${name}Sync`, inThePage(prepare))
  addFunction(promises, name, withPromise(name === 'realpath' ? realPath(1) : prepare))
}
addFunction(fs.realpath, 'native', withCallback(realPath(1)))
addFunction(fs.realpathSync, 'native', inThePage(realPath(1)))

const { access, accessSync } = fs
addFunction(fs, 'existsSync', (/** @type {any} */ file) => {
  try {
    accessSync(file)
    return true
  } catch {
    return false
  }
})
const exists = (/** @type {any} */ file, /** @type {any} */ callback) => {
  checkCallback(callback)
  try {
    access(file, (/** @type {any} */ error) => callback(error === null))
  } catch {
    p.queueMicrotask(() => callback(false))
  }
}
addFunction(fs, 'exists', exists)
add(exists, /** @type {any} */ (Symbol.for('nodejs.util.promisify.custom')), (/** @type {any} */ file) => new p.Promise((/** @type {any} */ resolve) => exists(file, resolve)))

const MISSING = 'open read write close fstat ftruncate futimes fsync fchmod readv writev opendir cp'
const both = MISSING.split(' ').flatMap((name) => [name, `${name}Sync`]).join(' ')
addAll(fs, refusals('fs', `${both} createReadStream createWriteStream watch watchFile unwatchFile statfs statfsSync chown chownSync lchown lchownSync lutimes lutimesSync`))
addAll(promises, refusals('fs/promises', 'open opendir cp watch statfs chown lchown lutimes'))

add(fs, 'promises', promises)
module.exports = fs
