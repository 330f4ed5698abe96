import { net, MessageChannelMain, MessagePortMain } from 'electron'
import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'

const say = (text) => parentPort.postMessage(text)
const error = (run) => { try { run(); return 'nothing' } catch (error) { return `${error.name}: ${error.message}` } }

say(`${process.type} ${error(() => net.request('x'))}`)
const { port1, port2 } = new MessageChannelMain()
const inner = new MessageChannelMain()
say(error(() => port1.postMessage({ port: inner.port1 })))
say(error(() => port1.postMessage(1, [port1])))
say(error(() => port1.postMessage(1, [{}])))
say(error(() => port1.postMessage(1, 'list')))
port1.postMessage({ number: 1 }, [inner.port1])
say(error(() => port1.postMessage(1, [inner.port1])))
port2.start()
const [{ data, ports }] = await once(port2, 'message')
say(`${data.number} ${ports[0] instanceof MessagePortMain}`)
ports[0].postMessage('through')
inner.port2.start()
say((await once(inner.port2, 'message'))[0].data)
const closed = once(inner.port2, 'close')
ports[0].close()
say((await closed)[0].reason)
const toMain = new MessageChannelMain()
const port = toMain.port2.toMessagePort()
say(error(() => toMain.port2.toMessagePort()))
parentPort.postMessage(port, [port])
toMain.port1.start()
toMain.port1.postMessage('from the worker')
// By the same port as the close, so that it comes first.
toMain.port1.postMessage(`answered ${(await once(toMain.port1, 'message'))[0].data}`)
toMain.port1.close()
