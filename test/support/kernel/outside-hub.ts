/** A hub outside the machine, as a process of its own, and what a person types there. */
import { commandLine } from '../command-line.ts'
import { startFernlab } from '../running-fernlab.ts'
import type { HostPeer } from './need.ts'

/** This machine, as a guest reaches it over QEMU's network. */
const outsideAddress = '10.0.2.2'

/** Starts a hub without the demo; `labs` are folders that are pushed to it. */
export async function outsideHub(labs: readonly string[]): Promise<HostPeer> {
  const hub = await startFernlab({ part: 'hub', env: { FERNLAB_DEMO: '0' } })
  const fernlab = async (...args: string[]) => {
    const { code, out, err } = await commandLine(args, { env: hub.clientEnv })
    if (code !== 0) throw new Error(`fernlab ${args.join(' ')} ended with ${code}: ${err}${hub.output()}`)
    return out
  }
  try {
    for (const lab of labs) await fernlab('lab', 'push', lab)
  } catch (error) {
    await hub.cleanUp()
    throw error
  }
  const download = async (path: string) => {
    const response = await fetch(`${hub.http}${path}`, { headers: { authorization: `Bearer ${hub.token}` } })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return await response.text()
  }
  return {
    operations: {
      'its address': () => `http://${outsideAddress}:${new URL(hub.http).port}`,
      time: () => Math.floor(Date.now() / 1000),
      fernlab,
      download,
    },
    close: () => hub.cleanUp(),
  }
}
