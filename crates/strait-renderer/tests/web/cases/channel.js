// HTML, 9.4.2 "Message channels" and the ports that a channel begins with.

test('message channels', 'two ports, always the same objects', (t) => {
  const channel = t.channel()
  equal(channel.port1, channel.port1)
  equal(channel.port2, channel.port2)
  ok(channel.port1 !== channel.port2, 'the ports are two')
  ok(channel instanceof MessageChannel, 'instanceof MessageChannel')
  ok(channel.port1 instanceof MessagePort && channel.port1 instanceof EventTarget, 'instanceof MessagePort')
  equal(channel.constructor, MessageChannel)
})

test('message channels', 'port1 and port2 cannot be assigned', (t) => {
  const channel = t.channel()
  const { port1 } = channel
  throws(TypeError, () => (channel.port1 = null))
  equal(channel.port1, port1)
  for (const name of ['port1', 'port2']) {
    const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(MessageChannel.prototype, name)
    ok(typeof get === 'function' && set === undefined && enumerable && configurable, `${name} is a read-only attribute`)
  }
})

test('message channels', 'the constructor needs new', () => {
  throws(TypeError, () => MessageChannel())
  throws(TypeError, () => MessageChannel.call(Object.create(MessageChannel.prototype)))
  throws(TypeError, () => Reflect.apply(MessageChannel, undefined, []))
})

test('message channels', 'a subclass makes working channels', async (t) => {
  class Own extends MessageChannel {
    hello() {
      return 'hello'
    }
  }
  const own = new Own()
  t.cleanup(() => own.port1.close())
  equal(own.hello(), 'hello')
  ok(own instanceof Own && own instanceof MessageChannel, 'instanceof')
  own.port1.postMessage('through')
  equal((await t.receive(own.port2)).data, 'through')
})

test('message channels', 'Reflect.construct with another prototype', async (t) => {
  const Other = function () {}
  const channel = Reflect.construct(MessageChannel, [], Other)
  equal(Object.getPrototypeOf(channel), Other.prototype)
  const { get } = Object.getOwnPropertyDescriptor(MessageChannel.prototype, 'port1')
  ok(get.call(channel) instanceof MessagePort, 'it is a channel all the same')
})

test('message ports', 'the constructor is illegal', () => {
  throws(TypeError, () => new MessagePort())
  throws(TypeError, () => MessagePort())
  throws(TypeError, () => new (class extends MessagePort {})())
})

test('message ports', 'both directions', async (t) => {
  const { port1, port2 } = t.channel()
  port1.postMessage('there')
  equal((await t.receive(port2)).data, 'there')
  port2.postMessage('back')
  equal((await t.receive(port1)).data, 'back')
})

test('message ports', 'channels do not hear each other', async (t) => {
  const [one, two] = [t.channel(), t.channel()]
  const heard = [t.watch(one.port2), t.watch(two.port2)]
  one.port1.postMessage(1)
  two.port1.postMessage(2)
  await t.settled()
  list(heard[0].log, [1])
  list(heard[1].log, [2])
})

test('message ports', 'toString and toStringTag', (t) => {
  const { port1 } = t.channel()
  equal(String(port1), '[object MessagePort]')
  equal(Object.prototype.toString.call(new MessageChannel()), '[object MessageChannel]')
  equal(MessagePort.prototype[Symbol.toStringTag], 'MessagePort')
  equal(MessageChannel.prototype[Symbol.toStringTag], 'MessageChannel')
  list(Object.getOwnPropertyNames(port1), [], 'own properties')
  list(Object.getOwnPropertySymbols(port1), [], 'own symbols')
})

test('message ports', 'ports take properties of the program', (t) => {
  const { port1 } = t.channel()
  port1.note = 'kept'
  equal(port1.note, 'kept')
  const frozen = Object.freeze(new MessageChannel().port1)
  frozen.onmessage = () => {}
  equal(typeof frozen.onmessage, 'function')
})

test('message ports', 'thousands of channels at once', async (t) => {
  const { port1, port2 } = t.channel()
  const channels = Array.from({ length: 2000 }, () => t.channel())
  let sum = 0
  const done = new Promise((resolve) => {
    let left = channels.length
    for (const channel of channels) {
      channel.port2.onmessage = ({ data }) => {
        sum += data
        if (--left === 0) resolve()
      }
    }
  })
  channels.forEach((channel, i) => channel.port1.postMessage(i))
  await done
  equal(sum, 1999000)
  port1.postMessage('and others go on')
  equal((await t.receive(port2)).data, 'and others go on')
})
