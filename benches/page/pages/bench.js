// What every measuring page does: it fetches orders from the bench's server, measures, and posts the figure.
'use strict'

const LARGE = 1 << 20
const HUGE = 64 << 20

const request = id => ({ id, method: 'add', params: [1, 2] })

const isRequest = (data, id) => data.id === id && data.method === 'add' && data.params.length === 2 && data.params[1] === 2

/** Seconds from `begin` to the call of `done`; whatever it throws or rejects with ends the measurement. */
const timed = begin => new Promise((resolve, reject) => {
  const start = performance.now()
  begin(() => resolve((performance.now() - start) / 1000), text => reject(new Error(text)))
})

/** Notes the longest time between two turns of a 4 ms timer. */
const watchTimer = () => {
  let last = performance.now()
  let longest = 0
  const tick = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(tick, 4)
  return {
    /** From now on. */
    reset() { last = performance.now(); longest = 0 },
    /** Milliseconds, and the end of it. */
    stop() { tick(); clearInterval(timer); return longest }
  }
}

/** The pages are there, as they are in a buffer that a program has filled. */
const fill = buffer => {
  const bytes = new Uint8Array(buffer)
  for (let at = 0; at < bytes.length; at += 4096) bytes[at] = at >> 12
  return buffer
}

const isFilled = buffer => {
  const bytes = new Uint8Array(buffer)
  for (let at = 0; at < bytes.length; at += 4096) if (bytes[at] !== (at >> 12 & 255)) return false
  return bytes.length === HUGE
}

/** The longest gap of such a timer while nothing happens for a second. */
const quiet = async () => {
  const timer = watchTimer()
  await settled()
  timer.reset()
  await new Promise(resolve => setTimeout(resolve, 1000))
  return timer.stop() / 1000
}

/** Once a timer has found its pace. */
const settled = () => new Promise(resolve => setTimeout(resolve, 50))

/** What a measuring page can do with a port whose other end is served by `serve` or sends everything back. */
const withPort = {
  /** A small object there and back. */
  roundTrip: (port, count) => timed((done, fail) => {
    let id = 0
    port.onmessage = ({ data }) => {
      if (!isRequest(data, id)) fail('something else came back')
      else if (++id === count) done()
      else port.postMessage(request(id))
    }
    port.postMessage(request(id))
  }),

  /** The same, 64 under way. */
  stream: (port, count) => timed((done, fail) => {
    let sent = 0
    let seen = 0
    port.onmessage = ({ data }) => {
      if (!isRequest(data, seen)) fail('something else came back')
      if (++seen === count) done()
      else if (sent < count) port.postMessage(request(sent++))
    }
    while (sent < count && sent < 64) port.postMessage(request(sent++))
  }),

  /** 1 MiB there and back. */
  large: (port, count) => {
    const bytes = new Uint8Array(LARGE)
    return timed((done, fail) => {
      let round = 0
      const send = () => {
        bytes[0] = round
        bytes[LARGE - 1] = round + 1
        port.postMessage(bytes)
      }
      port.onmessage = ({ data }) => {
        if (data.length !== LARGE || data[0] !== bytes[0] || data[LARGE - 1] !== bytes[LARGE - 1]) fail('something else came back')
        else if (++round === count) done()
        else send()
      }
      send()
    })
  },

  /** A message with `count` objects of one shape, there and back. */
  rows: (port, count) => {
    const rows = Array.from({ length: count }, (_, id) => ({ id, name: `row ${id}`, value: id / 4 }))
    return timed((done, fail) => {
      port.onmessage = ({ data }) => {
        if (data.length !== count || data[count - 1].name !== rows[count - 1].name) fail('something else came back')
        else done()
      }
      port.postMessage(rows)
    })
  },

  /** The longest gap of a 4 ms timer while so many messages come in. */
  gap: async (port, count) => {
    const timer = watchTimer()
    await settled()
    await new Promise((resolve, reject) => {
      let seen = 0
      port.onmessage = ({ data }) => {
        if (!isRequest(data, seen)) reject(new Error('something else came'))
        if (++seen === count) resolve()
      }
      timer.reset()
      port.postMessage({ flood: count })
    })
    return timer.stop() / 1000
  },

  /** The longest gap of a 4 ms timer here while 64 MiB go out; and there, if the other end has one too. */
  hugeOut: async port => {
    const buffer = fill(new ArrayBuffer(HUGE))
    const timer = watchTimer()
    const answer = ask => new Promise(resolve => { port.onmessage = ({ data }) => resolve(data); ask() })
    await settled()
    // The other end's timer may need the same.
    await answer(() => port.postMessage({ watch: true }))
    timer.reset()
    const theirs = await answer(() => port.postMessage(buffer))
    const ours = timer.stop()
    if (typeof theirs !== 'number') throw new Error('something else came')
    return Math.max(ours, theirs) / 1000
  },

  /** The same while 64 MiB come in. */
  hugeIn: async port => {
    const timer = watchTimer()
    await settled()
    const buffer = await new Promise(resolve => {
      port.onmessage = ({ data }) => resolve(data)
      timer.reset()
      port.postMessage({ huge: HUGE })
    })
    const gap = timer.stop()
    if (!isFilled(buffer)) throw new Error('something else came')
    return gap / 1000
  },

  /** The longest gap of a 4 ms timer here while the other end is busy for so many milliseconds: are they two processes? */
  block: async (port, count) => {
    const timer = watchTimer()
    await settled()
    await new Promise(resolve => { port.onmessage = resolve; timer.reset(); port.postMessage({ block: count }) })
    return timer.stop() / 1000
  }
}

/** A channel for each request, its first reply, and its end; one after the other. `send(request, port)` takes a port to who answers. */
const create = (send, count) => timed((done, fail) => {
  let id = 0
  const next = () => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => {
      port1.close()
      if (!isRequest(data, id)) fail('something else came back')
      else if (++id === count) done()
      else next()
    }
    send(request(id), port2)
  }
  next()
})

/** Both ends in this page. */
const inPage = count => {
  const { port1, port2 } = new MessageChannel()
  port2.onmessage = ({ data }) => port2.postMessage(data)
  return withPort.roundTrip(port1, count).finally(() => port1.close())
}

/** The other side: sends back what comes, answers a request through the port in it, sends a flood when asked for one. */
const serve = port => {
  let timer
  port.onmessage = async ({ data, ports: [replies] }) => {
    if (replies !== undefined) {
      replies.postMessage(data)
      replies.close()
    } else if (data.flood) {
      for (let id = 0; id < data.flood; id++) port.postMessage(request(id))
    } else if (data.block) {
      const end = performance.now() + data.block
      while (performance.now() < end);
      port.postMessage(data)
    } else if (data.watch) {
      timer = watchTimer()
      await settled()
      timer.reset()
      port.postMessage(data)
    } else if (timer !== undefined) {
      const gap = timer.stop()
      timer = undefined
      port.postMessage(isFilled(data) ? gap : data)
    } else {
      port.postMessage(data)
    }
  }
}

/** Works off orders for ever. `measurements[what](count)` gives seconds, or a promise of them. */
const work = async measurements => {
  const who = new URLSearchParams(location.search).get('who')
  for (;;) {
    const order = await fetch(`next?who=${who}`, { cache: 'no-store' })
    if (order.status !== 200) continue
    const { what, count } = await order.json()
    let answer
    try {
      answer = { seconds: await measurements[what](count), visibility: document.visibilityState }
    } catch (error) {
      answer = { error: String(error) }
    }
    await fetch(`done?who=${who}`, { method: 'POST', body: JSON.stringify(answer) })
  }
}

// Main watches its timer in the same way.
if (typeof module === 'object') module.exports = { watchTimer }
