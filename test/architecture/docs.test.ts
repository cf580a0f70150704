import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkAgainstInstruments, loadConfig } from '@fernlab/edge/config/config'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { createInstrumentHandle, type InstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { checkProtocol } from '@fernlab/shared/protocol/check-protocol'
import { checkLabFolder } from '@fernlab/shared/protocol/lab-folder'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import * as assert from 'uvu/assert'
import { blocksOf, guides, linksOf } from '../support/doc-blocks.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('the guides are true')

test('every relative link leads to a file', () => {
  const folders = ['.', 'docs', 'edge', 'firmware-bridge', 'hub', 'scripts', 'shared', 'test']
  const pages = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  )
  const broken = pages.flatMap((page) =>
    linksOf(readFileSync(join(root, page), 'utf8'))
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  )
  assert.equal(broken, [])
})

test('every picture is shown by a page, and every picture that a page shows is there', () => {
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ]
  const shown = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/[("]([^()"]*pictures\/[^()"]+)[)"]/g)].map(([, target = '']) =>
      join(dirname(page), target),
    ),
  )
  const kept = readdirSync(join(root, 'docs/pictures')).map((name) => join('docs/pictures', name))
  assert.equal([...new Set(shown)].sort(), kept.sort())
})

test('finds the blocks that are to be run and the files that are to be written', () => {
  const text = 'a\n```sh run\nls\n```\n```sh\nno\n```\n```yaml file=x/y.yaml\na: 1\n```\n'
  assert.equal(blocksOf(text), [
    { line: 3, text: 'ls\n', run: true },
    { line: 9, text: 'a: 1\n', run: false, file: 'x/y.yaml' },
  ])
})

test('a node starts with every example of the guide to instruments', async () => {
  const guide = readFileSync(join(root, 'docs/instruments.md'), 'utf8')
  const head = 'site: s\nnode: n\nhub: { url: "mqtt://127.0.0.1:1883" }\n'
  const examples = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
  const nodes = examples.filter((text) => text.startsWith('instruments:'))
  assert.ok(nodes.length > 0)
  for (const text of nodes) await loadConfig({ text: `${head}${text}`, folder: root }, builtInDrivers())
})

const labGuides = [
  { guide: 'docs/lab-builders.md', name: 'divider', nodeFiles: 2 },
  { guide: 'docs/lab-servers.md', name: 'robot', nodeFiles: 1 },
  { guide: 'docs/raspberry-pi.md', name: 'lamp', nodeFiles: 1 },
]
for (const { guide, name, nodeFiles } of labGuides) {
  test(`the lab and the nodes in ${guide} are sound, and fit each other`, async () => {
    const files = guides().find(({ path }) => path === guide)?.blocks ?? []
    const folder: Record<string, string> = {}
    for (const { file, text } of files) {
      if (file?.startsWith(`${name}/`)) folder[file.slice(`${name}/`.length)] = text
    }
    const { lab, issues } = checkLabFolder(folder, { folder: name })
    assert.equal(issues, [])
    assert.ok(lab !== undefined && (Object.keys(lab.protocols).length > 0 || lab.session !== undefined))
    // These are no benches for the guide's lab.
    const isOther = (file: string) => /^(oven|air-node|heater-node)\//.test(file)
    const nodes = files.filter(({ file }) => file?.endsWith('node.yaml') && !isOther(file))
    assert.is(nodes.length, nodeFiles)
    for (const { text } of nodes)
      await checkNode(text, [...Object.values(lab.protocols), ...(lab.session ? [lab.session] : [])])
  })
}

for (const guide of ['docs/instruments.md', 'docs/raspberry-pi.md'])
  test(`the nodes in ${guide} are sound`, async () => {
    const blocks = guides().find(({ path }) => path === guide)?.blocks ?? []
    const nodes = blocks.filter(({ file }) => file?.endsWith('node.yaml'))
    assert.ok(nodes.length > 0)
    const folder = await mkdtemp(join(tmpdir(), 'fernlab-docs-'))
    try {
      for (const { file, text } of blocks) {
        if (file === undefined) continue
        await mkdir(dirname(join(folder, file)), { recursive: true })
        await writeFile(join(folder, file), text)
      }
      for (const { file = '', text } of nodes) await checkNode(text, [], dirname(join(folder, file)))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

/** The node's file is sound, and its benches can do the protocols. */
async function checkNode(text: string, protocols: readonly Protocol[], folder = root): Promise<void> {
  const drivers = builtInDrivers()
  const config = await loadConfig({ text, folder }, drivers)
  const [clock, log] = [systemClock, silentLog]
  const instruments = new Map<string, InstrumentHandle>()
  for (const [name, entry] of Object.entries(config.file.instruments)) {
    const driver = drivers.find(({ kind }) => kind === entry.driver)
    assert.ok(driver, entry.driver)
    // Nothing is opened: making an instrument reads its description and its settings.
    const openTransport = () => Promise.reject(new TypeError('nothing is to be opened'))
    const instrument = await driver.create(entry.config, { name, clock, log, openTransport, configFolder: folder })
    instruments.set(name, createInstrumentHandle({ name, instrument, clock, log }))
  }
  checkAgainstInstruments(config, instruments)
  for (const bench of Object.values(config.file.benches)) {
    const specs = Object.entries(bench.parts).flatMap(([part, name]) => {
      const spec = instruments.get(name)?.spec
      return spec === undefined ? [] : [[part, spec] as const]
    })
    for (const protocol of protocols) {
      assert.equal(checkProtocol(protocol, { parts: Object.fromEntries(specs), limits: bench.limits ?? {} }), [])
    }
  }
}

test.run()
