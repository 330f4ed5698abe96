// HTML, 10 "Web workers": ports in a worker's messages, seen from outside.

const worker = (t, script) => {
  const made = new Worker(URL.createObjectURL(new Blob([script])))
  t.cleanup(() => made.terminate())
  return made
}

test(
  'workers',
  'a port to a worker and back',
  async (t) => {
    const made = worker(t, 'onmessage = ({ ports: [port] }) => { port.onmessage = ({ data }) => port.postMessage(data + " echoed") }')
    const { port1, port2 } = t.channel()
    made.postMessage('take', [port2])
    port1.postMessage('hello')
    equal((await t.receive(port1)).data, 'hello echoed')
  },
  { needs: ['worker'] },
)

test(
  'workers',
  'a port from a worker',
  async (t) => {
    const made = worker(t, 'const { port1, port2 } = new MessageChannel(); port1.onmessage = ({ data }) => port1.postMessage(data + " answered"); postMessage({ port2 }, { transfer: [port2] })')
    const event = await t.next(made)
    equal(event.data.port2, event.ports[0])
    event.ports[0].postMessage('question')
    equal((await t.receive(event.ports[0])).data, 'question answered')
  },
  { needs: ['worker'] },
)

test(
  'workers',
  'errors of worker.postMessage consume nothing',
  async (t) => {
    const made = worker(t, '')
    const { port1, port2 } = t.channel()
    throwsClone(() => made.postMessage(() => {}, [port2]))
    throwsClone(() => made.postMessage(0, [port2, port2]))
    throws(TypeError, () => made.postMessage(0, [port2, 5]))
    throws(TypeError, () => made.postMessage())
    port1.postMessage('alive')
    equal((await t.receive(port2)).data, 'alive')
  },
  { needs: ['worker'] },
)
