import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Machine } from './machine.ts'
import { asMarkdown, machineAsMarkdown } from './report.ts'
import type { BenchmarkResult } from './run.ts'

const begin = (name: string) => `<!-- begin ${name} -->`
const end = (name: string) => `<!-- end ${name} -->`

/**
 * Replaces the measured sections of docs/benchmarks.md, each between its `begin` and `end` marks, and leaves the prose;
 * a section that is not there yet is added at the end.
 */
export function writeResults(options: {
  readonly root: string
  readonly machine: Machine
  readonly results: readonly BenchmarkResult[]
  readonly command: string
}): void {
  const path = join(options.root, 'docs', 'benchmarks.md')
  let text = existsSync(path) ? readFileSync(path, 'utf8') : '# Benchmarks\n'
  text = replaceSection(text, 'machine', machineAsMarkdown(options.machine))
  for (const result of options.results) {
    const when = `Measured ${options.machine.facts.date} with \`${options.command}\`.\n`
    text = replaceSection(text, result.name, `${asMarkdown(result)}\n${when}`)
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function replaceSection(text: string, name: string, body: string): string {
  const section = `${begin(name)}\n${body.trimEnd()}\n${end(name)}`
  const from = text.indexOf(begin(name))
  const to = text.indexOf(end(name))
  if (from < 0 || to < 0) return `${text.trimEnd()}\n\n${section}\n`
  return `${text.slice(0, from)}${section}${text.slice(to + end(name).length)}`
}
