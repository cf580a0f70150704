import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseNodeFile } from '@fernlab/shared/contracts/node-file'
import { checkLabFolder } from '@fernlab/shared/protocol/lab-folder'
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

test('finds the blocks that are to be run and the files that are to be written', () => {
  const text = 'a\n```sh run\nls\n```\n```sh\nno\n```\n```yaml file=x/y.yaml\na: 1\n```\n'
  assert.equal(blocksOf(text), [
    { line: 3, text: 'ls\n', run: true },
    { line: 9, text: 'a: 1\n', run: false, file: 'x/y.yaml' },
  ])
})

test('the lab and the node in the guide for lab builders are sound', () => {
  const files = guides().find(({ path }) => path === 'docs/lab-builders.md')?.blocks ?? []
  const lab: Record<string, string> = {}
  for (const { file, text } of files) {
    if (file?.startsWith('divider/')) lab[file.slice('divider/'.length)] = text
  }
  assert.equal(checkLabFolder(lab, { folder: 'divider' }).issues, [])
  assert.equal(parseNodeFile(files.find(({ file }) => file === 'node.yaml')?.text ?? '').issues, [])
})

test.run()
