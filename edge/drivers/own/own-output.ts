import { Console } from 'node:console'
import type { Log } from '@fernlab/shared/primitives/log'
import { rpcNotification } from '@fernlab/shared/rpc/envelope'

export interface OwnOutput {
  /** One message, to the node. */
  send(line: string): void
  readonly log: Log
}

/** Keeps standard output for messages: what a driver, or a library of it, prints goes to standard error from here on. */
export function ownOutput(): OwnOutput {
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = process.stderr.write.bind(process.stderr)
  globalThis.console = new Console(process.stderr, process.stderr)
  const send = (line: string) => void write(`${line}\n`)
  return { send, log: logTo(send, {}) }
}

/** Fields stand behind the words, as the node's log has one text for each line of a program. */
function logTo(send: (line: string) => void, base: object): Log {
  const at = (level: string) => (fields: object, message: string) => {
    const all = { ...base, ...fields }
    const behind = Object.keys(all).length === 0 ? '' : ` ${JSON.stringify(all)}`
    send(rpcNotification('log', { level, message: `${message}${behind}` }))
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => logTo(send, { ...base, ...fields }),
  }
}
