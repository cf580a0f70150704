/** Instruments over HTTP: what is sent, what is refused, what a bad server cannot do, and secrets that stay secret. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createHttpDriver } from '@fernlab/edge/drivers/http/http'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('instruments over HTTP', { timeoutMs: 15_000 })
const never = new AbortController().signal
const SECRET = 'sesame-4711'
let folder: string
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-http-'))
  await writeFile(join(folder, 'secret'), `${SECRET}\n`)
})
test.after(() => rm(folder, { recursive: true, force: true }))

interface Sent {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function listen(listener: RequestListener, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer(listener).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}
async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

const signals = { value: { read: { path: 'v', pointer: '/v' }, set: { path: 'v/{value}' } } }

/** An instrument on a server that answers as `answer` does; `sent` is what came. */
async function against<T>(
  answer: RequestListener,
  config: object,
  work: (instrument: Instrument, seen: { sent: Sent[]; server: Server; port: number }) => Promise<T>,
  log = recordingLog(),
): Promise<T> {
  const sent: Sent[] = []
  const { server, port } = await listen((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      sent.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
      answer(request, response)
    })
  })
  const openTransport = createOpenTransport({ clock: systemClock, log })
  const context = { name: 'inst', clock: systemClock, log, openTransport, configFolder: folder }
  const full = { url: `http://127.0.0.1:${port}/api/`, timeoutMs: 200, signals, ...config }
  try {
    const instrument = await createHttpDriver().create(full, context)
    try {
      return await work(instrument, { sent, server, port })
    } finally {
      await instrument.close()
    }
  } finally {
    await stop(server)
  }
}

const json =
  (value: unknown): RequestListener =>
  (_, response) =>
    response.end(JSON.stringify(value))
const opened = (instrument: Instrument) => instrument.open(never)

test('sends what the config says, typed, encoded and scaled, and reads by pointer and by pattern', async () => {
  const config = {
    headers: { 'X-Lab': 'fern' },
    auth: { kind: 'bearer', secretFile: './secret' },
    signals: {
      level: {
        unit: 'mV',
        scale: 1000,
        decimals: 2,
        read: { path: 'a', pointer: '/in~1out/1' },
        set: { path: 'a', json: { set: ['{value}', 'is {value}'], fixed: 3 } },
      },
      mode: {
        dtype: 'string',
        read: { path: 'a', pointer: '/mode' },
        words: { fast: 'F st', slow: 'S' },
        set: { method: 'POST', path: 'mode/{value}', text: 'M={value}' },
      },
      shown: { read: { path: 'a', pattern: '"mode":"(?P<x>[A-Z]).*"n":(?P<value>\\d+)' } },
    },
    actions: { go: { method: 'POST', path: 'go', arguments: { n: { type: 'integer' } }, json: { n: '{n}' } } },
  }
  await against(json({ 'in/out': [0, 1.5], mode: 'S', n: 42 }), config, async (instrument, { sent }) => {
    await opened(instrument)
    sent.length = 0
    const { level, mode, shown } = await instrument.read(['level', 'mode', 'shown'], never)
    assert.equal([level?.value, mode?.value, shown?.value], [1500, 'slow', 42])
    await instrument.set('level', 2345.678, never)
    await instrument.set('mode', 'fast', never)
    await instrument.call('go', { n: 7 }, never)
    assert.equal(
      sent.map(({ line, body }) => `${line} ${body}`),
      [
        'GET /api/a ',
        'PUT /api/a {"set":[2.35,"is 2.35"],"fixed":3}',
        'POST /api/mode/F%20st M=F st',
        'POST /api/go {"n":7}',
      ],
    )
    for (const { headers } of sent)
      assert.equal([headers['x-lab'], headers.authorization], ['fern', `Bearer ${SECRET}`])
  })
})

for (const [auth, header, value] of [
  [{ kind: 'basic', username: 'ada' }, 'authorization', `Basic ${Buffer.from(`ada:${SECRET}`).toString('base64')}`],
  [{ kind: 'header', name: 'X-Api-Key' }, 'x-api-key', SECRET],
] as const) {
  test(`a secret goes as ${auth.kind}, and into no log and no error`, async () => {
    const log = recordingLog()
    let status = 200
    const answer: RequestListener = (_, response) => {
      response.statusCode = status
      response.end('{"v":1}')
    }
    const config = { auth: { ...auth, secretFile: './secret' } }
    await against(
      answer,
      config,
      async (instrument, { sent, server }) => {
        await opened(instrument)
        assert.is(sent[0]?.headers[header], value)
        const errors: LabError[] = []
        for (status of [401, 404, 500]) errors.push(await rejection(instrument.read(['value'], never)))
        assert.equal(
          errors.map(({ code }) => code),
          ['instrument-credentials', 'instrument-refused', 'instrument-refused'],
        )
        await stop(server)
        errors.push(await rejection(instrument.read(['value'], never)))
        const all = JSON.stringify([
          log.lines,
          errors,
          errors.map(({ message, details, cause }) => [message, details, String(cause)]),
        ])
        assert.not(all.includes(SECRET) || all.includes(value), all)
      },
      log,
    )
  })
}

test('a redirect is not followed: nobody else is asked, nor told the secret', async () => {
  let asked = 0
  const other = await listen((_, response) => {
    asked += 1
    response.end('{"v":1}')
  })
  const answer: RequestListener = (_, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${other.port}/api/v` })
    response.end()
  }
  try {
    await against(answer, { auth: { kind: 'bearer', secretFile: './secret' } }, async (instrument) => {
      const error = await rejection(opened(instrument))
      assert.is(error.code, 'http-redirected')
      assert.match(error.message, /redirects to .*which is not followed/)
    })
    assert.is(asked, 0)
  } finally {
    await stop(other.server)
  }
})

test('an answer without end is cut off, and one that comes drop by drop ends with the deadline', async () => {
  const endless: RequestListener = (_, response) => {
    const more = () => {
      while (response.write('x'.repeat(10_000)));
      response.once('drain', more)
    }
    more()
  }
  const log = recordingLog()
  await against(
    endless,
    {},
    async (instrument) => {
      const error = await rejection(opened(instrument))
      assert.is(error.code, 'reply-garbled')
      assert.match(error.message, /more than 64 kB/)
    },
    log,
  )
  const dripping: RequestListener = (_, response) => {
    const timer = setInterval(() => response.write('1'), 20)
    response.once('close', () => clearInterval(timer))
  }
  await against(dripping, {}, async (instrument) => {
    const startedMs = performance.now()
    assert.is((await rejection(opened(instrument))).code, 'instrument-silent')
    assert.ok(performance.now() - startedMs < 1500)
  })
})

for (const [what, text] of [
  ['no JSON', '<html>'],
  ['another shape', '{"w":1}'],
  ['a list there', '{"v":[1]}'],
  ['no number', '{"v":"one"}'],
  ['null', '{"v":null}'],
] as const) {
  test(`an answer with ${what} is no reading`, async () => {
    await against(
      (_, response) => response.end(text),
      {},
      async (instrument) => {
        await opened(instrument)
        assert.is((await rejection(instrument.read(['value'], never))).code, 'reply-garbled')
      },
    )
  })
}

test('a server that goes away takes the instrument offline, and it comes back with it', async () => {
  await against(json({ v: 5 }), {}, async (instrument, { server, port }) => {
    await opened(instrument)
    const seen: boolean[] = []
    const back = new Promise<void>((resolve) => {
      instrument.onConnection?.((up) => {
        seen.push(up)
        if (up) resolve()
      })
    })
    await stop(server)
    assert.is((await rejection(instrument.read(['value'], never))).kind, 'link')
    assert.equal(seen, [false])
    const again = await listen(json({ v: 6 }), port)
    try {
      await back
      assert.is((await instrument.read(['value'], never)).value?.value, 6)
      assert.equal(seen, [false, true])
    } finally {
      await stop(again.server)
    }
  })
})

const good = { url: 'http://192.0.2.20/api/', signals }
const withSignal = (signal: object) => ({ ...good, signals: { a: signal } })
for (const [what, config, place, message] of [
  ['a password in the address', { ...good, url: 'http://ada:pw@192.0.2.20/' }, 'url', /use auth/],
  ['another kind of address', { ...good, url: 'file:///etc/passwd' }, 'url', /http:/],
  ['a secret among the headers', { ...good, headers: { Authorization: 'x' } }, 'headers.Authorization', /secretFile/],
  [
    'a path to elsewhere',
    withSignal({ read: { path: 'http://evil.example/', pointer: '' } }),
    'signals.a.read.path',
    /leads away/,
  ],
  [
    'a path to another host',
    withSignal({ read: { path: '//evil.example/', pointer: '' } }),
    'signals.a.read.path',
    /leads away/,
  ],
  [
    'a path above the address',
    withSignal({ read: { path: '/admin', pointer: '' } }),
    'signals.a.read.path',
    /leads away from http:\/\/192\.0\.2\.20\/api\//,
  ],
  [
    'a path that climbs out of an address without a slash at its end',
    { url: 'http://192.0.2.20/api', signals: { a: { read: { path: 'x/../../admin', pointer: '' } } } },
    'signals.a.read.path',
    /leads away/,
  ],
  ['pointer and pattern', withSignal({ read: { path: 'a', pointer: '/a', pattern: 'a' } }), 'signals.a.read', /either/],
  ['a pattern that goes back', withSignal({ read: { path: 'a', pattern: '(a)\\1' } }), 'signals.a.read.pattern', /./],
  ['a set without value', withSignal({ set: { path: 'a' } }), 'signals.a.set', /lacks/],
  [
    'a name that nothing fills',
    withSignal({ set: { path: 'a/{value}', json: { b: '{c}' } } }),
    'signals.a.set.json',
    /\{c\}/,
  ],
  ['free text', withSignal({ dtype: 'string', set: { path: '{value}' } }), 'signals.a', /needs words/],
] as const) {
  test(`refuses ${what}, with its place`, () => {
    assert.equal(createHttpDriver().check(good), [])
    const issues = createHttpDriver().check(config)
    assert.ok(
      issues.some((issue) => issue.path === place && message.test(issue.message)),
      JSON.stringify(issues),
    )
  })
}

test.run()
