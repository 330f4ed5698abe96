'use strict'
// The addon's natives: functions that take and give numbers, strings and bytes. Made once, by `start`.

const { types } = require('util')

/** The natives. Before `start` there are none, and no script that needs them is loaded. */
const native = {}

const { latin1Slice, ucs2Write } = Buffer.prototype
const oneByteText = (bytes, start, stop) => latin1Slice.call(bytes, start, stop)
const putTwoByteText = (bytes, at, text) => { ucs2Write.call(bytes, text, at, text.length * 2) }

/** A plain array: with two classes of arrays the codec is slower. */
native.newBytes = (size) => new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)

/** Calls each function of `reports` by its name when the addon reports something. @type {{dispatch: (name: string, ...args: unknown[]) => boolean}} */
let receiver

/** Makes `native.codec(means)` from the codec's source, a function expression. */
function provideCodec (source) {
  const make = (0, eval)(source)
  const { isDense, newBytes } = native
  native.codec = (means) => make({ ...means, isProxy: types.isProxy, isDense, oneByteText, putTwoByteText, newBytes })
}

/** The version of Node-API that the addon needs. */
const NODE_API = 8

/** The addon's module. */
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
   * Loads the addon and starts the program's part outside of JavaScript.
   * @param {{addon: string}} options the addon's file, and what the addon is to know of the program
   */
  start ({ addon, ...options }) {
    const module = load(addon)
    const hook = (name, ...args) => receiver.dispatch(name, ...args)
    Object.assign(native, module.exports.start(options, hook), { program: options })
    provideCodec(native.codecSource())
  },
  /** Who is called with reports from now on. Nothing is reported before the first turn of the event loop. */
  receive (to) { receiver = to }
}
