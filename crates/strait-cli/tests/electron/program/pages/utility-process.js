'use strict'
// https://www.electronjs.org/docs/latest/api/utility-process, parent-port. (What needs whole programs is in ../../../programs/utility.rs.)
const { MessageChannelMain, utilityProcess } = require('electron')

const EXITS = 'process.exit(Number(process.argv[2]))'
const ECHO = "process.parentPort.on('message', ({ data, ports }) => process.parentPort.postMessage(data, ports))"

module.exports = (test) => {
  /** A child that runs this text, and the promise of its exit code. */
  const fork = (t, text, args, options) => {
    const child = utilityProcess.fork(t.file('child.js', text), args, options)
    return { child, over: t.event(child, 'exit').then(([code]) => code) }
  }
  /** Ends a child that runs. */
  const end = async (t, { child, over }) => {
    if (child.pid === undefined) await t.event(child, 'spawn')
    t.equal(child.kill(), true)
    t.equal(await over, 0)
  }

  test(['electron.utilityProcess', 'utilityProcess.fork', 'utilityProcess:spawn', 'utilityProcess:exit', 'utilityProcess.pid'], 'succeeds',
    'a script runs in a process of its own and its code is told', async (t) => {
      const { child, over } = fork(t, EXITS, ['7'])
      t.equal(child.pid, undefined)
      await t.event(child, 'spawn')
      t.ok(child.pid > 1 && child.pid !== process.pid)
      t.equal(await over, 7)
      await new Promise((resolve) => setImmediate(resolve))
      t.equal(child.pid, undefined)
    })

  test('utilityProcess.fork', 'fails', 'what it cannot use is refused', async (t) => {
    t.throws(() => utilityProcess.fork(''), 'Missing UtilityProcess entry script.')
    t.throws(() => utilityProcess.fork('a.js', [], { stdio: 'ipc' }), 'stdio must be of the following values: inherit, pipe, ignore')
    t.throws(() => utilityProcess.fork('a.js', [], { stdio: ['ignore', 'ignore'] }), 'configuration missing for stdin, stdout or stderr.')
    t.throws(() => utilityProcess.fork('a.js', { stdio: ['pipe', 'inherit', 'inherit'] }), 'stdin value other than ignore is not supported.')
    const missing = utilityProcess.fork('/nowhere/at/all.js', [], { stdio: 'ignore' })
    t.equal((await t.event(missing, 'exit'))[0], 1)
  })

  test(['utilityProcess.postMessage', 'utilityProcess:message', 'parentPort.postMessage', 'parentPort:message', 'electron/utility.MessageChannelMain'], 'succeeds',
    'values and ports go both ways, from before the process is there', async (t) => {
      const echo = fork(t, ECHO)
      const { port1, port2 } = new MessageChannelMain()
      echo.child.postMessage({ map: new Map([[1, 2n]]) }, [port1])
      const [{ map }, { ports: [port] }] = await t.event(echo.child, 'message')
      t.equal(map.get(1), 2n)
      const heard = t.event(port2, 'message')
      port2.start()
      port.postMessage('there and back')
      t.equal((await heard)[0].data, 'there and back')
      await end(t, echo)
      const own = fork(t, `const { port1, port2 } = new (require('electron').MessageChannelMain)()
        process.parentPort.postMessage('mine', [port1])
        port2.postMessage('from the child')`)
      const [, { ports: [theirs] }] = await t.event(own.child, 'message')
      const said = t.event(theirs, 'message')
      theirs.start()
      t.equal((await said)[0].data, 'from the child')
      t.equal(await own.over, 0)
    })

  test(['utilityProcess.postMessage', 'parentPort.postMessage'], 'fails', 'what cannot be cloned or transferred throws, here and there', async (t) => {
    const { child, over } = fork(t, `const failed = (...args) => { try { process.parentPort.postMessage(...args) } catch (error) { return String(error) } }
      process.parentPort.postMessage([failed(() => {}), failed(1, [null])])`)
    t.throws(() => child.postMessage(() => {}), 'An object could not be cloned.')
    t.throws(() => child.postMessage(1, [{}]), 'Port at index 0 is not a valid port')
    const [said] = await t.event(child, 'message')
    t.deepEqual(said, ['Error: An object could not be cloned.', 'TypeError: Port at index 0 is not a valid port'])
    t.equal(await over, 0)
  })

  test('utilityProcess.kill', 'succeeds', 'a child in an endless loop ends', async (t) => {
    const loop = fork(t, 'for (;;);')
    await end(t, loop)
  })

  test('utilityProcess.kill', 'fails', 'there is nothing to kill before and after', async (t) => {
    const { child, over } = fork(t, EXITS, ['0'])
    t.equal(child.kill(), false)
    await over
    t.equal(child.kill(), false)
  })

  test(['utilityProcess.stdout', 'utilityProcess.stderr'], 'succeeds', 'what it writes is read, where it is piped', async (t) => {
    const { child, over } = fork(t, "console.log('hello'); process.stderr.write('world')", [], { stdio: 'pipe' })
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr']) child[name].on('data', (chunk) => { said[name] += chunk.toString('utf8') })
    t.equal(await over, 0)
    t.deepEqual(said, { stdout: 'hello\n', stderr: 'world' })
    const plain = fork(t, '')
    t.deepEqual([plain.child.stdout, plain.child.stderr], [null, null])
    await plain.over
  })
}
