/** Both clients say the same of the same, in words that the guide explains. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('codes of both clients')

const folders = { typescript: 'shared/clients/typescript', python: 'shared/clients/python/src/fernlab' }
const raised = {
  typescript: /(?:code: |wrong\(\s*)'([a-z]+(?:-[a-z]+)+)'/g,
  python: /LabError\(\s*"([a-z]+(?:-[a-z]+)+)"/g,
}

/** Those that a client raises itself, apart from its links and what travels on them. */
function codesOf(language: keyof typeof folders): ReadonlySet<string> {
  const folder = join(root, folders[language])
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.(?:ts|py)$/.test(file) && !/^(?:rpc|links|node_modules)\/|^errors\.py$/.test(file),
  )
  assert.ok(files.length > 20)
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(raised[language])].map(([, code = '']) => code)))
}

/** Why a code is of one client alone. */
const alone: Readonly<Record<string, string>> = {
  'client-closed': 'a client of TypeScript is closed for good, a proxy of Python opens its links anew',
  'link-ended': 'as before, of a program in Python that ends',
  'call-in-loop': 'plain calls are of Python',
  'call-cancelled': 'a signal has a reason of its own in TypeScript',
  'call-invalid': 'of batches in TypeScript, of lists in Python',
  'hold-changed': 'of nodes of earlier versions, to which a program in TypeScript may say which lock is meant',
  'file-exists': 'modules of stubs are of Python',
  'internal-error': 'a bug',
  'contract-changed': 'of TypeScript it is raised where contracts are compared, for nodes too',
  'link-unreachable': 'of Python it is raised by the links',
  'node-unknown': 'nodes are met by their addresses in Python',
  'node-without-tls': 'what is found on the network is of TypeScript',
  'service-ambiguous': 'raised by one, and by the other as a refusal of its own wording',
}

test('a code that one raises the other does too, or it says why', () => {
  const [typescript, python] = [codesOf('typescript'), codesOf('python')]
  const differ = [...new Set([...typescript, ...python])].filter((code) => typescript.has(code) !== python.has(code))
  assert.equal(
    differ.filter((code) => !Object.hasOwn(alone, code)),
    [],
  )
})

test('the guide has a row for each that people meet', () => {
  const [, table = ''] = readFileSync(join(root, 'docs/services.md'), 'utf8').split('\n## Errors\n')
  const explained = new Set([...table.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, code]) => code))
  const inside = [
    'link-unreachable',
    'internal-error',
    'unexpected-answer',
    'call-in-loop',
    'call-cancelled',
    'client-closed',
    'link-ended',
    'file-exists',
    'node-without-tls',
  ]
  const codes = [...codesOf('typescript'), ...codesOf('python')].filter((code) => !inside.includes(code))
  assert.ok(codes.includes('locked-already'))
  assert.equal(
    codes.filter((code) => !explained.has(code)),
    [],
  )
})

test.run()
