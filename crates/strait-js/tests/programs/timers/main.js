const log = []
const note = (text) => log.push(text)

// Far enough from each other that a machine which is busy with something else does not turn them round between two lines.
setTimeout(() => note('after 400'), 400)
setTimeout(() => note('after 200'), 200)
setTimeout((...args) => note(`arguments ${args}`), 600, 1, 'two')
const never = setTimeout(() => note('cleared'), 5)
clearTimeout(never)
clearTimeout(Number(setTimeout(() => note('cleared by number'), 5)))
clearTimeout(undefined)
clearTimeout(12345)
const immediate = setImmediate(() => note('cleared immediate'))
clearImmediate(immediate)

setTimeout(() => {
  note('macrotask one')
  Promise.resolve().then(() => note('its microtask'))
  process.nextTick(() => note('its tick'))
}, 800)
setTimeout(() => {
  note('macrotask two')
  let count = 0
  const interval = setInterval(() => {
    note(`interval ${++count}`)
    if (count === 1) setTimeout(() => { throw new Error('an interval must survive this') })
    if (count === 3) {
      clearInterval(interval)
      wait(20, 'value').then((value) => {
        note(`promised ${value}`)
        for (const text of log) console.log(text)
        process.exit()
      })
    }
  }, 60)
}, 820)

process.nextTick(() => note('tick'))
Promise.resolve().then(() => {
  note('microtask')
  process.nextTick(() => note('tick from a microtask'))
}).then(() => note('second microtask'))
queueMicrotask(() => note('queued microtask'))
note('synchronous')

process.on('uncaughtException', (error) => note(`uncaught: ${error.message}`))

const { setTimeout: wait } = require('timers/promises')
try { setTimeout('code') } catch (error) { note(error.code) }
