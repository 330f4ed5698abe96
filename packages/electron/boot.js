'use strict'
// Node runs this script before the program's own (`--require`). It starts Strait and registers
// `electron` with the module loader.
// `strait run` describes the program in the environment variable STRAIT_BOOT.

const path = require('path')
const { isMainThread } = require('worker_threads')

/**
 * The number of Strait's own options, which follow the program's in Node's list: see
 * crates/strait-cli/src/node.rs.
 */
const OWN_OPTIONS = 3

function boot (program) {
  // Node and its arguments for utility processes in JavaScript.
  const utility = { program: process.execPath, boot: path.join(__dirname, 'child.js'), addon: path.join(path.dirname(program.addon), 'libstrait_node_child.so') }
  const { start, receive } = require('./lib/native')
  try {
    start({ ...program, arguments: process.argv, exposeGc: typeof globalThis.gc === 'function', utility })
  } catch (error) {
    console.error(`strait: ${error.message}`)
    process.exit(1)
  }
  const electron = require('./lib/electron')
  receive(electron)
  require('./lib/process').complete({ type: 'browser', defaultApp: true, resourcesPath: program.root, sandboxed: false })
  require('./lib/life').begin(electron)
  // Last, because it examines the text of every module that is loaded from now on.
  require('./lib/loader').provide(() => electron.electron, 'electron')
}

// Neither the program nor its children receive these options. Worker threads inherit them.
process.execArgv.splice(-OWN_OPTIONS)

if (!isMainThread) require('./lib/worker-thread').start()
else if (process.env.STRAIT_BOOT !== undefined) {
  const program = JSON.parse(process.env.STRAIT_BOOT)
  delete process.env.STRAIT_BOOT
  boot(program)
}
