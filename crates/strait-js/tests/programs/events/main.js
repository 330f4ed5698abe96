const EventEmitter = require('events')
const assert = require('assert')
const util = require('util')
const e = new EventEmitter()
const seen = []
const push = (text) => () => seen.push(text)

e.on('a', push('first'))
e.prependListener('a', push('before'))
e.once('a', push('once'))
assert.strictEqual(e.emit('a'), true)
e.emit('a')
assert.strictEqual(e.emit('nothing'), false)
console.log(seen.splice(0).join(' '))

// A listener that is removed while the event is emitted still hears it; one that is added does not.
const late = push('late')
const b = () => { seen.push('b'); e.off('x', c); e.on('x', late) }
const c = () => seen.push('c')
e.on('x', b).on('x', c)
e.emit('x')
e.emit('x')
console.log(seen.splice(0).join(' '))

console.log(e.listenerCount('x'), e.eventNames(), e.rawListeners('a').length, e.listeners('x')[0] === b)
e.removeAllListeners('x')
console.log(e.listenerCount('x'))

try { e.emit('error', new TypeError('given')) } catch (error) { console.log(error.name, error.message) }
try { e.emit('error', 'text') } catch (error) { console.log(error.code, error.message) }
try { e.on('y', null) } catch (error) { console.log(error.code) }
for (const wrong of [undefined, 5, 'a string that goes on and on and on', 7n, true, Symbol('s'), [], new Map()]) {
  try { e.once('y', wrong) } catch (error) { console.log(error.message) }
}

const f = new EventEmitter()
f.on('newListener', (name) => seen.push(`new ${String(name)}`))
f.on('removeListener', (name) => seen.push(`removed ${String(name)}`))
const g = () => {}
f.on('z', g).off('z', g)
f.once('z', g).emit('z')
console.log(seen.splice(0).join(', '))

// Old style inheritance, and classes.
function Old () { EventEmitter.call(this) }
util.inherits(Old, EventEmitter)
const old = new Old()
old.on('q', function (value) { console.log('old', value, this === old) })
old.emit('q', 1)
class New extends EventEmitter {}
new New().on('q', (value) => console.log('new', value)).emit('q', 2)
console.log(new Old() instanceof EventEmitter, EventEmitter.EventEmitter === EventEmitter, EventEmitter.defaultMaxListeners)

;(async () => {
  const h = new EventEmitter()
  process.nextTick(() => h.emit('go', 1, 2))
  console.log(await EventEmitter.once(h, 'go'))
  process.nextTick(() => h.emit('error', new Error('instead')))
  await EventEmitter.once(h, 'go').catch((error) => console.log('rejected', error.message))
  process.nextTick(() => { h.emit('n', 1); h.emit('n', 2) })
  for await (const [value] of EventEmitter.on(h, 'n')) {
    console.log('iterated', value)
    if (value === 2) break
  }
  console.log(h.listenerCount('n'), h.listenerCount('error'))
  process.exit()
})()
