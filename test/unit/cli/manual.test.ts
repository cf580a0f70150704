import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verbsOf } from 'fernlab/cli/commands-guide'
import { manual } from 'fernlab/cli/manual'
import { createProgram } from 'fernlab/cli/program'
import type { Terminal } from 'fernlab/cli/terminal'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { commandLine } from '../../support/command-line.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the manual of the command line')

const nobody = { env: {}, columns: 80, out: () => {}, err: () => {} } as unknown as Terminal
const program = createProgram(
  { terminal: nobody, signal: new AbortController().signal, onInterrupt: () => () => {} },
  '',
)
const verbs = verbsOf(program, '')

/** The words of an example after `fernlab`, without what belongs to the shell. */
function wordsOf(example: string): string[] {
  const [, typed = ''] = /(?:^|\| |\S+=\S+ )fernlab (.*)$/.exec(example) ?? []
  const words = [...typed.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, word = '']) => double ?? single ?? word,
  )
  const end = words.findIndex((word) => word === '>' || word === '>>')
  return end < 0 ? words : words.slice(0, end)
}

type Command = (typeof verbs)[number]['command']

function fits(command: Command, given: readonly string[]): string | undefined {
  const { operands, unknown } = command.parseOptions([...given])
  if (unknown.length > 0) return `does not know ${unknown.join(' ')}`
  const args = command.registeredArguments
  const least = args.filter(({ required }) => required).length
  const most = args.at(-1)?.variadic ? Number.POSITIVE_INFINITY : args.length
  if (operands.length < least || operands.length > most) return `takes other words than ${operands.join(' ')}`
  const missing = command.options.filter((one) => one.mandatory && command.opts()[one.attributeName()] === undefined)
  return missing.length === 0 ? undefined : `needs ${missing.map(({ flags }) => flags).join(', ')}`
}

test('each verb has one example, which fits it, and help that ends with it', () => {
  assert.equal(verbs.map(({ path }) => path).sort(), Object.keys(manual).sort())
  for (const { path, command } of verbs) {
    const { example = '' } = manual[path] ?? {}
    const words = path.split(' ')
    const typed = wordsOf(example)
    assert.equal(typed.slice(0, words.length), words, example)
    assert.is(fits(command, typed.slice(words.length)), undefined, example)
    const help: string[] = []
    command.configureOutput({ writeOut: (text) => void help.push(text) }).outputHelp()
    assert.match(help.join(''), example, path)
    assert.ok(command.description().length > 10, path)
  }
})

test('each command that a guide shows fits its verb, also where no test runs it', () => {
  const folder = join(root, 'docs')
  const guides = [
    ...readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'commands.md'),
    '../README.md',
  ]
  let count = 0
  for (const guide of guides) {
    const text = readFileSync(join(folder, guide), 'utf8')
    const blocks = [...text.matchAll(/^```sh[^\n]*\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
    for (const line of blocks.join('\n').replaceAll('\\\n', ' ').split('\n')) {
      const [, typed = ''] = /(?:^|(?<!python3? -m)[ (])fernlab ((?:"[^"]*"|'[^']*'|[^|)#])*)/.exec(line) ?? []
      if (typed === '' || typed.startsWith('&& cd')) continue
      const words = wordsOf(`fernlab ${typed.trim()}`)
      const verb = verbs
        .filter(({ path }) => path === words.slice(0, path.split(' ').length).join(' '))
        .sort((a, b) => b.path.length - a.path.length)[0]
      assert.ok(verb, `${guide}: ${line}`)
      assert.is(fits(verb.command, words.slice(verb.path.split(' ').length)), undefined, `${guide}: ${line}`)
      count++
    }
  }
  assert.ok(count > 80, String(count))
})

test('what a verb prints with --json is said of exactly those that have it, and routes that are named are there', () => {
  const { paths } = JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8')) as {
    paths: Record<string, object>
  }
  for (const { path, command } of verbs) {
    const { json } = manual[path] ?? {}
    const takesJson = command.options.some(({ long }) => long === '--json')
    assert.is(json !== undefined, takesJson, path)
    const [, method = '', route = ''] = /(GET|POST|PUT|DELETE) (\/[^\s,]+)/.exec(json ?? '') ?? []
    if (route !== '') assert.ok(method.toLowerCase() in (paths[route] ?? {}), `${path}: ${json}`)
  }
})

test('a word that is no verb leads to what does the same today, or to the nearest verb and its help', async () => {
  const pointed = await commandLine(['ps', '--anything'], { env: {} })
  assert.equal([pointed.code, /no verb "ps"\n {2}"fernlab benches"/.test(pointed.err)], [1, true], pointed.err)
  const near = await commandLine(['booking', 'mak'], { env: {} })
  assert.match(near.err, /unknown command 'mak'\n\(Did you mean make\?\)\n\("fernlab booking --help" says more\)/)
  const option = await commandLine(['booking', 'make', 'x', 'y', '--fro', '1'], { env: {} })
  assert.match(
    option.err,
    /unknown option '--fro'\n\(Did you mean --for\?\)\n\("fernlab booking make --help" says more\)/,
  )
})

test('bash completes verbs, words and options; the scripts of the others hold every verb', async () => {
  const { out: script } = await commandLine(['completion', 'bash'], { env: {} })
  const complete = async (...typed: string[]) => {
    const words = typed.map((word) => `'${word}'`).join(' ')
    const ask = `COMP_WORDS=(fernlab ${words}); COMP_CWORD=${typed.length}; _fernlab; echo "\${COMPREPLY[*]}"`
    return (await runCommand('bash', ['-euc', `${script}\n${ask}`])).out.trim()
  }
  assert.is(await complete('boo'), 'booking')
  assert.is(await complete('booking', 'series'), 'series series-cancel series-take-back')
  assert.is(await complete('booking', 'make', 'rc-circuit', '--f'), '--for')
  assert.is(await complete('account', 'second-factor', 'o'), 'on off')
  assert.is(await complete('completion', ''), 'bash zsh fish')
  assert.is(await complete('completion', '-'), '--help')
  assert.is(await complete('lab', 'push', ''), '', 'bash goes on with files')
  assert.is(await complete('nothing', 'such', ''), await complete(''))
  for (const shell of ['zsh', 'fish']) {
    const { out } = await commandLine(['completion', shell], { env: {} })
    for (const { path } of verbs) assert.match(out, `'${path}'`, shell)
  }
})

test.run()
