import { WhoHasIt, withWho } from '@fernlab/shared/clients/typescript/who-has-it'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('who has what a node refuses')

const since = '2026-11-28T10:00:00.000Z'
const bo = { id: 'p1', name: 'Bo Bench' }
const refusal = (code: string, details: Record<string, string | boolean> = { since }) =>
  new LabError({ code, kind: 'caller', retry: 'later', message: 'somebody else has it', details })

test('is said with since when and what for, as far as the directory tells', () => {
  const locked = withWho(refusal('service-locked'), 'pi/fit', { person: bo, reason: 'a long fit', since })
  assert.is(
    locked.message,
    `pi/fit is locked: Bo Bench has it since ${since} (a long fit); wait until it is given back`,
  )
  assert.equal([locked.code, locked.retry], ['service-locked', 'later'])
  assert.equal(locked.details, { since, by: 'Bo Bench', reason: 'a long fit' })
  const mine = withWho(refusal('bench-busy'), 'pi/b.psu', { person: bo, mine: true, since })
  assert.match(
    mine.message,
    /^pi\/b\.psu is in use: you have it in another program or page, since .*; give it back there$/,
  )
  const error = refusal('bench-held')
  assert.is(withWho(error, 'pi/b.psu', { since }), error)
  assert.is(withWho(error, 'pi/b.psu', undefined), error)
})

test('is asked for once for each that has it, and not of a run, of what is one’s own, or where it is said', async () => {
  const asked: string[] = []
  const who = new WhoHasIt(async (service) => {
    asked.push(service)
    if (service === 'pi/away') throw refusal('hub-unreachable')
    return { person: bo, since }
  })
  const busy = refusal('bench-busy')
  for (let n = 0; n < 3; n++) assert.match((await who.amended(busy, 'pi/b.psu')).message, /Bo Bench has it/)
  assert.equal(asked, ['pi/b.psu'])
  await who.amended(refusal('bench-busy', { since: '2026-11-28T11:00:00.000Z' }), 'pi/b.psu')
  assert.equal(asked.splice(0), ['pi/b.psu', 'pi/b.psu'])
  for (const error of [
    refusal('bench-busy', { since, run: true }),
    refusal('bench-held', { since, mine: true }),
    refusal('bench-busy', { since, by: 'Cy Chair', reason: 'a course' }),
    refusal('bench-busy', {}),
    refusal('call-invalid'),
  ])
    assert.is(await who.amended(error, 'pi/b.psu'), error)
  assert.equal(asked, [])
  const owned = refusal('service-locked', { since, owner: 'p1' })
  assert.match((await who.amended(owned, 'pi/fit')).message, /Bo Bench has it/)
  assert.is(await who.amended(busy, 'pi/away'), busy)
})

test.run()
