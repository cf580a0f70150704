/**
 * Units in UCUM spelling (https://ucum.org/ucum, case sensitive): prefixes, powers, products, quotients, brackets,
 * annotations, and the atoms in `unit-atoms.ts`. Plane angle has no dimension, as in the SI.
 */
import { LabError } from './lab-error.ts'
import { type Atom, atoms, dimensionNames, display, prefixes } from './unit-atoms.ts'

/** A unit: `si = value * factor + offset`, with the exponents of m, kg, s, A, K, mol, cd and level (B). */
export interface Unit {
  readonly factor: number
  readonly offset: number
  readonly dimension: readonly number[]
}

const NONE: Unit = { factor: 1, offset: 0, dimension: [0, 0, 0, 0, 0, 0, 0, 0] }
const MAX_LENGTH = 64

/** The unit that a UCUM term names; throws LabError `unknown-unit`. */
export function parseUnit(text: string): Unit {
  const unit = tryParseUnit(text)
  if (unit === undefined) {
    const shown = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text
    throw new LabError({
      code: 'unknown-unit',
      kind: 'caller',
      message: `${JSON.stringify(shown)} is not a known unit`,
    })
  }
  return unit
}

/** The unit that a UCUM term names, or undefined. */
export function tryParseUnit(text: string): Unit | undefined {
  if (text.length === 0 || text.length > MAX_LENGTH) return undefined
  const reader: Reader = { text, at: 0 }
  const unit = readTerm(reader, 0)
  return unit !== undefined && reader.at === text.length ? unit : undefined
}

interface Reader {
  readonly text: string
  at: number
}

function readTerm(reader: Reader, depth: number): Unit | undefined {
  if (depth > 8) return undefined
  let total: Unit | undefined
  let divide = false
  if (reader.text[reader.at] === '/') {
    total = NONE
    divide = true
    reader.at++
  }
  for (;;) {
    const next = readComponent(reader, depth)
    if (next === undefined) return undefined
    total = total === undefined ? next : multiply(total, power(next, divide ? -1 : 1))
    const operator = reader.text[reader.at]
    if (operator !== '.' && operator !== '/') return total
    divide = operator === '/'
    reader.at++
  }
}

function readComponent(reader: Reader, depth: number): Unit | undefined {
  if (reader.text[reader.at] === '(') {
    reader.at++
    const inner = readTerm(reader, depth + 1)
    if (inner === undefined || reader.text[reader.at] !== ')') return undefined
    reader.at++
    return power(inner, readExponent(reader) ?? 1)
  }
  const rest = reader.text.slice(reader.at)
  const ten = /^10[*^]([+-]?\d{1,3})/.exec(rest)
  if (ten) {
    reader.at += ten[0].length
    return { ...NONE, factor: 10 ** Number(ten[1]) }
  }
  const digits = /^\d{1,9}/.exec(rest)
  if (digits) {
    reader.at += digits[0].length
    const factor = Number(digits[0])
    return factor === 0 ? undefined : { ...NONE, factor }
  }
  const annotation = /^\{[^{}]*\}/.exec(rest)
  if (annotation) {
    reader.at += annotation[0].length
    return NONE
  }
  const symbol = /^(?:[A-Za-z%]|\[[^[\]]*\])+/.exec(rest)?.[0]
  if (symbol === undefined) return undefined
  const found = findAtom(symbol)
  if (found === undefined) return undefined
  reader.at += symbol.length
  const exponent = readExponent(reader)
  const trailing = /^\{[^{}]*\}/.exec(reader.text.slice(reader.at))
  if (trailing) reader.at += trailing[0].length
  const { atom, scale } = found
  const unit: Unit = { factor: atom.factor * scale, offset: atom.offset ?? 0, dimension: atom.dimension }
  return exponent === undefined ? unit : power(unit, exponent)
}

function readExponent(reader: Reader): number | undefined {
  const exponent = /^[+-]?\d{1,2}/.exec(reader.text.slice(reader.at))
  if (!exponent) return undefined
  reader.at += exponent[0].length
  return Number(exponent[0])
}

function findAtom(symbol: string): { atom: Atom; prefix: string; name: string; scale: number } | undefined {
  const whole = atoms[symbol]
  if (whole !== undefined) return { atom: whole, prefix: '', name: symbol, scale: 1 }
  for (const [prefix, scale] of Object.entries(prefixes)) {
    const name = symbol.slice(prefix.length)
    const atom = symbol.startsWith(prefix) ? atoms[name] : undefined
    if (atom?.metric === true) return { atom, prefix, name, scale }
  }
  return undefined
}

/** In a product or a power a temperature scale stands for its step: `Cel/s` is K/s. */
function multiply(a: Unit, b: Unit): Unit {
  return {
    factor: a.factor * b.factor,
    offset: 0,
    dimension: a.dimension.map((exponent, i) => exponent + (b.dimension[i] ?? 0)),
  }
}

function power(unit: Unit, exponent: number): Unit {
  if (exponent === 1) return unit
  return { factor: unit.factor ** exponent, offset: 0, dimension: unit.dimension.map((e) => e * exponent + 0) }
}

/** `value` in another unit of the same dimension; throws LabError `unit-mismatch` naming both dimensions. */
export function convert(value: number, from: string, to: string): number {
  if (from === to) return value
  const source = parseUnit(from)
  const target = parseUnit(to)
  if (!sameExponents(source, target)) {
    throw new LabError({
      code: 'unit-mismatch',
      kind: 'caller',
      message: `${from} is ${dimensionName(from)}, ${to} is ${dimensionName(to)}`,
      details: { from, to },
    })
  }
  if (source.offset === target.offset) return (value * source.factor) / target.factor
  return (value * source.factor + source.offset - target.offset) / target.factor
}

/** As {@link convert}, to fifteen digits: what a conversion adds behind them is no part of a value that people gave. */
export function convertTrimmed(value: number, from: string, to: string): number {
  return from === to ? value : Number(convert(value, from, to).toPrecision(15))
}

/** `value` as a step (an uncertainty, a rate, a range) in another unit: scales of temperature lose their zero. */
export function convertStep(value: number, from: string, to: string): number {
  convert(0, from, to)
  return (value * parseUnit(from).factor) / parseUnit(to).factor
}

/** True when values in one unit can be converted to the other; false for an unknown unit. */
export function sameDimension(a: string, b: string): boolean {
  const [first, second] = [tryParseUnit(a), tryParseUnit(b)]
  return first !== undefined && second !== undefined && sameExponents(first, second)
}

function sameExponents(a: Unit, b: Unit): boolean {
  return a.dimension.every((exponent, i) => exponent === b.dimension[i])
}

/** What the unit measures: `a voltage`; in base units where it has no name. */
export function dimensionName(unit: string): string {
  const { dimension } = parseUnit(unit)
  const name = dimensionNames.find(([, example]) => sameExponents(parseUnit(example), { ...NONE, dimension }))
  if (name !== undefined) return name[0]
  const base = ['m', 'kg', 's', 'A', 'K', 'mol', 'cd', 'B']
  const terms = dimension.flatMap((e, i) => (e === 0 ? [] : [`${base[i]}${e === 1 ? '' : e}`]))
  return `a quantity in ${terms.join('.')}`
}

/** Reads `200 ms`, `4.7 kΩ`, `21 °C`; the unit in UCUM spelling; undefined when it is not a number and a known unit. */
export function parseQuantity(text: string): { value: number; unit: string } | undefined {
  const match = /^\s*([+-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(\s*)(\S+)\s*$/u.exec(text.slice(0, 200))
  if (!match) return undefined
  const [, number = '', space = '', written = ''] = match
  if (!/^[A-Za-z%[°µμΩ]/u.test(written) && !(space !== '' && /^1?\//.test(written))) return undefined
  const unit = toUcum(written)
  const value = Number(number.replace('−', '-'))
  return tryParseUnit(unit) === undefined || !Number.isFinite(value) ? undefined : { value, unit }
}

function toUcum(written: string): string {
  return written
    .replace(/[µμ]/gu, 'u')
    .replace(/[ΩΩ]/gu, 'Ohm')
    .replaceAll('°C', 'Cel')
    .replaceAll('°F', '[degF]')
    .replaceAll('°', 'deg')
    .replaceAll('·', '.')
    .replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/gu, (digit) => (digit === '⁻' ? '-' : String(SUPERSCRIPTS.indexOf(digit))))
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** The unit as a person writes it: `Ω`, `µA`, `°C`, `µA/cm²`; empty for `1`. */
export function formatUnit(unit: string): string {
  if (unit === '1') return ''
  return unit
    .replace(/\{([^{}]*)\}/g, '$1')
    .replace(/((?:[A-Za-z%]|\[[^[\]]*\])+)([+-]?\d+)?/g, (whole, symbol: string, exponent: string | undefined) => {
      const found = findAtom(symbol)
      if (found === undefined) return whole
      const prefix = found.prefix === 'u' ? 'µ' : found.prefix
      return `${prefix}${display[found.name] ?? found.name}${exponent === undefined ? '' : superscript(exponent)}`
    })
    .replaceAll('.', '·')
}

function superscript(digits: string): string {
  return [...digits].map((digit) => (digit === '-' ? '⁻' : digit === '+' ? '' : SUPERSCRIPTS[Number(digit)])).join('')
}

export interface QuantityFormat {
  /** Standard uncertainty, in the same unit; decides the digits. */
  readonly uncertainty?: number
  /** Significant digits, where there is no uncertainty; 4 by default. */
  readonly precision?: number
}

const SPACE = '\u202f'

/**
 * As a person writes it: `1.002 ± 0.004 s`, `4.7 kΩ`, with a thin no-break space before the unit. A unit that is one
 * metric symbol gets the prefix that suits the value; else very large and small values get a power of ten.
 */
export function formatQuantity(value: number, unit: string, format: QuantityFormat = {}): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '—' : value > 0 ? '∞' : '−∞'
  const scaled = rescale(value, unit)
  const ratio = value === 0 ? 1 : scaled.value / value
  const { uncertainty } = format
  const known = uncertainty !== undefined && Number.isFinite(uncertainty) && uncertainty > 0
  const number = known
    ? withUncertainty(scaled.value, uncertainty * ratio)
    : significant(scaled.value, format.precision ?? 4)
  const symbol = formatUnit(scaled.unit)
  return `${number}${symbol === '' || symbol === '°' ? '' : SPACE}${symbol}`
}

function withUncertainty(value: number, uncertainty: number): string {
  const exponent = Math.floor(Math.log10(uncertainty))
  const lead = uncertainty / 10 ** exponent
  // Two digits where one would round too coarsely (GUM 7.2.6).
  const places = -exponent + (lead < 1.95 ? 1 : 0)
  if (places > 12 || Math.abs(value) >= 1e7) {
    const power = Math.floor(Math.log10(Math.max(Math.abs(value), uncertainty)))
    const inner = withUncertainty(value / 10 ** power, uncertainty / 10 ** power)
    return `(${inner}) × 10${superscript(String(power))}`
  }
  const digits = Math.max(0, places)
  return `${minus(value.toFixed(digits))} ± ${uncertainty.toFixed(digits)}`
}

function significant(value: number, digits: number): string {
  if (value === 0) return '0'
  const rounded = Number(value.toPrecision(Math.min(15, Math.max(1, digits))))
  const magnitude = Math.abs(rounded)
  if (magnitude >= 1e7 || magnitude < 1e-4) {
    const [mantissa = '', exponent = '0'] = rounded.toExponential().split('e')
    return `${minus(mantissa)} × 10${superscript(exponent)}`
  }
  return minus(String(rounded))
}

const minus = (text: string): string => text.replace('-', '−')

const STEPS: readonly (readonly [string, number])[] = [
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['', 0],
  ['m', -3],
  ['u', -6],
  ['n', -9],
  ['p', -12],
  ['f', -15],
]

function rescale(value: number, unit: string): { value: number; unit: string } {
  const magnitude = Math.abs(value)
  if (magnitude === 0 || (magnitude >= 1e-2 && magnitude < 1e4)) return { value, unit }
  const found = /^[A-Za-z]+$/.test(unit) ? findAtom(unit) : undefined
  if (found === undefined || found.atom.metric !== true || found.atom.offset !== undefined) return { value, unit }
  const start = STEPS.find(([prefix]) => prefix === found.prefix)
  if (start === undefined) return { value, unit }
  const wanted = Math.floor((Math.log10(magnitude) + start[1]) / 3) * 3
  const highest = found.name === 's' ? 0 : 9
  const target = STEPS.find(([, exponent]) => exponent === Math.min(highest, Math.max(-15, wanted)))
  if (target === undefined) return { value, unit }
  return { value: value * 10 ** (start[1] - target[1]), unit: `${target[0]}${found.name}` }
}
