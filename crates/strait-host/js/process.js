'use strict'
// The global `process`: the runtime's own, made an EventEmitter and completed.

const EventEmitter = require('strait:events')

const process = globalThis.process

Object.setPrototypeOf(process, Object.create(EventEmitter.prototype))
EventEmitter.call(process)

const ticks = []

function nextTick (callback, ...args) {
  if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function.')
  ticks.push(() => Reflect.apply(callback, undefined, args))
  native.wantTick()
}

/** Runs one queued callback; true while there are more. */
function runTick () {
  ticks.shift()?.()
  return ticks.length > 0
}

let exitAnnounced = false

/** 'exit' is emitted once, whichever way the program ends. */
function announceExit (code) {
  if (exitAnnounced) return
  exitAnnounced = true
  process.exitCode = code
  process.emit('exit', code)
}

function exit (code) {
  if (code !== undefined) process.exitCode = code
  const final = Number(process.exitCode ?? 0) & 255
  announceExit(final)
  native.exit(Number(process.exitCode ?? final) & 255)
}

/** The process's output as a stream; what is written is out when `write` returns. */
function output (fd) {
  const { load } = require('strait:node')
  const { Writable } = load('stream')
  const fs = load('fs')
  const stream = new Writable({
    decodeStrings: false,
    write (chunk, encoding, callback) {
      const isText = typeof chunk === 'string'
      if (isText && /^utf-?8$/i.test(encoding)) native.write(fd, chunk)
      else {
        try {
          fs.writeFileSync(fd, isText ? globalThis.Buffer.from(chunk, encoding) : chunk)
        } catch {
          // A reader that went away is not the program's error.
        }
      }
      callback()
    }
  })
  return Object.assign(stream, { fd, isTTY: native.isTerminal(fd) })
}

let exitCode
Object.defineProperty(process, 'exitCode', {
  get: () => exitCode,
  set (code) {
    if (code !== undefined && code !== null && !Number.isInteger(Number(code))) throw new RangeError(`The value of "code" is out of range. It must be an integer. Received ${code}`)
    exitCode = code ?? undefined
  },
  configurable: true,
  enumerable: true
})

delete process.id
Object.assign(process, {
  pid: native.pid,
  ppid: native.parentPid,
  title: 'strait',
  type: 'browser',
  execPath: native.executable,
  argv0: native.executable,
  argv: [native.executable, native.program.main, ...native.program.args],
  execArgv: [...native.program.execArgs],
  nextTick,
  exit,
  abort: () => native.exit(134),
  uptime: () => native.now() / 1000,
  umask: () => 0o22,
  emitWarning (warning, type = 'Warning') {
    const text = warning instanceof Error ? `${warning.name}: ${warning.message}` : `${typeof type === 'object' ? type.type ?? 'Warning' : type}: ${warning}`
    native.write(2, `(strait:${native.pid}) ${text}\n`)
  }
})
process.versions.strait = native.version
// Packages ask for it to know where they are.
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true })
for (const [fd, name] of [[1, 'stdout'], [2, 'stderr']]) {
  let stream
  Object.defineProperty(process, name, { get: () => stream ??= output(fd), set: (value) => { stream = value }, configurable: true, enumerable: true })
}

module.exports = { process, runTick, announceExit, exitCode: () => Number(exitCode ?? 0) & 255 }
