try { require('./main.mjs') } catch (error) { console.log(error.code) }
try { require('./inner.mjs') } catch (error) { console.log(error.code) }
