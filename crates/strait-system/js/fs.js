'use strict'
// Node's `fs` (https://nodejs.org/api/fs.html). Each function is defined once, and its forms are
// derived from that. The forms with `Sync` work in the program's thread, the others in other
// threads.

const { coded, wrongType, checkInteger, refusals } = require('strait:errors')
const { Buffer } = require('buffer')
const path = require('path')
const system = require('strait:system')
const { p } = require('strait:natives')
const { constants, pathOf, optionsOf, encodingOf, flagsOf, modeOf, dataOf, nameIn, secondsOf, descriptorOf, ownerOf, roomOf, partOf, viewsOf } = require('strait:fs-arguments')
const { Stats, BigIntStats, StatFs, Dirent } = require('strait:fs-classes')
const { makeFileHandle, makeDir } = require('strait:fs-handles')

const write = (/** @type {any} */ file, /** @type {any} */ data, /** @type {any} */ given, /** @type {string} */ usual) => {
  const options = optionsOf(given, { flag: usual })
  const bytes = dataOf(data, options.encoding)
  if (typeof file === 'number') return [{ name: 'writeAll', data: bytes, number: descriptorOf(file) }]
  return [{ name: 'writeFile', data: bytes, first: pathOf(file), number: flagsOf(options.flag ?? usual), other: modeOf(options.mode, 0o666) }]
}

const stat = (/** @type {string} */ name, /** @type {(file: any) => any} */ where) => (/** @type {any} */ file, /** @type {any} */ given) => {
  const options = optionsOf(given)
  const Class = options.bigint ? BigIntStats : Stats
  const absent = (/** @type {any} */ error) => {
    if (options.throwIfNoEntry === false && error.code === 'ENOENT') return undefined
    throw error
  }
  return [{ name, ...where(file), other: +Boolean(options.bigint) }, (/** @type {any[]} */ values) => new Class(values), absent]
}

const between = (/** @type {string} */ name, /** @type {string[]} */ names) => (/** @type {any} */ from, /** @type {any} */ to) =>
  [{ name, first: pathOf(from, names[0]), second: pathOf(to, names[1]) }]

const owned = (/** @type {string} */ name) => (/** @type {any} */ file, /** @type {any} */ user, /** @type {any} */ group) =>
  [{ name, first: pathOf(file), number: ownerOf(user, 'uid'), other: ownerOf(group, 'gid') }]

const timed = (/** @type {string} */ name) => (/** @type {any} */ file, /** @type {any} */ read, /** @type {any} */ changed) =>
  [{ name, first: pathOf(file), number: secondsOf(read, 'atime'), other: secondsOf(changed, 'mtime') }]

/** @param {string} name @param {any} value @returns {never} */
const wanted = (name, value) => { throw wrongType(name, 'of type number', value) }

/** Rethrows an error under the name of another call. @param {any} error @param {string} syscall */
const renamed = (error, syscall) => {
  error.message = error.message.replace(`, ${error.syscall}`, `, ${syscall}`)
  return Object.assign(error, { syscall })
}

/** Strait's own text for an error that has a separate class in Node. @param {any} error */
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
 * For each function: its system call, and optionally the functions that convert the result and the
 * error.
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
    if (typeof file === 'number') return [{ name: 'readAll', number: descriptorOf(file) }, finish]
    return [{ name: 'readFile', first: pathOf(file), number: flagsOf(options.flag ?? 'r'), other: 0o666 }, finish]
  },
  writeFile: (file, data, options) => write(file, data, options, 'w'),
  appendFile: (file, data, options) => write(file, data, options, 'a'),
  truncate(file, length = 0) {
    checkInteger(length, 'len')
    return [{ name: 'truncate', first: pathOf(file), number: Math.max(0, length) }]
  },
  stat: stat('stat', (file) => ({ first: pathOf(file) })),
  lstat: stat('lstat', (file) => ({ first: pathOf(file) })),
  statfs(file, given) {
    const { bigint } = optionsOf(given)
    return [{ name: 'statfs', first: pathOf(file), other: +Boolean(bigint) }, (values) => new StatFs(values)]
  },
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
    const first = pathOf(file)
    return [{ name: 'chmod', first, number: modeOf(mode ?? wanted('mode', mode), 0) }]
  },
  chown: owned('chown'),
  lchown: owned('lchown'),
  utimes: timed('utimes'),
  lutimes: timed('lutimes'),
  opendir(folder, given) {
    const { encoding, recursive } = optionsOf(given)
    const first = pathOf(folder)
    const failed = (/** @type {any} */ error) => { throw renamed(error, 'opendir') }
    const entries = (/** @type {[string, number, string][]} */ all) => all.map(([name, kind, inside]) => new Dirent(nameIn(name, encoding), inside === '' ? first : path.join(first, inside), kind))
    return [{ name: 'readdir', first, number: recursive ? 1 : 0 }, (all) => makeDir(first, entries(all)), failed]
  },
}

/**
 * Functions on open files, each with a form with `Sync`.
 * @type {Record<string, (...args: any[]) => [any, ((value: any) => any)?, ((error: any) => any)?, any?]>}
 */
const ON_FILES = {
  // @ts-ignore: no prototype
  __proto__: null,
  open(file, flags, mode) {
    return [{ name: 'open', first: pathOf(file), number: flagsOf(flags), other: modeOf(mode, 0o666) }]
  },
  close: (fd) => [{ name: 'close', number: descriptorOf(fd) }],
  read(fd, buffer, ...where) {
    const number = descriptorOf(fd)
    const { target, bytes, position: third } = roomOf(buffer, where)
    const size = p.bytesLength(bytes)
    const finish = (/** @type {Uint8Array} */ data) => {
      p.setBytes(bytes, data)
      return p.bytesLength(data)
    }
    if (size === 0) return [undefined, () => 0, undefined, target]
    return [{ name: 'read', number, other: size, third }, finish, undefined, target]
  },
  write(fd, data, offset, length, position) {
    const number = descriptorOf(fd)
    const { bytes, position: other } = partOf(data, offset, length, position)
    return [{ name: 'write', data: bytes, number, other }, undefined, undefined, data]
  },
  readv(fd, given, position) {
    const number = descriptorOf(fd)
    const views = viewsOf(given)
    const other = views.reduce((sum, view) => sum + view.length, 0)
    const finish = (/** @type {Uint8Array} */ data) => {
      let at = 0
      for (const view of views) {
        view.set(data.subarray(at, at + view.length))
        at += view.length
      }
      return data.length
    }
    if (other === 0) return [undefined, () => 0, undefined, given]
    return [{ name: 'read', number, other, third: typeof position === 'number' ? position : -1 }, finish, undefined, given]
  },
  writev(fd, given, position) {
    const number = descriptorOf(fd)
    return [{ name: 'write', data: Buffer.concat(viewsOf(given)), number, other: typeof position === 'number' ? position : -1 }, undefined, undefined, given]
  },
  fstat: stat('fstat', (fd) => ({ number: descriptorOf(fd) })),
  ftruncate(fd, length = 0) {
    const number = descriptorOf(fd)
    checkInteger(length, 'len')
    return [{ name: 'ftruncate', number, other: Math.max(0, length) }]
  },
  fsync: (fd) => [{ name: 'fsync', number: descriptorOf(fd) }],
  fdatasync: (fd) => [{ name: 'fdatasync', number: descriptorOf(fd) }],
  fchmod: (fd, mode) => [{ name: 'fchmod', number: descriptorOf(fd), other: modeOf(mode ?? wanted('mode', mode), 0) }],
  fchown: (fd, user, group) => [{ name: 'fchown', number: descriptorOf(fd), other: ownerOf(user, 'uid'), third: ownerOf(group, 'gid') }],
  futimes: (fd, read, changed) => [{ name: 'futimes', number: descriptorOf(fd), other: secondsOf(read, 'atime'), third: secondsOf(changed, 'mtime') }],
}

const nothing = (/** @type {any} */ value) => value ?? undefined
const same = (/** @type {any} */ error) => { throw error }

// From here on, the code looks up nothing that a page without context isolation could have
// replaced, because such a page must not get access to these functions.

/**
 * Calls a function of the table, and returns the operation to run.
 * @param {Function} prepare @param {any[]} args
 */
const plan = (prepare, args) => {
  const made = p.apply(prepare, undefined, args)
  return { __proto__: null, call: made[0], finish: made[1] ?? nothing, failed: made[2] ?? same, also: made[3] }
}

const atOnce = (/** @type {Function} */ prepare) => (/** @type {any[]} */ ...args) => {
  const { call, finish, failed } = plan(prepare, args)
  let value
  try {
    value = call === undefined ? undefined : system.now(call)
  } catch (error) {
    return failed(error)
  }
  return finish(value)
}

/**
 * Converts the outcome of an asynchronous operation.
 * @param {any} planned @param {any} error @param {any} value
 */
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

/**
 * Starts the operation, if there is one, and calls back when it has ended.
 * @param {any} call @param {(error: any, value?: any) => void} callback
 */
const later = (call, callback) => {
  if (call === undefined) p.queueMicrotask(() => callback(null))
  else system.later(call, callback)
}

const withCallback = (/** @type {Function} */ prepare) => (/** @type {any[]} */ ...args) => {
  const last = args.length - 1
  const callback = last > 0 ? args[last] : undefined
  checkCallback(callback)
  args.length = last
  const planned = plan(prepare, args)
  later(planned.call, (error, value) => {
    const { thrown, result } = conclude(planned, error, value)
    if (planned.also !== undefined) callback(thrown, thrown === null ? result : 0, planned.also)
    else if (thrown !== null) callback(thrown)
    else if (result === undefined) callback(null)
    else callback(null, result)
  })
}

const withPromise = (/** @type {Function} */ prepare) => async (/** @type {any[]} */ ...args) => {
  const planned = plan(prepare, args)
  args[args.length - 1]?.signal?.throwIfAborted()
  return new p.Promise((/** @type {Function} */ resolve, /** @type {Function} */ reject) => {
    later(planned.call, (error, value) => {
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
  addFunction(fs, `${name}Sync`, atOnce(prepare))
  addFunction(promises, name, withPromise(name === 'realpath' ? realPath(1) : prepare))
}
for (const name in ON_FILES) {
  addFunction(fs, name, withCallback(ON_FILES[name]))
  addFunction(fs, `${name}Sync`, atOnce(ON_FILES[name]))
}
addFunction(fs.realpath, 'native', withCallback(realPath(1)))
addFunction(fs.realpathSync, 'native', atOnce(realPath(1)))

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

// Node requires no callback for `close`.
const { close } = fs
addFunction(fs, 'close', (/** @type {any} */ fd, /** @type {any} */ callback = (/** @type {any} */ error) => { if (error !== null) throw error }) => close(fd, callback))

/** @type {any} */
const custom = Symbol.for('nodejs.util.promisify.custom')
for (const [name, count, what] of [['read', 'bytesRead', 'buffer'], ['write', 'bytesWritten', 'buffer'], ['readv', 'bytesRead', 'buffers'], ['writev', 'bytesWritten', 'buffers']]) {
  const called = fs[name]
  p.defineProperty(called, custom, {
    __proto__: null,
    value: (/** @type {any[]} */ ...args) => new p.Promise((/** @type {Function} */ resolve, /** @type {Function} */ reject) => {
      called(...args, (/** @type {any} */ error, /** @type {number} */ number, /** @type {any} */ also) => (error === null ? resolve({ [count]: number, [what]: also }) : reject(error)))
    }),
    configurable: true,
  })
}

// Open files as objects, made from the functions on descriptors; and the functions that accept such
// an object as a path.
/** @type {Record<string, any>} */
const onFiles = {}
for (const name in ON_FILES) add(onFiles, name, withPromise(ON_FILES[name]))
for (const name of ['readFile', 'writeFile', 'appendFile']) add(onFiles, name, promises[name])
const handles = makeFileHandle(onFiles)
addFunction(promises, 'open', async (/** @type {any} */ file, /** @type {any} */ flags, /** @type {any} */ mode) => handles.make(await onFiles.open(file, flags, mode)))
for (const name of ['readFile', 'writeFile', 'appendFile']) {
  const ofPath = promises[name]
  addFunction(promises, name, async (/** @type {any} */ file, /** @type {any[]} */ ...rest) => (handles.is(file) ? file[name](...rest) : ofPath(typeof file === 'number' ? pathOf(file) : file, ...rest)))
}

// Not supported, because a page can change the classes of `stream` and would then get access to the
// files that these functions open.
addAll(fs, refusals('fs', 'createReadStream createWriteStream ReadStream WriteStream'))
addAll(fs, refusals('fs', 'cp cpSync openAsBlob watch watchFile unwatchFile lchmod lchmodSync'))
addAll(promises, refusals('fs/promises', 'cp watch lchmod'))

add(fs, 'promises', promises)
module.exports = fs
