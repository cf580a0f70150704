import type { Run } from '@fernlab/shared/contracts/api'
import cliProgress from 'cli-progress'
import type { RunNews } from './follow-run.ts'
import type { Terminal } from './terminal.ts'
import { waitText } from './wait-text.ts'

/** Shows the news of a run as they come. */
export interface RunView {
  show(news: RunNews): void
  /** Leaves the terminal as it was found, below what was shown. */
  close(): void
}

/** A progress bar for a person, plain lines elsewhere, nothing where only the result is wanted. */
export function openRunView(terminal: Terminal, kind: 'person' | 'quiet'): RunView {
  if (kind === 'quiet') return { show: () => {}, close: () => {} }
  return terminal.interactive ? openBar(terminal) : openLines(terminal)
}

function openBar(terminal: Terminal): RunView {
  const bar = new cliProgress.SingleBar({
    format: ' {bar} {percentage} %  {left}{step}',
    barCompleteChar: terminal.ascii ? '#' : '█',
    barIncompleteChar: terminal.ascii ? '.' : '░',
    barsize: Math.min(30, Math.max(10, terminal.columns - 50)),
    hideCursor: true,
    clearOnComplete: true,
    fps: 10,
  })
  let drawn = false
  let told = ''
  const stop = () => {
    if (drawn) bar.stop()
    drawn = false
  }
  return {
    show: (news) => {
      if (news.kind === 'progress') {
        const payload = { left: timeLeft(news.secondsLeft), step: stepName(news.step) }
        if (drawn) bar.update(news.fraction * 100, payload)
        else bar.start(100, news.fraction * 100, payload)
        drawn = true
        return
      }
      stop()
      const line = describeNews(news)
      if (line === told) return
      told = line
      // What is longer than the line could not be taken back.
      const isKept = news.kind !== 'wait' || line.length >= terminal.columns
      terminal.status(isKept ? '' : line)
      if (isKept) terminal.out(line)
    },
    close: () => {
      stop()
      terminal.status('')
    },
  }
}

function openLines(terminal: Terminal): RunView {
  let lastTenth = -1
  let lastWait = ''
  return {
    show: (news) => {
      if (news.kind === 'progress') {
        const tenth = Math.floor(news.fraction * 10)
        if (tenth === lastTenth) return
        lastTenth = tenth
      }
      const line = describeNews(news)
      if (news.kind === 'wait') {
        if (line === lastWait) return
        lastWait = line
      }
      terminal.out(line)
    },
    close: () => {},
  }
}

function describeNews(news: RunNews): string {
  switch (news.kind) {
    case 'state':
      return [news.state, news.bench ? `on ${news.bench}` : '', news.reason ?? ''].filter(Boolean).join('  ')
    case 'progress':
      return `${Math.round(news.fraction * 100)} %  ${timeLeft(news.secondsLeft)}${stepName(news.step)}`.trimEnd()
    case 'wait':
      return waitText(news)
  }
}

/** The step's own label; a place in the file such as `steps[3].record` says nothing to a person. */
const stepName = (step: string): string => (/^steps\[\d+\]/.test(step) ? '' : step)

const timeLeft = (seconds: number | undefined) =>
  seconds === undefined ? '' : `about ${formatSeconds(seconds)} left  `

/** `25 s`, `6 min`, `1.5 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

/** The outputs of a run, one a line: `tau = 1.002 ± 0.004 s`, and why others are missing. */
export function outputLines(run: Run): string[] {
  const outputs = Object.entries(run.outputs).map(([name, { value, unit, uncertainty }]) => {
    const spread = uncertainty === undefined ? '' : ` ± ${uncertainty.toPrecision(2)}`
    const figures = uncertainty === undefined || uncertainty === 0 ? value.toPrecision(6) : roundTo(value, uncertainty)
    return `${name} = ${figures}${spread}${unit === '1' || unit === '' ? '' : ` ${unit}`}`
  })
  const missing = Object.entries(run.missingOutputs).map(([name, reason]) => `${name} is missing: ${reason}`)
  return [...outputs, ...missing]
}

function roundTo(value: number, uncertainty: number): string {
  const decimals = 1 - Math.floor(Math.log10(Math.abs(uncertainty)))
  const figures = decimals + Math.max(1, Math.ceil(Math.log10(Math.abs(value) || 1)))
  return decimals >= 0 && figures <= 8 ? value.toFixed(decimals) : value.toPrecision(6)
}
