'use strict'
// The additions to Node in a utility process: process.parentPort, and require('electron') with
// channels.

const path = require('path')
const { native, start, receive } = require('./native')

/** Prints the error and ends the process, which cannot run its script. */
function fail (text) {
  console.error(`strait: ${text}`)
  process.exit(1)
}

/**
 * Joins the process that started this one.
 * @returns {{script: string, resources: string}} the script for Node to run, and the program's
 * folder
 */
function join () {
  if (process.env.STRAIT_BOOT === undefined) fail('this is no utility process: utilityProcess.fork and UtilityProcess::script start them')
  const { script, report, ...options } = JSON.parse(process.env.STRAIT_BOOT)
  try {
    start(options)
  } catch (error) {
    fail(error.message)
  }
  // These variables are meant for this process alone.
  for (const name of ['STRAIT_BOOT', 'STRAIT_PORT_FD', 'STRAIT_INSPECT_PORTS']) delete process.env[name]
  reportFatalErrors(report)
  return { script, resources: options.resources }
}

/**
 * Checks that Node runs `script`. It runs another one if execArgv has an argument that is not an
 * option, or an option that takes the script as its value.
 */
function checkScript (script) {
  const [, taken] = process.argv
  if (taken === undefined) fail(`there is no script to run: the last of execArgv (${process.execArgv.join(' ')}) lacks its value`)
  if (taken !== path.resolve(script)) fail(`Node takes ${path.basename(taken)} for the script: execArgv must have options of Node's only`)
}

/** Makes Node write a report into `file` when the engine fails. The parent reads the file. */
function reportFatalErrors (file) {
  Object.assign(process.report, { reportOnFatalError: true, directory: path.dirname(file), filename: path.basename(file) })
}

/**
 * Leaves after all listeners for `exit` have run, so that the messages that they post are
 * delivered.
 */
function leaveAtExit () {
  const { emit } = process
  process.emit = function (name, ...args) {
    let left = false
    try {
      const heard = Reflect.apply(emit, this, [name, ...args])
      left = true
      return heard
    } finally {
      if (name === 'exit') native.leave(left && Number(process.exitCode ?? args[0]) === 0)
    }
  }
}

module.exports = {
  start () {
    const { script, resources } = join()
    checkScript(script)
    process.argv.push(...native.childArguments())
    process.title = native.childName()

    const { parentPort } = require('./parent-port')
    const { MessageChannelMain, MessagePortMain, reports } = require('./ports')
    receive({ dispatch: (name, ...args) => reports[name](...args) })
    require('./process').complete({ type: 'utility', resourcesPath: resources, sandboxed: false })
    Object.defineProperty(process, 'parentPort', { value: parentPort, writable: true, enumerable: true, configurable: true })
    const { exported } = require('./unsupported')
    require('./loader').provide(() => exported('electron/utility', { MessageChannelMain, MessagePortMain }), 'electron/utility')
    leaveAtExit()
  }
}
