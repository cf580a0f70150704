import type { Socket } from 'node:net'
import { messageReader } from './messages.ts'

/** QEMU's machine protocol: https://www.qemu.org/docs/master/interop/qmp-spec.html */
export interface Qmp {
  /** Executes a command and gives what it returned; rejects with QEMU's description of the error. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Resolves at the next event of this name. */
  event(name: string): Promise<Readonly<Record<string, unknown>>>
}

interface Answer {
  readonly QMP?: unknown
  readonly event?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly id?: number
  readonly return?: unknown
  readonly error?: { readonly desc: string }
}

/** Speaks QMP on a connection; resolves when commands are taken. */
export async function speakQmp(socket: Socket): Promise<Qmp> {
  const waiting = new Map<number, (answer: Answer) => void>()
  const listeners = new Map<string, ((data: Readonly<Record<string, unknown>>) => void)[]>()
  let greeted: () => void = () => {}
  const greeting = new Promise<void>((resolve) => {
    greeted = resolve
  })
  let commands = 0
  socket.on(
    'data',
    messageReader<Answer>((answer) => {
      if (answer.QMP !== undefined) greeted()
      else if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
      else if (answer.event !== undefined) {
        for (const listener of listeners.get(answer.event) ?? []) listener(answer.data ?? {})
        listeners.delete(answer.event)
      }
    }),
  )
  const execute = async (command: string, args: Readonly<Record<string, unknown>> = {}) => {
    commands += 1
    const id = commands
    const answer = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve)
      socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    })
    waiting.delete(id)
    if (answer.error !== undefined) throw new Error(`QEMU refuses ${command}: ${answer.error.desc}`)
    return answer.return
  }
  await greeting
  await execute('qmp_capabilities')
  return {
    execute,
    event: (name) =>
      new Promise((resolve) => {
        listeners.set(name, [...(listeners.get(name) ?? []), resolve])
      }),
  }
}
