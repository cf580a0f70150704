import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { smallLab, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson, type TestViewer, toldState, watch } from './session-people.ts'

const test = suite('live sessions', { timeoutMs: 30_000 })
let lab: TestHub
let ada: TestPerson
let ben: TestPerson
let cleo: TestPerson
let staff: TestPerson

const SESSION = `
session:
  seconds: 60
  mostSeconds: 100
  prepare: [{ set: { box.value: 1 } }]
  cleanUp: [{ set: { box.value: 2 } }]
panel:
  widgets:
    - { kind: slider, signal: box.value, limits: { low: 0, high: 10 } }
limits:
  box.value: { low: 0, high: 10 }
`
const push = async (more: string) => {
  const files = smallLab.map(({ path, text }) => ({ path, text: path === 'lab.yaml' ? `${text}${more}` : text }))
  const pushed = await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })
  assert.is(pushed.ok, true, await pushed.text())
}

test.before(async () => {
  lab = await startTestHub()
  await push(SESSION)
  await lab.node('node-1')
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  cleo = await newPerson(lab)
  staff = await newPerson(lab, 'instructor')
})
test.after(() => lab.close())
test.after.each(async () => {
  const { items } = (await staff.ask('GET', '/api/v1/sessions')).body as { items: Session[] }
  for (const { id, state } of items) if (state !== 'closed') await staff.ask('DELETE', `/api/v1/sessions/${id}`)
  await until(async () => {
    const { state, out } = (await staff.ask('GET', '/api/v1/benches/node-1.b-1')).body as { state: string; out?: true }
    if (out) await staff.ask('POST', '/api/v1/benches/node-1.b-1/put-back')
    return state === 'free'
  }, 'the bench is free again')
})

const open = async (who: TestPerson, more: object = {}): Promise<Session> => {
  const { status, body } = await who.ask('POST', '/api/v1/sessions', { lab: 'small', ...more })
  assert.ok(status === 201 || status === 200, JSON.stringify(body))
  return body as Session
}
const get = async (who: TestPerson, id: string): Promise<Session> =>
  (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session
const reaches = async (who: TestPerson, id: string, state: Session['state']): Promise<Session> => {
  await until(async () => (await get(who, id)).state === state, `session ${id} is ${state}`)
  return await get(who, id)
}
const refusedWith = async (code: string, work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: { code?: string }) => thrown,
  )
  assert.is(error?.code, code)
}
const statusOf = async (work: Promise<TestViewer>): Promise<number | undefined> =>
  work.then(
    (viewer) => void viewer.socket.terminate(),
    (error: { status?: number }) => error.status,
  )

test('from asking to the data: one place per person and lab, the bench, commands, the end', async () => {
  const first = await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })
  assert.is(first.status, 201)
  const session = first.body as Session
  assert.equal([session.seconds, session.mostSeconds, session.panel?.widgets.length], [60, 100, 1])
  const again = await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })
  assert.equal([again.status, (again.body as Session).id], [200, session.id])
  const active = await reaches(ada, session.id, 'active')
  assert.is(active.bench, 'node-1.b-1')
  assert.ok(Date.parse(active.endsAt ?? '') - Date.parse(active.activeAt ?? '') === 60_000)
  const viewer = await watch(lab, session.id, ada.bearer)
  await viewer.call('set', { values: { 'box.value': 7 } })
  await refusedWith('value-out-of-limits', viewer.call('set', { values: { 'box.value': 11 } }))
  await refusedWith('call-invalid', viewer.call('set', { value: 1 }))
  await refusedWith('method-unknown', viewer.call('fly' as never))
  await until(
    () => viewer.told('samples').some(({ samples }) => samples['box.value']?.values.includes(7) === true),
    'the value was told',
  )
  const extended = await ada.ask('POST', `/api/v1/sessions/${session.id}/extend`, { seconds: 40 })
  assert.is((extended.body as Session).seconds, 100)
  const further = await ada.ask('POST', `/api/v1/sessions/${session.id}/extend`, { seconds: 1 })
  assert.equal([further.status, (further.body as { code: string }).code], [422, 'session-too-long'])
  assert.is((await ada.ask('POST', `/api/v1/sessions/${session.id}/finish`)).status, 200)
  assert.is((await ada.ask('DELETE', `/api/v1/sessions/${session.id}`)).status, 200)
  assert.is(await viewer.closed, 4410)
  assert.is(toldState(viewer), 'closed')
  const closed = await reaches(ada, session.id, 'closed')
  assert.equal([closed.reason, closed.seconds], ['it was finished', 100])
  await refusedWith('connection-ended', viewer.call('set', { values: { 'box.value': 1 } }))
  const late = await ada.ask('POST', `/api/v1/sessions/${session.id}/extend`, { seconds: 5 })
  assert.equal([late.status, (late.body as { code: string }).code], [409, 'session-not-active'])
  const csv = await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/data.csv?stream=commands`, {
    headers: ada.bearer,
  })
  const lines = (await csv.text()).split('\n')
  assert.ok(lines.some((line) => line.includes(ada.id) && line.includes('box.value') && line.includes('done')))
  const data = await ada.ask('GET', `/api/v1/runs/${session.id}/data.json?stream=readings`)
  assert.ok((data.body as { rows: number }).rows > 0)
  assert.is((await ada.ask('POST', `/api/v1/runs/${session.id}/rerun`, {})).status, 409)
})

test('it queues with runs, says so, and nobody is given more time while somebody waits', async () => {
  const mine = await open(ada)
  await reaches(ada, mine.id, 'active')
  const his = await open(ben)
  assert.equal([his.state, his.position], ['waiting', 1])
  assert.ok(his.estimatedStart !== undefined && his.waitReason !== undefined)
  const refused = await ada.ask('POST', `/api/v1/sessions/${mine.id}/extend`, { seconds: 10 })
  assert.equal([refused.status, (refused.body as { code: string }).code], [409, 'somebody-waits'])
  await ada.ask('DELETE', `/api/v1/sessions/${mine.id}`)
  await reaches(ben, his.id, 'active')
})

test('who waits is told when somebody before them leaves', async () => {
  const first = await open(ada)
  await reaches(ada, first.id, 'active')
  const [bens, cleos] = [await open(ben), await open(cleo)]
  const waiting = await watch(lab, cleos.id, cleo.bearer)
  assert.is(cleos.position, 2)
  await ben.ask('DELETE', `/api/v1/sessions/${bens.id}`)
  await until(() => waiting.told('wait').at(-1)?.position === 1, 'the place moves up')
  assert.match(waiting.told('wait').at(-1)?.reason ?? '', /you are next/)
})

test('another’s session is not there, but for staff, who watch', async () => {
  const { id } = await open(ada)
  await reaches(ada, id, 'active')
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/finish'],
    ['DELETE', ''],
    ['POST', '/link'],
  ] as const) {
    assert.is((await ben.ask(method, `/api/v1/sessions/${id}${path}`)).status, 404, path)
  }
  assert.is((await ben.ask('POST', `/api/v1/sessions/${id}/extend`, { seconds: 5 })).status, 404)
  assert.is(await statusOf(watch(lab, id, ben.bearer)), 404)
  assert.is(await statusOf(watch(lab, id, {})), 401)
  assert.is(await statusOf(watch(lab, id, { ...ada.bearer, origin: 'https://evil.example' })), 403)
  assert.is(await statusOf(watch(lab, '0'.repeat(26), ada.bearer)), 404)
  const { items } = (await ben.ask('GET', '/api/v1/sessions')).body as { items: Session[] }
  assert.is(
    items.every(({ person }) => person.id === ben.id),
    true,
  )
  const observer = await watch(lab, id, staff.bearer)
  await refusedWith('not-in-control', observer.call('set', { values: { 'box.value': 3 } }))
  await refusedWith('forbidden', observer.call('finish'))
  const viewer = await watch(lab, id, ada.bearer)
  await until(() => observer.told('people').at(-1)?.people.length === 2, 'both are here')
  await refusedWith('person-not-here', viewer.call('control.give', { to: staff.id }))
  await viewer.call('chat', { text: ' How do I begin? ' })
  await until(() => observer.told('chat').length === 1, 'the chat came')
  assert.equal([observer.told('chat')[0]?.text, observer.told('chat')[0]?.from.id], ['How do I begin?', ada.id])
  observer.close()
  viewer.close()
})

test('who comes later, or after a restart, is told what was said; nothing is kept once the session is over', async () => {
  const { id } = await open(ada)
  await reaches(ada, id, 'active')
  const adas = await watch(lab, id, ada.bearer)
  for (let at = 0; at < 102; at++) await adas.call('chat', { text: `line ${at}` })
  const lines = async () => {
    const viewer = await watch(lab, id, staff.bearer)
    await until(() => viewer.told('said').length === 1, 'what was said is told')
    viewer.close()
    return viewer.told('said')[0]?.lines ?? []
  }
  const said = await lines()
  assert.equal([said.length, said[0]?.text, said[99]?.text], [100, 'line 2', 'line 101'])
  assert.equal(said.at(-1), adas.told('chat').at(-1))
  await lab.restart()
  assert.equal(await lines(), said)
  const kept = async () => {
    const got = await fetch(`${lab.hub.httpUrl}/api/v1/me/export`, { headers: ada.browser })
    return ((await got.json()) as { chat: object[] }).chat
  }
  assert.is((await kept()).length, 100)
  await ada.ask('POST', `/api/v1/sessions/${id}/finish`)
  await reaches(ada, id, 'closed')
  await until(async () => (await kept()).length === 0, 'nothing is kept')
})

test('who teaches a course finds the sessions of its people, and watches; nobody else’s', async () => {
  const teacher = await newPerson(lab)
  const outsider = await newPerson(lab)
  const course = { id: 'optics', name: 'Optics', kind: 'course' }
  assert.is((await lab.call('/api/v1/groups', { method: 'POST', json: course })).status, 201)
  const emailOf = async (who: TestPerson) => ((await who.ask('GET', '/api/v1/me')).body as { email: string }).email
  const add = [{ who: await emailOf(teacher), role: 'instructor' }, { who: await emailOf(ada) }]
  const added = await lab.call('/api/v1/groups/optics/members', { method: 'POST', json: { add } })
  assert.ok(added.ok, await added.clone().text())
  const [hers, his] = [await open(ada), await open(ben)]
  await reaches(ada, hers.id, 'active')
  const listed = async (who: TestPerson, query: string) => {
    const { status, body } = await who.ask('GET', `/api/v1/sessions?${query}`)
    return status === 200 ? (body as { items: Session[] }).items.map(({ id }) => id) : status
  }
  for (const query of ['group=optics&open=true', `person=${ada.id}&open=true`]) {
    assert.equal(await listed(teacher, query), [hers.id], query)
  }
  assert.equal(await listed(teacher, `person=${ben.id}`), [])
  assert.equal(await listed(teacher, 'open=true'), [], 'their own')
  assert.is(await listed(outsider, 'group=optics'), 404)
  assert.equal(await listed(outsider, `person=${ada.id}`), [])
  assert.is((await outsider.ask('GET', `/api/v1/sessions/${hers.id}`)).status, 404)
  assert.is((await teacher.ask('GET', `/api/v1/sessions/${his.id}`)).status, 404)
  const watching = await watch(lab, hers.id, teacher.bearer)
  await until(() => toldState(watching) === 'active', 'the instructor sees it')
  await refusedWith('not-in-control', watching.call('set', { values: { 'box.value': 1 } }))
  assert.is((await teacher.ask('POST', `/api/v1/sessions/${hers.id}/finish`)).status, 403, 'watching is all')
  await ada.ask('POST', `/api/v1/sessions/${hers.id}/finish`)
  await reaches(ada, hers.id, 'closed')
  assert.equal(await listed(teacher, 'group=optics&open=true'), [])
  assert.ok(((await listed(teacher, 'group=optics')) as string[]).includes(hers.id))
})

test('a partner comes by a link, is given the controls, and one hand has them', async () => {
  const { id } = await open(ada)
  await reaches(ada, id, 'active')
  const made = await ada.ask('POST', `/api/v1/sessions/${id}/link`)
  const { token } = made.body as { token: string }
  assert.is((await ben.ask('POST', '/api/v1/sessions/join', { token })).status, 200)
  assert.is((await cleo.ask('POST', '/api/v1/sessions/join', { token: 'another' })).status, 410)
  assert.equal(
    (await get(ada, id)).partners.map((person) => person.id),
    [ben.id],
  )
  const [adas, bens] = [await watch(lab, id, ada.bearer), await watch(lab, id, ben.bearer)]
  await refusedWith('not-in-control', bens.call('set', { values: { 'box.value': 3 } }))
  await refusedWith('not-in-control', bens.call('control.give', { to: ben.id }))
  await until(() => adas.told('people').at(-1)?.people.length === 2, 'both are here')
  await adas.call('control.give', { to: ben.id })
  await refusedWith('not-in-control', adas.call('set', { values: { 'box.value': 4 } }))
  await bens.call('set', { values: { 'box.value': 5 } })
  await until(() => adas.told('command').length === 1, 'the other sees it')
  assert.equal([adas.told('command')[0]?.by.id, adas.told('command')[0]?.outcome], [ben.id, 'done'])
  await Promise.all([adas.call('control.take'), bens.call('set', { values: { 'box.value': 6 } }).catch(() => {})])
  await refusedWith('not-in-control', bens.call('set', { values: { 'box.value': 6 } }))
  await adas.call('control.give', { to: ben.id })
  bens.close()
  await until(() => adas.told('people').at(-1)?.control?.id === ada.id, 'the controls come back')
  await adas.call('set', { values: { 'box.value': 1 } })
  adas.close()
})

test('the partner who has the controls may finish, in every way; one who has not may not', async () => {
  const { id } = await open(ada)
  await reaches(ada, id, 'active')
  const { token } = (await ada.ask('POST', `/api/v1/sessions/${id}/link`)).body as { token: string }
  await ben.ask('POST', '/api/v1/sessions/join', { token })
  const [adas, bens] = [await watch(lab, id, ada.bearer), await watch(lab, id, ben.bearer)]
  await until(() => adas.told('people').at(-1)?.people.length === 2, 'both are here')
  await refusedWith('not-in-control', bens.call('finish'))
  for (const [method, path] of [
    ['POST', '/finish'],
    ['DELETE', ''],
  ] as const) {
    const refused = await ben.ask(method, `/api/v1/sessions/${id}${path}`)
    assert.equal([refused.status, (refused.body as { code: string }).code], [409, 'not-in-control'])
  }
  await adas.call('control.give', { to: ben.id })
  await refusedWith('forbidden', bens.call('extend', { seconds: 5 }))
  assert.is((await ben.ask('POST', `/api/v1/sessions/${id}/finish`)).status, 200)
  const closed = await reaches(ada, id, 'closed')
  assert.is(closed.reason, 'it was finished')
  const { items } = (await (await lab.call(`/api/v1/audit?subject=${id}`)).json()) as { items: unknown[] }
  assert.equal(items, [], 'it is not the staff’s doing')
  assert.is(await adas.closed, 4410)
})

test('the time until the turn has the preparing of the bench in it', async () => {
  const leased = await staff.ask('POST', '/api/v1/benches/node-1.b-1/lease', { ttlS: 30 })
  assert.is(leased.status, 200, JSON.stringify(leased.body))
  await push(SESSION.replace('prepare: [{ set: { box.value: 1 } }]', 'prepare: [{ wait: 40 }]'))
  const asked = Date.now()
  const { id, estimatedStart } = await open(ada)
  const waitS = (Date.parse(estimatedStart ?? '') - asked) / 1000
  assert.ok(waitS > 60 && waitS < 75, `${waitS} s`)
  await ada.ask('DELETE', `/api/v1/sessions/${id}`)
  await push(SESSION)
  await staff.ask('DELETE', '/api/v1/benches/node-1.b-1/lease')
})

test('who signs out is cut off within a second', async () => {
  const dora = await newPerson(lab)
  const { id } = await open(dora)
  const [browser, program] = [await watch(lab, id, dora.browser), await watch(lab, id, dora.bearer)]
  const out = await fetch(`${lab.hub.httpUrl}/api/v1/me/sign-out-everywhere`, { method: 'POST', headers: dora.browser })
  assert.is(out.ok, true)
  const outAt = performance.now()
  assert.is(await browser.closed, 4401)
  assert.ok(performance.now() - outAt < 1000)
  assert.is(program.socket.readyState, program.socket.OPEN)
  program.close()
})

test('one who takes nothing from the connection is given up, and neither bench nor others wait for it', async () => {
  const { id } = await open(ada)
  await reaches(ada, id, 'active')
  const [hers, stuck] = [await watch(lab, id, ada.bearer), await watch(lab, id, staff.bearer)]
  const long = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'chat', params: { ['x'.repeat(60_000)]: 1 } })
  stuck.socket.pause()
  stuck.socket.on('error', () => {
    // The hub gave the connection up while more was on its way.
  })
  let gone = false
  void stuck.closed.then(() => {
    gone = true
  })
  // Each is refused with its own words, which nobody takes, until all that the system keeps of a connection is full.
  for (let value = 0; !gone; value = (value + 1) % 10) {
    for (let at = 0; at < 20 && !gone; at++) await new Promise<void>((done) => stuck.socket.send(long, () => done()))
    await hers.call('set', { values: { 'box.value': value } })
  }
  await until(() => hers.told('people').at(-1)?.people.length === 1, 'it has left the room')
  await hers.call('set', { values: { 'box.value': 9 } })
  await until(
    () => hers.told('samples').some(({ samples }) => samples['box.value']?.values.at(-1) === 9),
    'others see what is done',
  )
})

test('a bench whose clean-up fails is given to nobody until it is put back', async () => {
  await push(
    SESSION.replace(
      'cleanUp: [{ set: { box.value: 2 } }]',
      'cleanUp: [{ read: { signals: [box.value] } }, { assert: { condition: box.value > 5, message: it is too low } }]',
    ),
  )
  const { id } = await open(ada)
  await reaches(ada, id, 'active')
  await ada.ask('DELETE', `/api/v1/sessions/${id}`)
  await reaches(ada, id, 'closed')
  const bench = async () =>
    (await staff.ask('GET', '/api/v1/benches/node-1.b-1')).body as { state: string; reason: string }
  await until(async () => (await bench()).state === 'fault', 'the bench is out')
  assert.match((await bench()).reason, /clean-up after session .* was not done: .*it is too low/)
  const his = await open(ben)
  await lab.restart()
  await until(async () => (await bench()).state === 'fault', 'the bench is out after a restart too')
  assert.is((await get(ben, his.id)).state, 'waiting')
  assert.is((await ben.ask('POST', '/api/v1/benches/node-1.b-1/put-back')).status, 403)
  assert.is((await staff.ask('POST', '/api/v1/benches/node-1.b-1/put-back')).status, 200)
  await reaches(ben, his.id, 'active')
  await push(SESSION)
})

test('a hub that is gone for a moment finds its session going on', async () => {
  const { id } = await open(ada)
  const active = await reaches(ada, id, 'active')
  const viewer = await watch(lab, id, ada.bearer)
  await viewer.call('set', { values: { 'box.value': 8 } })
  await lab.restart()
  const found = await reaches(ada, id, 'active')
  assert.equal([found.activeAt, found.endsAt], [active.activeAt, active.endsAt])
  const again = await watch(lab, id, ada.bearer)
  await until(
    () =>
      again.call('read', { signals: ['box.value'] }).then(
        (read) => JSON.stringify(read).includes('8'),
        () => false,
      ),
    'the bench answers',
  )
  again.close()
})

test('no session is longer than the person’s permissions, and none where they give no time', async () => {
  const everyone = async (gives: object) => {
    const changed = await lab.call('/api/v1/permissions/everyone', { method: 'PUT', json: { gives } })
    assert.is(changed.ok, true, await changed.text())
  }
  await everyone({ sessionS: 70 })
  const long = await ada.ask('POST', '/api/v1/sessions', { lab: 'small', seconds: 71 })
  assert.is((long.body as { code: string }).code, 'session-too-long')
  const mine = (await ada.ask('POST', '/api/v1/sessions', { lab: 'small', seconds: 60 })).body as Session
  await until(async () => {
    const { body } = await ada.ask('GET', `/api/v1/sessions/${mine.id}`)
    return (body as Session).state === 'active'
  }, 'the bench is theirs')
  const extend = (seconds: number) => ada.ask('POST', `/api/v1/sessions/${mine.id}/extend`, { seconds })
  assert.is(((await extend(11)).body as { code: string }).code, 'session-too-long')
  assert.is((await extend(10)).status, 200)
  await everyone({ sessionS: 0 })
  assert.equal([(await extend(1)).status, ((await extend(1)).body as { code: string }).code], [403, 'no-session-time'])
  await ada.ask('DELETE', `/api/v1/sessions/${mine.id}`)
  await until(async () => {
    const { body } = await ada.ask('GET', `/api/v1/sessions/${mine.id}`)
    return (body as Session).state === 'closed'
  }, 'it is over')
  const none = await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })
  assert.equal([none.status, (none.body as { code: string }).code], [403, 'no-session-time'])
  await everyone({ sessionS: 1800 })
})

test('a lab without sessions offers none, and no session is longer than the lab allows', async () => {
  const long = await ada.ask('POST', '/api/v1/sessions', { lab: 'small', seconds: 101 })
  assert.equal([long.status, (long.body as { code: string }).code], [422, 'session-too-long'])
  assert.is((await ada.ask('POST', '/api/v1/sessions', { lab: 'none-such' })).status, 404)
  assert.is((await ada.ask('POST', '/api/v1/runs', { lab: 'small', protocol: '_session', parameters: {} })).status, 400)
  await push('')
  const none = await ada.ask('POST', '/api/v1/sessions', { lab: 'small' })
  assert.equal([none.status, (none.body as { code: string }).code], [409, 'no-sessions'])
})

test.run()
