'use strict'
// `perf_hooks`: the page's own clock (https://nodejs.org/api/perf_hooks.html).

const { refusals } = require('strait:errors')
const { performance, PerformanceObserver, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserverEntryList } = globalThis

module.exports = {
  performance,
  PerformanceObserver,
  PerformanceEntry,
  PerformanceMark,
  PerformanceMeasure,
  PerformanceObserverEntryList,
  constants: {},
  ...refusals('perf_hooks', 'monitorEventLoopDelay createHistogram'),
}
