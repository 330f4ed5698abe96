'use strict'
// Node runs this script before the program's own (`--require`): it starts Strait and makes `electron` known to the module loader.
// `strait run` says by STRAIT_BOOT what the program is.

const path = require('path')
const { isMainThread } = require('worker_threads')

/** How many of Node's options are Strait's own, behind the program's: see crates/strait-cli/src/node.rs. */
const OWN_OPTIONS = 3

function boot (program) {
  // What utility processes in JavaScript run in.
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
  // Last: it looks at the texts of what is loaded from now on.
  require('./lib/loader').provide(() => electron.electron, 'electron')
}

// Neither the program nor its children see these options. Worker threads inherit them.
process.execArgv.splice(-OWN_OPTIONS)

if (!isMainThread) require('./lib/worker-thread').start()
else if (process.env.STRAIT_BOOT !== undefined) {
  const program = JSON.parse(process.env.STRAIT_BOOT)
  delete process.env.STRAIT_BOOT
  boot(program)
}
