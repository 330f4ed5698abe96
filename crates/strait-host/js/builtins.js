'use strict'
// The modules that `require` answers itself: the runtime's native ones, completed with what programs commonly use beyond them.

const { define } = require('strait:module')
const EventEmitter = require('strait:events')
const { Console, console } = require('strait:console')
const timers = require('strait:timers')
const { load } = require('strait:node')

// What pages have too.
for (const name of ['assert', 'assert/strict', 'buffer', 'crypto', 'fs', 'fs/promises', 'os', 'stream', 'stream/promises', 'string_decoder', 'util']) define([name], () => load(name))

/** The engine's encoder throws at half a pair of UTF-16 units, where the standard has it say U+FFFD. */
for (const name of ['encode', 'encodeInto']) {
  const { [name]: encode } = globalThis.TextEncoder.prototype
  const value = { [name] (text = '', ...rest) { return Reflect.apply(encode, this, [String(text).toWellFormed(), ...rest]) } }[name]
  Object.defineProperty(globalThis.TextEncoder.prototype, name, { value, writable: true, configurable: true, enumerable: true })
}

/** Made when it is first used: programs that do not use it pay nothing. */
let ownBuffer
Object.defineProperty(globalThis, 'Buffer', {
  get: () => ownBuffer === undefined ? load('buffer').Buffer : ownBuffer.value,
  set (value) { ownBuffer = { value } },
  configurable: true,
  enumerable: false
})

const absent = require('strait:absent-modules')
for (const name of absent.names) define([name], () => absent.make(name))

define(['child_process'], () => require('strait:child-process').exports)
define(['console'], () => Object.assign(console, { Console }))
define(['events'], () => EventEmitter)
define(['net'], () => require('strait:net'))
define(['path', 'path/posix'], () => {
  const path = { ...native.builtin('path') }
  path.posix = path
  return path
})
define(['perf_hooks'], () => ({ performance: globalThis.performance }))
define(['process'], () => globalThis.process)
define(['timers'], () => timers.exported)
define(['timers/promises'], () => timers.promises)
define(['url'], () => ({ ...native.builtin('url'), URL: globalThis.URL, URLSearchParams: globalThis.URLSearchParams }))
define(['util/types'], () => load('util').types)

require('strait:webcrypto')
require('strait:process-information')
