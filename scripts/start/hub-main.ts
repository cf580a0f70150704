import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import pino from 'pino'
import { openHub, welcome } from './open-hub.ts'
import { runUntilStopped } from './run-until-stopped.ts'

/** The hub alone, until SIGTERM or Ctrl-C; its log goes to standard error as JSON, one object a line. */
export async function main({ env }: { env: Readonly<Record<string, string | undefined>> }): Promise<void> {
  await runUntilStopped(async () => {
    const log = pino({ level: env.FERNLAB_LOG_LEVEL || 'info', base: null }, pino.destination({ dest: 2, sync: true }))
    const { hub } = await openHub({ env, clock, log })
    process.stdout.write(welcome(hub))
    return { stop: () => hub.close() }
  })
}
