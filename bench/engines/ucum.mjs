// node ucum.mjs SECONDS FROM TO: @lhncbc/ucum-lhc, a unit read and a value converted.
import ucum from '@lhncbc/ucum-lhc'
import { rate } from './measure.mjs'

const [seconds, from, to] = process.argv.slice(2)
let number = 1
const utils = ucum.UcumLhcUtils.getInstance()
console.log(JSON.stringify({
  parse: rate(() => utils.validateUnitString(`${++number}.${from}`), Number(seconds)),
  convert: rate(() => utils.convertUnitTo(from, 5.4, to), Number(seconds)),
}))
