'use strict'
// The addon's natives: functions that take and return numbers, strings and bytes. `start` loads
// them once.

const { types } = require('util')

/**
 * The natives. The object is empty before `start`, and no script that needs them is loaded until
 * then.
 */
const native = {}

const { latin1Slice, ucs2Write } = Buffer.prototype
const oneByteText = (bytes, start, stop) => latin1Slice.call(bytes, start, stop)
const putTwoByteText = (bytes, at, text) => { ucs2Write.call(bytes, text, at, text.length * 2) }

/** A plain Uint8Array and not a Buffer, because the codec is slower with two classes of arrays. */
native.newBytes = (size) => new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)

/**
 * Receives each report of the addon, by its name.
 * @type {{dispatch: (name: string, ...args: unknown[]) => boolean}}
 */
let receiver

/** Makes `native.codec(means)` from the codec's source, which is a function expression. */
function provideCodec (source) {
  const make = (0, eval)(source)
  const { isDense, newBytes } = native
  native.codec = (means) => make({ ...means, isProxy: types.isProxy, isDense, oneByteText, putTwoByteText, newBytes })
}

/** Adds the global `File` to Node.js 18, which has it in `buffer` only: pages send Files. */
function provideFile () {
  if (globalThis.File !== undefined) return
  Object.defineProperty(globalThis, 'File', { value: require('buffer').File, writable: true, configurable: true })
}

/** The lowest version of Node-API that the addon supports. */
const NODE_API = 8

/** Loads the addon's module. */
function load (addon) {
  const node = `Node.js ${process.version} (${process.arch}, ${process.execPath})`
  if (Number(process.versions.napi) < NODE_API) throw new Error(`${node} has Node-API ${process.versions.napi}, and ${addon} needs ${NODE_API}: install Node.js 18.19 or later`)
  const module = { exports: {} }
  try {
    process.dlopen(module, addon)
  } catch (error) {
    throw new Error(`${node} can't load ${addon}: ${error.message.replaceAll('\n', ' ')}; it must be the file that was built or installed with this strait, for the same processor`)
  }
  return module
}

module.exports = {
  native,
  provideCodec,
  /**
   * Loads the addon and starts the native part of the program.
   * @param {{addon: string}} options the addon's file, and the program's description for the addon
   */
  start ({ addon, ...options }) {
    const module = load(addon)
    const hook = (name, ...args) => receiver.dispatch(name, ...args)
    Object.assign(native, module.exports.start(options, hook), { program: options })
    provideFile()
    provideCodec(native.codecSource())
  },
  /**
   * Sets the receiver of reports. The addon reports nothing before the first turn of the event
   * loop.
   */
  receive (to) { receiver = to }
}
