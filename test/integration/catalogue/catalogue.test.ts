import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CatalogueLab } from '@fernlab/hub/catalogue/catalogue'
import { readLabFolders } from '@fernlab/hub/catalogue/lab-folders'
import { createReadmes } from '@fernlab/hub/catalogue/readmes'
import type { ReadmeNode } from '@fernlab/shared/contracts/api'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'

const test = suite('the catalogue', { timeoutMs: 30_000 })
const labsFolder = fileURLToPath(new URL('../../../shared/labs/', import.meta.url))
let hub: ServedHub
let folder: string
let bearer: Record<string, string>

interface PushFile {
  path: string
  text?: string
  base64?: string
}

async function pushFiles(
  id: string,
  change: (files: Record<string, string>) => void = () => {},
): Promise<{ files: PushFile[] }> {
  const lab = (await readLabFolders(labsFolder)).find((candidate) => candidate.id === id)
  const texts: Record<string, string> = {}
  const files: PushFile[] = []
  for (const [path, content] of Object.entries(lab?.files ?? {})) {
    if (typeof content === 'string') texts[path] = content
    else files.push({ path, base64: Buffer.from(content).toString('base64') })
  }
  change(texts)
  return { files: [...files, ...Object.entries(texts).map(([path, text]) => ({ path, text }))] }
}

test.before(async () => {
  hub = await serveHub()
  folder = await mkdtemp(join(tmpdir(), 'fernlab-labs-'))
  bearer = (await hub.person('admin', ['builder'])).bearer
})
test.after(async () => {
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${hub.url}${path}`, { headers })
  return { status: response.status, body: (await response.json()) as Record<string, never> }
}

test('a folder of labs is loaded, and strangers see the catalogue', async () => {
  const loaded = await hub.catalogue.loadFolder(labsFolder)
  assert.equal(
    loaded.map(({ id, changed }) => [id, changed]),
    [
      ['diode-iv', true],
      ['membrane', true],
      ['rc-circuit', true],
      ['thermal-control', true],
    ],
  )
  assert.ok((await hub.catalogue.loadFolder(labsFolder)).every(({ changed }) => !changed))
  const { body } = await get('/api/v1/labs')
  assert.equal(
    (body as unknown as { items: { id: string }[] }).items.map(({ id }) => id),
    ['diode-iv', 'membrane', 'rc-circuit', 'thermal-control'],
  )
  const detail = (await get('/api/v1/labs/rc-circuit')).body as unknown as {
    readme: Record<string, string>
    picture: string
    protocols: {
      name: string
      parameters: { properties: Record<string, { unit?: string }> }
      estimate?: { seconds: number }
    }[]
  }
  assert.ok(detail.readme.en)
  const charge = detail.protocols.find(({ name }) => name === 'charge-curve')
  assert.ok(Object.values(charge?.parameters.properties ?? {}).some(({ unit }) => unit === 'V'))
  assert.ok((charge?.estimate?.seconds ?? 0) > 0)
  const picture = await fetch(`${hub.url}${detail.picture}`)
  assert.is(picture.headers.get('content-type'), 'image/svg+xml')
  assert.match(picture.headers.get('content-security-policy') ?? '', 'sandbox')
  const etag = picture.headers.get('etag') ?? ''
  await picture.arrayBuffer()
  assert.is((await fetch(`${hub.url}${detail.picture}`, { headers: { 'if-none-match': etag } })).status, 304)
  const nested = await fetch(`${hub.url}/api/v1/labs/rc-circuit/files/protocols/charge-curve.yaml`)
  assert.is(nested.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.match(await nested.text(), 'steps:')
  for (const path of ['../rc-circuit/lab.yaml', '%2e%2e/x', 'no.svg', 'protocols/none.yaml', '']) {
    const answer = await fetch(`${hub.url}/api/v1/labs/rc-circuit/files/${path}`)
    assert.is(answer.status, 404, path)
    await answer.arrayBuffer()
  }
})

test('a lab’s text comes as the page draws it, in the language asked for or in what there is', async () => {
  const readme = async (query: string) =>
    (await get(`/api/v1/labs/rc-circuit/readme${query}`)).body as unknown as { language: string; nodes: ReadmeNode[] }
  const spanish = await readme('?language=es')
  assert.is(spanish.language, 'es')
  assert.match(JSON.stringify(spanish.nodes), 'Circuito RC')
  assert.match(JSON.stringify(spanish.nodes), '"className":"katex-display"')
  assert.is((await readme('?language=es-MX')).language, 'es')
  for (const query of ['', '?language=fr']) assert.is((await readme(query)).language, 'en')
  assert.is((await get('/api/v1/labs/nothing/readme')).status, 404)
  const raw = await fetch(`${hub.url}/api/v1/labs/rc-circuit/files/README.es.md`)
  assert.match(await raw.text(), /^# Circuito RC/)
})

test('a text that cannot be read in time is given as it was written, and is read once for each version', async () => {
  const log = recordingLog()
  const readmes = createReadmes({ clock: systemClock, log, limitMs: 1 })
  const lab = { id: 'rc', version: 1, readme: { en: '# Some *words*' } } as unknown as CatalogueLab
  const first = await readmes.of(lab, 'en', '/files/')
  assert.equal((JSON.parse(first?.nodes ?? '') as Exclude<ReadmeNode, string>[])[0]?.children, ['# Some *words*'])
  await readmes.of(lab, 'en', '/files/')
  assert.is(log.lines.length, 1)
  await readmes.of({ ...lab, version: 2 }, 'en', '/files/')
  assert.is(log.lines.length, 2)
  assert.is(await readmes.of({ ...lab, readme: {} }, 'en', '/files/'), undefined)
})

test('a push makes a version only of what is new, and a wrong one changes nothing and says where', async () => {
  const path = '/api/v1/labs/diode-iv'
  const same = await hub.json('PUT', path, await pushFiles('diode-iv'), bearer)
  assert.equal(await same.json(), { id: 'diode-iv', version: 1, changed: false })

  const wrong = await pushFiles('diode-iv', (files) => {
    files['lab.yaml'] = `${files['lab.yaml']}\nnonsense: 1\n`
  })
  const refused = await hub.json('PUT', path, wrong, bearer)
  assert.is(refused.status, 422)
  const problem = (await refused.json()) as { code: string; issues: { file: string; line: number; path: string }[] }
  assert.is(problem.code, 'lab-invalid')
  assert.is(problem.issues[0]?.file, 'lab.yaml')
  assert.ok((problem.issues[0]?.line ?? 0) > 1)
  assert.is((await hub.catalogue.lab('diode-iv'))?.version, 1)

  const edited = await pushFiles('diode-iv', (files) => {
    files['README.md'] = `${files['README.md']}\nOne more line.\n`
  })
  const heard: string[] = []
  const stop = hub.catalogue.onChange((id) => heard.push(id))
  const pushed = await Promise.all([1, 2].map(() => hub.json('PUT', path, edited, bearer)))
  const answers = (await Promise.all(pushed.map((answer) => answer.json()))) as { version: number; changed: boolean }[]
  assert.equal(
    answers.map(({ version }) => version),
    [2, 2],
  )
  assert.equal(answers.map(({ changed }) => changed).sort(), [false, true])
  stop()
  assert.equal(heard, ['diode-iv'])
  assert.match((await hub.catalogue.lab('diode-iv'))?.readme.en ?? '', 'One more line.')
  assert.not.match((await hub.catalogue.version('diode-iv', 1))?.readme.en ?? '', 'One more line.')
  await hub.catalogue.loadFolder(labsFolder)
  assert.is((await hub.catalogue.lab('diode-iv'))?.version, 2, 'the older folder does not win over the push')
})

test('a push under another name, a path outside and text that is no base64 are refused', async () => {
  const files = await pushFiles('diode-iv', (texts) => {
    texts['lab.yaml'] = `id: diode-iv\n${texts['lab.yaml']?.replace(/^id:.*\n/m, '')}`
  })
  const other = await hub.json('PUT', '/api/v1/labs/other', files, bearer)
  assert.is(other.status, 422)
  for (const file of [
    { path: '../x.yaml', text: '' },
    { path: 'a//b', text: '' },
    { path: 'x.png', base64: '***' },
    { path: 'x.png' },
  ]) {
    const answer = await hub.json('PUT', '/api/v1/labs/diode-iv', { files: [file] }, bearer)
    assert.is(answer.status, 400, JSON.stringify(file))
    await answer.arrayBuffer()
  }
  const student = await hub.person('student', ['read', 'run'])
  assert.is((await hub.json('PUT', '/api/v1/labs/diode-iv', files, student.bearer)).status, 403)
})

test('a lab that is taken out stays readable for its runs, and comes back by a push', async () => {
  assert.is((await hub.json('DELETE', '/api/v1/labs/membrane', undefined, bearer)).status, 204)
  assert.is((await hub.json('DELETE', '/api/v1/labs/membrane', undefined, bearer)).status, 404)
  assert.is((await get('/api/v1/labs/membrane')).status, 404)
  const kept = await hub.catalogue.version('membrane', 1)
  assert.ok(kept?.removed)
  const name = Object.keys(kept?.protocols ?? {})[0] ?? ''
  assert.ok(await hub.catalogue.protocol('membrane', 1, name))
  assert.is((await hub.catalogue.loadFolder(labsFolder)).find(({ id }) => id === 'membrane')?.changed, false)
  assert.is(await hub.catalogue.lab('membrane'), undefined)
  const back = await hub.json('PUT', '/api/v1/labs/membrane', await pushFiles('membrane'), bearer)
  assert.equal(await back.json(), { id: 'membrane', version: 2, changed: true })
})

test('a watched folder is loaded again when a file in it changes', async () => {
  await cp(join(labsFolder, 'rc-circuit'), join(folder, 'rc-two'), { recursive: true })
  const yaml = join(folder, 'rc-two', 'lab.yaml')
  await writeFile(yaml, (await readFile(yaml, 'utf8')).replace(/^id:.*\n/m, ''))
  const stop = await hub.catalogue.watchFolder(folder)
  try {
    assert.is((await hub.catalogue.lab('rc-two'))?.version, 1)
    const changed = new Promise<void>((resolve) => {
      hub.catalogue.onChange((id) => id === 'rc-two' && resolve())
    })
    await writeFile(join(folder, 'rc-two', 'README.md'), '# Changed\n')
    await changed
    assert.is((await hub.catalogue.lab('rc-two'))?.readme.en, '# Changed\n')
  } finally {
    await stop()
  }
})

test.run()
