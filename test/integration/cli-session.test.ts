/** A session that is driven wholly from terminals: by its owner, by a partner, and by scripts. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Context } from 'fernlab/cli/context'
import { problemLines, statusOf } from 'fernlab/cli/problem'
import { createProgram } from 'fernlab/cli/program'
import * as assert from 'uvu/assert'
import { type Ended, fernlab } from '../support/command.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { suite } from '../support/suite.ts'

const test = suite('fernlab session', { timeoutMs: 90_000, hookTimeoutMs: 120_000 })
let hub: RunningFernlab
let scratch = ''
/** A student, by the environment of their terminal. */
let bo: Readonly<Record<string, string | undefined>>
let id = ''

interface TypedOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What is piped in. */
  readonly lines?: readonly string[]
  /** Calls back with what was written so far. */
  readonly onOutput?: (out: string, interrupt: () => void) => void
}

/** Runs a command as its program does, in this process: a process for each would take most of the time. */
async function run(args: readonly string[], { env = {}, lines = [], onOutput }: TypedOptions = {}): Promise<Ended> {
  let [out, err] = ['', '']
  const handlers: ((signal: NodeJS.Signals) => void)[] = []
  const context: Context = {
    terminal: {
      env: { ...hub.clientEnv, ...env },
      interactive: false,
      asks: false,
      piped: true,
      json: false,
      quiet: false,
      ascii: false,
      columns: 100,
      out: (line) => {
        out += `${line}\n`
        onOutput?.(out, () => handlers.at(-1)?.('SIGINT'))
      },
      print: (text) => {
        out += text
      },
      err: (line) => {
        err += `${line}\n`
      },
      status: () => {},
      progress: () => {},
      lines: () => Readable.from(lines),
      nextLine: async () => undefined,
      ask: () => Promise.reject(new Error('nobody is asked')),
    },
    signal: new AbortController().signal,
    onInterrupt: (handler) => {
      handlers.push(handler)
      return () => handlers.splice(handlers.indexOf(handler), 1)
    },
  }
  try {
    await createProgram(context, '0').parseAsync(args, { from: 'user' })
    return { code: 0, out, err }
  } catch (error) {
    const said = problemLines(asLabError(error)).join('\n')
    return { code: statusOf(error), out, err: `${err}${said}\n` }
  }
}

async function ok(args: readonly string[], options: TypedOptions = {}): Promise<string> {
  const { code, out, err } = await run(args, options)
  assert.is(code, 0, `fernlab ${args.join(' ')}\n${out}${err}`)
  return out
}

const json = async <T>(args: readonly string[], options?: TypedOptions): Promise<T> =>
  JSON.parse(await ok([...args, '--json'], options)) as T

const piped = (args: readonly string[], lines: readonly string[]): Promise<Ended> => run(args, { lines })

/** Somebody who joined by an invitation, at a terminal of their own. */
async function newStudent(name: string) {
  const link = (await ok(['user', 'invite', '--role', 'student', '--most', '1'])).trim()
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${hub.http}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: hub.http, ...headers },
      body: JSON.stringify(body),
    })
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
  const joined = await post('/api/v1/join', { token, name, email: 'bo@lab.example', password: 'a-long-password' })
  assert.is(joined.status, 201, await joined.clone().text())
  const cookie = joined.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const made = await post('/api/v1/tokens', { name: 'terminal', scopes: ['read', 'run'] }, { cookie })
  return { FERNLAB_TOKEN: ((await made.json()) as { token: string }).token }
}

test.before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-cli-session-'))
  hub = await startFernlab()
  bo = await newStudent('Bo Lindqvist')
})
test.after(async () => {
  await hub.cleanUp()
  rmSync(scratch, { recursive: true, force: true })
})

test('who waits is told place and reason as they change; Ctrl-C leaves the place, and says how it goes on', async () => {
  const benches = await json<{ id: string; parts: Record<string, unknown>; labs: string[] }[]>(['benches'])
  const bench = benches.find(({ parts }) => 'fgen' in parts)?.id ?? ''
  id = (await json<{ id: string }>(['session', 'start', 'rc-circuit', '--bench', bench])).id
  const start = ['session', 'start', 'rc-circuit', '--bench', bench]
  const waited = await run(start, { env: bo, onOutput: (out, interrupt) => /place 1/.test(out) && interrupt() })
  assert.is(waited.code, 130, waited.err)
  assert.match(waited.out, /^session \w{26} is waiting, place 1.*: /)
  assert.match(waited.err, /the place is kept for a minute\n +"fernlab session start rc-circuit" waits on/)
  const theirs = /session (\w{26})/.exec(waited.out)?.[1] ?? ''
  await ok(['session', 'finish', theirs], { env: bo })
})

test('controls are listed with units and limits; values are checked before they are sent, and read back', async () => {
  const controls = await ok(['session', 'controls', id])
  assert.match(controls, /^NAME +ACCESS +UNIT +TAKES/)
  assert.match(controls, /^psu\.voltage +read-set +V +0\.\.10 /m)
  assert.match(controls, /^psu\.output +read-set +on \| off/m)
  assert.match(controls, /^dmm\.voltage +read +V/m)
  await ok(['session', 'set', id, 'psu.voltage=2500 mV', 'psu.output=on'])
  assert.match(await ok(['session', 'read', id, 'psu.voltage']), /^psu\.voltage +2\.50* V\n$/)
  const { readings } = await json<{ readings: Record<string, { value: unknown; unit: string }> }>([
    ...['session', 'read', id, 'psu.voltage', 'psu.output'],
  ])
  assert.equal([readings['psu.voltage']?.value, readings['psu.output']?.value], [2.5, true])
  for (const [args, said] of [
    [['set', id, 'psu.voltage=99'], /^fernlab: psu\.voltage: 99 V is above the limit of 10 V\n$/],
    [['set', id, 'psu.volage=1'], /psu\.volage: there is no such signal; did you mean "psu.voltage"\?/],
    [['set', id, 'dmm.voltage=1'], /dmm\.voltage: can be read and not set/],
    [
      ['set', id, 'dmm.voltage=1', 'psu.output=2'],
      /2 values are wrong\n {2}dmm\.voltage: .*\n {2}psu\.output: must be/,
    ],
    [['call', id, 'psu.fly'], /there is no action psu\.fly/],
    [['give', id, 'Nobody'], /nobody here is called Nobody\n +Here: .*\(owner, /],
  ] as const) {
    const { code, err } = await run(['session', ...args])
    assert.is(code, 1, args.join(' '))
    assert.match(err, said)
  }
})

test('a partner comes by a link, talks, is given the controls and gives way; the line is there for who comes later', async () => {
  const { link } = await json<{ link: string }>(['session', 'link', id])
  assert.match(await ok(['session', 'join', link], { env: bo }), new RegExp(`^session ${id} is active`))
  assert.match((await run(['session', 'join', 'no-such-token'], { env: bo })).err, /this link leads to no open session/)
  assert.match((await run(['session', 'join'], { env: bo })).err, /session join asks for the link/)
  await ok(['session', 'chat', id, 'Try', '3', 'volts'])
  const refused = await run(['session', 'set', id, 'psu.voltage=3'], { env: bo })
  assert.is(refused.code, 1)
  assert.match(refused.err, /has the controls/)
  const aReading = /^\S+Z {2}psu\.voltage {2}/m
  let given: Promise<string> | undefined
  let set: Promise<string> | undefined
  let taken: Promise<string> | undefined
  const watching = await run(['session', 'watch', id, 'psu.voltage'], {
    env: bo,
    onOutput: (out, interrupt) => {
      if (/^here: .*Bo Lindqvist \(partner\)/m.test(out)) given ??= ok(['session', 'give', id, 'bo lindqvist'])
      if (/; Bo Lindqvist has the controls/.test(out)) set ??= ok(['session', 'set', id, 'psu.voltage=3'], { env: bo })
      if (/Bo Lindqvist: set psu\.voltage=3: done/.test(out)) taken ??= ok(['session', 'take', id])
      const isBack = out.lastIndexOf('; Bo Lindqvist has') < out.lastIndexOf('has the controls') - 30
      if (taken !== undefined && isBack && aReading.test(out)) interrupt()
    },
  })
  assert.match((await given) ?? '', /^Bo Lindqvist has the controls/)
  assert.match((await taken) ?? '', /^you have the controls/)
  await set
  assert.is(watching.code, 130, watching.err)
  assert.match(watching.out, /: Try 3 volts$/m)
  assert.match(watching.out, aReading)
  assert.not.match(watching.out, /dmm\.voltage/)
  assert.match(watching.err, /left; the session goes on/)
})

test('a pipe drives: each command has its answer, the first that is refused ends it', async () => {
  const lines = ['# a remark', 'set psu.voltage=2 psu.output=on', 'wait 0.1', 'read psu.voltage', 'say now  two']
  const driven = await piped(['session', 'drive', id], lines)
  assert.is(driven.code, 0, driven.err)
  assert.match(driven.out, /^psu\.voltage +2(\.0+)? V$/m)
  assert.match(driven.out, /: now {2}two$/m)
  const stands = driven.out.split('\n').filter((line) => line.startsWith('session is '))
  assert.is(new Set(stands).size, stands.length, driven.out)
  const wrong = await piped(['session', 'drive', id, '--json'], ['set psu.voltage=99', 'set psu.voltage=1'])
  assert.is(wrong.code, 1)
  assert.match(wrong.err, /99 V is above the limit/)
  for (const line of wrong.out.trim().split('\n')) JSON.parse(line)
  assert.match(await ok(['session', 'read', id, 'psu.voltage']), /2(\.0+)? V/)
  const unknown = await piped(['session', 'drive', id], ['fly'])
  assert.match(unknown.err, /there is no command "fly"/)
})

test('what somebody else may in a lab is asked by their mail address', async () => {
  assert.match(await ok(['permission', 'mine', 'rc-circuit', '--person', 'bo@lab.example']), /mayQueue +yes +everyone/)
  const nobody = await run(['permission', 'mine', 'rc-circuit', '--person', 'nobody@lab.example'])
  assert.match(nobody.err, 'nobody here has the mail address nobody@lab.example')
})

test('the end of the session ends who watch and talk, with status 0, and says how to take the data home', async () => {
  const watching = run(['session', 'watch', id, '--json'])
  let finished: Promise<string> | undefined
  const talking = run(['session', 'chat', id], {
    onOutput: (out) => {
      if (/now {2}two/.test(out)) finished ??= ok(['session', 'finish', id])
    },
  })
  const [watched, talked] = await Promise.all([watching, talking])
  assert.match((await finished) ?? '', new RegExp(`^session ${id} is `))
  assert.equal([watched.code, talked.code], [0, 0], watched.err + talked.err)
  const news = watched.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { session?: { state: string } })
  assert.is(news.findLast(({ session }) => session !== undefined)?.session?.state, 'closed')
  assert.match(await ok(['session', 'show', id]), /is closed.*\n +"fernlab download/)
  const late = await run(['session', 'set', id, 'psu.voltage=1'])
  assert.is(late.code, 1)
  assert.match(late.err, new RegExp(`session ${id} is over: .*\n +"fernlab download ${id}" saves`))
})

test('who watches a session that loses its bench reads why, and watches the rest of its time', async () => {
  const benches = await json<{ id: string; parts: Record<string, unknown> }[]>(['benches'])
  const bench = benches.find(({ parts }) => 'fgen' in parts)?.id ?? ''
  const start = ['session', 'start', 'rc-circuit', '--bench', bench]
  const { id: lost } = await json<{ id: string }>(start)
  const steps: Promise<string>[] = []
  const once = (at: number, args: readonly string[]) => {
    if (steps.length === at) steps.push(ok(args))
  }
  const told = /is closed: (.*)\n +the rest of its time: fernlab session show (\w{26})\n([\s\S]*)/
  const watched = await run(['session', 'watch', lost], {
    onOutput: (out) => {
      if (/^\S+Z {2}psu\.voltage {2}/m.test(out)) once(0, ['bench', 'close', bench, '--reason', 'smoke', '--at-once'])
      const [, , next = '', since = ''] = told.exec(out) ?? []
      if (/is waiting/.test(since)) once(1, ['bench', 'open', bench])
      if (/is active/.test(since)) once(2, ['session', 'finish', next])
    },
  })
  await Promise.all(steps)
  assert.equal([watched.code, steps.length], [0, 3], watched.out + watched.err)
  const [, why, next = ''] = told.exec(watched.out) ?? []
  assert.match(
    why ?? '',
    /^we are sorry: the bench went out of use \(smoke\); .* the rest of your time is next in line$/,
  )
  assert.match(await ok(['session', 'show', lost]), new RegExp(`the rest of its time: fernlab session show ${next}`))
})

const taken = () => join(scratch, 'taken')

test('what it recorded is saved whole, in the form that is wanted, and nothing is replaced unasked', async () => {
  const saved = (await ok(['download', id, '--to', taken(), '--time', 'epoch'])).trim().split('\n')
  const commands = saved.find((path) => path.endsWith('-commands.csv')) ?? ''
  assert.ok(
    saved.some((path) => path.endsWith('-readings.csv')),
    saved.join(),
  )
  const text = () => readFileSync(commands, 'utf8')
  assert.match(text(), /set,psu\.voltage,2\.5,done/)
  writeFileSync(commands, 'mine')
  const again = await run(['download', id, '--to', taken(), '--stream', 'commands'])
  assert.equal([again.code, text()], [1, 'mine'])
  assert.match(again.err, /commands\.csv is there already\n +--overwrite replaces it/)
  await ok(['download', id, '--to', taken(), '--stream', 'commands', '--overwrite'])
  assert.match(text(), /set,psu\.voltage/)
  const { files } = await json<{ files: string[] }>(['download', id, '--form', 'documents', '--to', taken()])
  assert.match(files[0] ?? '', /\/rc-circuit-\S+\.jsonl$/)
  assert.match(readFileSync(files[0] ?? '', 'utf8'), /^\{"name":"start"/)
  const env = { ...hub.clientEnv }
  assert.match((await fernlab(['download', id, '--stream', 'commands', '--to', '-'], { env })).out, /^time_s,/)
  assert.match((await run(['download', id, '--stream', 'none'])).err, /has no table none\n +It has .*commands/)
  assert.equal(
    readdirSync(taken()).filter((name) => name.endsWith('.part')),
    [],
  )
})

test('a run is sent again with another value; an admin gives one up', async () => {
  const first = (await ok(['run', 'rc-circuit', 'charge-curve', '--no-wait'])).trim()
  const again = await json<{ id: string; note: string }>(['rerun', first, '--note', 'once more', '--no-wait'])
  assert.is(again.note, 'once more')
  assert.is.not(again.id, first)
  for (const one of [first, again.id]) await ok(['cancel', one])
  assert.is((await run(['give-up', again.id], { env: bo })).code, 1)
  assert.match(await ok(['give-up', again.id]), new RegExp(`^${again.id} `))
  assert.match((await run(['rerun', id])).err, /live session/)
})

test('staff drive a bench directly, under a lease that ends by itself', async () => {
  const benches = await json<{ id: string; parts: Record<string, unknown> }[]>(['benches'])
  const bench = benches.find(({ parts }) => 'fgen' in parts)?.id ?? ''
  const tooLong = await run(['bench', 'lease', bench, '--seconds', '3600'])
  assert.equal([tooLong.code, tooLong.out], [2, ''])
  assert.match(tooLong.err, /--seconds is 3600: a node grants a lease for 5 to 600 s/)
  const take = () => run(['bench', 'lease', bench, '--seconds', '600', '--reason', 'a new diode'])
  let leased = await take()
  while (leased.code !== 0) {
    // Its last run is being cleaned up.
    assert.match(leased.err, /can't be taken/)
    leased = await take()
  }
  const lease = leased.out.trim()
  assert.match(await ok(['bench', 'show', bench]), /you drive it \(a new diode\)\n[\s\S]*^psu\.voltage +read-set +V /m)
  const set = ['bench', 'exchange', bench, 'psu.voltage=1.5', 'psu.output=on']
  assert.match((await run(set)).err, /to set something needs a lease\n +"fernlab bench lease/)
  assert.match(await ok([...set, '--lease', lease, '--read', 'psu.voltage']), /^psu\.voltage +1\.50* V\n$/)
  assert.match((await run([...set.slice(0, 3), 'psu.voltage=500', '--lease', lease])).err, /above the limit/)
  assert.is((await ok(['bench', 'lease', bench, '--renew', '--seconds', '30'])).trim(), lease)
  assert.match(await ok(['bench', 'show', bench]), /you drive it \(a new diode\)\n/)
  const other = ['bench', 'lease', bench, '--renew', '--reason', 'another one']
  assert.is((await ok(other)).trim(), lease)
  assert.match(await ok(['bench', 'show', bench]), /you drive it \(another one\)\n/)
  const tooMuch = await run([...other.slice(0, -1), 'x'.repeat(201)])
  assert.is(tooMuch.code, 1)
  assert.match(tooMuch.err, /reason/)
  assert.is((await run(['bench', 'lease', bench], { env: bo })).code, 1)
  assert.match(await ok(['bench', 'release', bench]), /is given back, and safe/)
  assert.match((await run(['bench', 'lease', bench, '--renew'])).err, /you have no lease/)
})

test('labs and nodes are looked at', async () => {
  const shown = await ok(['lab', 'show', 'rc-circuit'])
  assert.match(shown, /^rc-circuit: RC circuit, version \d+\n/)
  assert.match(shown, /live sessions of 10 min, up to 30 min: fernlab session start rc-circuit/)
  assert.match(shown, /^charge-curve: [\s\S]*^ +PARAMETER +UNIT +TAKES +DEFAULT/m)
  assert.match(await ok(['lab', 'show', 'rc-circuit', '--readme']), /^#|\w/)
  const picture = (await ok(['lab', 'file', 'rc-circuit', 'picture.svg', '--to', scratch])).trim()
  assert.match(readFileSync(picture, 'utf8'), /<svg/)
  assert.match(await ok(['node', 'show', 'demo']), /^demo is online, version .*\n[\s\S]*bench demo\./)
})

test.run()
