/** What the owner of the node's machine does with its daemons. */
import { DAEMON_CONTROL, type DaemonChange, daemonControl } from '@fernlab/shared/contracts/daemon-control'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { LOCAL } from '../service-source.ts'
import type { Daemons } from './daemons.ts'

type Controlled = Pick<Daemons, 'report' | 'info' | 'lines' | 'up' | 'down' | 'reload'>

const LOOK_MS = 200

/** The service as that person has it; each call of another throws `owner-only`. */
export function daemonControlService(daemons: Controlled, clock: Clock, person: string): Service {
  /** With the state of each, once none of them is starting. */
  const settled = async (changes: readonly DaemonChange[], signal: AbortSignal): Promise<DaemonChange[]> => {
    const of = (name: string) => daemons.report().find(({ daemon }) => daemon === name)
    while (changes.some(({ daemon }) => of(daemon)?.state === 'starting')) await clock.sleep(LOOK_MS, signal)
    return changes.map((change) => {
      const report = of(change.daemon)
      const { state } = report ?? {}
      const reason = change.reason ?? report?.reason
      const useless = (report?.services ?? []).flatMap(({ name, error }) =>
        error === undefined ? [] : [{ name, error }],
      )
      return {
        ...change,
        ...(state === undefined ? {} : { state }),
        ...(reason === undefined ? {} : { reason }),
        ...(useless.length === 0 ? {} : { services: useless }),
      }
    })
  }
  async function* follow(names: readonly string[] | undefined, signal: AbortSignal): AsyncGenerator<unknown> {
    let seen = daemons.lines(names, 1).at(-1)?.number ?? 0
    for (;;) {
      for (const line of daemons.lines(names, Number.POSITIVE_INFINITY)) {
        if (line.number <= seen) continue
        seen = line.number
        yield line
      }
      await clock.sleep(LOOK_MS, signal)
    }
  }
  return {
    contract: daemonControl,
    call: (action, args, { signal }) => {
      if (person !== LOCAL) throw ownerOnly()
      const given = args.daemons as readonly string[] | undefined
      const names = given === undefined || given.length === 0 ? undefined : [...new Set(given)]
      switch (action as keyof typeof daemonControl.actions) {
        case 'list':
          return daemons.report()
        case 'info':
          return daemons.info(String(args.name))
        case 'up':
          return daemons.up(names).then((changes) => settled(changes, signal))
        case 'down':
          return daemons.down(names)
        case 'reload':
          return daemons.reload().then((changes) => settled(changes, signal))
        case 'logs':
          return daemons.lines(names, Number(args.most))
        case 'follow':
          return follow(names, signal)
      }
    },
  }
}

const ownerOnly = () =>
  new LabError({
    code: 'owner-only',
    kind: 'caller',
    message: `${DAEMON_CONTROL} is for the node's own machine: "fernlab daemon" there`,
  })
