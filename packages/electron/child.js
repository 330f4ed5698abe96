'use strict'
// Node runs this script before the script of a utility process (`--require`): in the main thread,
// and in worker threads, which inherit the option.

const { isMainThread } = require('worker_threads')

/**
 * The number of Strait's own options, which precede the program's in Node's list: see
 * crates/strait/src/utility/script.rs.
 */
const OWN_OPTIONS = 3

// Children that the program starts by `child_process.fork` do not receive them either.
process.execArgv.splice(0, OWN_OPTIONS)

if (isMainThread) require('./lib/child').start()
else require('./lib/worker-thread').start()
