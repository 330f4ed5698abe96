'use strict';
// MessagePorts between two threads of Node. Each line on standard input is a round, `round-trip SIZE COUNT` or `one-way SIZE COUNT`; the
// answer is the seconds it took, as a line of JSON.
const { Worker } = require('node:worker_threads');

const worker = new Worker(
  `
  const { parentPort } = require('node:worker_threads');
  let left = 0;
  parentPort.on('message', (message) => {
    if (typeof message === 'number') left = message;
    else if (left === 0) parentPort.postMessage(message);
    else if (--left === 0) parentPort.postMessage('all');
  });
  `,
  { eval: true },
);

/** @param {number} size @param {number} count */
function roundTrips(size, count) {
  return new Promise((resolve) => {
    const payload = new Uint8Array(size);
    const start = process.hrtime.bigint();
    worker.removeAllListeners('message');
    worker.on('message', () => {
      if (--count > 0) worker.postMessage(payload);
      else resolve(Number(process.hrtime.bigint() - start) / 1e9);
    });
    worker.postMessage(payload);
  });
}

/** @param {number} size @param {number} count */
function oneWay(size, count) {
  return new Promise((resolve) => {
    const payload = new Uint8Array(size);
    worker.removeAllListeners('message');
    worker.postMessage(count);
    const start = process.hrtime.bigint();
    worker.on('message', () => resolve(Number(process.hrtime.bigint() - start) / 1e9));
    for (let sent = 0; sent < count; sent++) worker.postMessage(payload);
  });
}

(async () => {
  for await (const line of require('node:readline').createInterface({ input: process.stdin })) {
    const [kind, size, count] = line.split(' ');
    const run = kind === 'round-trip' ? roundTrips : oneWay;
    console.log(JSON.stringify({ seconds: await run(Number(size), Number(count)) }));
  }
  await worker.terminate();
})();
