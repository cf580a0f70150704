import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('labs over HTTP', { timeoutMs: 30_000 })
let hub: ServedHub
let bearer: Record<string, string>
const picture = new URL('../../../shared/labs/rc-circuit/picture.svg', import.meta.url)

const protocol = 'title: P\nversion: 1\nrestart: safe\nparameters: {}\nsteps:\n  - wait: 0\noutputs: {}\n'
const push = (id: string, labText: string, more: { path: string; text: string }[] = []) =>
  hub.json(
    'PUT',
    `/api/v1/labs/${id}`,
    {
      files: [
        { path: 'lab.yaml', text: `title: Lab\nsummary: x\nparts: {}\n${labText}` },
        { path: 'README.md', text: '# Lab\n' },
        { path: 'protocols/p.yaml', text: protocol },
        ...more,
      ],
    },
    bearer,
  )

test.before(async () => {
  hub = await serveHub()
  bearer = (await hub.person('admin', ['admin'])).bearer
})
test.after(() => hub.close())

test('a lab for members is there for those who may read the catalogue, and for nobody else', async () => {
  const pushed = await push('inner', 'access: { public: false }\n')
  assert.is(pushed.status, 201, await pushed.text())
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${hub.url}/api/v1/labs/inner`, { headers })).status
  assert.is(await status({}), 404)
  assert.is(await status((await hub.person('student', ['read'])).bearer), 200)
  const narrow = (await hub.person('instructor', ['mqtt:read'])).bearer
  assert.is(await status(narrow), 404, 'the token is for other things')
  assert.is((await fetch(`${hub.url}/api/v1/labs/inner/files/README.md`, { headers: narrow })).status, 404)
  const list = (await (await fetch(`${hub.url}/api/v1/labs`, { headers: narrow })).json()) as { items: object[] }
  assert.equal(list.items, [])
})

test('a drawing has its own style sheets and nothing else that runs or loads', async () => {
  const text = await readFile(picture, 'utf8')
  const odd = '<svg xmlns="http://www.w3.org/2000/svg"><rect style="fill: red"/></svg>'
  const pushed = await push('drawn', 'picture: picture.svg\n', [
    { path: 'picture.svg', text },
    { path: 'odd.svg', text: odd },
  ])
  assert.is(pushed.status, 201, await pushed.text())
  const policy = async (file: string) =>
    (await fetch(`${hub.url}/api/v1/labs/drawn/files/${file}`)).headers.get('content-security-policy')
  const sheet = text.split('<style>')[1]?.split('</style>')[0] ?? ''
  const hash = createHash('sha256').update(sheet).digest('base64')
  assert.is(await policy('picture.svg'), `default-src 'none'; style-src 'sha256-${hash}'; sandbox`)
  assert.is(await policy('odd.svg'), "default-src 'none'; sandbox")
  assert.is(await policy('README.md'), "default-src 'none'; sandbox")
})

test('a large lab of somebody who may not push is refused before it has come', async () => {
  const student = await hub.person('student', ['read', 'run'])
  for (const [headers, status] of [
    [{}, 401],
    [student.bearer, 403],
  ] as const) {
    const gone = new AbortController()
    // One piece, and no end.
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) })
    const response = await fetch(`${hub.url}/api/v1/labs/large`, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      duplex: 'half',
      signal: gone.signal,
    } as RequestInit)
    assert.is(response.status, status)
    gone.abort()
  }
})

test.run()
