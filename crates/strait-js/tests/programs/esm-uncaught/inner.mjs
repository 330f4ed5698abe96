import './cycle.cjs'
import './main.mjs'
