import { loadConfig } from '@fernlab/edge/config/config'
import type { Driver } from '@fernlab/edge/drivers/driver'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { createMemoryDriver } from '../../support/edge/memory-driver.ts'
import { startTestNode } from '../../support/edge/node.ts'
import { suite } from '../../support/suite.ts'

const test = suite('node.yaml')
const head = 'site: s\nnode: n\nhub: {url: "mqtt://h:1"}\n'

const issuesOf = async (text: string): Promise<string[]> => {
  try {
    await loadConfig({ text }, [createMemoryDriver()])
  } catch (error) {
    return (error as LabError).message.split('\n')
  }
  return []
}

for (const [what, text, expected] of [
  [
    'two benches that claim one instrument',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b1: {parts: {x: a}}\n  b2: {parts: {y: a}}\n`,
    /^node\.yaml:8:\d+: benches\.b2\.parts\.y: instrument a is already claimed by bench b1/,
  ],
  [
    'one instrument as two parts of a bench',
    `${head}instruments:\n  a: {driver: memory, shared: true}\nbenches:\n  b: {parts: {x: a, y: a}, limits: {x.v: {high: 1}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.parts\.y: instrument a is part x of this bench already/,
  ],
  [
    'an instrument that is not there',
    `${head}instruments: {}\nbenches:\n  b1: {parts: {x: a}}\n`,
    /^node\.yaml:6:\d+: benches\.b1\.parts\.x: there is no instrument a/,
  ],
  [
    'an unknown driver',
    `${head}instruments:\n  a: {driver: magic}\n`,
    /^node\.yaml:5:\d+: instruments\.a\.driver: unknown driver magic; known are memory/,
  ],
  [
    'a setting that the driver does not know',
    `${head}instruments:\n  a: {driver: memory, config: {speed: 1}}\n`,
    /^node\.yaml:5:\d+: instruments\.a\.config\.speed: the memory driver has no settings/,
  ],
  [
    'a safe state of a part that is not there',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {z.v: 0}}\n`,
    /bench b has no part z/,
  ],
  [
    'a kind of check that there is not',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, checks: {net: {kind: reachabel}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.checks\.net\.kind: unknown kind of check reachabel; did you mean "reachable"\?; known are/,
  ],
  [
    'a check of a part that is not there',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {psu: a}, checks: {c: {kind: identify, config: {part: pus}}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.checks\.c\.config\.part: there is no part pus; did you mean "psu"\?$/,
  ],
  [
    'a misspelt setting of a check',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, checks: {c: {kind: reachable, evryS: 5, config: {host: h, port: 1}}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.checks\.c\.evryS: .*did you mean "everyS"\?/,
  ],
  [
    'a port that there is not',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, checks: {c: {kind: reachable, config: {host: h, port: 70000}}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.checks\.c\.config\.port: /,
  ],
  [
    'a protocol for another lab',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, labs: [rc], checks: {c: {kind: protocol, config: {lab: cr, protocol: p}}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.checks\.c\.config\.lab: the bench is not for cr; did you mean "rc"\?: see its labs$/,
  ],
  [
    'an expectation that nothing meets',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, checks: {c: {kind: protocol, config: {lab: l, protocol: p, expect: {tau: {low: 2, high: 1}}}}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.checks\.c\.config\.expect\.tau: low, 2, is above high, 1$/,
  ],
  [
    'a try that takes too long',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, checks: {c: {kind: reachable, timeoutS: 61, config: {host: h, port: 1}}}}\n`,
    /^node\.yaml:7:\d+: benches\.b\.checks\.c\.timeoutS: a check of kind reachable may take 60 s at most$/,
  ],
  ['a key twice', `${head}node: m\ninstruments: {}\n`, /^node\.yaml:4:1: the key node stands twice/],
  [
    'an interlock of a bench that is not there',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: c, when: x.current > 1}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.bench: there is no bench c/,
  ],
  [
    'an interlock over a part that is not there',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: y.current > 1}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.when: the bench has no part y/,
  ],
  [
    'an interlock that is no expression',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: x.current >}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.when: the expression "x\.current >" cannot be read/,
  ],
  [
    'an interlock over a variable',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: x.current > limit}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.when: limit is not known here/,
  ],
  [
    'an interlock over a record',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: mean(x.current) > 1}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.when: it asks for a record of x\.current/,
  ],
  [
    'an interlock that looks at nothing',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: 1 > 2}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.when: it looks at no signal/,
  ],
  [
    'an interlock without a bound',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: {signal: x.current}}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.when/,
  ],
  [
    'an interlock that has nothing to force',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}}\ninterlocks:\n  i: {bench: b, when: x.current > 1}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.bench: bench b has no safeState/,
  ],
  [
    'an interlock with a safe state of another bench',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: x.current > 1, safeState: {y.output: true}}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.safeState\.y\.output: the bench has no part y/,
  ],
  [
    'an interlock that sets what nothing takes back',
    `${head}instruments:\n  a: {driver: memory}\nbenches:\n  b: {parts: {x: a}, safeState: {x.output: false}}\ninterlocks:\n  i: {bench: b, when: x.current > 1, safeState: {x.voltage: 1}}\n`,
    /^node\.yaml:9:\d+: interlocks\.i\.safeState\.x\.voltage: bench b has no x\.voltage in its safeState/,
  ],
  ['an unknown key', `${head}instruments: {}\nbenchs: {}\n`, /benchs/],
] as const) {
  test(`${what} is one line with file, line and path`, async () => {
    const lines = await issuesOf(text)
    assert.is(lines.length, 1, lines.join('\n'))
    assert.match(lines[0] ?? '', expected)
  })
}

test('what is wrong in one entry does not hide what is wrong in the others', async () => {
  const instruments = '  a: {driver: memory, config: {speed: 1}}\n  b: {driver: magic}\n'
  const benches = '  b1: {parts: {x: c}}\n  b2: {prts: {}}\n'
  const lines = await issuesOf(`${head}instruments:\n${instruments}benches:\n${benches}`)
  for (const expected of [
    /:6:\d+: instruments\.b\.driver: unknown driver magic/,
    /:5:\d+: instruments\.a\.config\.speed/,
    /:8:\d+: benches\.b1\.parts\.x: there is no instrument c/,
    /:9:\d+: benches\.b2\.prts: unknown key/,
  ]) {
    assert.is(lines.filter((line) => expected.test(line)).length, 1, `${expected}\n${lines.join('\n')}`)
  }
})

test('a bench is not blamed for an instrument that cannot be read', async () => {
  const lines = await issuesOf(`${head}instruments:\n  a: {drivr: memory}\nbenches:\n  b1: {parts: {x: a}}\n`)
  assert.ok(lines.length > 0 && lines.every((line) => line.includes('instruments.a')), lines.join('\n'))
})

test('a shared instrument may serve two benches', async () => {
  assert.equal(
    await issuesOf(
      `${head}instruments:\n  a: {driver: memory, shared: true}\nbenches:\n  b1: {parts: {x: a}}\n  b2: {parts: {y: a}}\n`,
    ),
    [],
  )
})

test('a file that is not there is named', async () => {
  const error = (await loadConfig({ file: '/nowhere/node.yaml' }, []).catch((thrown) => thrown)) as LabError
  assert.match(error.message, /^\/nowhere\/node\.yaml:1:1: there is no such file/)
})

test('a safe state that an instrument can not take stops the start', async () => {
  const object = {
    site: 's',
    node: 'n',
    hub: { url: 'mqtt://h:1' },
    instruments: { a: { driver: 'memory' } },
    benches: { b: { parts: { x: 'a' }, safeState: { 'x.voltage': 12, 'x.current': 0, 'x.nothing': 0 } } },
  }
  const error = (await startTestNode(undefined, { config: { object } }).catch((thrown) => thrown)) as LabError
  assert.is(error.code, 'configuration-invalid')
  assert.equal(
    error.issues.map(({ path }) => path),
    ['benches.b.safeState.x.voltage', 'benches.b.safeState.x.current', 'benches.b.safeState.x.nothing'],
  )
})

const claiming: Driver = {
  ...createMemoryDriver(),
  kind: 'claims',
  check: () => [],
  claims: (config) =>
    Object.entries(config as Record<string, string>).map(([path, said]) => {
      const [key = '', sharedAs] = said.split('/')
      return { key, what: `the port ${key}`, path: [path], ...(sharedAs === undefined ? {} : { sharedAs }) }
    }),
}

const claimed = (...configs: object[]): Promise<string[]> => {
  const entries = configs.map((config, i) => `  i${i}: ${JSON.stringify({ driver: 'claims', config })}\n`)
  return loadConfig({ text: `${head}instruments:\n${entries.join('')}` }, [claiming]).then(
    () => [],
    (error: LabError) => error.message.split('\n'),
  )
}

test('refuses hardware that is claimed twice, by two instruments or by one, and names both places', async () => {
  assert.equal(await claimed({ port: 'a' }, { port: 'b' }), [])
  const [two = '', ...more] = await claimed({ port: 'a' }, { wire: 'a' })
  assert.match(
    two,
    /^node\.yaml:6:\d+: instruments\.i1\.config\.wire: the port a is claimed by instruments\.i0\.config\.port already$/,
  )
  assert.equal(more, [])
  assert.match(
    (await claimed({ port: 'a', other: 'a' }))[0] ?? '',
    /^node\.yaml:5:\d+: instruments\.i0\.config\.other: /,
  )
})

test('lets those have hardware together who share it in the same way', async () => {
  assert.equal(await claimed({ port: 'a/modbus' }, { port: 'a/modbus' }), [])
  assert.is((await claimed({ port: 'a/modbus' }, { port: 'a/lines' })).length, 1)
  assert.is((await claimed({ port: 'a/modbus' }, { port: 'a' })).length, 1)
})

test.run()
