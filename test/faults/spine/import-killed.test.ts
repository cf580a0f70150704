/** The hub is killed (-9) while it imports a list of people: all of them are made, or nobody is. */
import { importFaultPoints } from '@fernlab/hub/fault-point'
import { openStore } from '@fernlab/hub/store/store'
import type { ImportedPeople } from '@fernlab/shared/contracts/api'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { keptOf, startMailServer } from '../../integration/accounts/mail-server.ts'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { within } from '../../support/faults/hub-client.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while it imports people', { timeoutMs: 60_000 })
const many = 2000
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

const list = (name: string, most: number) =>
  `name,email\n${Array.from({ length: most }, (_, n) => `P${n},${name}-${n}@x.example`).join('\n')}\n`

/** Imports the list into a hub that dies at the point, and starts it again. */
async function killedAt(point: string, csv: string, env: Record<string, string> = {}): Promise<void> {
  const { hub, client } = lab
  await hub.kill()
  await hub.start({ ...env, FERNLAB_FAULT_POINT: point })
  const ended = hub.ended()
  const answer = await client.ask('POST', '/api/v1/users/import', { csv, group: 'all' }).then(
    () => 'an answer',
    () => 'none',
  )
  assert.is(answer, 'none', 'nothing is answered before the hub dies')
  assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
  await hub.start(env)
}

/** How many of those there are: people, their roles, their ways in, their groups, and entries about them. */
async function standing(name: string): Promise<number[]> {
  const store = await openStore({ url: `sqlite:${lab.database}`, log })
  const users = await store.db.selectFrom('user').select('id').where('email', 'like', `${name}-%`).execute()
  const ids = new Set(users.map(({ id }) => id))
  const persons = await store.db.selectFrom('person').select('id').execute()
  const links = await store.db.selectFrom('one_time').select('subject').execute()
  const members = await store.db.selectFrom('group_member').select('person_id').execute()
  const entries = await store.db.selectFrom('audit').select('detail').where('action', '=', 'people.imported').execute()
  const told = entries.flatMap(({ detail }) => (JSON.parse(detail) as { people: string[] }).people)
  await store.close()
  return [
    ids.size,
    persons.filter(({ id }) => ids.has(id)).length,
    links.filter(({ subject }) => ids.has(subject ?? '')).length,
    members.filter(({ person_id }) => ids.has(person_id)).length,
    told.filter((id) => ids.has(id)).length,
  ]
}

test('without letters', async () => {
  await lab.client.insist('POST', '/api/v1/groups', { id: 'all', name: 'All', kind: 'group' })
  for (const point of importFaultPoints) {
    const made = point.startsWith('after') ? many : 0
    await killedAt(point, list(point, many))
    assert.equal(await standing(point), [made, made, made, made, made], point)
    const body = { csv: list(point, many), group: 'all' }
    const { body: again } = await lab.client.insist('POST', '/api/v1/users/import', body)
    assert.equal([(again as ImportedPeople).fresh, (again as ImportedPeople).count], [many - made, many])
    assert.equal(await standing(point), [many, many, many, many, many], point)
  }
})

test('the letters of those who were made go out after the next start', async () => {
  const mail = await startMailServer()
  try {
    await killedAt('after-import-commit', list('post', 5), { FERNLAB_SMTP_URL: mail.url })
    for (let n = 0; n < 5; n++) {
      const letter = await within(30_000, `the letter to ${n}`, mail.letterTo(`post-${n}@x.example`))
      assert.match(letter, /\/reset#token=/)
    }
    assert.is(keptOf(mail.letters).size, 5)
  } finally {
    await mail.close()
  }
})

test.run()
