import * as assert from 'uvu/assert'
import { wholeList } from '../../../hub/web/src/api/whole-list.ts'
import { suite } from '../../support/suite.ts'

const test = suite('lists that are shown whole')

test('nothing is left out where the hub gives a list in parts, and no part is asked for twice', async () => {
  const all = Array.from({ length: 431 }, (_, at) => `bench-${at}`)
  const asked: string[] = []
  const get = async (path: string) => {
    asked.push(path)
    const query = new URL(path, 'http://hub').searchParams
    const from = Number(query.get('cursor')?.replace('a&b=', '') ?? 0)
    const next = from + Number(query.get('limit'))
    return { items: all.slice(from, next), ...(next < all.length ? { cursor: `a&b=${next}` } : {}) }
  }
  assert.equal(await wholeList({ get: get as never }, '/api/v1/benches'), { items: all })
  assert.is(asked.length, 3)
})

test('what the list is asked for stays in every part', async () => {
  const asked: URLSearchParams[] = []
  const get = async (path: string) => {
    asked.push(new URL(path, 'http://hub').searchParams)
    return { items: [asked.length], ...(asked.length < 2 ? { cursor: 'next' } : {}) }
  }
  assert.equal(await wholeList({ get: get as never }, '/api/v1/sessions?open=true'), { items: [1, 2] })
  assert.equal(
    asked.map((query) => query.get('open')),
    ['true', 'true'],
  )
})

test('what fails on the way fails the whole, instead of a list that looks complete', async () => {
  const get = async (path: string) => {
    if (path.includes('cursor')) throw new Error('gone')
    return { items: [1], cursor: 'next' }
  }
  await wholeList({ get: get as never }, '/api/v1/nodes').then(
    () => assert.unreachable(),
    ({ message }) => assert.is(message, 'gone'),
  )
})

test.run()
