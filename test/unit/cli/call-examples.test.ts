/** What the guides and the help call of the demo node, held against what its instruments have. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('examples of calls')
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')
const yamlOf = (path: string): unknown => parse(textOf(path))

interface NodeFile {
  readonly instruments: Record<string, { readonly config: { readonly model: string } }>
  readonly benches: Record<string, { readonly parts: Record<string, string> }>
}

function signalsOf(service: string): string[] {
  const [bench = '', part = ''] = service.split('.')
  const { instruments, benches } = yamlOf('shared/labs/demo-node/node.yaml') as NodeFile
  const model = instruments[benches[bench]?.parts[part] ?? '']?.config.model
  assert.ok(model, `${service} is no part of a bench of the demo node`)
  return Object.keys((yamlOf(`edge/drivers/scpi/models/${model}.yaml`) as { signals: object }).signals)
}

/** Those that stand after an option that takes names, up to the next option. */
function namedIn(command: string): string[] {
  const words = command.replace(/#.*$/, '').split(/\s+(?=(?:[^"]*"[^"]*")*[^"]*$)/)
  let takes = false
  return words.flatMap((word) => {
    if (word.startsWith('--')) takes = ['--read', '--set', '--follow'].includes(word)
    else if (takes && word !== '') return [word.replace(/=.*$/, '')]
    return []
  })
}

for (const path of ['docs/services.md', 'scripts/cli/manual.ts', 'scripts/cli/commands/call.ts']) {
  test(`${path} names signals that there are`, () => {
    const commands = [...textOf(path).matchAll(/fernlab call (diode-1\.\w+)[^\n'`]*/g)]
    const named = commands.flatMap(([command, service = '']) => namedIn(command).map((name) => ({ service, name })))
    assert.ok(named.length > 0)
    for (const { service, name } of named) assert.ok(signalsOf(service).includes(name), `${service} has no ${name}`)
  })
}

test.run()
