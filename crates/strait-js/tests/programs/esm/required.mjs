export default 'required'
