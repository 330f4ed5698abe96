'use strict'
// What the program has started outside of the loop's own queues. Some of it is over in a moment (a file that is read, a connection that is made),
// some lasts (a child process, a server): both keep a process alive that ends when it has nothing left to do.

const running = { brief: 0, lasting: 0 }

module.exports = {
  /**
   * Something begins; what is returned says, once, that it has ended.
   * @param {'brief' | 'lasting'} kind
   */
  begin (kind = 'brief') {
    let open = true
    running[kind]++
    return () => {
      if (open) running[kind]--
      open = false
    }
  },
  /** How much of it there is. */
  count: () => running.brief + running.lasting,
  /** Is anything over in a moment? */
  isBusy: () => running.brief > 0
}
