export default await 'late'
