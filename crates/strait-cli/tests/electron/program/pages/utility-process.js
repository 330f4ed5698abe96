'use strict'
// https://www.electronjs.org/docs/latest/api/utility-process, parent-port. (What needs whole programs is in ../../../programs/utility.rs.)
const { app, MessageChannelMain, utilityProcess } = require('electron')

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

  /** What a child with these options says. */
  const said = async (t, text, options) => {
    const { child, over } = fork(t, `process.parentPort.postMessage(${text})`, ['a'], options)
    const [value] = await t.event(child, 'message')
    await over
    return value
  }

  test(['process.parentPort'], 'succeeds', 'children have a parent port, main and pages have none', async (t) => {
    t.equal(process.parentPort, undefined)
    t.equal(await said(t, 'typeof process.parentPort.postMessage'), 'function')
    const window = await t.page()
    t.equal(await t.run(window, () => typeof process.parentPort), 'undefined')
  })

  test(['env', 'execArgv', 'cwd', 'serviceName', 'stdio'].map((name) => `utilityProcess.${name}`), 'succeeds', 'options reach the child', async (t) => {
    t.deepEqual(await said(t, '{ ...process.env }', { env: { ONE: '1' } }), { ONE: '1' })
    t.deepEqual(await said(t, '[process.execArgv, typeof gc]', { execArgv: ['--expose-gc'] }), [['--expose-gc'], 'function'])
    t.deepEqual(await said(t, '[process.execArgv, typeof gc]', {}), [[], 'undefined'])
    t.equal(await said(t, 'process.cwd()', { cwd: '/' }), '/')
    t.equal(await said(t, 'process.title', { serviceName: 'named' }), 'named')
    const { child, over } = fork(t, 'console.error(5)', [], { stdio: ['ignore', 'ignore', 'pipe'] })
    const [chunk] = await t.event(child.stderr, 'data')
    t.deepEqual([child.stdout, String(chunk)], [null, '5\n'])
    t.equal(await over, 0)
  })

  test(['execArgv', 'cwd', 'serviceName', 'stdio'].map((name) => `utilityProcess.${name}`), 'fails', 'options of another kind are refused', async (t) => {
    const fails = (options, text) => t.throws(() => utilityProcess.fork('a.js', [], options), text)
    fails({ execArgv: '--x' }, 'execArgv must be an array of strings.')
    fails({ cwd: 1 }, 'cwd path must be a string.')
    fails({ serviceName: 1 }, 'serviceName must be a string.')
    fails({ stdio: 'ipc' }, 'stdio must be of the following values: inherit, pipe, ignore')
    const { over } = fork(t, '', [], { cwd: '/nowhere/at/all', stdio: 'ignore' })
    t.equal(await over, 1)
  })

  test('utilityProcess:error', 'succeeds', 'a script that uses up its memory is announced before its end', async (t) => {
    const { child, over } = fork(t, 'const all = []; for (;;) all.push({})', [], { execArgv: ['--max-old-space-size=32'], stdio: 'ignore' })
    const [type, location, report] = await t.event(child, 'error')
    t.equal(type, 'FatalError')
    t.ok(location.includes('out of memory'), location)
    t.equal(JSON.parse(report).header.trigger, 'OOMError')
    t.equal(await over, 6)
  })

  test('app:child-process-gone', 'succeeds', 'the program hears of children that end badly, and of no others', async (t) => {
    const heard = []
    const listener = (_event, details) => heard.push(details)
    app.on('child-process-gone', listener)
    t.after(() => app.off('child-process-gone', listener))
    const codes = [fork(t, EXITS, ['0']), fork(t, EXITS, ['3'], { serviceName: 'three' })].map(({ over }) => over)
    t.deepEqual(await Promise.all(codes), [0, 3])
    t.deepEqual(heard, [{ type: 'Utility', reason: 'abnormal-exit', exitCode: 3, serviceName: 'node.mojom.NodeService', name: 'three' }])
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
