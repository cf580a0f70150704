/** Findings as text, for a terminal. */
import type { HardwareFinding } from '@fernlab/shared/contracts/hardware'

type Finding = Omit<HardwareFinding, 'find'>

const margin = 8

/** Grouped below headings, with what to type on lines of its own; text is wrapped at `columns`, what is typed never. */
export function findingLines(findings: readonly Finding[], columns: number): string[] {
  return findings.flatMap((finding, i) => {
    const isNew = findings[i - 1]?.group !== finding.group
    const heading = [...(i === 0 ? [] : ['']), finding.group]
    return [...(isNew ? heading : []), ...linesOf(finding, columns)]
  })
}

function linesOf({ verdict, what, detail, lines = [] }: Finding, columns: number): string[] {
  const words = wrapped(`${what}: ${detail}`, Math.max(40, columns) - margin)
  return [
    ...words.map((line, i) => `${i === 0 ? verdict.padEnd(margin) : ' '.repeat(margin)}${line}`),
    ...lines.map((line) => `${' '.repeat(margin + 2)}${line}`),
  ]
}

/** Broken between words, also within a path that is longer than a line; never within a word that fits. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
