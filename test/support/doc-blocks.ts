import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './source-files.ts'

/** A fenced block of a guide: `sh run` is to be run, `file=path` is a file that the guide's reader writes. */
export interface DocBlock {
  readonly line: number
  readonly text: string
  readonly run: boolean
  readonly file?: string
}

/** The guides with their marked blocks. */
export function guides(): { path: string; blocks: DocBlock[] }[] {
  const paths = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  return paths
    .filter((path) => path.endsWith('.md'))
    .map((path) => ({ path, blocks: blocksOf(readFileSync(join(root, path), 'utf8')) }))
    .filter(({ blocks }) => blocks.length > 0)
}

/** The marked blocks of a Markdown text. */
export function blocksOf(text: string): DocBlock[] {
  return [...text.matchAll(/^```\w+ (run|file=(\S+))\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, , file, body = ''] = match
    const line = text.slice(0, match.index).split('\n').length + 1
    return { line, text: body, run: file === undefined, ...(file === undefined ? {} : { file }) }
  })
}

/** Targets of relative links of a Markdown text. */
export function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => target)
}
