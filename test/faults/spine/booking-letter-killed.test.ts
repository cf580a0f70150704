/** The hub is killed (-9) between what became of a booking and the letter about it: the letter comes, once. */
import { bookingLetterFaultPoints } from '@fernlab/hub/fault-point'
import type { BookingNotice } from '@fernlab/shared/contracts/booking-notices'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import * as assert from 'uvu/assert'
import { keptOf, type MailServer, startMailServer } from '../../integration/accounts/mail-server.ts'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed before a letter about a booking', { timeoutMs: 60_000 })
const hourMs = 3_600_000
const first = Math.ceil(Date.now() / hourMs) * hourMs + 24 * hourMs
const address = 'ada@school.example'
const password = 'a-long-enough-password'
let lab: FaultLab
let mail: MailServer
let used = 0
let cookie = ''

/** As Ada's browser asks. */
async function hers<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const origin = `http://127.0.0.1:${lab.httpPort}`
  const answer = await fetch(`${origin}${path}`, {
    method,
    headers: { origin, cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
  const set = answer.headers.getSetCookie().map((line) => line.split(';')[0])
  if (set.length > 0) cookie = set.join('; ')
  return (await answer.json()) as Answer
}
const kept = () => keptOf(mail.letters)
const restart = async (env: Record<string, string> = {}) => {
  // One that lives notes first what it has sent.
  await lab.hub.stop()
  await lab.hub.start({ FERNLAB_SMTP_URL: mail.url, ...env })
}

test.before(async () => {
  mail = await startMailServer()
  lab = await startFaultLab()
  await restart()
  const { body } = await lab.client.insist('POST', '/api/v1/invitations', { role: 'student', most: 1 })
  const token = new URLSearchParams(new URL((body as { link: string }).link).hash.slice(1)).get('token')
  await hers('POST', '/api/v1/join', { token, name: 'Ada', email: address, password })
  await hers('POST', '/api/v1/me/address', { email: address, password })
  const proof = /#token=([\w-]+)/.exec(await mail.letterTo(address))?.[1]
  await hers('POST', '/api/v1/address/confirm', { token: proof })
})
test.after(async () => {
  await lab.close()
  await mail.close()
})

for (const point of ['after-booking-cancel-commit', ...bookingLetterFaultPoints]) {
  test(`at ${point}`, async () => {
    const { client, hub } = lab
    const before = kept().size
    const start = new Date(first + hourMs * used++).toISOString()
    const booked = await hers<Booking>('POST', '/api/v1/bookings', { lab: labId, start, seconds: 3600 })
    await restart({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    // Whether that is answered before the hub dies is all the same.
    await client.ask('POST', `/api/v1/bookings/${booked.id}/cancel`).catch(() => undefined)
    assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await restart()
    // One that came before the kill may come again.
    while (kept().size === before) await within(30_000, 'the letter', mail.letterTo(address))
    assert.match(mail.letters.at(-1)?.replaceAll('=\r\n', '') ?? '', /was cancelled/)
    await restart()
    const { items } = await hers<{ items: BookingNotice[] }>('GET', '/api/v1/bookings/notices')
    assert.is(items.filter(({ booking }) => booking === booked.id).length, 1)
    assert.is(kept().size, before + 1)
  })
}

test.run()
