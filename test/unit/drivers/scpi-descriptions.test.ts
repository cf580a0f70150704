/** Description files: those that come with Fernlab, a lab builder's own, wrong ones, and the bytes that they make. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driverFolder } from '@fernlab/edge/drivers/described/models'
import { fill, formatValue, parseValue } from '@fernlab/edge/drivers/described/templates'
import { descriptionJsonSchema, parseDescription } from '@fernlab/edge/drivers/scpi/description'
import { createScpiDriver } from '@fernlab/edge/drivers/scpi/scpi'
import { instrumentSpecSchema } from '@fernlab/shared/capabilities/signals'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('SCPI descriptions')
const never = new AbortController().signal

const good = `title: A meter
source: Its manual, page 3
identity: ^ACME,
settings:
  channel: { type: integer, minimum: 1, maximum: 4, default: 2 }
modes:
  volts: ['FUNC VOLT', 'CHAN {channel}']
signals:
  voltage: { unit: mV, scale: 1000, query: 'READ?', mode: volts }
  level: { unit: V, set: 'LEV{channel} {value}', query: 'LEV{channel}?', decimals: 2, limits: { low: 0, high: 5 } }
  filter: { dtype: string, set: 'FILT {value}', query: 'FILT?', words: { slow: [SLOW, SLO], fast: FAST } }
actions:
  zero: { arguments: { count: { type: integer, minimum: 1, maximum: 9 } }, commands: ['ZERO {count}'] }
variants:
  - when: { channel: 4 }
    limits: { level: { low: 0, high: 1 } }
`

/** Answers by line; keeps what was sent, without what synchronises and looks for errors. */
function wire(answers: Readonly<Record<string, string>>) {
  const sent: string[] = []
  let mask = '0'
  const openTransport = async () => {
    let listener: (bytes: Uint8Array) => void = () => {}
    const answer = (text: string) => queueMicrotask(() => listener(new TextEncoder().encode(`${text}\n`)))
    return {
      write: async (bytes: Uint8Array) => {
        const line = new TextDecoder().decode(bytes).trimEnd()
        if (line.startsWith('*ESE ')) mask = line.slice(5)
        else if (line === '*ESE?') answer(mask)
        else if (/^:?SYST:ERR\?$/.test(line)) answer(answers[line] ?? '0,"No error"')
        else {
          if (line !== '*IDN?') sent.push(line)
          const reply = answers[line]
          if (reply !== undefined) answer(reply)
        }
      },
      onData: (listen: typeof listener) => {
        listener = listen
      },
      onClose: () => {},
      close: async () => {},
    }
  }
  return { sent, openTransport }
}

const tcp = { kind: 'tcp', host: 'instrument.example', port: 5555 }
const make = (config: object, openTransport = wire({}).openTransport, configFolder = '.') =>
  createScpiDriver().create(
    { transport: tcp, ...config },
    { name: 'inst-1', clock: systemClock, log: silentLog, openTransport, configFolder },
  )

const issuesOf = (change: (text: string) => string) =>
  parseDescription(change(good), { file: 'my-meter.yaml' }).issues.map(
    ({ file, line, path, message }) => `${file}:${line} ${path}: ${message}`,
  )

test('every description that comes with Fernlab is valid, cites its source and makes an instrument', async () => {
  const folder = await driverFolder('scpi', 'models')
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'))
  assert.ok(files.length >= 7)
  const validate = new Ajv2020({ strict: false }).compile(descriptionJsonSchema())
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8')
    const { description, issues } = parseDescription(text, { file })
    assert.equal(issues, [])
    assert.ok((description?.source.length ?? 0) > 20, file)
    assert.ok(validate(parse(text)), `${file}: ${JSON.stringify(validate.errors)}`)
    const instrument = await make({ model: file.replace('.yaml', '') })
    assert.ok(instrumentSpecSchema.safeParse(instrument.spec).success, file)
    for (const signal of instrument.spec.signals) assert.ok(signal.title !== undefined, `${file} ${signal.name}`)
  }
})

test('a sound file has no issues, and a wrong one names file, line and path', () => {
  assert.equal(
    issuesOf((text) => text),
    [],
  )
  const cases: [from: string, to: string, issue: RegExp][] = [
    ['query: ', 'ask: ', /^my-meter\.yaml:9 signals\.voltage\.ask: unknown key/],
    ['mode: volts', 'mode: ohms', /^my-meter\.yaml:9 signals\.voltage\.mode: there is no mode ohms/],
    ["'LEV{channel} {value}'", "'LEV{chanel} {value}'", /^my-meter\.yaml:10 signals\.level\.set: \{chanel\}/],
    ["'LEV{channel} {value}'", "'LEV{channel}'", /^my-meter\.yaml:10 signals\.level\.set: lacks \{value\}/],
    ['unit: mV', 'unit: milliwatt', /^my-meter\.yaml:9 signals\.voltage\.unit: unknown unit/],
    ['fast: FAST', "fast: 'FAST;OUTP ON'", /^my-meter\.yaml:11 signals\.filter\.words\.fast: .*without ";"/],
    [
      '{ type: integer, minimum: 1, maximum: 9 }',
      '{ type: string, enum: ["1;*RST"] }',
      /^my-meter\.yaml:13 actions\.zero\.arguments\.count\.enum: .*without ";"/,
    ],
    ["'FILT {value}'", '"FILT {value}\\nOUTP ON"', /^my-meter\.yaml:11 signals\.filter\.set: must be one line/],
    [', words: { slow: [SLOW, SLO], fast: FAST }', '', /^my-meter\.yaml:11 signals\.filter: .*no free text/],
    [
      'type: integer, minimum: 1, maximum: 9',
      'type: string',
      /^my-meter\.yaml:13 actions\.zero\.arguments\.count: text needs an enum/,
    ],
    ['^ACME,', '"(?=ACME"', /^my-meter\.yaml:3 identity: /],
    ['when: { channel: 4 }', 'when: { chanel: 4 }', /^my-meter\.yaml:15 variants\[0\]\.when\.chanel: is not a setting/],
    [
      '{ level: { low: 0, high: 1 } }',
      '{ levle: { low: 0 } }',
      /^my-meter\.yaml:16 variants\[0\]\.limits\.levle: is not a signal/,
    ],
    ['low: 0, high: 5', 'low: 6, high: 5', /^my-meter\.yaml:10 signals\.level\.limits: low is above high/],
  ]
  for (const [from, to, issue] of cases) {
    const issues = issuesOf((text) => text.replace(from, to))
    assert.ok(
      issues.some((each) => issue.test(each)),
      `${to}: ${issues.join(' | ') || 'no issue'}`,
    )
  }
})

test('numbers survive the way to the instrument and back', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
      fc.constantFrom(1, 1000, 0.5),
      (value, scale) => {
        const signal = { unit: 'V', dtype: 'number', scale } as const
        const back = parseValue(signal, formatValue('x', signal, value), { instrument: 'x', command: 'X?' })
        assert.ok(Math.abs(Number(back) - value) <= 5.1e-9 * Math.abs(value) + 1e-300)
      },
    ),
  )
})

test('rounding does not take a value out of its limits', () => {
  const amps = { unit: 'A', dtype: 'number', decimals: 3, limits: { low: -0.0505, high: 0.0505 } } as const
  assert.is(formatValue('x', amps, 0.0505), '0.050')
  assert.is(formatValue('x', amps, -0.0505), '-0.050')
  assert.is(formatValue('x', amps, 0.0496), '0.050')
  assert.is(formatValue('x', amps, 0.0505, { low: 0.0502, high: 1 }), '0.051', 'limits of a variant')
  assert.is(formatValue('x', amps, 0.0504, { low: 0.0504, high: 1 }), '0.051')
  const milliamps = { ...amps, decimals: 1, scale: 0.001 }
  assert.is(formatValue('x', milliamps, 0.0505), '50.5')
  assert.is(formatValue('x', { ...milliamps, decimals: 0 }, 0.0505), '50')
})

test('the limits of a variant hold for what is sent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-model-'))
  try {
    await writeFile(join(folder, 'narrow.yaml'), good.replace('low: 0, high: 1 }', 'low: 0, high: 0.996 }'))
    const { sent, openTransport } = wire({ '*IDN?': 'ACME,M1,7,1.0' })
    const meter = await make({ model: './narrow.yaml', settings: { channel: 4 } }, openTransport, folder)
    await meter.open(never)
    await meter.set('level', 0.996, never)
    await meter.close()
    assert.equal(sent, ['LEV4 0.99'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a word that the description lacks never reaches the wire', () => {
  const signal = { unit: '1', dtype: 'string', words: { sine: 'SIN' } } as const
  assert.is(formatValue('shape', signal, 'sine'), 'SIN')
  for (const evil of ['sine;OUTP ON', 'SIN', '', 'sine\n*RST', '__proto__', 'constructor']) {
    assert.throws(() => formatValue('shape', signal, evil), undefined, evil)
  }
  assert.throws(() => formatValue('level', { dtype: 'number' }, Number.NaN))
  assert.throws(() => formatValue('level', { dtype: 'number' }, '5;*RST'))
})

test('text that is more than one argument never reaches the wire', () => {
  assert.is(fill('SHAP {shape}', { shape: 'SIN' }), 'SHAP SIN')
  for (const evil of ['SIN\nVOLT 30', 'SIN\rOUTP ON', 'SIN;VOLT 30', 'SIN\u0085', 'SI\0N']) {
    assert.throws(() => fill('SHAP {shape}', { shape: evil }), /is not one argument/, JSON.stringify(evil))
  }
  assert.throws(() => fill('SHAP {constructor}', {}), /has no value/)
})

test('a lab builder’s own file works from beside node.yaml, with settings, modes, variants and actions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-model-'))
  try {
    await writeFile(join(folder, 'my-meter.yaml'), good)
    const { sent, openTransport } = wire({
      '*IDN?': 'ACME,M1,7,1.0',
      'READ?': '+1.25E-03',
      'LEV4?': '0.50',
      'FILT?': 'SLO',
    })
    const meter = await make({ model: './my-meter.yaml', settings: { channel: 4 } }, openTransport, folder)
    assert.equal(meter.spec.signals.find((signal) => signal.name === 'level')?.limits, { low: 0, high: 1 })
    await meter.open(never)
    assert.equal([meter.disturbs?.('voltage'), meter.disturbs?.('level')], [true, false])
    const readings = await meter.read(['level', 'voltage', 'filter'], never)
    assert.equal(Object.fromEntries(Object.entries(readings).map(([name, { value }]) => [name, value])), {
      level: 0.5,
      voltage: 1.25,
      filter: 'slow',
    })
    assert.is(meter.disturbs?.('voltage'), false, 'it measures it already')
    await meter.set('level', 0.123, never)
    await meter.set('filter', 'fast', never)
    await meter.call('zero', { count: 3 }, never)
    await meter.read(['voltage'], never)
    await meter.close()
    assert.equal(sent, [
      'LEV4?',
      'FILT?',
      'FUNC VOLT',
      'CHAN 4',
      'READ?',
      'LEV4 0.12',
      'FILT FAST',
      'ZERO 3',
      'FUNC VOLT',
      'CHAN 4',
      'READ?',
    ])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('what a DP832 is sent is what its programming guide says', async () => {
  const { sent, openTransport } = wire({
    '*IDN?': 'RIGOL TECHNOLOGIES,DP832,DP8C000000000,00.01.16',
    ':OUTP? CH2': 'ON',
    ':MEAS:ALL? CH2': '5.0114,0.1000,0.501',
    ':SOUR2:VOLT?': '5.000',
  })
  const supply = await make({ model: 'rigol-dp832', settings: { channel: 2 } }, openTransport)
  await supply.open(never)
  await supply.set('voltage', 5, never)
  await supply.set('output', true, never)
  const readings = await supply.read(
    ['output', 'measured_voltage', 'measured_current', 'measured_power', 'voltage'],
    never,
  )
  assert.is(readings.output?.value, true)
  assert.is(readings.measured_voltage?.value, 5.0114)
  assert.is(readings.measured_power?.value, 0.501)
  await supply.close()
  assert.equal(sent, [
    '*CLS',
    ':SYST:REM',
    ':SOUR2:VOLT 5.000',
    ':OUTP CH2,ON',
    ':OUTP? CH2',
    ':MEAS:ALL? CH2',
    ':SOUR2:VOLT?',
    ':OUTP CH2,OFF',
    ':SYST:LOC',
  ])
  const third = await make({ model: 'rigol-dp832', settings: { channel: 3 } })
  assert.equal(third.spec.signals.find((signal) => signal.name === 'voltage')?.limits, { low: 0, high: 5.3 })
})

test('a generator that counts from peak to peak is set in volts of amplitude', async () => {
  const { sent, openTransport } = wire({
    '*IDN?': 'Rigol Technologies,DG1022Z,DG1ZA0,03.01.12',
    ':SOUR1:VOLT?': '5.000000E+00',
  })
  const generator = await make({ model: 'rigol-dg1022z' }, openTransport)
  assert.ok(generator.spec.signals.find(({ name }) => name === 'shape')?.values?.includes('square'))
  await generator.open(never)
  await generator.set('amplitude', 2.5, never)
  await generator.set('shape', 'square', never)
  assert.is((await generator.read(['amplitude'], never)).amplitude?.value, 2.5)
  assert.equal(sent.slice(3, 5), [':SOUR1:VOLT 5', ':SOUR1:FUNC SQU'])
  await generator.close()
})

test('a refused setting is an error that names the command and the instrument’s words', async () => {
  const { openTransport } = wire({
    '*IDN?': 'Keysight Technologies,34465A,MY1,1',
    'SYST:ERR?': '-113,"Undefined header"',
  })
  const error = await rejection((await make({ model: 'keysight-34465a' }, openTransport)).open(never))
  assert.is(error.code, 'instrument-refused')
  assert.match(error.message, /inst-1 refused \*CLS: -113 Undefined header/)
})

test('another instrument at the address is refused, and a wrong model, setting or transport named', async () => {
  const { openTransport } = wire({ '*IDN?': 'RIGOL TECHNOLOGIES,DS1054Z,DS1,00.04' })
  const other = await rejection((await make({ model: 'rigol-dp832' }, openTransport)).open(never))
  assert.is(other.code, 'instrument-unexpected')
  assert.match(other.message, /DS1054Z/)
  assert.is((await rejection(make({ model: 'rigol-dp999' }))).code, 'description-missing')
  assert.is((await rejection(make({ model: './none.yaml' }))).code, 'description-missing')
  assert.equal(
    (await rejection(make({ model: 'rigol-dp832', settings: { channel: 9 } }))).issues[0]?.path,
    'settings.channel',
  )
  assert.equal(
    (await rejection(make({ model: 'rigol-dp832', settings: { chanel: 1 } }))).issues[0]?.path,
    'settings.chanel',
  )
  const paths = createScpiDriver().check({ model: '../../etc/passwd', transport: { kind: 'tcp', host: 'a', port: 0 } })
  assert.equal(paths.map((issue) => issue.path).sort(), ['model', 'transport.port'])
})

test('an error in a description is reported with its file and line when the node starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-model-'))
  try {
    await writeFile(join(folder, 'bad.yaml'), good.replace('unit: mV', 'unit: nonsense'))
    const error = await rejection(make({ model: './bad.yaml' }, wire({}).openTransport, folder))
    assert.is(error.code, 'description-wrong')
    assert.is(error.issues[0]?.file, './bad.yaml')
    assert.is(error.issues[0]?.line, 9)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
