import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type Ended, fernlab } from '../support/command.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { suite } from '../support/suite.ts'

const test = suite('fernlab booking', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
let hub: RunningFernlab
let scratch = ''
/** The days of the test are far from now. */
const year = new Date().getUTCFullYear() + 1
const zone = { TZ: 'Europe/Madrid' }

test.before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'fernlab-cli-booking-'))
  hub = await startFernlab()
})
test.after(async () => {
  await hub.cleanUp()
  rmSync(scratch, { recursive: true, force: true })
})

const run = (args: readonly string[]): Promise<Ended> =>
  fernlab(['booking', ...args], { cwd: scratch, env: { ...hub.clientEnv, ...zone } })

async function ok(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await run(args)
  assert.is(code, 0, `fernlab booking ${args.join(' ')}\n${out}${err}`)
  return out
}

test('a bench is booked by the clock of this machine, shown, moved and cancelled', async () => {
  assert.match(await ok('list'), /Nothing is booked/)
  assert.is(await ok('limits', 'rc-circuit'), 'You may book this lab without limits.\n')
  const start = `${year}-02-01 08:00`
  const made = await ok('make', 'rc-circuit', start, '--for', '1h30m', '--note', 'thesis')
  const id = /^booking (\S+) is booked: rc-circuit, \d+-02-01 08:00 \(Europe\/Madrid\) for 90m$/m.exec(made)?.[1] ?? ''
  assert.is(JSON.parse(await ok('show', id, '--json')).start, `${year}-02-01T07:00:00.000Z`)
  assert.match(
    await ok('list', '--lab', 'rc-circuit'),
    new RegExp(`${id} +booked +rc-circuit +${start} +90m +1 .*thesis`),
  )
  assert.match(
    await ok('change', id, '--start', `${year}-02-01T10:00+01:00`, '--for', '2h'),
    / 10:00 \(Europe\/Madrid\) for 2h$/m,
  )
  assert.match(await ok('calendar'), /^BEGIN:VCALENDAR[\s\S]*DTSTART/)
  assert.match(await ok('cancel', id), new RegExp(`^booking ${id} is cancelled`))
  assert.match(await ok('list', '--past'), /^No booking is past\.$/m)
  assert.match(await ok('list', '--cancelled'), new RegExp(`${id} +cancelled`))
  assert.match((await run(['list', '--past', '--missed'])).err, /say one of --past and --missed/)
  const again = await ok('again', id, '--note', 'once more')
  assert.match(again, /is booked: rc-circuit, \S+ 10:00 \(Europe\/Madrid\) for 2h$/m)
  const [, other = ''] = /^booking (\S+)/m.exec(again) ?? []
  const next = JSON.parse(await ok('show', other, '--json'))
  assert.ok(Date.parse(next.start) < Date.now() + 3 * 86_400_000, next.start)
  assert.is(next.note, 'once more')
})

test('what is booked again steps around the other bookings of its person', async () => {
  const env = { ...hub.clientEnv, ...zone, HOME: scratch, XDG_CONFIG_HOME: join(scratch, 'config') }
  const staff = (...args: string[]) => fernlab(args, { cwd: scratch, env })
  await staff('permission', 'give', 'role:student', '--template', 'class', '--lab', 'rc-circuit')
  const { out: link } = await staff('user', 'invite')
  const own = { ...env, FERNLAB_TOKEN: undefined, FERNLAB_ADMIN_TOKEN: undefined }
  const joins = ['account', 'link', '--name', 'Sam', '--email', 'sam@school.example']
  const joined = await fernlab(joins, { cwd: scratch, env: own, input: `${link}a long password\n` })
  assert.is(joined.code, 0, joined.err)
  const sam = async (...args: string[]) => {
    const { code, out, err } = await fernlab(['booking', ...args, '--json'], { cwd: scratch, env: own })
    assert.is(code, 0, err)
    return JSON.parse(out) as { id: string; start: string }
  }
  // The next time of that hour: without a look at one's own bookings it would be this one again.
  const first = await sam('make', 'rc-circuit', new Date(Date.now() + 12 * 3_600_000).toISOString(), '--for', '30m')
  const second = await sam('again', first.id)
  assert.is.not(second.start.slice(0, 10), first.start.slice(0, 10))
})

test('a time that is taken is refused with commands that take the nearest ones', async () => {
  const day = `${year}-03-01`
  const benches = String(JSON.parse(await ok('free', 'rc-circuit', '--json')).benches)
  await ok('make', 'rc-circuit', `${day} 08:00`, '--for', '2h', '--places', benches)
  const free = await ok('free', 'rc-circuit', '--from', `${day} 07:00`, '--to', `${day} 12:00`)
  const rows = new RegExp(`${day} 07:00 +${day} 0[78]:\\S+ +${benches}\n${day} 10:00\\S* +${day} 12:00 +${benches}`)
  assert.match(free, rows)
  const taken = await run(['make', 'rc-circuit', `${day} 09:00`, '--note', "Bo's"])
  assert.is(taken.code, 1)
  assert.match(taken.err, /free from/)
  const [before = '', after = ''] = taken.err.trim().split('\n').slice(-2)
  const rest = "--for 60m --note 'Bo'\\\\''s'"
  assert.match(before, new RegExp(`^ {2}fernlab booking make rc-circuit '${day} 0[67]:\\S+' ${rest}$`))
  assert.match(after, new RegExp(`^ {2}fernlab booking make rc-circuit '${day} 10:\\S+' ${rest}$`))
  const [, start = ''] = /'([^']+)'/.exec(after) ?? []
  await ok('make', 'rc-circuit', start)
})

test('a course has the same time every week; its times are looked at first, and cancelled at once', async () => {
  const weekly = ['--days', 'mon-tue', '--at', '08:30', '--from', `${year}-04-01`, '--until', `${year}-04-14`]
  const series = ['series', 'rc-circuit', ...weekly, '--time-zone', 'Europe/Madrid']
  const preview = await ok(...series, '--preview')
  assert.is(preview.match(/^free {2}\S+ 08:30$/gm)?.length, 4, preview)
  const [, first = ''] = /^free {2}(\S+ 08:30)$/m.exec(preview) ?? []
  const benches = String(JSON.parse(await ok('free', 'rc-circuit', '--json')).benches)
  await ok('make', 'rc-circuit', first, '--places', benches)
  const refused = await run(series)
  assert.is(refused.code, 1)
  assert.match(refused.err, /1 of 4 times are taken\n {2}--nearest has them .*; --skip books the others/)
  const near = await ok(...series, '--nearest', '--preview')
  assert.match(near, new RegExp(`^free {2}\\S+ \\S+, instead of ${first}$`, 'm'))
  assert.is(near.match(/^free/gm)?.length, 4, near)
  const moved = await ok(...series, '--move', `${first}=${first.slice(0, 10)} 12:00`, '--preview')
  assert.match(moved, new RegExp(`^free {2}${first.slice(0, 10)} 12:00, instead of ${first}$`, 'm'))
  assert.match((await run([...series, '--move', first])).err, /--move "[^"]+" is not two times/)
  const made = await ok(...series, '--skip')
  const id = /^series (\S+): 3 times are booked$/m.exec(made)?.[1] ?? ''
  assert.match(made, new RegExp(`^taken {2}${first}, free at `, 'm'))
  assert.is(JSON.parse(await ok('list', '--series', id, '--json')).length, 3)
  const cancelled = await run(['series-cancel', id])
  assert.is(cancelled.out, `3 bookings of ${id} are cancelled\n`)
  const [, back = ''] = /"fernlab booking (series-take-back [^"]+)"/.exec(cancelled.err) ?? []
  assert.is((await ok(...back.split(' '))).match(/^booked /gm)?.length, 3)
})

test('what has changed is listed and put away; letters are turned off, with language and time zone', async () => {
  assert.equal(JSON.parse(await ok('notices', '--json')), [])
  const absent = await run(['put-away', '99'])
  assert.equal([absent.code, /the notice 99/.test(absent.err)], [1, true])
  assert.is(await ok('letters'), 'letters about bookings: on\n')
  const place = ['--language', 'es', '--time-zone', 'Europe/Madrid']
  assert.is(await ok('letters', 'off', ...place), 'letters about bookings: off (es, Europe/Madrid)\n')
  assert.match((await run(['letters', 'perhaps'])).err, /neither on nor off/)
})

test('what can be no time, length or day is named with how to write it', async () => {
  for (const [args, words, status = 2] of [
    [['make', 'rc-circuit', 'soon'], /START "soon" is not a time\n +Write it as/],
    [['make', 'rc-circuit', `${year}-02-30 08:00`], /is not a time/],
    [['make', 'rc-circuit', `${year}-02-01 08:00`, '--for', 'long'], /--for "long" is not a length/],
    [['make', 'rc-circuit', `${year}-02-01 08:00`, '--places', 'two'], /--places "two" is not a whole number/],
    [['make', 'rc-circuit', '2020-02-01 08:00'], /start: /, 1],
    [
      ['series', 'rc-circuit', '--days', 'mon', '--at', '08:00', '--from', `${year}-02-30`, '--until', `${year}-03-30`],
      /--from "\d+-02-30" is not a day/,
    ],
    [['change', 'x'], /say what to change/],
    [['show', 'nothing'], /there is no booking nothing|the booking nothing/, 1],
  ] as const) {
    const { code, err } = await run(args)
    assert.is(code, status, err)
    assert.match(err, words)
  }
})

test.run()
