/** The results as a table for the terminal and as Markdown for docs/benchmarks.md. */
import type { Figure } from './benchmark.ts'
import type { Machine } from './machine.ts'
import type { BenchmarkResult } from './run.ts'
import type { Summary } from './statistics.ts'

interface Row {
  readonly figure: string
  readonly contestant: string
  readonly median: string
  readonly range: string
  /** Fernlab's median divided by this one's. */
  readonly ratio: string
  readonly aim: string
}

function rowsOf(result: BenchmarkResult): Row[] {
  const own = result.contestants[0]
  return result.figures.flatMap((figure) =>
    result.contestants.flatMap((contestant): Row[] => {
      const summary = contestant.summaries[figure.name]
      if (summary === undefined) {
        if (contestant.failure === undefined) return []
        return [{ ...emptyRow(figure, contestant.name), range: `not measured: ${contestant.failure}` }]
      }
      const ownSummary = own?.summaries[figure.name]
      return [
        {
          figure: `${figure.title}, ${figure.unit}`,
          contestant: contestant.name,
          median: number(summary.median),
          range: `${number(summary.min)} – ${number(summary.max)}`,
          ratio: contestant === own || ownSummary === undefined ? '' : `${number(ratio(ownSummary, summary))} ×`,
          aim: aimOf(result, figure, contestant.name),
        },
      ]
    }),
  )
}

const emptyRow = (figure: Figure, contestant: string): Row => ({
  figure: `${figure.title}, ${figure.unit}`,
  contestant,
  median: '–',
  range: '',
  ratio: '',
  aim: '',
})

const ratio = (own: Summary, other: Summary): number => own.median / other.median

function aimOf(result: BenchmarkResult, figure: Figure, contestant: string): string {
  const verdict = result.verdicts.find((each) => each.figure === figure.name && each.contestant === contestant)
  if (verdict === undefined) return ''
  const value = figure.aim?.times === undefined ? '' : `, is ${number(verdict.value)} ×`
  return `${verdict.aim}${value}: ${verdict.met ? 'met' : 'MISSED'}`
}

/** Three digits that matter, thousands apart. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

const columns = ['figure', 'contestant', 'median', 'range', 'ratio', 'aim'] as const
const heads = ['figure', '', 'median', 'min – max', 'Fernlab ÷ it', 'aim']

/** One benchmark's figures in aligned columns. */
export function asText(result: BenchmarkResult): string {
  const lines = [heads, ...rowsOf(result).map((row) => columns.map((column) => row[column]))]
  const widths = heads.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  const body = lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [`\n${result.name}: ${result.title}`, ...body.map((line) => `  ${line}`)].join('\n')
}

/** One benchmark as a section of docs/benchmarks.md. */
export function asMarkdown(result: BenchmarkResult): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    `### ${result.name}`,
    '',
    `${result.title}. Medians of ${result.rounds} rounds, at a load of ${number(result.load.min)} to ${number(result.load.max)}.`,
    '',
    ...result.contestants.map(({ name, what }) => `- **${name}**: ${what}`),
    '',
    line(heads),
    line(heads.map(() => '---')),
    ...rowsOf(result).map((row) => line(columns.map((column) => row[column]))),
    '',
  ].join('\n')
}

/** The machine as a table for docs/benchmarks.md. */
export function machineAsMarkdown(machine: Machine): string {
  return [
    '| | |',
    '| --- | --- |',
    ...Object.entries(machine.facts).map(([name, value]) => `| ${name} | ${value} |`),
    '',
  ].join('\n')
}
