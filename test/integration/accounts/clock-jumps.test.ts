import { type Accounts, createAccounts } from '@fernlab/hub/accounts/accounts'
import { findAddressLink, makeAddressLink } from '@fernlab/hub/accounts/address-links'
import { createGroups } from '@fernlab/hub/groups/groups'
import { createMail } from '@fernlab/hub/mail/mail'
import { forgetExpired } from '@fernlab/hub/maintenance/expired'
import { BenchUse } from '@fernlab/hub/permissions/bench-use'
import { createStandings, type Standings } from '@fernlab/hub/permissions/standings'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { temporaryStore } from '../results/stored-run.ts'
import { secretIn } from './visitor.ts'

const test = suite('what people hold, when the hub’s clock jumps', { timeoutMs: 60_000 })
const day = 86_400_000
const begin = Date.parse('2026-03-02T09:00:00.000Z')
const admin = { email: 'admin@school.example', password: 'a-long-password' }

interface Hub {
  readonly accounts: Accounts
  readonly standings: Standings
}

/** Whether it holds: now, with the clock two days ahead, right again, two days behind, right again. */
const table: Readonly<Record<string, readonly boolean[]>> = {
  'a token of a day': [true, false, true, true, true],
  'a token of a week': [true, true, true, true, true],
  'a token without an end': [true, true, true, true, true],
  'an invitation of a day': [true, false, true, true, true],
  'an invitation of a week': [true, true, true, true, true],
  'a link to confirm an address, of a day': [true, false, true, true, true],
  'a permission that ends tomorrow': [true, false, true, true, true],
  'a permission that begins tomorrow': [false, true, false, false, false],
  'a permission without an end': [true, true, true, true, true],
}

test('two days ahead, two behind, and back: what has not ended holds again, with a restart at each step and without', async () => {
  for (const restarts of [false, true]) {
    const { store, folder, close } = await temporaryStore()
    const clock = new ManualClock(begin)
    const open = async (): Promise<Hub> => {
      const groups = createGroups({ store, clock })
      const accounts = await createAccounts({
        ...{ store, groups, clock, log: silentLog, mail: createMail({ smtpUrl: undefined }) },
        config: {
          ...{ site: 'here', publicUrl: () => 'https://lab.example', secure: false, dataFolder: folder },
          ...{ adminEmail: admin.email, adminPassword: admin.password },
        },
      })
      const permissions = { onChange: () => () => {} }
      const standings = createStandings({
        ...{ store, groups, permissions, use: new BenchUse(), toCome: () => [], clock },
      })
      return { accounts, standings }
    }
    let hub = await open()
    try {
      const { id: personId } = (await hub.accounts.people({ limit: 1 })).items[0] ?? { id: '' }
      const token = async (expiresInDays?: number) => {
        const { token: secret } = await hub.accounts.createToken(
          { personId },
          { name: 'x', scopes: ['read'], expiresInDays },
        )
        return async () => (await hub.accounts.verifyToken(secret)) !== undefined
      }
      const invitation = async (expiresInDays: number) => {
        const caller = { personId, name: '', email: '', role: 'admin', scopes: 'all', via: 'session' } as const
        const made = await hub.accounts.invitations.create(caller, {
          role: 'guest',
          most: 1,
          register: true,
          expiresInDays,
        })
        const looked = () => hub.accounts.invitations.look(secretIn(made.link))
        return () =>
          looked().then(
            () => true,
            () => false,
          )
      }
      const permission = async (lab: string, startsAt: number | null, endsAt: number | null) => {
        await store.write([
          store.db.insertInto('permission').values({
            ...{
              id: lab,
              subject_kind: 'role',
              subject: 'student',
              lab,
              protocols: '["x"]',
              note: null,
              created_at: 0,
            },
            ...{ starts_at: startsAt, ends_at: endsAt, gives: '{"mayQueue":true}' },
          }),
        ])
        return async () => {
          const standing = await hub.standings.of({ personId: 'ada', role: 'student' }, lab)
          return standing.effective('x').holding.includes(lab)
        }
      }
      const link = await makeAddressLink(store, clock, 'new@school.example', { personId })
      const holds: Readonly<Record<string, () => Promise<boolean>>> = {
        'a token of a day': await token(1),
        'a token of a week': await token(7),
        'a token without an end': await token(),
        'an invitation of a day': await invitation(1),
        'an invitation of a week': await invitation(7),
        'a link to confirm an address, of a day': async () => (await findAddressLink(store, clock, link)) !== undefined,
        'a permission that ends tomorrow': await permission('ends', null, begin + day),
        'a permission that begins tomorrow': await permission('begins', begin + day, null),
        'a permission without an end': await permission('endless', null, null),
      }
      assert.equal(Object.keys(holds), Object.keys(table))
      const found = new Map<string, boolean[]>(Object.keys(table).map((what) => [what, []]))
      for (const jump of [0, 2 * day, -2 * day, -2 * day, 2 * day]) {
        clock.jump(jump)
        if (restarts) {
          await hub.accounts.close()
          hub = await open()
        }
        for (const [what, look] of Object.entries(holds)) found.get(what)?.push(await look())
        // What is done each night, in a night that never was.
        await forgetExpired(store, clock)
      }
      assert.equal(Object.fromEntries(found), table, restarts ? 'with restarts' : 'without')
    } finally {
      await hub.accounts.close()
      await close()
    }
  }
})

test.run()
