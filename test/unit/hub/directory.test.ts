import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { directoryEntry } from '@fernlab/shared/contracts/directory-entry'
import { fits, searchFor } from '@fernlab/shared/contracts/directory-search'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('searching the directory')

test('a pattern fits what the same regular expression fits', () => {
  const letter = fc.constantFrom('a', 'B', '.', '?', '*')
  const pattern = fc.array(letter, { maxLength: 8 }).map((letters) => letters.join(''))
  const text = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 10 }).map((letters) => letters.join(''))
  const regex = (glob: string) =>
    new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`, 'is')
  fc.assert(
    fc.property(text, pattern, (name, glob) => {
      assert.is(fits(name, glob), regex(glob).test(name), `${JSON.stringify(name)} and ${JSON.stringify(glob)}`)
    }),
    { numRuns: 3000 },
  )
})

test('a pattern made to be slow takes no more steps than letters by letters', () => {
  let looked = 0
  const counted = new Proxy(Object('a'.repeat(256)), {
    get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) looked++
      const value = Reflect.get(target, key)
      return key === 'toLowerCase' ? () => counted : typeof value === 'function' ? value.bind(target) : value
    },
  })
  const pattern = `${'*a'.repeat(120)}*b`
  assert.not(fits(counted as string, pattern))
  assert.ok(looked > 0 && looked <= 256 * pattern.length, `${looked} looks`)
})

test('a service that its node has lost was last there when the node says, and never after the node itself', () => {
  const seen = (lastSeen: string | undefined, nodeSeen: string) => {
    const contract = { kind: 'plain', version: '1.0', actions: {}, signals: {}, events: {} }
    const told = { name: 'fit', state: 'gone' as const, tags: [], contract, ...(lastSeen ? { lastSeen } : {}) }
    const lastSeenAt = Date.parse(nodeSeen)
    const described = { site: 's', node: 'n', told, addresses: [], bench: undefined, standing: told, lastSeenAt }
    return directoryEntry(described, { personId: 'ada', names: undefined }).lastSeen
  }
  const [monday, thursday] = ['2026-03-02T08:00:00.000Z', '2026-03-05T08:00:00.000Z']
  assert.is(seen(monday, thursday), monday)
  assert.is(seen(thursday, monday), monday, 'the clock of the node is wrong')
  assert.is(seen(undefined, thursday), thursday)
})

const entry = (name: string, tags: string[], state: DirectoryEntry['state'] = 'up') =>
  ({ name, tags, state }) as DirectoryEntry
const entries = [
  entry('bench1.psu', ['supply', 'dc']),
  entry('bench2.psu', ['supply', 'ac'], 'gone'),
  entry('bench2.scope', ['scope']),
]

for (const [search, found] of [
  [{}, [0, 1, 2]],
  [{ name: 'bench1.psu' }, [0]],
  [{ name: 'bench1' }, []],
  [{ prefix: 'bench2.' }, [1, 2]],
  [{ pattern: '*.PSU' }, [0, 1]],
  [{ pattern: 'bench?.s*' }, [2]],
  [{ tag: 'supply' }, [0, 1]],
  [{ tag: ['supply', 'dc'] }, [0]],
  [{ anyTag: ['ac', 'scope'] }, [1, 2]],
  [{ anyTag: [] }, [0, 1, 2]],
  [{ state: 'gone' }, [1]],
  [{ tag: 'supply', anyTag: ['ac', 'dc'], state: 'up' }, [0]],
] as const) {
  test(`${JSON.stringify(search)} finds what it should`, () => {
    const fitting = searchFor(search as Parameters<typeof searchFor>[0])
    assert.equal(
      entries.filter(fitting),
      found.map((at) => entries[at]),
    )
  })
}

test.run()
