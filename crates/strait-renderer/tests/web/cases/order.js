// HTML, 8.1.7 "Event loops": each message is a task of its own on the port message queue.

test('tasks', 'a handler runs after the task that posted', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onmessage = () => log.push('message')
  port1.postMessage(0)
  Promise.resolve().then(() => log.push('microtask'))
  queueMicrotask(() => log.push('second microtask'))
  log.push('script')
  await t.settled()
  list(log, ['script', 'microtask', 'second microtask', 'message'])
})

test('tasks', 'microtasks of a handler run before the next message', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onmessage = ({ data }) => {
    log.push(data)
    Promise.resolve()
      .then(() => log.push(`${data}a`))
      .then(() => log.push(`${data}b`))
  }
  for (const i of [1, 2, 3]) port1.postMessage(i)
  await t.settled()
  list(log, [1, '1a', '1b', 2, '2a', '2b', 3, '3a', '3b'])
})

test('tasks', 'microtasks run after each listener', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('message', () => {
    log.push('first')
    queueMicrotask(() => log.push('microtask'))
  })
  port2.addEventListener('message', () => log.push('second'))
  port2.start()
  port1.postMessage(0)
  await t.settled()
  list(log, ['first', 'microtask', 'second'])
})

test('tasks', 'no microtask runs inside dispatchEvent of a program', (t) => {
  const { port1 } = t.channel()
  const log = []
  port1.addEventListener('message', () => {
    log.push('first')
    queueMicrotask(() => log.push('microtask'))
  })
  port1.addEventListener('message', () => log.push('second'))
  port1.dispatchEvent(new MessageEvent('message'))
  list(log, ['first', 'second'])
})

test('tasks', 'an async handler goes on before the next message', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onmessage = async ({ data }) => {
    log.push(`${data} begins`)
    await null
    log.push(`${data} goes on`)
    await null
    log.push(`${data} ends`)
  }
  port1.postMessage(1)
  port1.postMessage(2)
  await t.settled()
  list(log, ['1 begins', '1 goes on', '1 ends', '2 begins', '2 goes on', '2 ends'])
})

test('tasks', 'a posting handler does not run inside the post', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port1.onmessage = ({ data }) => log.push(`answer ${data}`)
  port2.onmessage = ({ data }) => {
    log.push(`asked ${data}`)
    port2.postMessage(data)
    log.push(`answered ${data}`)
  }
  port1.postMessage(1)
  await t.settled()
  list(log, ['asked 1', 'answered 1', 'answer 1'])
})

test('tasks', 'a promise that a message resolves is seen before the next message', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  const next = () => new Promise((resolve) => port2.addEventListener('message', (event) => resolve(event.data), { once: true }))
  port2.start()
  port1.postMessage(1)
  port1.postMessage(2)
  port1.postMessage(3)
  for (let i = 0; i < 3; i++) log.push(await next())
  list(log, [1, 2, 3])
})

test('tasks', 'ports of one page hear in the order of the posts', async (t) => {
  const channels = [t.channel(), t.channel(), t.channel()]
  const log = []
  channels.forEach(({ port2 }, i) => (port2.onmessage = ({ data }) => log.push(`${i} ${data}`)))
  const expected = []
  for (let round = 0; round < 4; round++) {
    for (const i of [2, 0, 1]) {
      channels[i].port1.postMessage(round)
      expected.push(`${i} ${round}`)
    }
  }
  await t.settled()
  // Each port's own order is the standard's; the order between ports is the implementation's.
  for (let i = 0; i < 3; i++) {
    const own = (entries) => entries.filter((entry) => entry.startsWith(`${i} `))
    list(own(log), own(expected))
  }
})

test('tasks', 'timers run while a port is kept busy', async (t) => {
  const { port1, port2 } = t.channel()
  let turns = 0
  let stopped = false
  port1.onmessage = () => {
    turns++
    if (!stopped) port1.postMessage(0)
  }
  port2.onmessage = () => port2.postMessage(0)
  port1.postMessage(0)
  // Timers run, and the messages go round: which of them more often is the implementation's choice.
  for (let i = 0; i < 10; i++) await t.task()
  while (turns < 10) await t.task()
  stopped = true
})

test('tasks', 'messages arrive while timers keep the page busy', async (t) => {
  const { port1, port2 } = t.channel()
  let stopped = false
  const spin = () => {
    if (!stopped) setTimeout(spin, 0)
  }
  for (let i = 0; i < 5; i++) spin()
  for (let i = 0; i < 20; i++) {
    port1.postMessage(i)
    equal((await t.receive(port2)).data, i)
  }
  stopped = true
})

test('tasks', 'setTimeout(0) of a handler runs after its microtasks', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  const done = new Promise((resolve) => {
    port2.onmessage = () => {
      setTimeout(() => {
        log.push('timer')
        resolve()
      }, 0)
      queueMicrotask(() => log.push('microtask'))
      log.push('handler')
    }
  })
  port1.postMessage(0)
  await done
  list(log, ['handler', 'microtask', 'timer'])
})

test('tasks', 'nothing is delivered inside a call into the platform', async (t) => {
  const { port1, port2 } = t.channel()
  let heard = 0
  port2.onmessage = () => heard++
  port1.postMessage(0)
  structuredClone({ a: [1, 2, 3] })
  new MessageChannel().port1.postMessage(0)
  for (let i = 0; i < 1000; i++) new EventTarget().dispatchEvent(new Event('x'))
  equal(heard, 0)
  await t.settled()
  equal(heard, 1)
})

test('tasks', 'a close is a task of its own', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onmessage = () => {
    log.push('message')
    queueMicrotask(() => log.push('microtask'))
  }
  port2.onclose = () => log.push('close')
  port1.postMessage(0)
  port1.close()
  log.push('script')
  await t.settled()
  list(log, ['script', 'message', 'microtask', 'close'])
})

test('tasks', 'microtasks run after each listener for close', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onclose = () => {
    log.push('first')
    queueMicrotask(() => log.push('microtask'))
  }
  port2.addEventListener('close', () => log.push('second'))
  port1.close()
  await t.settled()
  list(log, ['first', 'microtask', 'second'])
})
