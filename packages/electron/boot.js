'use strict'
// The first script of a main process: starts Strait, makes `electron` known to the module loader, and runs the program.
// `strait run` starts Node with it and says by STRAIT_BOOT what the program is.

const { start, receive } = require('./lib/native')

const { addon, main, args, ...program } = JSON.parse(process.env.STRAIT_BOOT)
// The program's children are no programs of Strait's.
delete process.env.STRAIT_BOOT

process.argv.splice(1, process.argv.length - 1, main, ...args)
try {
  start(addon, { ...program, arguments: process.argv, exposeGc: typeof globalThis.gc === 'function' })
} catch (error) {
  console.error(`strait: ${error.message}`)
  process.exit(1)
}

const electron = require('./lib/electron')
receive(electron)
require('./lib/process').complete(program)
require('./lib/loader').provide(electron.electron)
require('./lib/life').run(main, electron)
