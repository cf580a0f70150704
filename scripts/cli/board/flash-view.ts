import type { FlashProgress } from '@fernlab/firmware-bridge/flashing/flasher'
import cliProgress from 'cli-progress'
import type { Terminal } from '../terminal.ts'

/** Shows how far flashing is. */
export interface FlashView {
  show(progress: FlashProgress): void
  /** Leaves the terminal as it was found; idempotent. */
  close(): void
}

const words: Readonly<Record<FlashProgress['step'], string>> = {
  connecting: 'waiting for the boot loader',
  comparing: 'comparing',
  writing: 'writing',
  verifying: 'reading back',
}

/** A bar for a person at a terminal, a line for each step elsewhere, nothing where only the result is wanted. */
export function openFlashView(terminal: Terminal, json: boolean): FlashView {
  if (json || terminal.quiet) return { show: () => {}, close: () => {} }
  return terminal.interactive ? openBar(terminal) : openLines(terminal)
}

function openLines(terminal: Terminal): FlashView {
  let told = ''
  return {
    show: ({ step, total }) => {
      if (step === told) return
      told = step
      terminal.out(step === 'connecting' ? `${words[step]} …` : `${words[step]} ${total} bytes …`)
    },
    close: () => {},
  }
}

function openBar(terminal: Terminal): FlashView {
  const bar = new cliProgress.SingleBar({
    format: ' {bar} {percentage} %  {step}',
    barCompleteChar: terminal.ascii ? '#' : '█',
    barIncompleteChar: terminal.ascii ? '.' : '░',
    barsize: Math.min(30, Math.max(10, terminal.columns - 40)),
    hideCursor: true,
    clearOnComplete: true,
    fps: 10,
  })
  let drawn = false
  return {
    show: ({ step, done, total }) => {
      if (!drawn) bar.start(total, done, { step: words[step] })
      else {
        bar.setTotal(total)
        bar.update(done, { step: words[step] })
      }
      drawn = true
    },
    close: () => {
      if (drawn) bar.stop()
      drawn = false
    },
  }
}
