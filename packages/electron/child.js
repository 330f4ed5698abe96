'use strict'
// Node runs this before the script of a utility process, by `--require`: in the main thread, and in worker threads, which inherit the option.

const { isMainThread } = require('worker_threads')

/** How many of Node's options are Strait's own, before the program's: see crates/strait/src/utility/script.rs. */
const OWN_OPTIONS = 3

// Nor do children get them that the program starts by `child_process.fork`.
process.execArgv.splice(0, OWN_OPTIONS)

if (isMainThread) require('./lib/child').start()
else require('./lib/worker-thread').start()
