import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type CommandOptions, type Ended, fernlab, runCommand } from '../support/command.ts'
import { ctrlC, fernlabOnTerminal } from '../support/pty.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('the fernlab command', { timeoutMs: 60_000, hookTimeoutMs: 120_000, fileTimeoutMs: 900_000 })
let hub: RunningFernlab
let scratch = ''

test.before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-cli-'))
  hub = await startFernlab()
  await untilBenchesAreFree()
})
test.after(async () => {
  await hub.cleanUp()
  rmSync(scratch, { recursive: true, force: true })
})

const run = (args: readonly string[], options: CommandOptions = {}): Promise<Ended> =>
  fernlab(args, { cwd: scratch, ...options, env: { ...hub.clientEnv, ...options.env } })

async function ok(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, out, err } = await run(args, options)
  assert.is(code, 0, `fernlab ${args.join(' ')}\n${out}${err}`)
  return out
}

const json = async <T>(args: readonly string[]): Promise<T> => JSON.parse(await ok([...args, '--json'])) as T

async function untilBenchesAreFree(): Promise<void> {
  const deadline = performance.now() + 20_000
  while (performance.now() < deadline) {
    const benches = await json<{ state: string }[]>(['benches'])
    if (benches.length > 0 && benches.every((bench) => bench.state === 'free')) return
  }
  throw new Error(`the benches are not free\n${hub.output()}`)
}

test('lists labs, benches and nodes, for people and for programs', async () => {
  const labs = await json<{ id: string }[]>(['labs'])
  assert.ok(labs.some((lab) => lab.id === 'rc-circuit'))
  assert.match(await ok(['labs']), /^LAB +TITLE[^\n]*\n/)
  assert.match(await ok(['labs']), /rc-circuit +/)
  assert.match(await ok(['benches']), / free /)
  assert.match(await ok(['nodes']), / online /)
  assert.is((await json<{ state: string }[]>(['nodes']))[0]?.state, 'online')
})

test('makes groups, puts people in, and says what a removal takes away', async () => {
  await ok(['group', 'create', 'school', 'School'])
  const course = ['group', 'create', 'optics', 'Optics', '--course', '--within', 'school', '--from', '2027-02-01']
  assert.is(await ok(course), 'optics is made\n')
  writeFileSync(join(scratch, 'group.csv'), 'name,email\nHal,hal@school.example\n')
  assert.match(
    await ok(['user', 'import', 'group.csv', '--group', 'optics']),
    /Hal +hal@school.example +student +optics/,
  )
  assert.match(
    await ok(['group', 'add', 'optics', 'hal@school.example', '--instructor']),
    /^0 put in, 1 with another role/,
  )
  assert.match(await ok(['group', 'list']), /optics +Optics +course +school +1 +Hal +2027-0[12]-\d\d \d\d:\d\d/)
  assert.match(await ok(['group', 'members', 'school', '--inner']), /Hal +hal@school.example +member +optics/)
  const kept = await run(['group', 'remove', 'optics'])
  assert.is(kept.code, 1)
  assert.match(kept.err, /1 person is in it no more.*Nothing was done\n.*--yes/s)
  assert.match(await ok(['group', 'change', 'optics', '--within', 'none', '--from', 'none']), /is changed/)
  assert.match(await ok(['user', 'list', '--group', 'optics']), /Hal +hal@school.example/)
  assert.match(await ok(['group', 'take-out', 'optics', 'hal@school.example']), /1 taken out/)
  assert.match(await ok(['user', 'list', '--group', 'optics']), /Nobody is in optics yet/)
  assert.match(await ok(['group', 'remove', 'optics', '--yes']), /^optics is removed/)
  const wrong = await run(['group', 'create', 'x', 'X', '--course', '--from', 'soon'])
  assert.match(wrong.err, /"soon" is not a time/)
  await ok(['group', 'remove', 'school', '--yes'])
})

test('shows one’s own groups, and leaves one', async () => {
  await ok(['group', 'create', 'club', 'Club'])
  await ok(['group', 'create', 'optics', 'Optics', '--course'])
  for (const id of ['club', 'optics']) await ok(['group', 'add', id, 'automation@fernlab.invalid'])
  assert.match(await ok(['account', 'groups']), /optics +Optics +course +member .* no: its instructors take people out/)
  assert.match((await run(['account', 'leave', 'optics'])).err, /optics is a course/)
  assert.is(await ok(['account', 'leave', 'club']), 'you are in club no more\n')
  for (const id of ['club', 'optics']) await ok(['group', 'remove', id, '--yes'])
})

test('shows and changes who may make an account', async () => {
  assert.is(await ok(['settings', 'sign-in']), 'registration: closed\nsecond factor of staff: as they like\n')
  await ok(['settings', 'sign-in', '--domains', 'school.example,uni.example', '--role', 'guest'])
  const rules = await json<{ registration: object }>(['settings', 'sign-in'])
  assert.equal(rules.registration, { open: false, domains: ['school.example', 'uni.example'], role: 'guest' })
  const { code, err } = await run(['settings', 'sign-in', '--registration', 'open'])
  assert.is(code, 1)
  assert.match(err, 'FERNLAB_SMTP_URL')
})

test('shows and changes who is next by which rules, and how long results are kept', async () => {
  assert.match(await ok(['settings', 'scheduling']), /step: 10 min .*\nwindow: .* 168 h\ngrace: 10 min/)
  const changed = await json<{ stepMinutes: number; windowHours: number }>([
    'settings',
    'scheduling',
    '--step-minutes',
    '20',
  ])
  assert.equal([changed.stepMinutes, changed.windowHours], [20, 168])
  await ok(['settings', 'scheduling', '--step-minutes', '10'])
  assert.match(await ok(['settings', 'retention']), /samples: kept for good\nruns: kept for good/)
  assert.match(await ok(['settings', 'retention', '--data-days', '400', '--run-days', '800']), /kept for 400 days/)
  assert.match(await ok(['settings', 'retention', '--data-days', 'none', '--run-days', 'none']), /runs: kept for good/)
  const wrong = await run(['settings', 'retention', '--data-days', 'long'])
  assert.is(wrong.code, 2)
  assert.match(wrong.err, /--data-days "long" is not a whole number/)
})

test('keeps templates of permissions, and gives one to many at once', async () => {
  const template = (...args: string[]) => ok(['permission', 'template', ...args])
  assert.match(await template('save', 'term', 'mostOpen=7', '--title', 'A term', '--like', 'try-out'), /mostOpen=7/)
  const applied = ['apply', 'term', 'role:student', 'role:builder', '--labs', 'rc-circuit,diode-iv']
  assert.match(await template(...applied, '--preview'), /^would be given to role:student, rc-circuit\n/)
  assert.is((await template(...applied)).match(/^given to role:/gm)?.length, 4)
  assert.match((await run(['permission', 'template', ...applied])).err, /^4 left out: the same is given already/)
  assert.match(
    (await run(['permission', 'template', 'save', 'x', '--like', 'none'])).err,
    /there is no template "none"/,
  )
  assert.is(await template('remove', 'term'), 'term is removed\n')
  for (const { id } of await json<{ id: string }[]>(['permission', 'list']))
    if (id !== 'everyone') await ok(['permission', 'take', id])
})

test('gives permissions, changes, copies and takes them, and says what holds', async () => {
  assert.match(await ok(['permission', 'list']), /everyone +everyone +every lab +all .*mayQueue=yes/)
  const given = await ok([
    'permission',
    'give',
    'role:student',
    'dayS=3600',
    'mayBook=no',
    '--lab',
    'rc-circuit',
    '-t',
    'class',
  ])
  const id = /^(\S+): given to role:student\n$/.exec(given)?.[1] ?? ''
  const [one] = await json<{ gives: object; lab: string }[]>(['permission', 'list', '--for', 'role:student'])
  assert.equal([one?.lab, { ...one?.gives, dayS: 3600, mayBook: false }], ['rc-circuit', one?.gives])
  assert.match(
    await ok(['permission', 'change', id, 'dayS=none', '--until', '2099-01-01']),
    /changed, for role:student/,
  )
  assert.match(await ok(['permission', 'copy', id, 'role:builder', 'mostOpen=1']), /given to role:builder/)
  assert.match(
    await ok(['permission', 'list', '--lab', 'rc-circuit']),
    /role:builder .* 2099-01-01 \d\d:\d\d.* mostOpen=1 dayS=none/,
  )
  assert.match(await ok(['permission', 'mine', 'rc-circuit']), /mostOpen +none +admins are not limited/)
  assert.match(await ok(['permission', 'templates']), /try-out/)
  for (const [wrong, words] of [
    [['give', 'nobody'], /"nobody" is nobody\n +Say everyone/],
    [['give', 'everyone', 'speed=1'], /"speed=1" is no term/],
    [['give', 'everyone', 'dayS=soon'], /dayS="soon" can't be/],
    [['give', 'group:nowhere'], /subject.id: there is no group nowhere/],
  ] as const)
    assert.match((await run(['permission', ...wrong])).err, words)
  for (const { id: each } of await json<{ id: string }[]>(['permission', 'list']))
    if (each !== 'everyone') assert.match(await ok(['permission', 'take', each]), /is taken away/)
})

test('lets a run recur: makes, shows, changes, pauses and removes it', async () => {
  const when = ['--cron', '30 2 * * *', '--time-zone', 'Europe/Madrid']
  const what = ['rc-circuit', 'charge-curve', 'Nightly', '-p', 'voltage=3.3 V']
  const made = await json<{ id: string; next: string[] }>(['recurring', 'create', ...what, ...when])
  assert.is(made.next.length, 5)
  assert.match(await ok(['recurring', 'list', '--lab', 'rc-circuit']), new RegExp(`${made.id} +Nightly +active +`))
  assert.match(
    await ok(['recurring', 'change', made.id, '--cron', '0 4 * * MON']),
    /0 4 \* \* MON by the clocks of Europe/,
  )
  assert.match(await ok(['recurring', 'pause', made.id]), /Nightly: paused \(asked\)/)
  assert.match(await ok(['recurring', 'resume', made.id]), /Nightly: active/)
  const { last } = await json<{ last: { run: { id: string } }[] }>(['recurring', 'run', made.id])
  await ok(['cancel', last[0]?.run.id ?? ''])
  assert.match(await ok(['recurring', 'show', made.id]), /^last {2}\S+ \S+ \(\S+\) {2}\w+ {2}\w{26}$/m)
  assert.is((await ok(['recurring', 'times', '0 3 * * *'])).trim().split('\n').length, 5)
  const wrong = await run(['recurring', 'times', 'nightly'])
  assert.is(wrong.code, 1)
  assert.match(wrong.err, /"nightly" is not a cron expression/)
  assert.match(await ok(['recurring', 'remove', made.id]), /is removed; its runs stay/)
  assert.match(await ok(['recurring', 'list']), /No run recurs/)
})

test('drives a bench by hand: starts a session, sets, watches, extends and finishes it', async () => {
  const started = await json<{ id: string; bench: string; state: string }>(['session', 'start', 'rc-circuit'])
  assert.is(started.state, 'active')
  assert.match(
    await ok(['session', 'start', 'rc-circuit']),
    new RegExp(`session ${started.id} is active on demo\\.rc-`),
  )
  const watching = run(['session', 'watch', started.id])
  await ok(['session', 'set', started.id, 'psu.voltage=2.5', 'psu.output=true'])
  const wrong = await run(['session', 'set', started.id, 'psu.voltage=99'])
  assert.is(wrong.code, 1)
  assert.match(wrong.err, /psu\.voltage.*limit/)
  assert.match((await run(['session', 'set', started.id, 'psu.voltage'])).err, /must be part\.signal=value/)
  assert.match(await ok(['session', 'extend', started.id, '60']), /is active .* until /)
  assert.match(await ok(['session', 'list']), new RegExp(`${started.id} +active +rc-circuit`))
  await ok(['session', 'finish', started.id])
  const { code, out, err } = await watching
  assert.is(code, 0, err)
  assert.match(out, /session is closed/)
  const csv = await fetch(`${hub.http}/api/v1/runs/${started.id}/data.csv?stream=commands`, {
    headers: { authorization: `Bearer ${hub.clientEnv.FERNLAB_TOKEN}` },
  })
  assert.match(await csv.text(), /set,psu\.voltage,2\.5,done/)
})

test('invites people, lists them and gives them roles', async () => {
  const link = (await ok(['user', 'invite', '--role', 'student', '--most', '2', '--note', 'cli'])).trim()
  assert.match(link, /\/join#token=/)
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
  const joined = await fetch(`${hub.http}/api/v1/join`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, name: 'Dee', email: 'dee@school.example', password: 'a-long-password' }),
  })
  assert.is(joined.status, 201, await joined.text())
  assert.match(
    await ok(['user', 'list', '--search', 'dee@']),
    /^NAME +MAIL +ROLE +PERSON\nDee +dee@school.example +student /,
  )
  assert.match(await ok(['user', 'list', '--search', 'nobody-at-all']), /Nobody matches/)
  assert.match(await ok(['user', 'invitations']), / cli +student +1 of 2 +\S+ \S+ +open\n/)
  const invited = await json<{ id: string; note?: string }[]>(['user', 'invitations'])
  await ok(['user', 'uninvite', invited.find(({ note }) => note === 'cli')?.id ?? ''])
  assert.match(await ok(['user', 'invitations']), / cli .* taken back\n/)
  assert.match(await ok(['user', 'role', 'Dee@School.example', '--role', 'builder']), /^Dee is now builder/)
  assert.is((await json<{ role: string }[]>(['user', 'list', '-q', 'dee@']))[0]?.role, 'builder')
  assert.match(await ok(['user', 'suspend', 'dee@school.example']), /^Dee is suspended/)
  assert.match(await ok(['user', 'list', '-q', 'dee@']), /^NAME +MAIL +ROLE +SUSPENDED +PERSON\nDee .* builder +\d{4}-/)
  assert.match(await ok(['user', 'restore', 'dee@school.example']), /^Dee may sign in again/)
  for (const wrong of [
    ['invite', '--most', '0'],
    ['invite', '--role', 'king'],
    ['role', 'nobody@x.example', '--role', 'guest'],
  ]) {
    const { code, err } = await run(['user', ...wrong])
    assert.is.not(code, 0, wrong.join(' '))
    assert.match(err, /most|role|nobody/)
  }
})

test('imports a list of people after a look', async () => {
  writeFileSync(join(scratch, 'class.csv'), 'Name;E-Mail\nFay;fay@school.example\nGus;gus@school.example\n')
  assert.match(await ok(['user', 'import', 'class.csv', '--preview']), /\n +2 +Fay +fay@school.example +student +new\n/)
  assert.is((await json<unknown[]>(['user', 'list', '-q', 'fay@'])).length, 0)
  const made = await json<{ link?: string; known: boolean }[]>(['user', 'import', 'class.csv'])
  assert.ok(made.every(({ link, known }) => !known && /\/reset#token=/.test(link ?? '')))
  assert.match(await ok(['user', 'import', 'class.csv']), /Gus +gus@school.example +student +was here/)
  writeFileSync(join(scratch, 'bad.csv'), 'name,email\nHal,nonsense\n')
  const refused = await run(['user', 'import', 'bad.csv'])
  assert.is.not(refused.code, 0)
  assert.match(refused.err, /line 2: "nonsense" is not a mail address/)
  writeFileSync(join(scratch, 'wide.csv'), Buffer.from('\ufeffname\temail\nÑandú\tn@school.example\n', 'utf16le'))
  assert.match(await ok(['user', 'import', 'wide.csv', '--preview']), /2 +Ñandú +n@school.example/)
  writeFileSync(join(scratch, 'windows.csv'), Buffer.from('name,email\nA,a@x.example\nÑandú,n@x.example\n', 'latin1'))
  const foreign = await run(['user', 'import', 'windows.csv'])
  assert.equal(
    [foreign.code === 0, /line 3 is not UTF-8: save the list as “CSV UTF-8”/.test(foreign.err)],
    [false, true],
  )
  assert.match((await run(['user', 'import', 'none.csv'])).err, /none\.csv can't be read/)
})

test('runs an experiment with plain lines, ends 0 and prints its output with unit', async () => {
  const out = await ok(['run', 'membrane', 'step-current'])
  assert.match(out, /^run [0-9a-z]{26}\n/)
  assert.match(out, /\nrunning /)
  assert.match(out, /\nsucceeded/)
  assert.match(out, /\nfiring_rate = [\d.]+ ± [\d.]+ Hz\n/)
})

test('prints the run, and nothing else, with --json', async () => {
  const ended = await json<{ state: string; outputs: Record<string, { unit: string }> }>([
    'run',
    'membrane',
    'step-current',
    '--note',
    'from the test',
  ])
  assert.is(ended.state, 'succeeded')
  assert.ok(Object.values(ended.outputs).some((output) => output.unit === 'Hz'))
  const runs = await json<{ note?: string; lab: string; outputTitles: Record<string, unknown> }[]>([
    'runs',
    '--lab',
    'membrane',
    '--limit',
    '1',
  ])
  assert.equal(runs[0]?.outputTitles.firing_rate, { en: 'Firing rate', es: 'Frecuencia de disparo' })
  assert.equal(
    runs.map((listed) => listed.note),
    ['from the test'],
  )
})

test('refuses parameters with their paths, one a line, and submits nothing', async () => {
  const before = (await json<unknown[]>(['runs'])).length
  const { code, err } = await run(['run', 'rc-circuit', 'charge-curve', '-p', 'nonsense=1', '-p', 'wrong="x"'])
  assert.is(code, 1)
  assert.match(err, /\n {2}\S*nonsense: /)
  assert.match(err, /\n {2}\S*wrong: /)
  assert.is((await json<unknown[]>(['runs'])).length, before)
})

test('the status says what became of it: 1 refused, 2 not understood; no trace of the program is shown', async () => {
  for (const [args, status] of [
    [['--version'], 0],
    [['booking', '--help'], 0],
    [['watch', 'no-such-run'], 1],
    [['user', 'import', 'no-such-file.csv'], 1],
    [['download', 'no-such-run', '--to', '/proc/nowhere'], 1],
    [['lab', 'push', '/proc/1'], 1],
    [['bookin'], 2],
    [['booking', 'make', 'rc-circuit'], 2],
    [['labs', '--jso'], 2],
    [['booking'], 2],
  ] as const) {
    const { code, out, err } = await run(args)
    assert.is(code, status, `${args.join(' ')}: ${err}`)
    assert.not.match(`${out}${err}`, /\n +at |node:internal|should not happen/, args.join(' '))
  }
})

test('with --quiet only the result is printed', async () => {
  const { out, err } = await run(['run', 'rc-circuit', 'charge-curve', '--quiet'])
  assert.is(err, '')
  for (const line of out.trim().split('\n')) assert.match(line, /^\w+ = /)
  assert.is((await run(['runs', '--quiet'])).err, '')
})

test('says what is wrong with a lab, a run or a hub that is not there', async () => {
  assert.match((await run(['run', 'no-such-lab', 'x'])).err, /^fernlab: .*no-such-lab/)
  assert.is((await run(['watch', '00000000000000000000000000'])).code, 1)
  const dead = await run(['labs'], { env: { FERNLAB_HUB: 'http://127.0.0.1:9' } })
  assert.is(dead.code, 1)
  assert.match(dead.err, /^fernlab: no hub answers at http:\/\/127\.0\.0\.1:9 /)
  const stranger = await run(['runs'], { env: { FERNLAB_TOKEN: 'fern_wrong' } })
  assert.is(stranger.code, 1)
  assert.match(stranger.err, /does not know who you are/)
})

test('cancels a run, and watching it ends 1', async () => {
  const id = (await ok(['run', 'rc-circuit', 'charge-curve', '--no-wait'])).trim()
  assert.match(id, /^[0-9a-z]{26}$/)
  assert.match(await ok(['runs']), /^RUN .* PERSON /)
  await ok(['cancel', id])
  const watched = await run(['watch', id])
  assert.is(watched.code, 1)
  assert.match(watched.err, /ended cancelled/)
})

test('Ctrl-C leaves the run alone and says how to go on', async () => {
  let interrupted = false
  const { code, err, out } = await run(['run', 'rc-circuit', 'charge-curve'], {
    onOutput: (text, interrupt) => {
      if (interrupted || !text.includes('running')) return
      interrupted = true
      interrupt()
    },
  })
  assert.is(code, 130, `${out}${err}`)
  const id = /fernlab watch ([0-9a-z]{26})/.exec(err)?.[1] ?? ''
  const listed = (await json<{ id: string; state: string }[]>(['runs'])).find((entry) => entry.id === id)
  assert.ok(['running', 'succeeded'].includes(listed?.state ?? ''), listed?.state)
  await run(['cancel', id])
})

test('shows a bar on a terminal; Ctrl-C asks there, and a yes stops the run', async () => {
  const on = fernlabOnTerminal(['run', 'rc-circuit', 'charge-curve'], hub.clientEnv)
  await on.until(/[█░]{10,} +\d+ %/)
  on.type(ctrlC)
  await on.until(/Stop the run as well\? \[y\/N\] /)
  on.type('y\r')
  assert.is(await on.ended, 1, on.shown())
  assert.match(on.shown(), /ended cancelled/)
  assert.ok(on.shown().lastIndexOf('[?25h') > on.shown().lastIndexOf('[?25l'), 'the cursor is back')
})

test('a second Ctrl-C, at the question, leaves the run alone', async () => {
  const on = fernlabOnTerminal(['run', 'rc-circuit', 'charge-curve'], hub.clientEnv)
  await on.until(/running/)
  on.type(ctrlC)
  await on.until(/\[y\/N\] /)
  on.type(ctrlC)
  assert.is(await on.ended, 130, on.shown())
  const id = /fernlab watch ([0-9a-z]{26})/.exec(on.shown())?.[1] ?? ''
  await ok(['cancel', id])
})

test('Ctrl-C at a password ends the command; with --json nothing is asked', async () => {
  const on = fernlabOnTerminal(['login', '--email', 'a@b.c'], hub.clientEnv)
  await on.until(/Password: /)
  on.type(`secret${ctrlC}`)
  assert.is(await on.ended, 130, on.shown())
  assert.not.match(on.shown(), /secret/)
  const json = fernlabOnTerminal(['login', '--email', 'a@b.c', '--json'], hub.clientEnv)
  assert.is(await json.ended, 1, json.shown())
  assert.match(json.shown(), /with --json nobody is asked[\s\S]*give --token/)
})

test('a wrong password is named as what it is', async () => {
  const on = fernlabOnTerminal(['login', '--email', 'nobody@fernlab.example'], hub.clientEnv)
  await on.until(/Password: /)
  on.type('not the password\r')
  assert.is(await on.ended, 1, on.shown())
  assert.match(on.shown(), /mail address and password do not match/)
  assert.not.match(on.shown(), /Log in/)
})

test('a reader that has read enough ends the command, quietly', async () => {
  const cli = `'${process.execPath}' '${root}scripts/cli/fernlab.mjs'`
  const { err } = await runCommand('sh', ['-c', `(${cli} benches; echo "ended $?" >&2) | true`], { env: hub.clientEnv })
  assert.is(err, 'ended 0\n')
})

test('tells where one is signed in, and ends all of it', async () => {
  assert.ok(Array.isArray(await json(['account', 'sign-ins'])))
  assert.match(await ok(['account', 'sign-out', '--all']), /all have ended/)
  assert.equal(await json(['account', 'sign-ins']), [])
  assert.match((await run(['account', 'sign-out', 'none'])).err, /you have no sign-in none/)
  assert.match((await run(['account', 'sign-out'])).err, /name one sign-in, or give --all/)
})

test('revokes all tokens of a person, and says what is missing', async () => {
  assert.is(await ok(['user', 'revoke-tokens', 'hal@school.example']), 'the tokens of Hal are revoked\n')
  assert.match((await run(['user', 'revoke-tokens', 'no@school.example'])).err, /nobody here has the mail address/)
  assert.match((await run(['token', 'revoke'])).err, /name one token, or give --all/)
})

test('lists more tokens than the hub gives at once', async () => {
  const before = (await json<unknown[]>(['token', 'list'])).length
  for (let i = 0; i < 120; i++) {
    const made = await fetch(`${hub.http}/api/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `many-${i}`, scopes: ['read'] }),
    })
    assert.is(made.status, 201)
  }
  assert.is((await json<unknown[]>(['token', 'list'])).length, before + 120)
})

test('checks a lab without a hub: file, line, column and path', async () => {
  const folder = join(scratch, 'rc-circuit')
  cpSync(join(root, 'shared/labs/rc-circuit'), folder, { recursive: true })
  const offline = { env: { FERNLAB_HUB: 'http://127.0.0.1:9' } }
  assert.match(await ok(['lab', 'check', 'rc-circuit'], offline), /rc-circuit is fine/)
  const path = join(folder, 'protocols/charge-curve.yaml')
  const lines = readFileSync(path, 'utf8').split('\n')
  const at = lines.findIndex((line) => line.startsWith('steps:'))
  writeFileSync(path, lines.with(at, 'stepz:').join('\n'))
  const { code, err } = await run(['lab', 'check', 'rc-circuit'], offline)
  assert.is(code, 1)
  assert.match(err, new RegExp(`rc-circuit/protocols/charge-curve\\.yaml:${at + 1}:1: stepz: unknown key "stepz"`))
  const pushed = await run(['lab', 'push', 'rc-circuit'])
  assert.is(pushed.code, 1)
  writeFileSync(path, lines.join('\n'))
})

test('prints the schema of a file for an editor', async () => {
  for (const file of ['lab', 'node', 'protocol']) {
    const printed = await ok(['schema', file], { env: { FERNLAB_HUB: 'http://127.0.0.1:9' } })
    assert.is(printed, readFileSync(join(root, `shared/schemas/${file}.json`), 'utf8'))
  }
  assert.match((await run(['schema', 'bench'])).err, /Allowed choices are lab, node, protocol/)
})

test('a folder that is no lab is named', async () => {
  const none = join(scratch, 'no-lab')
  cpSync(join(root, 'shared/labs/rc-circuit/protocols'), none, { recursive: true })
  assert.match((await run(['lab', 'check', 'no-lab'])).err, /^fernlab: no-lab holds no lab\.yaml\n/)
  assert.match((await run(['lab', 'check', 'nowhere'])).err, /^fernlab: nowhere is not a folder\n/)
})

test('pushes a lab: the catalogue changes, and pushing the same again does not change it; removes it', async () => {
  const folder = join(scratch, 'rc-two')
  cpSync(join(root, 'shared/labs/rc-circuit'), folder, { recursive: true })
  const path = join(folder, 'lab.yaml')
  const text = readFileSync(path, 'utf8').replace(/^id:.*\n/m, '')
  writeFileSync(path, text.replace(/^title:.*(\n {2}.*)*/m, 'title: Changed by a test'))
  assert.match(await ok(['lab', 'push', 'rc-two']), /version 1/)
  const labs = await json<{ id: string; title: string }[]>(['labs'])
  assert.is(labs.find((lab) => lab.id === 'rc-two')?.title, 'Changed by a test')
  assert.match(await ok(['lab', 'push', 'rc-two']), /unchanged, version 1/)
  assert.match(await ok(['lab', 'remove', 'rc-two']), /no longer in the catalogue/)
  assert.not((await json<{ id: string }[]>(['labs'])).some((lab) => lab.id === 'rc-two'))
  assert.is.not((await run(['lab', 'remove', 'rc-two'])).code, 0)
})

test('makes, lists and revokes tokens; a revoked one is refused', async () => {
  const token = (await ok(['token', 'create', 'ci', '--scope', 'read', '--days', '1'])).trim()
  assert.ok(token.length > 30)
  const env = { FERNLAB_TOKEN: token }
  await ok(['labs'], { env })
  assert.is((await run(['lab', 'push', 'rc-circuit'], { env })).code, 1)
  const listed = await json<{ id: string; name: string; scopes: string[] }[]>(['token', 'list'])
  const made = listed.find((entry) => entry.name === 'ci')
  assert.equal(made?.scopes, ['read'])
  assert.not.match(JSON.stringify(listed), token)
  await ok(['token', 'revoke', made?.id ?? ''])
  assert.is((await run(['runs'], { env })).code, 1)
  const expiry = async (...options: string[]) =>
    (await json<{ expiresAt?: string }>(['token', 'create', 'x', '--scope', 'read', ...options])).expiresAt
  const days = (Date.parse((await expiry()) ?? '') - Date.now()) / 86_400_000
  assert.ok(days > 89.9 && days < 90.1, `${days}`)
  assert.is(await expiry('--expires', 'never'), undefined)
  const refused = await run(['token', 'create', 'x', '--scope', 'everything'])
  assert.match(refused.err, /"everything" is not a scope/)
})

test('enrols, rotates and revokes a node', async () => {
  const made = await json<{ node: string; code: string }>(['node', 'enroll', 'bench-9'])
  assert.is(made.node, 'bench-9')
  const said = (await run(['node', 'enroll', 'bench-8'])).err
  assert.match(said, `hub: { url: ${hub.mqtt} }`)
  assert.match(said, `npm run edge -- --config node.yaml --hub ${hub.http} --enroll `)
  const enrolled = await fetch(`${hub.http}/api/v1/nodes/enroll`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ node: 'bench-9', code: made.code }),
  })
  assert.ok(enrolled.ok, await enrolled.clone().text())
  const first = (await enrolled.json()) as { password: string }
  const second = await json<{ password: string }>(['node', 'rotate', 'bench-9'])
  assert.is.not(first.password, second.password)
  const rotated = await run(['node', 'rotate', 'bench-9'])
  assert.match(rotated.err, '<FERNLAB_DATA>/nodes/bench-9/settings.json, set "password"')
  await ok(['node', 'revoke', 'bench-9'])
  const nodes = await json<{ id: string; state: string }[]>(['nodes'])
  assert.is(nodes.find((node) => node.id === 'bench-9')?.state, 'revoked')
})

test('keeps a token for a hub in a file of its owner’s, and forgets it', async () => {
  const env = { ...hub.clientEnv, FERNLAB_TOKEN: undefined, FERNLAB_HUB: undefined, FERNLAB_DATA: scratch }
  const anonymous = await fernlab(['runs', '--hub', hub.http], { env })
  assert.match(anonymous.err, /fernlab login/)
  const login = await fernlab(['login', '--hub', hub.http, '--token', hub.token], { env })
  assert.is(login.code, 0, login.err)
  const path = join(hub.clientEnv.XDG_CONFIG_HOME ?? '', 'fernlab/client.json')
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.is((await fernlab(['runs'], { env })).code, 0)
  assert.match((await fernlab(['whoami'], { env })).out, /admin/)
  assert.is((await fernlab(['logout', '--hub', hub.http], { env })).code, 0)
  assert.is((await fernlab(['runs', '--hub', hub.http], { env })).code, 1)
})

test('backs up while the hub runs, and restores into an empty folder only, checked', async () => {
  const copy = join(scratch, 'copy')
  assert.match(await ok(['backup', copy]), /holds site main/)
  const again = await run(['backup', copy])
  assert.is(again.code, 1)
  assert.match(again.err, /is not empty/)
  const env = { FERNLAB_DATA: join(scratch, 'restored') }
  assert.match(await ok(['restore', copy], { env }), /now holds site main/)
  assert.is((await run(['restore', copy], { env })).code, 1)

  const restored = await startFernlab({ dataFolder: env.FERNLAB_DATA, env: { FERNLAB_DEMO: '0' } })
  try {
    const before = await json<{ id: string; state: string }[]>(['runs', '--limit', '100'])
    const after = await fernlab(['runs', '--limit', '100', '--json'], { env: restored.clientEnv })
    const kept = JSON.parse(after.out) as { id: string; state: string }[]
    assert.ok(kept.length > 2)
    const known = new Map(before.map((entry) => [entry.id, entry.state]))
    for (const entry of kept) assert.is(entry.state, known.get(entry.id), entry.id)
    assert.is((await restored.stop()).code, 0)
  } finally {
    await restored.cleanUp()
  }

  writeFileSync(join(copy, 'hub.db'), 'x', { flag: 'a' })
  const damaged = await run(['restore', copy], { env: { FERNLAB_DATA: join(scratch, 'damaged') } })
  assert.is(damaged.code, 1)
  assert.match(damaged.err, /hub\.db/)
  assert.not.ok(existsSync(join(scratch, 'damaged/hub/hub.db')))
})

test('makes a new lab, which is checked and pushed at once', async () => {
  assert.match(await ok(['lab', 'new', 'my-first', '--title', 'My first']), /^my-first\/lab\.yaml$/m)
  assert.match(await ok(['lab', 'check', 'my-first']), /my-first is fine \(sweep\)/)
  assert.match(await ok(['lab', 'push', 'my-first']), /my-first is in the catalogue as version 1/)
  assert.ok((await json<{ id: string }[]>(['labs'])).some(({ id }) => id === 'my-first'))
  await ok(['lab', 'remove', 'my-first'])
  const again = await run(['lab', 'new', 'my-first'])
  assert.equal([again.code, /my-first is there already/.test(again.err)], [1, true])
  assert.match((await run(['lab', 'new', 'My Lab'])).err, /a lab can not be called "My Lab": use lower-case/)
})

test('makes a link with which a person chooses a new password', async () => {
  const unknown = await run(['user', 'reset', 'nobody@example.org'])
  assert.is(unknown.code, 1)
  assert.match(unknown.err, /nobody@example\.org/)
  const { out: link } = await run(['user', 'reset', 'automation@fernlab.invalid'])
  assert.match(link, new RegExp(`^${hub.http}/reset#token=\\S+\\n$`))
  const elsewhere = await run(['user', 'reset', 'a@b.c'], { env: { FERNLAB_DATA: join(scratch, 'nowhere') } })
  assert.match(elsewhere.err, /there is no hub's data at/)
})

test('finds a hub that runs on the same data folder', async () => {
  const env = { ...hub.clientEnv, FERNLAB_HUB: undefined }
  assert.match((await fernlab(['labs'], { env })).out, /rc-circuit/)
})

test('the doctor finds a healthy site healthy', async () => {
  const findings = await json<{ verdict: string; what: string; detail: string }[]>(['doctor'])
  const broken = findings.filter((finding) => finding.verdict === 'broken')
  assert.equal(broken, [])
  assert.ok(findings.some((finding) => finding.what.startsWith('node ')))
})

// The last one: nothing of the hub is open to these tests after it.
test('revokes all of one’s own tokens, also the one in use', async () => {
  assert.match(await ok(['token', 'revoke', '--all']), /all are revoked; sign in again with "fernlab login"/)
  assert.is((await run(['token', 'list'])).code, 1)
})

test.run()
