'use strict'
// What the program has started and waits for outside of the loop's own queues: files that are being read, child processes, sockets.

let running = 0

module.exports = {
  /** Something begins; what is returned says, once, that it has ended. */
  begin () {
    let open = true
    running++
    return () => {
      if (open) running--
      open = false
    }
  },
  /** How much of it there is. */
  count: () => running
}
