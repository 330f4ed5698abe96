'use strict'
// Waits for the end of a stream
// (https://nodejs.org/api/stream.html#streamfinishedstream-options-callback), and signals that end
// a stream.

const { coded, wrongType } = require('strait:errors')

const isStream = (/** @type {any} */ value) => Boolean(value && (value._readableState || value._writableState || (typeof value.write === 'function' && typeof value.on === 'function') || (typeof value.pipe === 'function' && typeof value.on === 'function')))
const canRead = (/** @type {any} */ stream) => Boolean(stream._readableState ? stream._readableState.readable !== false : typeof stream.pipe === 'function' && typeof stream.on === 'function')
const canWrite = (/** @type {any} */ stream) => Boolean(stream._writableState ? stream._writableState.writable !== false : typeof stream.write === 'function' && typeof stream.on === 'function')

const early = () => coded(Error, 'ERR_STREAM_PREMATURE_CLOSE', 'Premature close')
const aborted = (/** @type {any} */ signal) => Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' })

/** @param {any} signal */
const checkSignal = (signal) => {
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) throw wrongType('signal', 'an instance of AbortSignal', signal)
}

/**
 * Calls back once when the stream has ended, failed or closed. Returns a function that cancels
 * this.
 * @param {any} stream @param {any} options @param {any} [callback]
 */
const finished = (stream, options, callback) => {
  if (typeof options === 'function') [options, callback] = [{}, options]
  options ??= {}
  if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback)
  if (!isStream(stream)) throw wrongType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream)
  if (options.signal !== undefined) checkSignal(options.signal)
  const reading = stream._readableState
  const writing = stream._writableState
  const waitsForRead = options.readable ?? canRead(stream)
  const waitsForWrite = options.writable ?? canWrite(stream)
  let isDone = false
  const done = (/** @type {any[]} */ ...error) => {
    if (isDone) return
    isDone = true
    stopSignal()
    callback.apply(stream, error)
  }
  const hasWritten = () => Boolean(!writing || stream.writableFinished || writing.finished)
  const hasRead = () => Boolean(!reading || reading.endEmitted)
  let isWritten = Boolean(writing && stream.writableFinished)
  let isRead = Boolean(reading && reading.endEmitted)
  /** Whether the stream emits 'close' after everything else. */
  const closes = [reading, writing].some((state) => state?.autoDestroy && state.emitClose && !state.closed) && canRead(stream) === waitsForRead && canWrite(stream) === waitsForWrite

  const onFinish = () => {
    isWritten = true
    if (stream.destroyed && !closes) return done()
    if (closes && (!stream.readable || waitsForRead)) return undefined
    if (!waitsForRead || isRead) done()
    return undefined
  }
  const onEnd = () => {
    isRead = true
    if (closes && (!stream.writable || waitsForWrite)) return
    if (!waitsForWrite || isWritten) done()
  }
  const onError = (/** @type {any} */ error) => done(error)
  const onClose = () => {
    const failed = writing?.errored ?? reading?.errored
    if (failed && typeof failed !== 'boolean') return done(failed)
    if (waitsForRead && !isRead && reading && !hasRead()) return done(early())
    if (waitsForWrite && !isWritten && !hasWritten()) return done(early())
    return done()
  }

  stream.on('end', onEnd)
  stream.on('finish', onFinish)
  if (options.error !== false) stream.on('error', onError)
  stream.on('close', onClose)
  const stop = () => {
    isDone = true
    stopSignal()
    stream.removeListener('end', onEnd)
    stream.removeListener('finish', onFinish)
    stream.removeListener('error', onError)
    stream.removeListener('close', onClose)
  }
  const { signal } = options
  const onAbort = () => {
    const told = callback
    stop()
    told.call(stream, aborted(signal))
  }
  const stopSignal = () => signal?.removeEventListener('abort', onAbort)
  if (signal?.aborted) process.nextTick(onAbort)
  else signal?.addEventListener('abort', onAbort)

  if (reading?.closed || writing?.closed || reading?.errorEmitted || writing?.errorEmitted) {
    if (reading?.closeEmitted || writing?.closeEmitted || reading?.errorEmitted || writing?.errorEmitted || !closes) process.nextTick(onClose)
  } else if ((!waitsForRead || hasRead()) && (!waitsForWrite || hasWritten()) && !closes && (reading || writing)) {
    process.nextTick(onClose)
  }
  return stop
}

/** @param {any} signal @param {any} stream */
const addAbortSignal = (signal, stream) => {
  checkSignal(signal)
  if (!isStream(stream)) throw wrongType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream)
  const onAbort = () => stream.destroy(aborted(signal))
  if (signal.aborted) onAbort()
  else {
    signal.addEventListener('abort', onAbort)
    finished(stream, () => signal.removeEventListener('abort', onAbort))
  }
  return stream
}

module.exports = { finished, addAbortSignal, isStream, canRead, canWrite, early, aborted }
