'use strict'
// Connects streams, iterables and generators in a row
// (https://nodejs.org/api/stream.html#streampipelinesource-transforms-destination-callback). If one
// fails, all are destroyed.

const { coded, received, wrongType } = require('strait:errors')
const { finished, isStream, canRead, canWrite, early, aborted } = require('strait:stream/finished')
const { Readable } = require('strait:stream/readable')
const { PassThrough } = require('strait:stream/duplex')
const { destroyed } = require('strait:stream/base')

const isIterable = (/** @type {any} */ value) => value !== null && value !== undefined && (typeof value[Symbol.asyncIterator] === 'function' || typeof value[Symbol.iterator] === 'function')

/**
 * Makes a function that destroys the stream if it has not ended. Later errors of the stream are
 * ignored.
 * @param {any} stream @param {boolean} reads @param {boolean} writes
 */
const destroyer = (stream, reads, writes) => {
  let isOver = false
  finished(stream, { readable: reads, writable: writes }, (/** @type {any} */ error) => { isOver = !error })
  stream.on('close', () => { isOver = true })
  return (/** @type {any} */ error) => {
    if (isOver) return
    isOver = true
    if (typeof stream.destroy === 'function') stream.destroy(error ?? destroyed('pipe'))
  }
}

/**
 * Writes all chunks of the source, and waits while the target is full.
 * @param {any} source @param {any} target @param {boolean} ends @param {(error?: any) => void} done
 */
const pump = async (source, target, ends, done) => {
  /** @type {any} */
  let failure
  /** @type {any} */
  let wake = null
  const resume = (/** @type {any} */ error) => {
    if (error) failure = error
    wake?.()
    wake = null
  }
  const room = () => new Promise((resolve, reject) => {
    if (failure) reject(failure)
    else wake = () => (failure ? reject(failure) : resolve(undefined))
  })
  target.on('drain', resume)
  const stop = finished(target, { readable: false }, (/** @type {any} */ error) => resume(error ?? early()))
  try {
    if (target.writableNeedDrain) await room()
    for await (const chunk of source) {
      if (failure) throw failure
      if (!target.write(chunk)) await room()
    }
    if (ends) target.end()
    if (ends && !target.writableFinished) {
      stop()
      await new Promise((resolve, reject) => finished(target, { readable: false }, (/** @type {any} */ error) => (error ? reject(error) : resolve(undefined))))
    }
    done()
  } catch (error) {
    done(failure ?? error)
  } finally {
    stop()
    target.off('drain', resume)
  }
}

/** @param {any[]} given */
const pipeline = (...given) => {
  const callback = given.pop()
  if (typeof callback !== 'function') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The "streams[stream.length - 1]" property must be of type function. ${received(callback)}`)
  return run(given, callback)
}

/**
 * @param {any[]} given @param {(error?: any, value?: any) => void} callback @param {any} [options]
 */
const run = (given, callback, options) => {
  const streams = given.length === 1 && Array.isArray(given[0]) ? given[0] : given
  if (streams.length < 2) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "streams" argument must be specified')
  const stopper = new AbortController()
  const outer = options?.signal
  /** @type {any} */
  let failure
  /** @type {any} */
  let value
  /** @type {((error: any) => void)[]} */
  const destroyers = []
  let open = 0
  const onAbort = () => settle(aborted(outer), true)
  const settle = (/** @type {any} */ error, /** @type {boolean} */ isLast) => {
    // A later error replaces a premature close, which may only be the effect of that error.
    if (error && (!failure || failure.code === 'ERR_STREAM_PREMATURE_CLOSE')) failure = error
    if (!failure && !isLast) return
    for (const destroy of destroyers.splice(0)) destroy(failure)
    outer?.removeEventListener('abort', onAbort)
    stopper.abort()
    if (isLast) process.nextTick(callback, failure, value)
  }
  let isTold = false
  const done = (/** @type {any} */ error) => {
    open--
    if (isTold) return
    if (open === 0) isTold = true
    settle(error, open === 0)
  }
  outer?.addEventListener('abort', onAbort)
  if (outer?.aborted) process.nextTick(onAbort)

  /** @type {any} */
  let flow
  streams.forEach((/** @type {any} */ stage, /** @type {number} */ index) => {
    const isLast = index === streams.length - 1
    const reads = !isLast
    const ends = reads || options?.end !== false
    if (isStream(stage)) {
      if (ends) destroyers.push(destroyer(stage, reads && canRead(stage), index > 0))
      // Errors of a stream after its partner has left are reported too.
      const onError = (/** @type {any} */ error) => { if (error && error.name !== 'AbortError' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') settle(error, false) }
      stage.on('error', onError)
      if (isLast) finished(stage, { readable: false, writable: true, error: false }, () => stage.off('error', onError))
    }
    if (index === 0) {
      if (typeof stage === 'function') {
        flow = stage({ signal: stopper.signal })
        if (!isIterable(flow)) throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected Iterable, AsyncIterable or Stream to be returned from the "source" function but got ${typeof flow}.`)
      } else if (isIterable(stage) || isStream(stage)) {
        flow = stage
      } else {
        throw wrongType('source', 'of type function or an instance of Stream, Iterable, or AsyncIterable', stage)
      }
    } else if (typeof stage === 'function') {
      const source = isIterable(flow) ? flow : new /** @type {any} */ (Readable)({ objectMode: true }).wrap(flow)
      flow = stage(source, { signal: stopper.signal })
      if (!isLast) {
        if (!isIterable(flow)) throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected AsyncIterable to be returned from the "transform[${index - 1}]" function but got ${typeof flow}.`)
        return
      }
      // The last stage returns a promise or an iterable.
      open++
      if (typeof flow?.then === 'function') {
        flow.then((/** @type {any} */ result) => {
          value = result
          process.nextTick(done, null)
        }, (/** @type {any} */ error) => process.nextTick(done, error))
        return
      }
      if (!isIterable(flow)) throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected AsyncIterable or Promise to be returned from the "destination" function but got ${typeof flow}.`)
      const end = new /** @type {any} */ (PassThrough)({ objectMode: true })
      destroyers.push(destroyer(end, false, true))
      pump(flow, end, true, done)
      flow = end
    } else if (isStream(stage)) {
      if (isStream(flow) && typeof flow.pipe === 'function') {
        open += 2
        flow.pipe(stage, { end: false })
        if (ends) {
          const onEnd = () => stage.end()
          if (flow.readableEnded) process.nextTick(onEnd)
          else flow.once('end', onEnd)
        } else {
          flow.once('end', () => done(undefined))
          open++
        }
        finished(flow, { readable: true, writable: false }, (/** @type {any} */ error) => {
          const state = flow._readableState
          // The stream was read to its end and then closed, which is not premature.
          if (error?.code === 'ERR_STREAM_PREMATURE_CLOSE' && state?.ended && !state.errored && !state.errorEmitted) flow.once('end', done).once('error', done)
          else done(error)
        })
        if (ends) finished(stage, { readable: false, writable: true }, done)
        else open--
      } else {
        open++
        pump(flow, stage, ends, done)
      }
      flow = stage
    } else {
      throw wrongType('streams', 'of type function or an instance of Stream, Iterable, or AsyncIterable', stage)
    }
  })
  return flow
}

module.exports = {
  pipeline,
  promised: (/** @type {any[]} */ ...given) => new Promise((resolve, reject) => {
    const last = given.at(-1)
    const options = last !== null && typeof last === 'object' && !isStream(last) && !isIterable(last) ? given.pop() : undefined
    run(given, (error, value) => (error ? reject(error) : resolve(value)), options)
  }),
}
