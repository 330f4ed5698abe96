/** Prints what V8 writes for every entry of the table: `name<TAB>hex`. */
'use strict';

const { v8Encode } = require('./harness.js');
const table = require('./table.js');

for (const [name, make] of Object.entries(table)) console.log(`${name}\t${v8Encode(make()).toString('hex')}`);
