// A line.
const deep = () => { throw new TypeError("thrown") }
export default deep()
