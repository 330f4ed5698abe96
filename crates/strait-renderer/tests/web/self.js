// The harness itself: what must fail does.

test('harness', 'passes', async (t) => {
  const { port1, port2 } = t.channel()
  port1.postMessage(1)
  equal((await t.receive(port2)).data, 1)
  list([1, NaN, -0], [1, NaN, -0])
  throws(TypeError, () => null.x)
  throwsClone(() => structuredClone(() => {}))
})
test('harness', 'fails: not equal', () => equal(0, -0))
test('harness', 'fails: another list', () => list([1, 2], [1, 2, 3]))
test('harness', 'fails: an untrue condition', () => ok(0, 'nought'))
test('harness', 'fails: nothing is thrown', () => throws(TypeError, () => {}))
test('harness', 'fails: another error', () => throws(TypeError, () => new Array(-1)))
test('harness', 'fails: no DataCloneError', () => throwsClone(() => new URL('none')))
test('harness', 'fails: an exception', () => undefined.x)
test('harness', 'fails: a rejection', async () => {
  throw undefined
})
test('harness', 'fails: what never ends', (t) => t.receive(t.channel().port1))
test('harness', 'is left out', () => {}, { needs: ['nothing that there is'] })
