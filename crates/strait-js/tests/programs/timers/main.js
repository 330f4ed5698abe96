const log = []
const note = (text) => log.push(text)

setTimeout(() => note('after 20'), 20)
setTimeout(() => note('after 10'), 10)
setTimeout((...args) => note(`arguments ${args}`), 30, 1, 'two')
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
}, 40)
setTimeout(() => note('macrotask two'), 40)

let count = 0
const interval = setInterval(() => {
  note(`interval ${++count}`)
  if (count === 3) clearInterval(interval)
}, 60)

process.nextTick(() => note('tick'))
Promise.resolve().then(() => {
  note('microtask')
  process.nextTick(() => note('tick from a microtask'))
}).then(() => note('second microtask'))
queueMicrotask(() => note('queued microtask'))
note('synchronous')

setTimeout(() => { throw new Error('an interval must survive this') }, 90)
process.on('uncaughtException', (error) => note(`uncaught: ${error.message}`))

const { setTimeout: wait } = require('timers/promises')
wait(220, 'value').then((value) => {
  note(`promised ${value}`)
  for (const text of log) console.log(text)
  process.exit()
})
try { setTimeout('code') } catch (error) { note(error.code) }
